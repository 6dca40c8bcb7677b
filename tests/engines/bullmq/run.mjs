// BullMQ, a queue in Redis, with producer and worker in this process.
//
// Usage: node run.mjs <scenario> <truth file>
//
// default  BullMQOtel for producer and worker

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq'
import { BullMQOtel } from 'bullmq-otel'

const [scenario, path] = process.argv.slice(2)
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
})
provider.register()

// Redis listens on a socket in the working folder, and on no port.
const socket = `${process.cwd()}/redis.sock`
const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', ''])
const connection = { path: socket, maxRetriesPerRequest: null }
const telemetry = new BullMQOtel({ version: '1.2.0' })

const handlers = {
  reserve: async (job) => {
    await new Promise((resolve) => setTimeout(resolve, 300))
    return `${job.data.item} on shelf A-3`
  },
  charge: async (job) => {
    if (job.attemptsMade < 2) throw new Error('the bank did not answer')
    return 'receipt-1'
  },
  ship: async (job) => {
    throw new Error(`no carrier for ${job.data.address}`)
  },
  confirm: async (job) => Object.values(await job.getChildrenValues()),
}

const queue = new Queue('orders', { connection, telemetry })
const flows = new FlowProducer({ connection, telemetry })
const events = new QueueEvents('orders', { connection })
const worker = new Worker('orders', (job) => handlers[job.name](job), {
  connection,
  telemetry,
  concurrency: 2,
  name: 'worker-1',
})
const retry = { attempts: 3, backoff: { type: 'fixed', delay: 500 } }
const child = (item) => ({ name: 'reserve', queueName: 'orders', data: { item } })

const jobs = [
  await queue.add('reserve', { item: 'pen' }),
  await queue.add('charge', { amount: 9.5 }, retry),
  await queue.add('ship', { address: 'Atlantis' }),
]
const flow = await flows.add({
  name: 'confirm',
  queueName: 'orders',
  children: [child('ink'), child('cup')],
})
jobs.push(...flow.children.map((one) => one.job), flow.job)
for (const job of jobs) await job.waitUntilFinished(events, 30_000).catch(() => {})

const runs = []
for (const { id } of jobs) runs.push(await describe(await queue.getJob(id)))
await worker.close()
await Promise.all([queue.close(), flows.close(), events.close()])
await provider.shutdown()
redis.kill()
const document = { engine: 'bullmq', scenario, source: 'BullMQ: the jobs of the queue', runs }
writeFileSync(path, `${JSON.stringify(document, null, 1)}\n`)

async function describe(job) {
  const time = (milliseconds) => new Date(milliseconds).toISOString()
  // A job that succeeds after a failed try keeps its `failedReason`.
  const state = await job.getState()
  const failed = state === 'failed'
  return {
    id: job.id,
    flow: job.name,
    status: failed ? 'FAILED' : 'COMPLETED',
    engineStatus: state,
    queue: job.queueName,
    created: time(job.timestamp),
    // The start of the last attempt.
    start: time(job.processedOn),
    end: time(job.finishedOn),
    attempts: job.attemptsMade,
    parent: job.parent?.id,
    input: job.data,
    output: job.returnvalue ?? undefined,
    error: failed ? job.failedReason : undefined,
    errorOfEarlierAttempt: failed ? undefined : job.failedReason,
    steps: [],
  }
}
