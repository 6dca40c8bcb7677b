// A worker and a client. Usage: node main.mjs <scenario> <address of the server>

import { fileURLToPath } from 'node:url'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { Resource } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Client, Connection } from '@temporalio/client'
import { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry'
import { NativeConnection, Worker } from '@temporalio/worker'
import * as activities from './activities.mjs'

const [scenario, address] = process.argv.slice(2)
const resource = new Resource({ 'service.name': 'shop' })
const spanProcessor = new BatchSpanProcessor(new OTLPTraceExporter())
const provider = new NodeTracerProvider({ resource })
provider.addSpanProcessor(spanProcessor)
provider.register()

const plugins = [new OpenTelemetryPlugin({ resource, spanProcessor })]
const taskQueue = 'shop'

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  workflowsPath: fileURLToPath(new URL('./workflows.mjs', import.meta.url)),
  activities,
  taskQueue,
  plugins,
})
const connection = await Connection.connect({ address })
const client = new Client({ connection, plugins: scenario === 'plugin' ? plugins : [] })
await worker.runUntil(start(client.workflow))
await provider.shutdown()

async function start(workflow) {
  const order = { orderId: 'o-1', items: ['pen', 'paper'] }
  const run = (type, workflowId, argument) =>
    workflow.execute(type, { taskQueue, workflowId, args: [argument] })
  await run('order', 'order-1', order)
  await run('payment', 'payment-1', 9.5)
  await run('shipping', 'shipping-1', 'Atlantis').catch(() => {})
  const options = { taskQueue, workflowId: 'checkout-1', args: [order] }
  const checkout = await workflow.start('checkout', options)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await workflow.getHandle('checkout-1-approval').signal('approve', 'Ada')
  await checkout.result()
}
