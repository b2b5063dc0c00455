"""What is asked for and what is delivered, of a position that the caller keeps."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import grpc
import pytest
from conftest import Leave, name
from google.protobuf.timestamp_pb2 import Timestamp
from headgate.v1.event_service_pb2 import Erased, OnLostCursor, Start, SubscribeRequest, SubscribeResponse
from scripted import (
    Refusal,
    batch,
    caught_up,
    checkpoint,
    cursor,
    cursors,
    gap,
    replay,
    send,
    send_and_fail,
    send_and_hold,
    started,
)  # fmt: skip

from headgate_client import (
    Entity,
    Filter,
    GatewayError,
    Message,
    Reason,
    Shard,
    Subscription,
    after,
    earliest,
    from_time,
    latest,
)  # fmt: skip


class Memory:
    """A store that remembers what it was told."""

    def __init__(self, cursor: str | None = None) -> None:
        self.cursor = cursor
        self.saved: list[str] = []

    def load(self) -> str | None:
        return self.cursor

    def save(self, cursor: str) -> None:
        self.cursor = cursor
        self.saved.append(cursor)


class AsyncMemory(Memory):
    """The same for asyncio."""

    async def load(self) -> str | None:  # type: ignore[override]
        return super().load()

    async def save(self, cursor: str) -> None:  # type: ignore[override]
        super().save(cursor)


def test_everything_of_the_subscription_is_asked_for(kind: Any, serve: Any) -> None:
    gateway = serve(replay(0))
    wanted = Filter(entities=[Entity.RELATION])
    kind.read(
        gateway.address,
        Subscription(
            filter=wanted, start=latest(), on_lost_cursor="earliest", heartbeat=2.5, shard=Shard(index=1, count=4),
            client_name="billing", stop_when_caught_up=True, store=Memory(cursor(0)),
        ),
    )  # fmt: skip
    want = SubscribeRequest(
        filter=wanted, start=Start(after_cursor=cursor(0)), on_lost_cursor=OnLostCursor.ON_LOST_CURSOR_EARLIEST,
        heartbeat_interval=timedelta(seconds=2.5), shard=Shard(index=1, count=4), client_name="billing",
        stop_when_caught_up=True,
    )  # fmt: skip
    assert gateway.requests == [want]


def test_starts_are_asked_for(kind: Any, serve: Any) -> None:
    gateway = serve(send(caught_up(1)))
    time = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
    exact = Timestamp(seconds=1767323045, nanos=678901234)
    for start in (earliest(), latest(), after(cursor(1)), from_time(time), from_time(exact), None):
        assert kind.read(gateway.address, Subscription(start=start)) == []
        assert gateway.requests[-1].HasField("start") == (start is not None)
        assert gateway.requests[-1].start == (start or Start())
    assert from_time(time).from_time == Timestamp(seconds=1767323045, nanos=678901000)
    with pytest.raises(ValueError, match="time zone"):
        from_time(datetime(2026, 1, 2))


@pytest.mark.parametrize("wrong", [
    Subscription(name="billing", store=Memory()), Subscription(shards=2), Subscription(member="pod-1"),
    Subscription(name="billing", shards=-1), Subscription(on_lost_cursor="newest"),  # type: ignore[arg-type]
], ids=["name and store", "shards", "member", "negative", "on_lost_cursor"])  # fmt: skip
def test_what_cannot_be_meant_is_refused(kind: Any, serve: Any, wrong: Subscription) -> None:
    gateway = serve(replay(0))
    with pytest.raises(ValueError, match="subscription: "):
        kind.read(gateway.address, wrong)
    assert gateway.requests == []


def test_events_and_signals_come_one_by_one_with_their_cursors(kind: Any, serve: Any) -> None:
    erased = SubscribeResponse(cursor=cursor(5), erased=Erased())
    unknown = SubscribeResponse(cursor=cursor(7))
    gateway = serve(send(started(0), batch(1, 3), gap(4), erased, checkpoint(6), unknown, caught_up(8)))
    store, got = Memory(), []
    names = kind.read(gateway.address, Subscription(start=earliest(), store=store), lambda m: got.append(m.cursor))
    assert names == ["started", "#1", "#2", "#3", "gap", "erased", "checkpoint"]
    assert got == cursors(0, 6)
    assert store.saved == cursors(0, 8)  # the unknown message and the closing one are not delivered, but their cursors count


def test_batch_cursor_covers_what_the_filter_left_out(kind: Any, serve: Any) -> None:
    response = batch(1, 2)
    response.cursor = cursor(9)
    gateway = serve(send(started(0), response), send(caught_up(9)))
    kind.read(gateway.address, Subscription(start=earliest()))
    assert gateway.requests[1].start.after_cursor == cursor(9)


def test_cursor_is_saved_after_handling_and_not_before(kind: Any, serve: Any) -> None:
    store = Memory()

    def body(message: Message) -> None:
        assert message.cursor not in store.saved
        if message.event is not None:
            assert len(store.saved) == message.event.primary_key

    kind.read(serve(replay(7)).address, Subscription(start=earliest(), store=store), body)
    assert store.saved == cursors(0, 7)


def test_message_in_which_the_loop_is_left_comes_again(kind: Any, serve: Any) -> None:
    def leave(message: Message) -> None:
        if name(message) == "#3":
            raise Leave

    subscription, address = Subscription(start=earliest(), store=Memory()), serve(replay(7)).address
    kind.read(address, subscription, leave)
    assert kind.read(address, subscription) == ["started", "#3", "#4", "#5", "#6", "#7"]


@pytest.mark.parametrize("failing", ["load", "save"])
def test_what_a_store_raises_ends_the_iteration(kind: Any, serve: Any, failing: str) -> None:
    def fail(*args: object) -> None:
        raise OSError("disk on fire")

    store, gateway, names = Memory(), serve(replay(7)), []
    setattr(store, failing, fail)
    with pytest.raises(OSError, match="disk on fire"):
        kind.read(gateway.address, Subscription(start=earliest(), store=store), lambda m: names.append(name(m)))
    assert (names, len(gateway.requests)) == (([], 0) if failing == "load" else (["started"], 1))


@pytest.mark.parametrize("code, reason", [
    ("INVALID_ARGUMENT", Reason.START_REQUIRED), ("OUT_OF_RANGE", Reason.CURSOR_EXPIRED),
    ("FAILED_PRECONDITION", Reason.CURSOR_FOREIGN), ("PERMISSION_DENIED", "CONTEXT_FORBIDDEN"),
    ("UNAUTHENTICATED", "UNAUTHENTICATED"), ("DATA_LOSS", Reason.DATA_LOSS),
    ("RESOURCE_EXHAUSTED", "OF_A_NEWER_GATEWAY"), ("INTERNAL", "OF_A_NEWER_GATEWAY"),
    ("UNIMPLEMENTED", ""), ("RESOURCE_EXHAUSTED", ""), ("PERMISSION_DENIED", ""),
])  # fmt: skip
def test_refusal_ends_the_iteration(kind: Any, serve: Any, code: str, reason: str) -> None:
    refusal = Refusal(grpc.StatusCode[code], reason, earliest_cursor=cursor(4))
    gateway, names = serve(send_and_fail(refusal, started(0), batch(1, 1))), []
    with pytest.raises(GatewayError) as raised:
        kind.read(gateway.address, Subscription(start=earliest()), lambda m: names.append(name(m)))
    answer = raised.value
    assert (answer.code, answer.reason, answer.message) == (grpc.StatusCode[code], reason, "in words")
    assert answer.metadata == ({"earliest_cursor": cursor(4)} if reason else {})
    assert str(answer) == f"{reason or code}: in words"
    assert (names, len(gateway.requests)) == (["started", "#1"], 1)


def test_async_store_is_awaited(serve: Any) -> None:
    from conftest import Asyncio

    store = AsyncMemory(cursor(2))
    assert Asyncio().read(serve(replay(4)).address, Subscription(store=store)) == ["started", "#3", "#4"]
    assert store.saved == cursors(3, 4)


def test_leaving_leaves_nothing_behind(kind: Any, serve: Any) -> None:
    """The stream ends at the gateway too."""
    gone: list[bool] = []
    hold = send_and_hold(started(0), batch(1, 5))

    def script(request: Any, context: Any) -> Any:
        context.add_callback(lambda: gone.append(True))
        yield from hold(request, context)

    def leave(message: Message) -> None:
        if name(message) == "#3":
            raise Leave

    gateway = serve(script)
    kind.read(gateway.address, Subscription(start=earliest()), leave)
    gateway.stop()
    assert gone == [True]
