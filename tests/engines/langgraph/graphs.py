"""An agent and a graph of a shop, with models that need no network."""

import operator
import time
from typing import Annotated, TypedDict

from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, interrupt

attempts = []


class FakeModel(GenericFakeChatModel):
    """Returns prepared messages, one after the other."""

    model_name: str = "fake-model"

    def bind_tools(self, tools, **_):
        return self

    def _get_ls_params(self, **_):
        return {"ls_provider": "fake", "ls_model_name": self.model_name, "ls_model_type": "chat"}


def message(text, input_tokens, output_tokens, tool_call=None):
    return AIMessage(
        content=text,
        tool_calls=[tool_call | {"type": "tool_call"}] if tool_call else [],
        usage_metadata={
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        },
        response_metadata={"model_name": "fake-model"},
    )


@tool
def find_order(order_id: str) -> str:
    """Returns the state of an order."""
    return f"order {order_id} is packed"


@tool
def ship(address: str) -> str:
    """Ships a package."""
    raise ValueError(f"no carrier for {address}")


def support_agent():
    call = {"name": "find_order", "args": {"order_id": "o-1"}, "id": "call-1"}
    model = FakeModel(messages=iter([message("", 40, 8, call), message("It is packed.", 60, 4)]))
    return create_agent(model, [find_order], system_prompt="Answer customers.", name="support")


def shipping_agent():
    call = {"name": "ship", "args": {"address": "Atlantis"}, "id": "call-2"}
    model = FakeModel(messages=iter([message("", 30, 7, call)]))
    return create_agent(model, [ship], name="shipping")


class Manual(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun):
        return [Document("Pens are on shelf A-3.", metadata={"page": 7})]


class Order(TypedDict):
    item: str
    notes: Annotated[list, operator.add]
    approved: bool


def look_up(state: Order):
    return {"notes": [document.page_content for document in Manual().invoke(state["item"])]}


def reserve(state: Order):
    time.sleep(0.3)
    return {"notes": [f"{state['item']} reserved"]}


def charge(state: Order):
    attempts.append(state["item"])
    if len(attempts) < 3:
        raise TimeoutError("the bank did not answer")
    return {"notes": ["receipt-1"]}


def approve(state: Order):
    return {"approved": interrupt({"question": f"Send {state['item']}?"})}


def order_graph():
    """Two parallel nodes, a retried one, and one that waits for a person."""
    retry = RetryPolicy(max_attempts=3, initial_interval=0.4, jitter=False, retry_on=TimeoutError)
    graph = StateGraph(Order)
    graph.add_node(look_up)
    graph.add_node(reserve)
    graph.add_node(charge, retry_policy=retry)
    graph.add_node(approve)
    graph.add_edge(START, "look_up")
    graph.add_edge(START, "reserve")
    graph.add_edge(["look_up", "reserve"], "charge")
    graph.add_edge("charge", "approve")
    graph.add_edge("approve", END)
    return graph.compile(checkpointer=InMemorySaver(), name="order")
