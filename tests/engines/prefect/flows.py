"""Flows of a shop. Prefect's engine makes the spans; this program only sets up the SDK.

Usage: flows.py [--own-sdk] [--endings]

Without `--own-sdk`, the plugin of prefect-otel sets up the SDK. With `--endings`, the flows end in
other ways than with a result or an exception.
"""

import sys
import time

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prefect import flow, task
from prefect.cache_policies import INPUTS
from prefect.runtime import task_run
from prefect.states import Cancelled, Completed, Failed


@task
def reserve(item):
    time.sleep(0.3)
    return {"item": item, "shelf": f"A-{len(item)}"}


@task(retries=2, retry_delay_seconds=0.7)
def charge(amount):
    if task_run.run_count < 3:
        raise TimeoutError("the bank did not answer")
    return "receipt-1"


@task
def ship(address):
    raise ValueError(f"no carrier for {address}")


@flow
def order(order_id, items):
    shelves = reserve.map(items)
    return {"order_id": order_id, "shelves": shelves.result()}


@flow(name="payment of a shop")
def payment(amount):
    return charge(amount)


@flow
def shipping(address):
    return ship(address)


@flow(retries=1, retry_delay_seconds=0.5)
def flaky(path="state"):
    """A flow that is retried as a whole."""
    with open(path, "a+") as state:
        state.seek(0)
        attempts = len(state.read())
        state.write("x")
    if attempts == 0:
        raise RuntimeError("the first attempt of a flow")
    return reserve("pen")


@flow
def checkout(order_id):
    """A flow with a subflow."""
    reserve("pen")
    return payment(9.5)


@task(cache_policy=INPUTS, persist_result=True)
def price(item):
    return len(item)


@task
def gift():
    return Completed(name="Skipped", message="no gift in this order")


@flow
def cached(item):
    """The second task has the result of the first."""
    gift()
    return price(item) + price(item)


@flow(timeout_seconds=1)
def late():
    time.sleep(3)


@flow
def cancelled():
    return Cancelled(message="no longer needed")


@flow
def refused():
    return Failed(message="the order is empty")


@flow
def crashed():
    raise KeyboardInterrupt


def run_all():
    order("o-1", ["pen", "paper"])
    payment(9.5)
    shipping("Atlantis", return_state=True)
    flaky()
    checkout("o-2")


def run_endings():
    cached("pen")
    for one in (late, cancelled, refused):
        one(return_state=True)
    try:
        crashed()
    except KeyboardInterrupt:
        pass


def main():
    if "--own-sdk" in sys.argv:
        provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    (run_endings if "--endings" in sys.argv else run_all)()
    trace.get_tracer_provider().shutdown()


if __name__ == "__main__":
    main()
