// Calls of a shop to mock models.
//
// Each call gets `ai` and `mocks`, the modules of some version of the AI SDK, `z` of zod, and
// `telemetry`, which returns the options that switch the spans of a call on.

/** Returns the calls by name, each without arguments. */
export function calls(sdk) {
  const all = { support, shipping, broken, classify, stream, index }
  return Object.fromEntries(Object.entries(all).map(([name, call]) => [name, () => call(sdk)]))
}

const support = ({ ai, mocks, z, telemetry }) =>
  ai.generateText({
    model: model(mocks, toolCall('findOrder', { orderId: 'o-1' }), answer('It is packed.', 60, 4)),
    system: 'Answer customers of a shop.',
    prompt: 'Where is my order o-1?',
    tools: {
      findOrder: ai.tool({
        description: 'Returns the state of an order.',
        inputSchema: z.object({ orderId: z.string() }),
        execute: async ({ orderId }) => `order ${orderId} is packed`,
      }),
    },
    stopWhen: ai.stepCountIs(5),
    ...telemetry('support'),
  })

/** The tool fails; the model sees the error, and answers. */
const shipping = ({ ai, mocks, z, telemetry }) =>
  ai.generateText({
    model: model(mocks, toolCall('ship', { address: 'Atlantis' }), answer('I cannot ship it.', 50, 6)),
    prompt: 'Ship it.',
    tools: {
      ship: ai.tool({
        description: 'Ships a package.',
        inputSchema: z.object({ address: z.string() }),
        execute: async ({ address }) => {
          throw new Error(`no carrier for ${address}`)
        },
      }),
    },
    stopWhen: ai.stepCountIs(5),
    ...telemetry('shipping'),
  })

/** The model fails with an error that is not retried. */
const broken = ({ ai, mocks, telemetry }) =>
  ai.generateText({
    model: model(mocks, new Error('the model is not available')),
    prompt: 'Hello',
    ...telemetry('broken'),
  })

const classify = ({ ai, mocks, z, telemetry }) =>
  ai.generateObject({
    model: model(mocks, answer('{"topic": "orders"}', 20, 5)),
    schema: z.object({ topic: z.string() }),
    prompt: 'Where is my order?',
    ...telemetry('classify'),
  })

async function stream({ ai, mocks, telemetry }) {
  const chunks = [
    { type: 'text-start', id: '1' },
    { type: 'text-delta', id: '1', delta: 'It is ' },
    { type: 'text-delta', id: '1', delta: 'packed.' },
    { type: 'text-end', id: '1' },
    { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: usage(30, 4) },
  ]
  const result = ai.streamText({
    model: new mocks.MockLanguageModelV3({
      provider: 'mock',
      modelId: 'mock-model',
      doStream: async () => ({
        stream: mocks.simulateReadableStream({ chunks, chunkDelayInMs: 50 }),
      }),
    }),
    prompt: 'Where is my order?',
    ...telemetry('stream'),
  })
  return { text: await result.text, steps: await result.steps, totalUsage: await result.totalUsage }
}

const index = ({ ai, mocks, telemetry }) =>
  ai.embed({
    model: new mocks.MockEmbeddingModelV3({
      provider: 'mock',
      modelId: 'mock-embedding',
      doEmbed: async () => ({ embeddings: [[0.1, 0.2]], usage: { tokens: 5 }, warnings: [] }),
    }),
    value: 'pen',
    ...telemetry('index'),
  })

/** A model that returns prepared answers, one after the other. An error is thrown. */
function model(mocks, ...answers) {
  return new mocks.MockLanguageModelV3({
    provider: 'mock',
    modelId: 'mock-model',
    doGenerate: async () => {
      const next = answers.shift()
      if (next instanceof Error) throw next
      return next
    },
  })
}

const answer = (text, input, output) => ({
  content: [{ type: 'text', text }],
  finishReason: { unified: 'stop', raw: 'stop' },
  usage: usage(input, output),
  warnings: [],
})

const toolCall = (toolName, input) => ({
  content: [{ type: 'tool-call', toolCallId: `call-${toolName}`, toolName, input: JSON.stringify(input) }],
  finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
  usage: usage(40, 8),
  warnings: [],
})

const usage = (input, output) => ({
  inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: output, text: output, reasoning: undefined },
})
