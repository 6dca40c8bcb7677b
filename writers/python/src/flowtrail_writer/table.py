"""The requests to the table, and the decision which failures are retried."""

import contextvars
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from threading import Thread
from time import monotonic, sleep
from typing import Any

import boto3
import botocore.exceptions
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from .errors import RecordRefused, Refusal, Unavailable
from .records import EXECUTION, OPEN_STATUSES, Attribute, Item, Key, key_of, text

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0

_CONDITION_FAILED = "ConditionalCheckFailedException"
_REFUSED = {"ValidationException", "SerializationException"}
_TRANSIENT = {
    "InternalServerError",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


def default_client() -> Any:
    """A client with short timeouts, because the writer retries itself."""
    config = Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"mode": "standard", "max_attempts": 3},
        max_pool_connections=50,
    )
    return boto3.client("dynamodb", config=config)


class Table:
    """One table, accessed through boto3's low-level client."""

    def __init__(self, name: str, client: Any, write_timeout: float) -> None:
        self._name = name
        self._client = client
        self._write_timeout = write_timeout

    def put_new(self, item: Item) -> Item | None:
        """Puts an item if its key does not exist yet. Otherwise returns the existing item."""
        condition = "attribute_not_exists(pk)"
        return self._write(
            self._client.put_item, item, {"Item": item, "ConditionExpression": condition}
        )

    def update_open(
        self, pk: str, team_id: Attribute, attributes: dict[str, Attribute]
    ) -> Item | None:
        """Sets attributes of a team's run, if it is open. Otherwise returns the existing item, or
        an empty item if none exists."""
        key = {"pk": text(pk), "sk": text(EXECUTION)}
        sets = ", ".join(f"#{name} = :{name}" for name in attributes)
        names = {"#status": "status"} | {f"#{name}": name for name in attributes}
        values = {f":{name}": value for name, value in attributes.items()}
        statuses = {f":{status}": text(status) for status in OPEN_STATUSES}
        request = {
            "Key": key,
            "UpdateExpression": f"SET {sets}",
            "ConditionExpression": f"teamId = :team AND #status IN ({', '.join(statuses)})",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values | statuses | {":team": team_id},
        }
        return self._write(self._client.update_item, key, request)

    def put_batch(self, items: list[Item]) -> set[Key]:
        """Puts items, without retries. Returns the keys of the items that were not written."""
        puts = [{"PutRequest": {"Item": item}} for item in items]
        answer = self._client.batch_write_item(RequestItems={self._name: puts})
        left = answer.get("UnprocessedItems", {}).get(self._name, [])
        return {key_of(request["PutRequest"]["Item"]) for request in left}

    def _write(self, call: Callable[..., Any], key: Item, request: dict[str, Any]) -> Item | None:
        """Sends a conditional write, and retries it until an answer or the timeout. Returns the
        existing item if the condition fails."""
        request |= {"TableName": self._name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        deadline = monotonic() + self._write_timeout
        for pause in pauses():
            try:
                _within(deadline, call, request)
                return None
            except ClientError as error:
                if error.response["Error"]["Code"] == _CONDITION_FAILED:
                    old: Item = error.response.get("Item", {})
                    return old
                failure: Exception = error
            except Exception as error:
                failure = error
            if is_refusal(failure):
                raise RecordRefused([Refusal(*key_of(key), str(failure))]) from failure
            if not _is_transient(failure):
                raise failure
            left = deadline - monotonic()
            if left < FIRST_PAUSE:
                raise Unavailable(f"the table does not answer: {failure!r}") from failure
            # Half the time that is left, to retry once more shortly before the deadline.
            sleep(min(pause, left / 2))
        raise AssertionError("the iterator of pauses is infinite")


def pauses() -> Iterator[float]:
    """The pauses between attempts, in seconds. Each is longer, with jitter, so that many writers
    do not retry at the same time."""
    longest = FIRST_PAUSE
    while True:
        yield random.uniform(longest / 2, longest)
        longest = min(longest * 2, LONGEST_PAUSE)


def is_refusal(error: Exception) -> bool:
    """Whether the table refuses the request because of its content, so a retry cannot help."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] in _REFUSED
    return isinstance(error, botocore.exceptions.ParamValidationError)


def _is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response["Error"]["Code"] in _TRANSIENT
    return isinstance(
        error,
        (
            NoAnswer,
            botocore.exceptions.ConnectionError,
            botocore.exceptions.HTTPClientError,
            ResponseParserError,
        ),
    )


def _within(deadline: float, call: Callable[..., Any], request: dict[str, Any]) -> None:
    """Calls on a separate thread, because a client's timeouts and retries have no total limit."""
    done: Future[None] = Future()

    def perform() -> None:
        try:
            call(**request)
            done.set_result(None)
        except BaseException as error:
            done.set_exception(error)

    # Tracing libraries keep the current span in the context.
    context = contextvars.copy_context()
    Thread(target=context.run, args=(perform,), name="flowtrail-request", daemon=True).start()
    done.result(max(0.0, deadline - monotonic()))
