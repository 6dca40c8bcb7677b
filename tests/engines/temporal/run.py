"""Temporal, with a development server, a worker and a client in this process.

Usage: run.py <scenario> <truth file>

plugin                   OpenTelemetryPlugin(add_temporal_spans=True)
plugin-own-spans         OpenTelemetryPlugin(): only the program's own spans
interceptor              the older TracingInterceptor, on client and worker
interceptor-worker-only  TracingInterceptor on the worker; the client sends no trace
interceptor-always       the same with always_create_workflow_spans=True
plugin-replayed          as plugin, with a worker that replays the history for each task
interceptor-replayed     as interceptor, with such a worker
plugin-endings           as plugin, with workflows that are cancelled, time out, …
interceptor-endings      as interceptor, with such workflows
"""

import asyncio
import sys
from datetime import timedelta

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.opentelemetry import (
    OpenTelemetryPlugin,
    TracingInterceptor,
    create_tracer_provider,
)
from temporalio.worker import Worker

import history
import server
import truth
from workflows import ACTIVITIES, WORKFLOWS

QUEUE = "shop"


def start_tracing(scenario):
    resource = Resource.create({"service.name": "shop"})
    plugin = scenario.startswith("plugin")
    provider = (create_tracer_provider if plugin else TracerProvider)(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def client_options(scenario):
    if scenario == "plugin-own-spans":
        return {"plugins": [OpenTelemetryPlugin()]}
    if scenario.startswith("plugin"):
        return {"plugins": [OpenTelemetryPlugin(add_temporal_spans=True)]}
    if scenario in ("interceptor", "interceptor-replayed", "interceptor-endings"):
        return {"interceptors": [TracingInterceptor()]}
    return {}


def worker_options(scenario):
    if scenario == "interceptor-worker-only":
        return {"interceptors": [TracingInterceptor()]}
    if scenario == "interceptor-always":
        return {"interceptors": [TracingInterceptor(always_create_workflow_spans=True)]}
    if scenario.endswith("-replayed"):
        return {"max_cached_workflows": 0}
    return {}


async def run_workflows(scenario, address):
    client = await Client.connect(address, **client_options(scenario))
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=WORKFLOWS,
        activities=ACTIVITIES,
        **worker_options(scenario),
    ):
        await (start_endings if scenario.endswith("-endings") else start)(client)


async def start(client):
    order = {"orderId": "o-1", "items": ["pen", "paper"]}
    await client.execute_workflow("OrderWorkflow", order, id="order-1", task_queue=QUEUE)
    await client.execute_workflow("PaymentWorkflow", 9.5, id="payment-1", task_queue=QUEUE)
    try:
        await client.execute_workflow("ShippingWorkflow", "Atlantis", id="shipping-1", task_queue=QUEUE)
    except WorkflowFailureError:
        pass
    checkout = await client.start_workflow(
        "CheckoutWorkflow", order, id="checkout-1", task_queue=QUEUE
    )
    await asyncio.sleep(1)
    await client.get_workflow_handle("checkout-1-approval").signal("approve", "Ada")
    await checkout.result()


async def start_endings(client):
    """Starts workflows that end in other ways than the workflows of `start`."""

    async def begin(workflow, argument, workflow_id, **options):
        return await client.start_workflow(
            workflow, argument, id=workflow_id, task_queue=QUEUE, **options
        )

    cancelled = await begin("WaitingWorkflow", "pen", "cancelled-1")
    terminated = await begin("WaitingWorkflow", "pen", "terminated-1")
    timeout = timedelta(seconds=2)
    late = await begin("WaitingWorkflow", "pen", "late-1", execution_timeout=timeout)
    slow = await begin("DeliveryWorkflow", "Bonn", "slow-1")
    await asyncio.sleep(1)
    await cancelled.cancel()
    await terminated.terminate(reason="no longer needed")
    for handle in (cancelled, terminated, late, slow):
        try:
            await handle.result()
        except WorkflowFailureError:
            pass
    await client.execute_workflow("CountingWorkflow", 1, id="counting-1", task_queue=QUEUE)


def main():
    scenario, path = sys.argv[1:]
    provider = start_tracing(scenario)
    with server.start() as (address, namespace):
        asyncio.run(run_workflows(scenario, address))
        provider.shutdown()
        runs = history.read(namespace, count=6 if scenario.endswith("-endings") else 5)
    truth.write(path, "temporal", scenario, history.SOURCE, runs)


main()
