"""Corrects requests that the schemas allow, but the texts of the description exclude.

Schemathesis expects that every request that matches the schemas is accepted. It cannot know that
values depend on each other, on the time, or on existing data. So these hooks correct requests that
are meant to be valid before they are sent.
"""

import datetime
import itertools
import json
import os

import schemathesis
from schemathesis import GenerationMode

BOUNDS = [("startDate", "endDate"), ("from", "to")]
BRANCH = ["branchExecutionId", "parentStepInstanceId", "parentStepStartTime"]

# The data in the table that run.py has found. Every tenth run may be deleted; the others are read
# in turns.
FOUND = json.loads(os.environ["FLOWTRAIL_FOUND"])
KEPT = itertools.cycle(run for place, run in enumerate(FOUND["runs"]) if place % 10 < 9)
DELETED = itertools.cycle(FOUND["runs"][9::10])


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.label == "DELETE /api/history/executions/flows/{flowId}":
        # Delete only flows without runs. Otherwise, no runs would be left.
        if (case.path_parameters or {}).get("flowId") == "order-pipeline":
            case.path_parameters["flowId"] = "no-runs"
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    query = case.query or {}
    correct_ids(case.operation.label, case.path_parameters or {}, query)
    correct_query(case.operation.path, query)
    correct_body(case.operation.label, case.body)
    # The generated body is not compressed.
    (case.headers or {}).pop("Content-Encoding", None)


def correct_ids(label, path, query):
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
        path["flowExecutionId"], *fork = FOUND["fork"]
        query["parentStepInstanceId"], query["parentStepStartTime"] = fork
    if label.endswith("/step"):
        path["flowExecutionId"], *step = FOUND["step"]
        query["stepInstanceId"], query["startTime"] = step
        for name in BRANCH:
            query.pop(name, None)


def correct_query(path, query):
    # A JSON export cannot have a byte order mark.
    if query.get("format") == "json":
        query.pop("bom", None)
    # A valid page token can only come from the page before.
    query.pop("nextToken", None)
    for first, last in BOUNDS:
        # The end must not be before the start.
        if first in query and last in query:
            del query[last]
    # A time series has a limited number of periods.
    if "interval" in query:
        query.pop("startDate", None)
        query["days"] = 30


def correct_body(label, body):
    if not isinstance(body, dict):
        return
    if label == "POST /api/tokens":
        # The role must exist, and the expiry must be in the future.
        body["role"] = "viewer"
        if body.get("expiresAt"):
            tomorrow = datetime.date.today() + datetime.timedelta(days=1)
            body["expiresAt"] = tomorrow.isoformat()
    if label == "PUT /api/roles":
        # The roles must be up to date, and their names unique.
        body.pop("updatedAt", None)
        for number, role in enumerate(body.get("roles", [])):
            role["name"] = f"role-{number}"
    if label in ("PUT /api/settings/retention", "PUT /api/settings/stalled"):
        # The rules must be up to date, with one rule for the same runs, and must not close
        # runs before they are stalled.
        body.pop("updatedAt", None)
        for number, rule in enumerate(body.get("rules", [])):
            rule["flowId"] = f"flow-{number}"
            rule.pop("closeAfterSeconds", None)
            # A whole number must be written without a fraction, although 90.0 matches the schema.
            for name in ("days", "afterSeconds"):
                if isinstance(rule.get(name), float):
                    rule[name] = int(rule[name])
    if label == "PUT /api/settings/profiles":
        # The profiles must be up to date and within the limits of all of them together, and have
        # unique names.
        body.pop("updatedAt", None)
        body["profiles"] = body.get("profiles", [])[:5]
        for number, profile in enumerate(body["profiles"]):
            profile["instrumentation"] = f"instrumentation-{number}"
            profile["scopes"] = ["acme.*"]
            # The members of an entry depend on each other.
            if profile.get("retries"):
                profile["retries"] = [{"events": "attempt *", "hasLast": True}]
    settings = body.get("settings") if label.endswith("/try") else body
    if "/masking" in label and isinstance(settings, dict):
        # Patterns must be regular expressions that do not match the empty text.
        for pattern in settings.get("patterns", []):
            pattern["pattern"] = "KD-[0-9]{8}"
        if "allowedPatterns" in settings:
            settings["allowedPatterns"] = ["[a-z]+"] * len(settings["allowedPatterns"])
