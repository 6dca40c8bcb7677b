"""What no schema can say of a request, and the description says in words.

Schemathesis demands that what the schemas allow is taken. Where values depend on each
other, on the time, or on what is there, it could not know; so such a request is put right
before it is sent. Only requests that are meant to be taken are.
"""

import datetime
import itertools
import json
import os

import schemathesis
from schemathesis import GenerationMode

BOUNDS = [("startDate", "endDate"), ("from", "to")]
BRANCH = ["branchExecutionId", "parentStepInstanceId", "parentStepStartTime"]

# What is in the table, as run.py has found it. Of ten runs the last is free to be deleted,
# and each is looked at now and then.
THERE = json.loads(os.environ["FLOWTRAIL_THERE"])
KEPT = itertools.cycle(run for place, run in enumerate(THERE["runs"]) if place % 10 < 9)
DELETED = itertools.cycle(THERE["runs"][9::10])


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.label == "DELETE /api/history/executions/flows/{flowId}":
        # All runs of a flow are deleted of one that has none, or nothing would be left.
        if (case.path_parameters or {}).get("flowId") == "order-pipeline":
            case.path_parameters["flowId"] = "no-runs"
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    query = case.query or {}
    put_ids_right(case.operation.label, case.path_parameters or {}, query)
    put_query_right(case.operation.path, query)
    put_body_right(case.operation.label, case.body)
    # What is announced as packed is not.
    (case.headers or {}).pop("Content-Encoding", None)


def put_ids_right(label, path, query):
    runs = DELETED if label.startswith("DELETE /api/history") else KEPT
    for name in ("flowExecutionId", "id", "executionId"):
        if name in path:
            path[name] = next(runs)
    if "teamId" in path:
        path["teamId"] = "default"
    if "flowId" in path and label.startswith("GET"):
        path["flowId"] = "order-pipeline"
    for name in ("flowDefinitionId", "workflowId"):
        if name in query:
            query[name] = "order-pipeline"
    if label.endswith("/branch-steps"):
        path["flowExecutionId"], *fork = THERE["fork"]
        query["parentStepInstanceId"], query["parentStepStartTime"] = fork
    if label.endswith("/step"):
        path["flowExecutionId"], *step = THERE["step"]
        query["stepInstanceId"], query["startTime"] = step
        for name in BRANCH:
            query.pop(name, None)


def put_query_right(path, query):
    # A page token is minted by the page before.
    query.pop("nextToken", None)
    for first, last in BOUNDS:
        # The end is not before the beginning.
        if first in query and last in query:
            del query[last]
    # A series has a bounded number of periods.
    if "interval" in query:
        query.pop("startDate", None)
        query["days"] = 30


def put_body_right(label, body):
    if not isinstance(body, dict):
        return
    if label == "POST /api/tokens":
        # The role is there; the end lies ahead.
        body["role"] = "viewer"
        if body.get("expiresAt"):
            tomorrow = datetime.date.today() + datetime.timedelta(days=1)
            body["expiresAt"] = tomorrow.isoformat()
    if label == "PUT /api/roles":
        # The roles are those that were read; their names are unique.
        body.pop("updatedAt", None)
        for number, role in enumerate(body.get("roles", [])):
            role["name"] = f"role-{number}"
    if label in ("PUT /api/settings/retention", "PUT /api/settings/stalled"):
        # The rules are those that were read; there is one for the same runs, and none is
        # closed before it is stalled.
        body.pop("updatedAt", None)
        for number, rule in enumerate(body.get("rules", [])):
            rule["flowId"] = f"flow-{number}"
            rule.pop("closeAfterSeconds", None)
            # A whole number is written as one, though to a schema 90.0 is 90.
            for name in ("days", "afterSeconds"):
                if isinstance(rule.get(name), float):
                    rule[name] = int(rule[name])
    settings = body.get("settings") if label.endswith("/try") else body
    if "/masking" in label and isinstance(settings, dict):
        # Patterns are regular expressions that match no empty text.
        for pattern in settings.get("patterns", []):
            pattern["pattern"] = "KD-[0-9]{8}"
        if "allowedPatterns" in settings:
            settings["allowedPatterns"] = ["[a-z]+"] * len(settings["allowedPatterns"])
