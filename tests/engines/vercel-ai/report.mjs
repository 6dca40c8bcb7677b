// What the callers of the AI SDK learn from its results.

import { writeFileSync } from 'node:fs'

/** Runs the calls, and writes their results in the common form. */
export async function report(engine, scenario, path, calls, provider) {
  const runs = []
  for (const [flow, call] of Object.entries(calls)) runs.push(await run(flow, call))
  await provider.shutdown()
  const document = { engine, scenario, source: 'The AI SDK: its results', runs }
  writeFileSync(path, `${JSON.stringify(document, null, 1)}\n`)
}

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
