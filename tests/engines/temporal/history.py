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

# Other words are the names of successful ends, such as COMPLETED, FIRED and SIGNALED.
STEP_STATUSES = {
    "FAILED": "FAILED",
    "TIMED_OUT": "FAILED",
    "CANCELED": "CANCELLED",
    "OPEN": "RUNNING",
}
ACTIVITY_ENDS = [
    "ACTIVITY_TASK_COMPLETED",
    "ACTIVITY_TASK_FAILED",
    "ACTIVITY_TASK_TIMED_OUT",
    "ACTIVITY_TASK_CANCELED",
]


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
        "error": message(last.get("failure")) or last.get("reason"),
        "continuedAs": last.get("newExecutionRunId"),
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
            end = self.find(["TIMER_FIRED", "TIMER_CANCELED"], "startedEventId", event)
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
        started = self.find(["ACTIVITY_TASK_STARTED"], "scheduledEventId", event)
        end = self.find(ACTIVITY_ENDS, "scheduledEventId", event)
        attributes = attributes_of(end)
        return {
            "type": "activity",
            "id": scheduled["activityId"],
            "name": scheduled["activityType"]["name"],
            **self.ended(event, end),
            "attempts": attributes_of(started).get("attempt"),
            "lastAttemptStart": truth.milliseconds(started and started["eventTime"]),
            "input": payloads(scheduled.get("input")),
            "output": payloads(attributes.get("result")),
            "error": message(attributes.get("failure")),
            "errorOfEarlierAttempt": message(attributes_of(started).get("lastFailure")),
        }

    def child(self, event):
        ends = ["CHILD_WORKFLOW_EXECUTION_COMPLETED", "CHILD_WORKFLOW_EXECUTION_FAILED"]
        end = self.find(ends, "initiatedEventId", event)
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
        """Returns the event of one of the kinds that refers to the first one, or None."""
        for event in self.events:
            kind = event["eventType"].removeprefix("EVENT_TYPE_")
            if kind in kinds and attributes_of(event)[key] == first["eventId"]:
                return event
        return None

    def ended(self, first, end):
        """A step without an end was open when the workflow ended."""
        kind = end["eventType"] if end else "OPEN"
        word = "TIMED_OUT" if kind.endswith("TIMED_OUT") else kind.rsplit("_", 1)[-1]
        return {
            "status": STEP_STATUSES.get(word, "COMPLETED"),
            "engineStatus": word,
            "start": truth.milliseconds(first["eventTime"]),
            "end": truth.milliseconds(end and end["eventTime"]),
        }


def attributes_of(event):
    """Returns the attributes of an event, and nothing if there is no event."""
    if event is None:
        return {}
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
