"""A queue of SQS, as moto's server implements it, with producer and worker in this process.

Usage: run.py <scenario> <truth file>

default  Boto3SQSInstrumentor
"""

import json
import sys

import boto3
import truth
from moto.server import ThreadedMotoServer
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.boto3sqs import Boto3SQSInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from worker import work

TASKS = [
    {"task": "reserve", "item": "pen"},
    {"task": "charge", "amount": 9.5},
    {"task": "ship", "address": "Atlantis"},
]
# One of the first task; two of each other task, because it fails once or always.
RECEIVES = 5


def create_queue(sqs):
    failed = sqs.create_queue(QueueName="failed")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=failed, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    options = {"VisibilityTimeout": "1", "RedrivePolicy": redrive}
    return sqs.create_queue(QueueName="orders", Attributes=options)["QueueUrl"]


def main():
    scenario, path = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    Boto3SQSInstrumentor().instrument()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=truth.free_port())
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    sqs = boto3.client("sqs", "eu-west-1", endpoint_url=f"http://{host}:{port}", **keys)
    queue = create_queue(sqs)

    tracer, seen = provider.get_tracer("shop.orders", "1.2.0"), {}
    for task in TASKS:
        with tracer.start_as_current_span(f"order {task['task']}"):
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(task))
    work(sqs, queue, tracer, seen, RECEIVES)
    provider.shutdown()
    server.stop()
    runs = [{"id": key, **report, "steps": []} for key, report in seen.items()]
    truth.write(path, "sqs", scenario, "the worker, and the receive counts of SQS", runs)


main()
