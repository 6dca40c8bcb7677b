"""Reads workflows and their histories from Temporal's HTTP API."""

import truth

SOURCE = "Temporal's HTTP API: workflows and histories"
STATUSES = {
    "COMPLETED": "COMPLETED",
    "CONTINUED_AS_NEW": "COMPLETED",
    "FAILED": "FAILED",
    "TIMED_OUT": "FAILED",
    "TERMINATED": "CANCELLED",
    "CANCELED": "CANCELLED",
    "RUNNING": "RUNNING",
}


def read(namespace, count):
    """Returns the runs, once the visibility store has all of them as closed."""

    def closed():
        listed = truth.get(f"{namespace}/workflows").get("executions", [])
        return len(listed) == count and all("closeTime" in one for one in listed) and listed

    listed = truth.wait_for(f"{count} closed workflows", closed)
    listed.sort(key=lambda one: one["startTime"])
    return [read_run(namespace, one) for one in listed]


def read_run(namespace, listed):
    execution = listed["execution"]
    url = f"{namespace}/workflows/{execution['workflowId']}/history?execution.runId={execution['runId']}"
    events = truth.get(url)["history"]["events"]
    started = events[0]["workflowExecutionStartedEventAttributes"]
    last = next(value for key, value in events[-1].items() if key.endswith("EventAttributes"))
    status = listed["status"].removeprefix("WORKFLOW_EXECUTION_STATUS_")
    return {
        "id": execution["runId"],
        "workflowId": execution["workflowId"],
        "flow": listed["type"]["name"],
        "status": STATUSES[status],
        "engineStatus": status,
        "start": truth.milliseconds(listed["startTime"]),
        "end": truth.milliseconds(listed["closeTime"]),
        "parent": listed.get("parentExecution", {}).get("runId"),
        "input": payloads(started.get("input")),
        "output": payloads(last.get("result")),
        "error": message(last.get("failure")),
        "steps": [step for step in map(Step(events).read, events) if step],
    }


class Step:
    """Joins the events of an activity, a child workflow, a timer or a signal."""

    def __init__(self, events):
        self.events = events

    def read(self, event):
        kind = event["eventType"].removeprefix("EVENT_TYPE_")
        if kind == "ACTIVITY_TASK_SCHEDULED":
            return self.activity(event)
        if kind == "START_CHILD_WORKFLOW_EXECUTION_INITIATED":
            return self.child(event)
        if kind == "TIMER_STARTED":
            end = self.find("TIMER_FIRED", "startedEventId", event)
            return {"type": "timer", "name": "timer", **self.ended(event, end), "attempts": 1}
        if kind == "WORKFLOW_EXECUTION_SIGNALED":
            signal = event["workflowExecutionSignaledEventAttributes"]
            return {
                "type": "signal",
                "name": signal["signalName"],
                "input": payloads(signal.get("input")),
                **self.ended(event, event),
                "attempts": 1,
            }
        return None

    def activity(self, event):
        scheduled = event["activityTaskScheduledEventAttributes"]
        started = self.find("ACTIVITY_TASK_STARTED", "scheduledEventId", event)
        end = self.find(
            ("ACTIVITY_TASK_COMPLETED", "ACTIVITY_TASK_FAILED"), "scheduledEventId", event
        )
        attributes = attributes_of(end)
        return {
            "type": "activity",
            "id": scheduled["activityId"],
            "name": scheduled["activityType"]["name"],
            **self.ended(event, end),
            "attempts": attributes_of(started)["attempt"],
            "lastAttemptStart": truth.milliseconds(started["eventTime"]),
            "input": payloads(scheduled.get("input")),
            "output": payloads(attributes.get("result")),
            "error": message(attributes.get("failure")),
            "errorOfEarlierAttempt": message(attributes_of(started).get("lastFailure")),
        }

    def child(self, event):
        end = self.find(
            ("CHILD_WORKFLOW_EXECUTION_COMPLETED", "CHILD_WORKFLOW_EXECUTION_FAILED"),
            "initiatedEventId",
            event,
        )
        attributes = attributes_of(end)
        return {
            "type": "child",
            "id": attributes["workflowExecution"]["runId"],
            "name": attributes["workflowType"]["name"],
            **self.ended(event, end),
            "attempts": 1,
            "output": payloads(attributes.get("result")),
        }

    def find(self, kinds, key, first):
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        return next(
            event
            for event in self.events
            if event["eventType"].removeprefix("EVENT_TYPE_") in kinds
            and attributes_of(event)[key] == first["eventId"]
        )

    def ended(self, first, end):
        word = end["eventType"].rsplit("_", 1)[1]
        return {
            "status": "FAILED" if word == "FAILED" else "COMPLETED",
            "engineStatus": word,
            "start": truth.milliseconds(first["eventTime"]),
            "end": truth.milliseconds(end["eventTime"]),
        }


def attributes_of(event):
    return next(value for key, value in event.items() if key.endswith("EventAttributes"))


def payloads(values):
    """Returns one payload as a value, and several as a list. The HTTP API has decoded them."""
    return values[0] if values and len(values) == 1 else values


def message(failure):
    """Returns the message of a failure and of its causes."""
    messages = []
    while failure:
        messages.append(failure["message"])
        failure = failure.get("cause")
    return ": ".join(messages) or None
