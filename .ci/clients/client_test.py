"""Uses the generated client like a program would, and checks the values that it returns."""

import csv
import datetime
import io
import json
import os

from flowtrail_client import AuthenticatedClient
from flowtrail_client.api.execution_history import (
    get_history_execution,
    get_history_statistics,
    get_history_step_statistics,
    list_history_executions,
)
from flowtrail_client.api.executions import (
    cancel_execution,
    export_team_executions,
    get_execution,
    list_team_executions,
)
from flowtrail_client.api.flow_executions import get_flow_execution, list_flow_executions
from flowtrail_client.models import (
    CancelExecutionCancelBody,
    ExecutionStatus,
    ExportTeamExecutionsFormat,
    HistoryStatus,
    ListFlowExecutionsStatus,
    ListTeamExecutionsStatus,
    NodeStatus,
    Problem,
    Status,
    StepStatus,
)

FLOW = "order-pipeline"

client = AuthenticatedClient(
    os.environ["FLOWTRAIL_URL"], os.environ["FLOWTRAIL_TOKEN"], raise_on_unexpected_status=True
)


def lists_pages_and_details():
    first = list_flow_executions.sync(client=client, flow_definition_id=FLOW, limit=2).data
    assert len(first.items) == 2 and first.next_token
    second = list_flow_executions.sync(
        client=client, flow_definition_id=FLOW, limit=2, next_token=first.next_token
    ).data
    ids = [item.flow_execution_id for item in first.items + second.items]
    assert len(set(ids)) == 4
    assert isinstance(first.items[0].status, Status)

    failed = list_flow_executions.sync(
        client=client, flow_definition_id=FLOW, status=ListFlowExecutionsStatus.FAILED, limit=1
    ).data.items[0]
    assert failed.status is Status.FAILED
    assert isinstance(failed.end_time, datetime.datetime)
    run = get_flow_execution.sync(failed.flow_execution_id, client=client).data
    assert run.metadata.flow_definition_id == FLOW
    assert run.metadata.status is Status.FAILED
    assert run.metadata.error_message
    assert StepStatus.FAILED in {step.status for step in run.steps}
    same = get_execution.sync(failed.flow_execution_id, client=client)
    assert same.status is ExecutionStatus.FAILED
    assert same.error_message == run.metadata.error_message
    assert NodeStatus.FAILED in {node.status for node in same.node_executions}
    history = get_history_execution.sync(failed.flow_execution_id, client=client).execution
    assert history.status is HistoryStatus.FAILED
    assert history.duration_ms == same.duration_ms


def numbered_pages():
    page = list_team_executions.sync("default", client=client, size=3)
    assert (page.number, page.size, len(page.content)) == (0, 3, 3)
    assert page.total_elements > 100
    completed = list_team_executions.sync(
        "default", client=client, status=ListTeamExecutionsStatus.SUCCESS, size=1
    )
    assert completed.content[0].status is ExecutionStatus.SUCCESS
    skipped = list_history_executions.sync(client=client, limit=2, offset=1, lite=True)
    assert skipped.pagination.offset == 1 and skipped.pagination.has_more is True
    assert skipped.executions[0].id == page.content[1].id


def statistics():
    since = datetime.date.today() - datetime.timedelta(days=7)
    stats = get_history_statistics.sync(client=client, flow_id=FLOW, start_date=since).stats
    counts = stats.status_breakdown.additional_properties
    assert stats.total_executions == sum(counts.values()) > 0
    assert stats.success_rate.endswith("%")
    nothing = get_history_statistics.sync(client=client, flow_id="no-runs").stats
    assert (nothing.total_executions, nothing.success_rate) == (0, None)
    steps = get_history_step_statistics.sync(client=client, flow_id=FLOW).stats.steps
    assert steps and all(step.total_executions > 0 or step.skipped > 0 for step in steps)


def export():
    text = export_team_executions.sync("default", client=client, workflow_id=FLOW, days=2)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows and {row["workflow_id"] for row in rows} == {FLOW}
    text = export_team_executions.sync(
        "default", client=client, format_=ExportTeamExecutionsFormat.JSON, workflow_id=FLOW, days=2
    )
    runs = json.loads(text)
    assert {run["executionId"] for run in runs} == {row["execution_id"] for row in rows}


def cancel():
    running = list_team_executions.sync(
        "default", client=client, status=ListTeamExecutionsStatus.RUNNING, size=20
    ).content
    body = CancelExecutionCancelBody(reason="a test")
    # The engine of the demo may end some of the runs first.
    cancelled = next(
        run.id
        for run in running
        if cancel_execution.sync_detailed(run.id, client=client, body=body).status_code == 200
    )
    assert get_execution.sync(cancelled, client=client).status is ExecutionStatus.CANCELLED
    again = cancel_execution.sync_detailed(cancelled, client=client, body=body)
    assert again.status_code == 409
    assert again.parsed.code == "EXECUTION_NOT_CANCELLABLE"


def problems():
    problem = get_execution.sync("no-such-run", client=client)
    assert isinstance(problem, Problem) and problem.code == "EXECUTION_NOT_FOUND"
    problem = list_flow_executions.sync(client=client, flow_definition_id="a#b")
    assert (problem.code, problem.parameter) == ("INVALID_PARAMETER", "flowDefinitionId")
    stranger = AuthenticatedClient(os.environ["FLOWTRAIL_URL"], "sdk_none")
    problem = get_history_statistics.sync(client=stranger)
    assert isinstance(problem, Problem) and problem.code == "UNAUTHENTICATED"


for test in (lists_pages_and_details, numbered_pages, statistics, export, cancel, problems):
    test()
    print(f"Python client: {test.__name__}: ok")
