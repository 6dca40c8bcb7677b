"""LangGraph and LangChain, traced by OpenInference.

Usage: run.py <scenario> <truth file>

default     the settings of OpenInference
hide-input  OPENINFERENCE_HIDE_INPUTS and OPENINFERENCE_HIDE_OUTPUTS
"""

import os
import sys
from datetime import datetime, timezone
from functools import partial

import truth
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.types import Command
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from graphs import order_graph, shipping_agent, support_agent


def run(attributes, name, question, invoke, session="session-1"):
    """Runs a graph with attributes for its spans, and returns what its caller learns."""
    report = {"flow": name, "session": session, "input": question}
    report["start"] = truth.milliseconds(datetime.now(timezone.utc))
    try:
        with attributes():
            result = invoke()
        report |= {"status": "COMPLETED", "steps": list(read_messages(result.get("messages", [])))}
        if "__interrupt__" in result:
            question = result["__interrupt__"][0].value
            report |= {"status": "RUNNING", "engineStatus": "interrupted", "interrupt": question}
        elif report["steps"]:
            report["output"] = result["messages"][-1].content
        else:
            report["output"] = result
    except ValueError as error:
        report |= {"status": "FAILED", "error": str(error), "steps": []}
    return report | {"end": truth.milliseconds(datetime.now(timezone.utc))}


def read_messages(messages):
    for message in messages:
        if isinstance(message, AIMessage):
            yield {
                "type": "model",
                "name": message.response_metadata["model_name"],
                "status": "COMPLETED",
                "inputTokens": message.usage_metadata["input_tokens"],
                "outputTokens": message.usage_metadata["output_tokens"],
                "output": message.content or [call["args"] for call in message.tool_calls],
            }
        elif isinstance(message, ToolMessage):
            yield {
                "type": "tool",
                "id": message.tool_call_id,
                "name": message.name,
                "status": "COMPLETED",
                "engineStatus": message.status,
                "output": message.content,
            }


def ask(agent, question):
    return agent.invoke({"messages": [{"role": "user", "content": question}]})


def main(engine, instrumentor, attributes):
    """Runs all graphs. `attributes` returns a context in which spans get attributes."""
    scenario, path = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    instrumentor.instrument(tracer_provider=provider)

    order, thread = order_graph(), {"configurable": {"thread_id": "thread-1"}}
    pen = {"item": "pen", "notes": []}
    resume = Command(resume=True)
    runs = [
        run(attributes, "support", "Where is o-1?", lambda: ask(support_agent(), "Where is o-1?")),
        run(attributes, "shipping", "Ship it.", lambda: ask(shipping_agent(), "Ship it.")),
        # For OpenInference, a thread is the session.
        run(attributes, "order", pen, lambda: order.invoke(pen, thread), "thread-1"),
        run(attributes, "order", {"resume": True}, lambda: order.invoke(resume, thread), "thread-1"),
    ]
    provider.shutdown()
    truth.write(path, engine, scenario, "LangGraph: the results of the graphs", runs)


if __name__ == "__main__":
    # The instrumentation reads these variables when it is imported.
    if sys.argv[1] == "hide-input":
        os.environ |= {"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"}
    from openinference.instrumentation import using_attributes
    from openinference.instrumentation.langchain import LangChainInstrumentor

    session = partial(using_attributes, session_id="session-1", user_id="user-1", tags=["shop"])
    main("langgraph", LangChainInstrumentor(), session)
