"""Against the real gateway."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Leave, name
from gateway import RealGateway
from headgate.v1.event_service_pb2 import Gap
from headgate.v1.subscription_service_pb2 import GetSubscriptionRequest, SkipEventRequest
from headgate.v1.subscription_service_pb2_grpc import SubscriptionServiceStub

from headgate_client import Client, FileStore, Filter, GatewayError, Message, Reason, Shard, Subscription, after, earliest


class Ledger:
    """What the replicas of a service have done, all of them together."""

    def __init__(self) -> None:
        self.changes: dict[int, list[int]] = {}
        self.by: Counter[str] = Counter()
        self._moved = threading.Condition()

    def enter(self, who: str, message: Message) -> None:
        assert message.event is not None
        with self._moved:
            self.changes.setdefault(message.event.primary_key, []).append(message.event.changed_by_associate_id)
            self.by[who] += 1
            self._moved.notify_all()

    def wait(self, who: str, n: int) -> None:
        """Waits until the replica has handled as many."""
        with self._moved:
            assert self._moved.wait_for(lambda: self.by[who] >= n, 30), f"{who} handled {self.by[who]} of {n}"

    def check(self, total: int) -> None:
        """Wants each change once, those of a record in order."""
        everything = [change for changes in self.changes.values() for change in changes]
        assert sorted(everything) == list(range(1, total + 1))
        for changes in self.changes.values():
            assert changes == sorted(changes)


def test_killed_gateway_is_resumed(kind: Any, headgated: RealGateway, tmp_path: Path) -> None:
    headgated.post(*range(1, 11))
    subscription = Subscription(start=earliest(), store=FileStore(tmp_path / "cursor"), filter=Filter(entities=["contact"]))
    handled: list[str] = []

    def body(message: Message) -> None:
        if message.event is not None:
            handled.append(name(message))
        if len(handled) == 5 and headgated.sent == 10:
            headgated.kill()
            headgated.start()
            headgated.post(*range(11, 21))
        if len(handled) == 20:
            raise Leave

    kind.read(headgated.grpc, subscription, body)
    assert handled == [f"#{n}" for n in range(1, 21)]

    rest: list[str] = []
    subscription = Subscription(store=FileStore(tmp_path / "cursor"), stop_when_caught_up=True)
    kind.read(headgated.grpc, subscription, lambda m: rest.append(name(m)) if m.event else None)
    assert rest == ["#20"]  # the message in which the loop was left


@pytest.mark.parametrize("wrong, code, reason", [
    (Subscription(), "INVALID_ARGUMENT", Reason.START_REQUIRED),
    (Subscription(start=after("no cursor")), "INVALID_ARGUMENT", Reason.CURSOR_MALFORMED),
    (Subscription(start=earliest(), filter=Filter(entities=["relations"])), "INVALID_ARGUMENT", Reason.FILTER_INVALID),
    (Subscription(start=earliest(), shard=Shard(index=3, count=2)), "INVALID_ARGUMENT", Reason.FILTER_INVALID),
    (Subscription(name="none"), "NOT_FOUND", Reason.SUBSCRIPTION_NOT_FOUND),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_refusals(kind: Any, headgated: RealGateway, wrong: Subscription, code: str, reason: str) -> None:
    with pytest.raises(GatewayError) as raised:
        kind.read(headgated.grpc, wrong)
    assert (raised.value.code.name, raised.value.reason) == (code, reason)
    assert reason != Reason.FILTER_INVALID or raised.value.metadata["field"]


def test_foreign_cursor_is_never_replaced_quietly(kind: Any, headgated: RealGateway, program: Path, tmp_path: Path) -> None:
    headgated.post(1)
    other = RealGateway(program, tmp_path / "other")
    other.start()
    with Client(other.grpc) as client:
        elsewhere = next(client.subscribe(Subscription(start=earliest()))).cursor
    other.kill()
    with pytest.raises(GatewayError, match="CURSOR_FOREIGN"):
        kind.read(headgated.grpc, Subscription(start=after(elsewhere)))

    got: list[Message] = []
    subscription = Subscription(start=after(elsewhere), on_lost_cursor="earliest", stop_when_caught_up=True)
    kind.read(headgated.grpc, subscription, got.append)
    assert [name(m) for m in got if not m.checkpoint] == ["started", "gap", "#1"]
    gap = next(m.gap for m in got if m.gap is not None)
    assert gap.reason == Gap.REASON_CURSOR_FOREIGN


def test_replicas_share_without_doubling(kind: Any, headgated: RealGateway) -> None:
    ledger = Ledger()

    def join(who: str) -> Any:
        subscription = Subscription(name="billing", shards=4, member=who, start=earliest())
        return kind.consume(headgated.grpc, subscription, lambda message: ledger.enter(who, message))

    leave_a = join("a")
    headgated.post(*range(16))
    ledger.wait("a", 16)
    leave_b = join("b")
    while ledger.by["b"] < 10:
        headgated.post(*range(16))
    leave_a()
    headgated.post(*range(16))
    ledger.wait("b", headgated.sent - ledger.by["a"])
    leave_b()
    ledger.check(headgated.sent)


def test_restarted_gateway_doubles_nothing(kind: Any, headgated: RealGateway) -> None:
    headgated.post(*range(1, 21))
    ledger = Ledger()
    again = threading.Event()

    def handle(message: Message) -> None:
        ledger.enter("a", message)
        if ledger.by["a"] == 7 and not again.is_set():
            again.set()
            headgated.kill()
            headgated.start()

    leave = kind.consume(headgated.grpc, Subscription(name="billing", start=earliest()), handle)
    assert again.wait(30)
    ledger.wait("a", 20)
    headgated.post(*range(1, 21))
    ledger.wait("a", 40)
    leave()
    ledger.check(40)


def test_skip_unblocks_the_poisoned_shard(kind: Any, headgated: RealGateway) -> None:
    headgated.post(*range(1, 9))
    ledger, failed, poison = Ledger(), threading.Event(), []

    def handle(message: Message) -> None:
        if name(message) == "#5":
            raise LookupError("poison")
        ledger.enter("a", message)

    def fail(message: Message, error: BaseException, wait: float) -> None:
        poison.append(message)
        failed.set()

    subscription = Subscription(name="billing", shards=4, start=earliest(), on_failure=fail)
    leave = kind.consume(headgated.grpc, subscription, handle)
    assert failed.wait(30)
    with Client(headgated.grpc) as client:
        stub = SubscriptionServiceStub(client.channel)
        stub.SkipEvent(SkipEventRequest(name="billing", cursor=poison[0].cursor, reason="poison"))
        ledger.wait("a", 7)
        leave()
        found = stub.GetSubscription(GetSubscriptionRequest(name="billing"))
    assert [skip.cursor for skip in found.skips] == [poison[0].cursor]
    assert sum(found.shards[i].lease != "" for i in range(4)) == 0  # all were given back
    assert sorted(ledger.changes) == [1, 2, 3, 4, 6, 7, 8]


def test_wrong_number_of_shards_is_refused(kind: Any, headgated: RealGateway) -> None:
    kind.read(headgated.grpc, Subscription(name="billing", shards=4, start=earliest(), stop_when_caught_up=True))
    with pytest.raises(GatewayError, match="SUBSCRIPTION_MISMATCH") as raised:
        kind.read(headgated.grpc, Subscription(name="billing"))
    assert raised.value.metadata["shard_count"] == "4"
