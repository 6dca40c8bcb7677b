"""Temporal, with a development server, a worker and a client in this process.

Usage: run.py <scenario> <truth file>

plugin                   OpenTelemetryPlugin(add_temporal_spans=True)
plugin-own-spans         OpenTelemetryPlugin(): only the program's own spans
interceptor              the older TracingInterceptor, on client and worker
interceptor-worker-only  TracingInterceptor on the worker; the client sends no trace
interceptor-always       the same with always_create_workflow_spans=True
plugin-replayed          as plugin, with a worker that replays the history for each task
interceptor-replayed     as interceptor, with such a worker
"""

import asyncio
import sys

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
    if scenario in ("interceptor", "interceptor-replayed"):
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
        await start(client)


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


def main():
    scenario, path = sys.argv[1:]
    provider = start_tracing(scenario)
    with server.start() as (address, namespace):
        asyncio.run(run_workflows(scenario, address))
        provider.shutdown()
        runs = history.read(namespace, count=5)
    truth.write(path, "temporal", scenario, history.SOURCE, runs)


main()
