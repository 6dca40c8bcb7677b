// The AI SDK of Vercel, with mock models.
//
// Usage: node run.mjs <scenario> <truth file>
//
// protobuf  exporter-trace-otlp-proto
// json      exporter-trace-otlp-http, which sends JSON

import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import * as ai from 'ai'
import * as mocks from 'ai/test'
import { z } from 'zod'
import { calls } from './agents.mjs'
import { report } from './report.mjs'

const [scenario, path] = process.argv.slice(2)
const exporter = scenario === 'json' ? new JsonExporter() : new ProtobufExporter()
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop' }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
})
provider.register()

const telemetry = (functionId) => ({
  experimental_telemetry: {
    isEnabled: true,
    functionId,
    metadata: { sessionId: 'session-1', userId: 'user-1' },
  },
})
await report('vercel-ai', scenario, path, calls({ ai, mocks, z, telemetry }), provider)
