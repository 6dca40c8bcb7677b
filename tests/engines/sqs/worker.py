"""A worker that reads a queue of SQS in the usual loop."""

import json


def handle(body, receives):
    """Handles a message, and returns the result. An exception leaves it in the queue."""
    if body["task"] == "charge" and receives < 2:
        raise TimeoutError("the bank did not answer")
    if body["task"] == "ship":
        raise ValueError(f"no carrier for {body['address']}")
    return f"{body['task']} done"


def work(sqs, queue, tracer, seen, expected):
    """Receives messages until each of the expected number of receives has happened."""
    while sum(one["attempts"] for one in seen.values()) < expected:
        answer = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
            WaitTimeSeconds=1,
        )
        for message in answer.get("Messages", []):
            receive(sqs, queue, tracer, seen, message)


def receive(sqs, queue, tracer, seen, message):
    receives = int(message["Attributes"]["ApproximateReceiveCount"])
    body = json.loads(message["Body"])
    report = seen.setdefault(message["MessageId"], {"flow": body["task"], "input": body})
    report["attempts"] = receives
    try:
        with tracer.start_as_current_span(f"handle {body['task']}"):
            report["output"] = handle(body, receives)
    except Exception as error:
        report |= {"status": "FAILED", "error": str(error)}
        return
    report |= {"status": "COMPLETED"}
    report.pop("error", None)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
