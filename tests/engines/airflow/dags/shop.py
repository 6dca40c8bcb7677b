"""DAGs of a shop."""

import time
from datetime import timedelta

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

SHORTLY = timedelta(seconds=1)


@task
def receive():
    return {"order_id": "o-1", "items": ["pen", "paper"]}


@task
def items_of(order):
    return order["items"]


@task
def reserve(item):
    time.sleep(0.3)
    return f"{item} on shelf A-{len(item)}"


@task(retries=2, retry_delay=SHORTLY)
def charge(order):
    if get_current_context()["ti"].try_number < 3:
        raise TimeoutError("the bank did not answer")
    return "receipt-1"


@task
def gift():
    raise AirflowSkipException("no gift in this order")


@task
def confirm(shelves, receipt):
    return f"{list(shelves)} {receipt}"


@dag(schedule=None, tags=["shop"])
def order():
    """Succeeds, with mapped tasks, a retried and a skipped one."""
    received = receive()
    shelves = reserve.expand(item=items_of(received))
    confirm(shelves, charge(received))
    gift()


@task
def ship(order):
    raise ValueError("no carrier for Atlantis")


@task
def notify(shipment):
    return "a mail to Ada"


@dag(schedule=None, tags=["shop"])
def shipping():
    """Fails, so that its last task does not run."""
    notify(ship(receive()))


order()
shipping()
