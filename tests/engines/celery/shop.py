"""A Celery application with a broker in the folder `broker`, and results in `results`.

The worker is started with `celery --app shop worker`.
"""

import os
import pathlib
import time

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

for folder in ("broker", "control", "results"):
    pathlib.Path(folder).mkdir(exist_ok=True)

app = Celery("shop", broker="filesystem://", backend=f"file://{pathlib.Path('results').resolve()}")
app.conf.broker_transport_options = {
    "data_folder_in": "broker",
    "data_folder_out": "broker",
    "control_folder": "control",
}
app.conf.result_extended = True


def start_tracing():
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    links = os.environ.get("SHOP_SPAN_LINKS") == "1"
    CeleryInstrumentor().instrument(use_span_links=links)
    return provider


@worker_process_init.connect
def start_tracing_in_worker(**_):
    start_tracing()


@worker_process_shutdown.connect
def export_remaining_spans(**_):
    trace.get_tracer_provider().shutdown()


@app.task
def reserve(item):
    time.sleep(0.3)
    return {"item": item, "shelf": f"A-{len(item)}"}


@app.task(bind=True, max_retries=3)
def charge(self, amount):
    if self.request.retries < 2:
        raise self.retry(exc=TimeoutError("the bank did not answer"), countdown=0.5)
    return "receipt-1"


@app.task(autoretry_for=(ConnectionError,), max_retries=1, default_retry_delay=0.5)
def notify(customer):
    raise ConnectionError(f"no connection to the mailbox of {customer}")


@app.task
def ship(address):
    raise ValueError(f"no carrier for {address}")


@app.task
def pack(shelf, paper):
    return f"{shelf['item']} in {paper}"


@app.task
def label(package):
    return f"label on {package}"


@app.task
def send(packages):
    return len(packages)


@app.task
def wait(seconds):
    time.sleep(seconds)


@app.task(soft_time_limit=0.5)
def hurry(seconds):
    time.sleep(seconds)


@app.task(time_limit=0.7)
def rush(seconds):
    time.sleep(seconds)
