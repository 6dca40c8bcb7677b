"""The client of OpenAI, traced with the GenAI conventions of OpenTelemetry.

Usage: run.py <scenario> <truth file>

default  without prompts and answers
content  with them, in the spans
"""

import json
import os
import sys
from datetime import datetime, timezone

import truth

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_order",
            "description": "Returns the state of an order.",
            "parameters": {
                "type": "object",
                "properties": {"order_id": {"type": "string"}},
                "required": ["order_id"],
            },
        },
    }
]


def start_tracing(instrumentor):
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    instrumentor().instrument()
    return provider


class Support:
    """An agent that is written by hand, with spans of its own around the instrumented ones."""

    def __init__(self, client, tracer):
        self.client = client
        self.tracer = tracer
        self.steps = []

    def ask(self, question):
        """Asks the model, calls its tool, and returns its answer."""
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "support",
            "gen_ai.conversation.id": "session-1",
        }
        messages = [
            {"role": "system", "content": "Answer customers of a shop."},
            {"role": "user", "content": question},
        ]
        with self.tracer.start_as_current_span("invoke_agent support", attributes=attributes):
            first = self.chat(messages, tools=TOOLS)
            call = first.tool_calls[0]
            messages += [first.to_dict(), self.call_tool(call)]
            return self.chat(messages, tools=TOOLS).content

    def chat(self, messages, **options):
        completion = self.client.chat.completions.create(
            model="gpt-4o-mini", messages=messages, **options
        )
        message = completion.choices[0].message
        self.steps.append({
            "type": "model",
            "name": completion.model,
            "status": "COMPLETED",
            "inputTokens": completion.usage.prompt_tokens,
            "outputTokens": completion.usage.completion_tokens,
            "output": message.content or message.tool_calls[0].function.arguments,
        })  # fmt: skip
        return message

    def call_tool(self, call):
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.function.name,
            "gen_ai.tool.call.id": call.id,
        }
        with self.tracer.start_as_current_span("execute_tool find_order", attributes=attributes):
            result = f"order {json.loads(call.function.arguments)['order_id']} is packed"
        self.steps.append({
            "type": "tool",
            "id": call.id,
            "name": call.function.name,
            "status": "COMPLETED",
            "output": result,
        })  # fmt: skip
        return {"role": "tool", "tool_call_id": call.id, "content": result}


def run(flow, call, steps):
    report = {"flow": flow, "start": truth.milliseconds(datetime.now(timezone.utc))}
    try:
        report |= {"status": "COMPLETED", "output": call()}
    except Exception as error:
        report |= {"status": "FAILED", "error": f"{type(error).__name__}: {error}"}
    return report | {"end": truth.milliseconds(datetime.now(timezone.utc)), "steps": steps}


def main(engine, instrumentor):
    scenario, path = sys.argv[1:]
    provider = start_tracing(instrumentor)

    import fake_server
    from openai import OpenAI

    client = OpenAI(base_url=fake_server.start(), api_key="none", max_retries=1)
    support = Support(client, provider.get_tracer("shop.agents", "1.2.0"))
    hello = [{"role": "user", "content": "Hello"}]

    def stream():
        chunks = client.chat.completions.create(
            model="gpt-4o-mini", messages=hello, stream=True, stream_options={"include_usage": True}
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    def embed():
        return client.embeddings.create(model="text-embedding-3-small", input="pen").usage.to_dict()

    def fail():
        return client.chat.completions.create(model="busy", messages=hello)

    runs = [
        run("support", lambda: support.ask("Where is my order o-1?"), support.steps),
        run("a streamed chat", stream, []),
        run("an embedding", embed, []),
        run("a failed chat", fail, []),
    ]
    provider.shutdown()
    truth.write(path, engine, scenario, "OpenAI's client: its answers", runs)


if __name__ == "__main__":
    # The instrumentation reads this variable when it is imported.
    if sys.argv[1] == "content":
        os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_only"
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    main("openai", OpenAIInstrumentor)
