// The program of ../vercel-ai with version 7 of the AI SDK, which follows the GenAI conventions.
//
// Usage: node run.mjs <scenario> <truth file>
//
// default  OpenTelemetry of @ai-sdk/otel
// legacy   LegacyOpenTelemetry of @ai-sdk/otel, with the names of earlier versions

import { LegacyOpenTelemetry, OpenTelemetry } from '@ai-sdk/otel'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import * as ai from 'ai'
import * as mocks from 'ai/test'
import { z } from 'zod'
import { calls } from '../vercel-ai/agents.mjs'
import { report } from '../vercel-ai/report.mjs'

const [scenario, path] = process.argv.slice(2)
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
})
provider.register()
ai.registerTelemetry(scenario === 'legacy' ? new LegacyOpenTelemetry() : new OpenTelemetry())

const telemetry = (functionId) => ({
  runtimeContext: { sessionId: 'session-1', userId: 'user-1' },
  telemetry: { functionId, includeRuntimeContext: { sessionId: true, userId: true } },
})
await report('vercel-ai-7', scenario, path, calls({ ai, mocks, z, telemetry }), provider)
