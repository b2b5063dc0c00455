"""A gateway for tests: it listens on this machine, speaks real gRPC and does what the test tells it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from headgate.v1 import event_service_pb2_grpc, subscription_service_pb2_grpc
from headgate.v1.event_pb2 import Event, RelationEvent
from headgate.v1.event_service_pb2 import (
    Assigned,
    Checkpoint,
    Closing,
    Gap,
    Shard,
    Standby,
    Started,
    SubscribeRequest,
    SubscribeResponse,
)
from headgate.v1.subscription_service_pb2 import SaveCursorsRequest, SaveCursorsResponse, ShardSave
from ports import own_address

Script = Callable[[SubscribeRequest, grpc.ServicerContext], Iterator[SubscribeResponse]]


class Refusal(Exception):
    """An error as a gateway gives it; without a reason, one of the way."""

    def __init__(self, code: grpc.StatusCode, reason: str = "", retry_after: float = 0.0, **metadata: str) -> None:
        super().__init__(code, reason)
        self.code = code
        details = []
        if reason:
            details.append(_packed(error_details_pb2.ErrorInfo(domain="headgate", reason=reason, metadata=metadata)))
        if retry_after:
            details.append(_packed(error_details_pb2.RetryInfo(retry_delay=_duration(retry_after))))
        self.status = status_pb2.Status(code=code.value[0], message="in words", details=details)

    def abort(self, context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", self.status.SerializeToString()),))
        context.abort(self.code, "in words")


def _packed(message: Any) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))


class Gateway:
    """Answers Subscribe with its scripts: the nth call runs the nth, later ones repeat the last. save answers SaveCursors."""

    def __init__(self, *scripts: Script, save: Callable[[ShardSave], None] | None = None) -> None:
        self.scripts = scripts
        self.save = save
        self.requests: list[SubscribeRequest] = []
        self.saves: list[ShardSave] = []
        self.headers: list[dict[str, Any]] = []
        self.peers: list[str] = []  # who made each call: another one for another connection
        self.credentials: grpc.ServerCredentials | None = None
        self.address = ""
        self._lock = threading.Lock()
        self._server: Any = None

    def start(self, address: str = "") -> str:
        address = address or own_address()
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        event_service_pb2_grpc.add_EventServiceServicer_to_server(self, self._server)
        subscription_service_pb2_grpc.add_SubscriptionServiceServicer_to_server(self, self._server)
        if self.credentials is None:
            port = self._server.add_insecure_port(address)
        else:
            port = self._server.add_secure_port(address, self.credentials)
        self._server.start()
        self.address = f"127.0.0.1:{port}"
        return self.address

    def stop(self) -> None:
        """Cuts all connections."""
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None

    def saved(self) -> list[str]:
        """Tells the saves in short: place, lease, and whether the shard was released."""
        with self._lock:
            return [brief(save) for save in self.saves]

    def Subscribe(self, request: SubscribeRequest, context: grpc.ServicerContext) -> Iterator[SubscribeResponse]:  # noqa: N802
        with self._lock:
            n = min(len(self.requests), len(self.scripts) - 1)
            self.requests.append(request)
            self.headers.append(dict(context.invocation_metadata()))
            self.peers.append(context.peer())
        try:
            yield from self.scripts[n](request, context)
        except Refusal as refusal:
            refusal.abort(context)

    def SaveCursors(self, request: SaveCursorsRequest, context: grpc.ServicerContext) -> SaveCursorsResponse:  # noqa: N802
        with self._lock:
            self.headers.append(dict(context.invocation_metadata()))
        for save in request.saves:
            with self._lock:
                self.saves.append(save)
            try:
                if self.save is not None:
                    self.save(save)
            except Refusal as refusal:
                refusal.abort(context)
        return SaveCursorsResponse()

    def __getattr__(self, name: str) -> Any:
        """All other methods are not there."""
        if name[0].isupper():
            return lambda request, context: context.abort(grpc.StatusCode.UNIMPLEMENTED, "no script")
        raise AttributeError(name)


def brief(save: ShardSave) -> str:
    return f"{save.cursor.lstrip('c0')}@{save.lease}" + (" release" if save.release else "")


def send(*responses: SubscribeResponse) -> Script:
    """Sends the responses and ends the stream."""
    return lambda request, context: iter(responses)


def send_and_hold(*responses: SubscribeResponse) -> Script:
    """Sends the responses and stays silent until the client goes."""

    def script(request: SubscribeRequest, context: grpc.ServicerContext) -> Iterator[SubscribeResponse]:
        gone = threading.Event()
        context.add_callback(gone.set)
        yield from responses
        gone.wait()

    return script


def send_and_fail(refusal: Refusal, *responses: SubscribeResponse) -> Script:
    """Sends the responses and ends the stream with the error."""

    def script(request: SubscribeRequest, context: grpc.ServicerContext) -> Iterator[SubscribeResponse]:
        yield from responses
        raise refusal

    return script


def replay(last: int) -> Script:
    """A log with the places 1 to last: it begins where it is asked to, sends batches of five, and closes."""

    def script(request: SubscribeRequest, context: grpc.ServicerContext) -> Iterator[SubscribeResponse]:
        at = place(request.start.after_cursor)
        yield started(at)
        while at < last:
            yield batch(at + 1, min(at + 5, last))
            at = min(at + 5, last)
        yield caught_up(last)

    return script


def cursor(n: int) -> str:
    return "c" * 16 + f"{n:06}"


def cursors(first: int, last: int) -> list[str]:
    return [cursor(n) for n in range(first, last + 1)]


def place(cursor: str) -> int:
    return int(cursor.lstrip("c") or 0)


def event(n: int) -> Event:
    return Event(
        cursor=cursor(n), event_id=f"event-{n}", entity="relation", event_type="relation.created", action="created",
        context="Cust26759", source="dev", primary_key=n, relation=RelationEvent(source_record=1, destination_record=2),
    )  # fmt: skip


def batch(first: int, last: int) -> SubscribeResponse:
    return SubscribeResponse(cursor=cursor(last), events=[event(n) for n in range(first, last + 1)])


def started(n: int, heartbeat: float = 15) -> SubscribeResponse:
    return SubscribeResponse(cursor=cursor(n), started=Started(heartbeat_interval=_duration(heartbeat)))


def assigned(n: int, lease: str, index: int = 0, count: int = 1) -> list[SubscribeResponse]:
    """What a stream begins with that is served a shard, saved at the nth place."""
    first = started(0)
    first.cursor = ""
    shard = Assigned(shard=Shard(index=index, count=count), lease=lease)
    return [first, SubscribeResponse(cursor=cursor(n), assigned=shard)]


def standby() -> SubscribeResponse:
    return SubscribeResponse(standby=Standby())


def checkpoint(n: int) -> SubscribeResponse:
    return SubscribeResponse(cursor=cursor(n), checkpoint=Checkpoint(caught_up=True))


def gap(n: int) -> SubscribeResponse:
    return SubscribeResponse(cursor=cursor(n), gap=Gap())


def closing(n: int, reason: int, retry_after: float = 0.0) -> SubscribeResponse:
    end = Closing(reason=reason)  # type: ignore[arg-type]  # a newer gateway's are numbers too
    if retry_after:
        end.retry_after.CopyFrom(_duration(retry_after))
    return SubscribeResponse(cursor=cursor(n), closing=end)


def caught_up(n: int) -> SubscribeResponse:
    return closing(n, Closing.REASON_CAUGHT_UP)
