"""Agents of a shop, with models that need no network."""

from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel

attempts = []

support = Agent(TestModel(), name="support", instructions="Answer customers of a shop.")


@support.tool_plain
def find_order(order_id: str) -> str:
    """Returns the state of an order."""
    return f"order {order_id} is packed"


def answer(messages, info):
    """A model that calls the tool until it succeeds, and then answers."""
    returned = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if returned and returned[0].outcome == "success":
        return ModelResponse(parts=[TextPart(f"Your {returned[0].content}.")])
    tool = info.function_tools[0].name
    return ModelResponse(parts=[ToolCallPart(tool, {"amount": 9.5})])


cashier = Agent(FunctionModel(answer), name="cashier")


@cashier.tool_plain(retries=2)
def charge(amount: float) -> str:
    attempts.append(amount)
    if len(attempts) < 3:
        raise ModelRetry("the bank did not answer")
    return "receipt-1"


broken = Agent(FunctionModel(answer), name="broken")


@broken.tool_plain
def ship(amount: float) -> str:
    raise ValueError("no carrier for Atlantis")


desk = Agent(TestModel(), name="desk")


@desk.tool
async def ask_support(context: RunContext, question: str) -> str:
    """Delegates the question to another agent."""
    result = await support.run(question, usage=context.usage)
    return result.output
