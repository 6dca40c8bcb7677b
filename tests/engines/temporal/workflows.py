"""The workflows and activities of a shop."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from opentelemetry import trace

SHORT = timedelta(seconds=30)


@activity.defn
async def reserve(item: str) -> dict:
    await asyncio.sleep(0.3)
    return {"item": item, "shelf": f"A-{len(item)}"}


@activity.defn
async def charge(amount: float) -> str:
    if activity.info().attempt < 3:
        raise ApplicationError("the bank did not answer", type="BankTimeout")
    return "receipt-1"


@activity.defn
async def ship(address: str) -> str:
    raise ApplicationError(f"no carrier for {address}", type="NoCarrier", non_retryable=True)


@activity.defn
async def deliver(address: str) -> str:
    await asyncio.sleep(2)
    return address


@workflow.defn
class OrderWorkflow:
    """Two parallel activities, and a span of its own."""

    @workflow.run
    async def run(self, order: dict) -> dict:
        with trace.get_tracer("shop.orders", "1.2.0").start_as_current_span("reserve-all"):
            shelves = await asyncio.gather(*[
                workflow.execute_activity(reserve, item, start_to_close_timeout=SHORT)
                for item in order["items"]
            ])  # fmt: skip
        await workflow.sleep(0.5)
        return {"orderId": order["orderId"], "shelves": list(shelves)}


@workflow.defn
class PaymentWorkflow:
    """An activity that succeeds in its third attempt."""

    @workflow.run
    async def run(self, amount: float) -> str:
        return await workflow.execute_activity(
            charge,
            amount,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=700)),
        )


@workflow.defn
class ShippingWorkflow:
    """An activity that fails, and with it the workflow."""

    @workflow.run
    async def run(self, address: str) -> str:
        return await workflow.execute_activity(ship, address, start_to_close_timeout=SHORT)


@workflow.defn
class CheckoutWorkflow:
    """A child workflow, which waits for a signal."""

    @workflow.run
    async def run(self, order: dict) -> dict:
        receipt = await workflow.execute_child_workflow(
            ApprovalWorkflow.run, order["orderId"], id=f"{workflow.info().workflow_id}-approval"
        )
        return {"orderId": order["orderId"], "approval": receipt}


@workflow.defn
class ApprovalWorkflow:
    def __init__(self) -> None:
        self.approver = ""

    @workflow.run
    async def run(self, order_id: str) -> str:
        await workflow.wait_condition(lambda: self.approver != "")
        return f"{order_id} approved by {self.approver}"

    @workflow.signal
    def approve(self, approver: str) -> None:
        self.approver = approver


@workflow.defn
class WaitingWorkflow:
    """Does not end in time."""

    @workflow.run
    async def run(self, item: str) -> None:
        await workflow.execute_activity(reserve, item, start_to_close_timeout=SHORT)
        await workflow.sleep(3600)


@workflow.defn
class DeliveryWorkflow:
    """An activity that exceeds its timeout twice."""

    @workflow.run
    async def run(self, address: str) -> str:
        return await workflow.execute_activity(
            deliver,
            address,
            start_to_close_timeout=timedelta(milliseconds=500),
            retry_policy=RetryPolicy(maximum_attempts=2),
        )


@workflow.defn
class CountingWorkflow:
    """Continues as a new run, once."""

    @workflow.run
    async def run(self, count: int) -> int:
        await workflow.execute_activity(reserve, "pen", start_to_close_timeout=SHORT)
        if count == 1:
            workflow.continue_as_new(count + 1)
        return count


WORKFLOWS = [
    OrderWorkflow,
    PaymentWorkflow,
    ShippingWorkflow,
    CheckoutWorkflow,
    ApprovalWorkflow,
    WaitingWorkflow,
    DeliveryWorkflow,
    CountingWorkflow,
]
ACTIVITIES = [reserve, charge, ship, deliver]
