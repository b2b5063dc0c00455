"""Named subscriptions: membership, saving beside the loop, leases."""

from __future__ import annotations

import threading
from typing import Any, Callable

import grpc
import pytest
from conftest import Leave, name
from headgate.v1.event_service_pb2 import Closing, OnLostCursor, Saved, Shard, Start, SubscribeRequest
from headgate.v1.subscription_service_pb2 import ShardSave
from scripted import (
    Gateway,
    Refusal,
    Script,
    assigned,
    batch,
    caught_up,
    checkpoint,
    closing,
    cursor,
    gap,
    send,
    send_and_fail,
    send_and_hold,
    standby,
)  # fmt: skip

from headgate_client import GatewayError, Message, Reason, SaveError, Subscription, after, earliest

BILLING = Subscription(name="billing", start=earliest())


def leave_at(what: str) -> Callable[[Message], None]:
    def body(message: Message) -> None:
        if name(message) == what:
            raise Leave

    return body


def test_membership_is_asked_for(kind: Any, serve: Any) -> None:
    gateway, shard = serve(send(caught_up(0))), Shard(index=1, count=4)
    for subscription in (
        Subscription(name="billing"), Subscription(name="billing", start=earliest(), shards=4, member="pod-1"),
        Subscription(name="billing", start=after(cursor(3)), shard=shard, member="pod-1"),
    ):  # fmt: skip
        kind.read(gateway.address, subscription)
    own = gateway.requests[0].member
    assert own and own.isascii()
    fail = OnLostCursor.ON_LOST_CURSOR_FAIL
    assert gateway.requests == [
        SubscribeRequest(
            subscription="billing", member=own, start=Start(saved=Saved()), subscription_shards=1, on_lost_cursor=fail
        ),
        SubscribeRequest(
            subscription="billing", member="pod-1", subscription_shards=4, on_lost_cursor=fail,
            start=Start(saved=Saved(at=Start.EDGE_EARLIEST)),
        ),
        SubscribeRequest(
            subscription="billing", member="pod-1", shard=shard, on_lost_cursor=fail,
            start=Start(saved=Saved(after_cursor=cursor(3))),
        ),
    ]  # fmt: skip


def test_messages_and_saves(kind: Any, serve: Any) -> None:
    first, second = assigned(4, "a", 2, 3)
    gateway = serve(send(first, standby(), second, gap(5), batch(6, 7), checkpoint(8), caught_up(8)))
    got: list[Any] = []
    kind.read(gateway.address, BILLING, lambda m: got.append((name(m), m.cursor.lstrip("c0"), m.shard)))
    assert got == [
        ("started", "", None), ("standby", "", None), ("assigned", "4", 2), ("gap", "5", 2), ("#6", "6", 2), ("#7", "7", 2),
        ("checkpoint", "8", 2),
    ]  # fmt: skip
    assert gateway.saved()[-1] == "8@a release"
    assert not {"@a", "4@a"} & set(gateway.saved())  # what was not handled under the lease is not saved
    assert {save.shard for save in gateway.saves} == {2}


def test_saving_is_beside_the_loop(kind: Any, serve: Any) -> None:
    """While one save is under way the loop goes on, and the next save is of the newest cursor."""
    first, answer = threading.Event(), threading.Event()

    def save(what: ShardSave) -> None:
        if not first.is_set():
            first.set()
            assert answer.wait(10)

    gateway = serve(send(*assigned(0, "a"), batch(1, 20), batch(21, 40), caught_up(40)), save=save)

    def body(message: Message) -> None:
        if name(message) == "#2" and kind.__class__.__name__ == "Blocking":
            assert first.wait(10)
        if name(message) == "#40":
            assert len(gateway.saved()) <= 1
            answer.set()

    kind.read(gateway.address, BILLING, body)
    assert gateway.saved()[-1] == "40@a release"
    assert len(gateway.saved()) <= 4


@pytest.mark.parametrize("what, want", [("#8", "7@a release"), ("#6", "@a release")])
def test_leaving_releases_the_shard(kind: Any, serve: Any, what: str, want: str) -> None:
    gateway = serve(send_and_hold(*assigned(5, "a"), batch(6, 10)))
    kind.read(gateway.address, BILLING, leave_at(what))
    assert gateway.saved()[-1] == want


def test_standing_by_releases_nothing(kind: Any, serve: Any) -> None:
    gateway = serve(send_and_hold(assigned(0, "a")[0], standby()))
    kind.read(gateway.address, BILLING, leave_at("standby"))
    assert gateway.saved() == []


@pytest.mark.parametrize("reason", [Closing.REASON_HANDED_OVER, Closing.REASON_MAX_AGE, Closing.REASON_DRAINING])
def test_closing_is_saved_before_the_next_stream(kind: Any, serve: Any, reason: Any) -> None:
    before: list[str] = []
    ends = send(*assigned(0, "a"), batch(1, 3), closing(7, reason, 0.001))

    def again(request: Any, context: Any) -> Any:
        before.extend(gateway.saved())
        yield from [*assigned(7, "b"), batch(8, 8), caught_up(8)]

    gateway: Gateway = serve(ends, again)
    want = ["started", "assigned", "#1", "#2", "#3", "started", "assigned", "#8"]
    assert kind.read(gateway.address, BILLING) == want
    assert before[-1] == "7@a release"


AWAY = Refusal(grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize("answers, releases", [
    ([], 1), ([AWAY, AWAY], 3), ([Refusal(grpc.StatusCode.ABORTED, Reason.LEASE_LOST)], 1),
    ([Refusal(grpc.StatusCode.FAILED_PRECONDITION, Reason.CURSOR_FOREIGN)], 1),
], ids=["saved at once", "gateway away", "lease lost", "log restored"])  # fmt: skip
def test_broken_stream_is_settled_first(kind: Any, serve: Any, answers: list[Refusal], releases: int) -> None:
    """What was handled of it is saved under its lease, for as long as it takes, and only then is the next one asked for."""
    answers, before = list(answers), []

    def save(what: ShardSave) -> None:
        if what.release and answers:
            raise answers.pop(0)

    def again(request: Any, context: Any) -> Any:
        before.extend(gateway.saved())
        yield from [*assigned(3, "b"), caught_up(3)]

    gateway: Gateway = serve(send_and_fail(AWAY, *assigned(0, "a"), batch(1, 3)), again, save=save)
    kind.read(gateway.address, BILLING)
    assert [save for save in before if save.endswith("release")] == ["3@a release"] * releases


def test_lost_lease_stops_the_delivery(kind: Any, serve: Any) -> None:
    lost, told = threading.Event(), []

    def first(request: Any, context: Any) -> Any:
        context.add_callback(lost.set)
        yield from send_and_hold(*assigned(0, "a"), batch(1, 2), batch(3, 20))(request, context)

    def save(what: ShardSave) -> None:
        if what.lease == "a":
            raise Refusal(grpc.StatusCode.ABORTED, Reason.LEASE_LOST)

    gateway: Gateway = serve(first, send(*assigned(9, "b"), batch(10, 10), caught_up(10)), save=save)
    subscription = Subscription(name="billing", on_retry=lambda error, wait: told.append(error))
    handled = []

    def body(message: Message) -> None:
        handled.append(name(message))
        if name(message) == "#2" and kind.__class__.__name__ == "Blocking":
            assert lost.wait(10)

    kind.read(gateway.address, subscription, body)
    assert handled[-3:] == ["started", "assigned", "#10"]
    assert isinstance(told[-1], SaveError) and told[-1].reason == Reason.LEASE_LOST
    if kind.__class__.__name__ == "Blocking":
        assert "#3" not in handled
        assert [save for save in gateway.saved() if "@a" in save] == ["1@a"]  # nothing more under the lost lease


@pytest.mark.parametrize("refusal", [
    Refusal(grpc.StatusCode.NOT_FOUND, Reason.SUBSCRIPTION_NOT_FOUND), Refusal(grpc.StatusCode.PERMISSION_DENIED),
])  # fmt: skip
def test_refused_save_ends_the_iteration(kind: Any, serve: Any, refusal: Refusal) -> None:
    def save(what: ShardSave) -> None:
        raise refusal

    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 1)), save=save)
    with pytest.raises(SaveError, match="^save the cursor: ") as raised:
        kind.read(gateway.address, BILLING)
    assert raised.value.code is refusal.code


def test_limit_on_saves_is_waited_for(kind: Any, serve: Any) -> None:
    limited, done, answers = threading.Event(), threading.Event(), [Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT", 0.001)]

    def save(what: ShardSave) -> None:
        if answers:
            limited.set()
            raise answers.pop()
        done.set()

    def script(request: Any, context: Any) -> Any:
        yield from [*assigned(0, "a"), batch(1, 1)]
        assert limited.wait(10)
        yield batch(2, 2)
        assert done.wait(10)
        yield caught_up(2)

    assert kind.read(serve(script, save=save).address, BILLING) == ["started", "assigned", "#1", "#2"]


def test_events_without_a_lease_are_an_error(kind: Any, serve: Any) -> None:
    script: Script = send_and_hold(assigned(0, "a")[0], batch(1, 1))
    with pytest.raises(GatewayError, match="without assigning a shard"):
        kind.read(serve(script).address, BILLING)
