// The AI SDK of Vercel, with mock models.
//
// Usage: node run.mjs <scenario> <truth file>
//
// protobuf  exporter-trace-otlp-proto
// json      exporter-trace-otlp-http, which sends JSON

import { writeFileSync } from 'node:fs'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { broken, classify, index, shipping, stream, support } from './agents.mjs'

const [scenario, path] = process.argv.slice(2)
const exporter = scenario === 'json' ? new JsonExporter() : new ProtobufExporter()
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop' }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
})
provider.register()

/** Runs a call, and returns what its caller learns. */
async function run(flow, call) {
  const report = { flow, session: 'session-1', start: new Date().toISOString() }
  try {
    const result = await call()
    Object.assign(report, {
      status: 'COMPLETED',
      output: result.text ?? result.object ?? result.embedding,
      usage: tokens(result.totalUsage ?? result.usage),
      steps: (result.steps ?? []).flatMap(readStep),
    })
  } catch (error) {
    Object.assign(report, { status: 'FAILED', error: `${error.name}: ${error.message}`, steps: [] })
  }
  return { ...report, end: new Date().toISOString() }
}

const tokens = (usage) => ({
  inputTokens: usage.inputTokens ?? usage.tokens,
  outputTokens: usage.outputTokens,
})

function readStep(step) {
  const model = {
    type: 'model',
    name: step.response.modelId,
    status: 'COMPLETED',
    engineStatus: step.finishReason,
    ...tokens(step.usage),
    output: step.text || step.toolCalls.map((call) => call.input),
  }
  const tools = step.content
    .filter((part) => part.type === 'tool-result' || part.type === 'tool-error')
    .map((part) => ({
      type: 'tool',
      id: part.toolCallId,
      name: part.toolName,
      status: part.type === 'tool-error' ? 'FAILED' : 'COMPLETED',
      engineStatus: part.type,
      input: part.input,
      output: part.output,
      error: part.error?.message,
    }))
  return [model, ...tools]
}

const runs = []
for (const [flow, call] of Object.entries({ support, shipping, broken, classify, stream, index })) {
  runs.push(await run(flow, call))
}
await provider.shutdown()
const document = { engine: 'vercel-ai', scenario, source: 'The AI SDK: its results', runs }
writeFileSync(path, `${JSON.stringify(document, null, 1)}\n`)
