"""The workflows of a shop."""

import os
import time

from dbos import DBOS

attempts = []


@DBOS.step()
def reserve(item):
    time.sleep(0.3)
    return {"item": item, "shelf": f"A-{len(item)}"}


@DBOS.step(retries_allowed=True, max_attempts=3, interval_seconds=0.5)
def charge(amount):
    attempts.append(amount)
    if len(attempts) % 3:
        raise TimeoutError("the bank did not answer")
    return "receipt-1"


@DBOS.step()
def ship(address):
    raise ValueError(f"no carrier for {address}")


@DBOS.step()
def notify(customer):
    return f"a mail to {customer}"


@DBOS.workflow()
def order(order_id, items):
    shelves = [reserve(item) for item in items]
    DBOS.sleep(0.3)
    return {"order_id": order_id, "shelves": shelves}


@DBOS.workflow()
def payment(amount):
    return charge(amount)


@DBOS.workflow()
def shipping(address):
    return ship(address)


@DBOS.workflow()
def checkout(order_id):
    """A child workflow in this process, and one from a queue."""
    receipt = payment(9.5)
    shipment = DBOS.retrieve_queue("shipments").enqueue(order, order_id, ["pen"])
    return {"receipt": receipt, "shipment": shipment.get_result()}


@DBOS.workflow()
def waiting(item):
    """Does not end in time."""
    first = reserve(item)
    DBOS.sleep(2)
    return [first, notify("Ada")]


@DBOS.workflow()
def interrupted(path):
    """The first process that runs it dies after its first step."""
    first = reserve("pen")
    if not os.path.exists(path):
        open(path, "w").close()
        from opentelemetry import trace

        trace.get_tracer_provider().force_flush()
        os._exit(1)
    return [first, notify("Ada")]
