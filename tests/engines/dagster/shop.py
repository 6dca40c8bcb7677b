"""Jobs of a shop. Dagster has no exporter of its own, so the ops make their spans."""

import functools
import time

from dagster import Definitions, RetryRequested, in_process_executor, job, op
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop.jobs", "1.2.0")


def traced(compute):
    """Makes a span for each attempt of an op."""

    @functools.wraps(compute)
    def inner(context, **inputs):
        attributes = {
            "dagster.run_id": context.run_id,
            "dagster.job_name": context.job_name,
            "dagster.op_name": context.op_handle.name,
            "dagster.retry_number": context.retry_number,
        }
        try:
            with tracer.start_as_current_span(context.op_handle.name, attributes=attributes):
                return compute(context, **inputs)
        finally:
            # Each op has its own process, which ends without notice.
            provider.force_flush()

    return inner


@op
@traced
def reserve(context):
    time.sleep(0.3)
    return {"item": "pen", "shelf": "A-3"}


@op
@traced
def pack(context, shelf):
    return f"{shelf['item']} in paper"


@op
@traced
def charge(context):
    if context.retry_number < 2:
        raise RetryRequested(max_retries=2, seconds_to_wait=0.5)
    return "receipt-1"


@op
@traced
def ship(context, package):
    raise ValueError(f"no carrier for {package}")


@job
def order():
    pack(reserve())
    charge()


@job
def shipping():
    ship(pack(reserve()))


@job(executor_def=in_process_executor)
def order_in_process():
    pack(reserve())
    charge()


definitions = Definitions(jobs=[order, shipping, order_in_process])
