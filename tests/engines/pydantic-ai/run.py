"""Pydantic AI, with its models for tests.

Usage: run.py <scenario> <truth file>

default     the format of this version of Pydantic AI
version-2   the format of earlier versions
no-content  include_content=False: without prompts, answers and arguments
"""

import sys
import warnings
from datetime import datetime, timezone

import truth
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings

from agents import broken, cashier, desk, support

SETTINGS = {
    "default": {},
    "version-2": {"version": 2},
    "no-content": {"include_content": False},
}


def run(agent, prompt):
    """Runs an agent, and returns what its caller learns."""
    start = datetime.now(timezone.utc)
    report = {"flow": agent.name, "input": prompt, "start": truth.milliseconds(start)}
    try:
        result = agent.run_sync(prompt, conversation_id="session-1")
    except ValueError as error:
        return report | {
            "status": "FAILED",
            "end": truth.milliseconds(datetime.now(timezone.utc)),
            "error": str(error),
            "steps": [],
        }
    usage = result.usage
    return report | {
        "id": result.run_id,
        "session": "session-1",
        "status": "COMPLETED",
        "end": truth.milliseconds(datetime.now(timezone.utc)),
        "output": result.output,
        "usage": {
            "model": result.response.model_name,
            "inputTokens": usage.input_tokens,
            "outputTokens": usage.output_tokens,
            "requests": usage.requests,
            "toolCalls": usage.tool_calls,
        },
        "steps": [step for message in result.all_messages() for step in read_message(message)],
    }


def read_message(message):
    if message.kind == "response":
        yield {
            "type": "model",
            "name": message.model_name,
            "status": "COMPLETED",
            "inputTokens": message.usage.input_tokens,
            "outputTokens": message.usage.output_tokens,
            "output": [repr(part.content if part.part_kind == "text" else part.args) for part in message.parts],
        }
        return
    for part in message.parts:
        if part.part_kind == "tool-return":
            failed = part.outcome != "success"
            yield {
                "type": "tool",
                "id": part.tool_call_id,
                "name": part.tool_name,
                "status": "FAILED" if failed else "COMPLETED",
                "engineStatus": part.outcome,
                "error" if failed else "output": part.content,
            }


def main():
    scenario, path = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    warnings.simplefilter("ignore")
    Agent.instrument_all(InstrumentationSettings(**SETTINGS[scenario]))
    runs = [
        run(support, "Where is my order?"),
        run(cashier, "Charge 9.5."),
        run(broken, "Ship it."),
        run(desk, "A question for support."),
    ]
    provider.shutdown()
    truth.write(path, "pydantic-ai", scenario, "Pydantic AI: the results and messages of the agents", runs)


main()
