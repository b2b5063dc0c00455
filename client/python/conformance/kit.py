"""What both adapters share: the lines of the conformance kit's protocol."""

from __future__ import annotations

import json
import sys
import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Callable

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from headgate.v1.event_service_pb2 import Gap

from headgate_client import (
    Action,
    Entity,
    EventType,
    FileStore,
    Filter,
    GatewayError,
    Message,
    Reason,
    Start,
    Subscription,
    after,
    earliest,
    from_time,
    latest,
)

_writing = threading.Lock()


class Failed(Exception):
    """The kit wants a handling to fail."""


def write(kind: str, **fields: Any) -> None:
    """Writes a line for the kit. Safe for concurrent use."""
    with _writing:
        print(json.dumps({"kind": kind, **fields}), flush=True)


def read_request() -> dict[str, Any]:
    """Reads the first line. It answers the one for constants, and exits."""
    request: dict[str, Any] = json.loads(sys.stdin.readline())
    if request.get("constants"):
        write(
            "constants",
            entities=_values(Entity),
            actions=_values(Action),
            event_types=_values(EventType),
            reasons=_values(Reason),
        )
        sys.exit(0)
    return request


def _values(names: type) -> list[str]:
    return [value for name, value in vars(names).items() if name.isupper()]


def subscription(request: dict[str, Any]) -> Subscription:
    """Makes what the kit asks for."""
    named = request.get("subscription", {})
    return Subscription(
        name=named.get("name", ""),
        shards=named.get("shards", 0),
        member=named.get("member", ""),
        filter=json_format.ParseDict(request["filter"], Filter()) if "filter" in request else None,
        start=_start(request.get("start")),
        on_lost_cursor=request.get("on_lost_cursor", "fail"),
        heartbeat=request.get("heartbeat_seconds", 0),
        store=FileStore(request["store"]) if "store" in request else None,
        client_name="conformance",
        stop_when_caught_up=request.get("stop_when_caught_up", False),
        on_retry=lambda cause, wait: write("retry", cause=str(cause)),
        on_failure=lambda message, error, wait: write("failure", shard=message.shard, cursor=message.cursor),
    )


def _start(start: dict[str, str] | None) -> Start | None:
    if start is None:
        return None
    if "after_cursor" in start:
        return after(start["after_cursor"])
    if "from_time" in start:
        time = Timestamp()
        time.FromJsonString(start["from_time"])  # a datetime would drop the nanoseconds
        return from_time(time)
    return {"earliest": earliest, "latest": latest}[start["at"]]()


def tell(message: Message) -> bool:
    """Writes the line of a message, and tells whether it is one that the kit may answer."""
    place: dict[str, Any] = {"cursor": message.cursor}
    if message.shard is not None:
        place["shard"] = message.shard
    if message.event is not None:
        write("event", key=message.event.primary_key, type=message.event.event_type, **place)
    elif message.gap is not None:
        reasons = {number: name for name, number in Gap.Reason.items()}
        write("gap", reason=reasons.get(message.gap.reason, "of a newer gateway"), **place)
    elif message.erased is not None:
        write("erased", **place)
    elif message.checkpoint is not None:
        write("checkpoint", caught_up=message.checkpoint.caught_up, **place)
    elif message.started is not None:
        write("started")
    return message.event is not None or message.gap is not None or message.erased is not None


def tell_end(error: BaseException | None) -> None:
    """Writes the last line."""
    if error is None:
        write("end")
    elif isinstance(error, GatewayError):
        write("error", reason=error.reason, code=error.code.name)
    else:
        write("error", reason="", code="", message=str(error))


class Answers:
    """The handlings that wait for the kit's answer, by cursor, those that wait longest first.

    What a handling waits with is called with None, or with the exception that it is to raise.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False
        self._waiting: dict[str, list[Callable[[Exception | None], object]]] = defaultdict(list)

    @contextmanager
    def expect(self, cursor: str, answer: Callable[[Exception | None], object]) -> Generator[None, None, None]:
        """Waits for an answer within the block, in which the message's line is written."""
        with self._lock:
            self._waiting[cursor].append(answer)
            if self._over:
                answer(Failed())
        try:
            yield
        finally:
            with self._lock, suppress(ValueError):
                self._waiting[cursor].remove(answer)

    def listen(self) -> None:
        """Gives answers until standard input ends. Then nothing is waited for any more."""
        for line in sys.stdin:
            verdict = json.loads(line)
            failed = Failed() if "fail" in verdict else None
            with self._lock:
                waiting = self._waiting[verdict.get("fail") or verdict["ok"]]
                if waiting:
                    waiting.pop(0)(failed)
        with self._lock:
            self._over = True
            for waiting in self._waiting.values():
                for answer in waiting:
                    answer(Failed())
