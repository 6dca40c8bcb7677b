"""The runs of the scenario, written with boto3 and docs/record-format.md alone.

What an engine without a writer does: the records of scenario.json as they are at the end.
Arguments: the address of the table's endpoint, and the table's name.
"""

import json
import sys
from decimal import Decimal

import boto3

endpoint_url, table_name = sys.argv[1:]
table = boto3.resource(
    "dynamodb",
    endpoint_url=endpoint_url,
    region_name="local",
    aws_access_key_id="any",
    aws_secret_access_key="any",
).Table(table_name)

RUN, SUB = "EXEC#conformance-run", "EXEC#conformance-sub"
FORK = "PARALLEL_FORK_MANAGER"


def at(milliseconds):
    """The scenario begins at 10:30:00.000."""
    return f"2026-02-17T10:30:{milliseconds // 1000:02}.{milliseconds % 1000:03}Z"


def put_execution(**execution):
    table.put_item(
        Item=execution | {"sk": "EXECUTION"},
        ConditionExpression="attribute_not_exists(pk)"
        " OR (teamId = :team AND #status IN (:pending, :running))",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":team": execution["teamId"],
            ":pending": "PENDING",
            ":running": "RUNNING",
        },
    )


def put_step(pk, id, start, end, status="COMPLETED", branch=None, **more):
    """A step that has ended. `branch` is its fork's start and id, and its own run's and name."""
    step = {"pk": pk, "sk": f"STEP#{at(start)}#{id}"}
    if branch is not None:
        fork_start, fork, branch_execution, branch_name = branch
        step = {
            "pk": pk,
            "sk": f"BRANCH#{at(fork_start)}#{fork}#{branch_execution}#{at(start)}#{id}",
            "parentStepStartTime": at(fork_start),
            "parentStepInstanceId": fork,
            "branchExecutionId": branch_execution,
            "branchId": branch_name,
        }
    table.put_item(
        Item=step
        | {
            "stepInstanceId": id,
            "status": status,
            "startTime": at(start),
            "endTime": at(end),
            "durationMs": end - start,
        }
        | more
    )


def put_json(pk, name, value):
    """A payload that no attribute can hold, or that is too large for one."""
    text = json.dumps(value).encode()
    part = {"bytes": text, "encoding": "json", "parts": 1}
    table.put_item(Item={"pk": pk, "sk": f"PAYLOAD#{name}#0000"} | part)


def put_value(pk, name, value):
    table.put_item(Item={"pk": pk, "sk": f"PAYLOAD#{name}#0000", "value": value})


put_execution(
    pk=RUN,
    executionId="conformance-run",
    teamId="default",
    flowId="order-pipeline",
    flowName="Order processing",
    flowVersion=3,
    deviceId="device-1",
    trigger="API",
    labels={"orderId": "42"},
    timeoutAt="2026-02-17T11:30:00.000Z",
    createdAt=at(0),
    startTime=at(0),
    status="RUNNING",
)
put_value(RUN, "input", {"orderId": 42, "note": "größer als 1"})
put_step(RUN, "step-validate", 100, 250, stepId="validate", stepName="Validate",
         stepType="IF_ELSE", sequenceNumber=1, input={"orderId": 42},
         output={"branch": "true", "score": Decimal("0.25")})
put_step(RUN, "step-fork", 300, 510, stepId="each_item", stepName="For each item",
         stepType=FORK, sequenceNumber=2)
a = (300, "step-fork", "branch-a", "process_item")
b = (300, "step-fork", "branch-b", "process_item")
inner = (410, "step-inner", "branch-inner", "print")
put_step(RUN, "step-pack-a", 310, 400, branch=a, stepId="pack", stepName="Pack",
         stepType="SCRIPT", sequenceNumber=1, input={"item": "A"}, output={"packed": "A"})
put_step(RUN, "step-pack-b", 320, 500, branch=b, stepId="pack", stepName="Pack",
         stepType="SCRIPT", sequenceNumber=1, retryCount=1, input={"item": "B"},
         output={"packed": None}, status="FAILED", errorMessage="no box of this size")
put_step(RUN, "step-inner", 410, 450, branch=b, stepId="labels", stepName="Labels",
         stepType=FORK, sequenceNumber=2)
put_step(RUN, "step-print", 420, 440, branch=inner, stepId="print", stepName="Print",
         stepType="SCRIPT", sequenceNumber=1,
         output=[1, Decimal("2.5"), None, True, "x", 1234567890123456])
put_json(RUN, "step:step-print:executionData", {"printer": "p1", "huge": 1e300})
put_step(RUN, "step-weigh", 330, 350, parentStepInstanceId="step-pack-a", stepId="weigh",
         stepName="Weigh", stepType="SCRIPT", sequenceNumber=1, output={"grams": 250})
put_step(RUN, "step-call", 610, 630, parentStepInstanceId="step-ship", stepId="call",
         stepName="Call the carrier", sequenceNumber=1)
put_step(RUN, "step-parse", 615, 625, parentStepInstanceId="step-call", stepId="parse",
         stepName="Parse the answer", stepType="SCRIPT", sequenceNumber=1)
put_step(RUN, "step-quote", 620, 640, parentStepInstanceId="step-ship", stepId="quote",
         stepName="Quote", stepType="HTTP", sequenceNumber=2)
put_step(RUN, "step-ship", 600, 850, stepId="ship", stepName="Ship", stepType="SUBFLOW",
         sequenceNumber=3, subflowExecutionId="conformance-sub", output={"ok": True})
put_json(RUN, "step:step-ship:input", "large " * 5000)
put_step(RUN, "step-notify", 900, 900, stepId="notify", stepName="Notify", stepType="HTTP",
         sequenceNumber=4, status="SKIPPED")

put_step(SUB, "step-book", 700, 750, stepId="book", stepName="Book", stepType="HTTP",
         sequenceNumber=1)
put_value(SUB, "output", {"booked": True})
put_execution(
    pk=SUB,
    executionId="conformance-sub",
    executionType="SUBFLOW",
    parentExecutionId="conformance-run",
    parentStepInstanceId="step-ship",
    teamId="default",
    flowId="shipping",
    trigger="API",
    createdAt=at(650),
    startTime=at(650),
    endTime=at(800),
    durationMs=150,
    status="COMPLETED",
    stepSummary={"total": 1, "passed": 1, "failed": 0},
)

put_value(RUN, "context", {"orderId": 42, "total": Decimal("129.5"), "items": ["A", "B"]})
run = table.get_item(Key={"pk": RUN, "sk": "EXECUTION"})["Item"]
put_execution(
    **{name: value for name, value in run.items() if name != "sk"}
    | {
        "status": "FAILED",
        "heartbeatAt": at(760),
        "endTime": at(1000),
        "durationMs": 1000,
        "errorMessage": "one item could not be packed",
        "stepSummary": {"total": 12, "passed": 10, "failed": 1},
    }
)
