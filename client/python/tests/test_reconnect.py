"""What ends a stream that another one continues."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import grpc
import pytest
from conftest import name
from headgate.v1.event_service_pb2 import Closing
from scripted import (
    Gateway,
    Refusal,
    batch,
    caught_up,
    closing,
    cursor,
    gap,
    replay,
    send,
    send_and_fail,
    send_and_hold,
    started,
)  # fmt: skip
from test_reading import Memory

from headgate_client import Client, GatewayError, Message, Subscription, aio, earliest, latest
from headgate_client._blocking import run

BEGIN = (started(0), batch(1, 2))
ENDS = {
    "the gateway ended the stream": send(*BEGIN),
    "the gateway is stopping": send(*BEGIN, closing(2, Closing.REASON_DRAINING, 0.001)),
    "what this reader may read has changed": send(*BEGIN, closing(2, Closing.REASON_GRANT_CHANGED)),
    "the credential has expired": send(*BEGIN, closing(2, Closing.REASON_CREDENTIAL_EXPIRED)),
    "the stream was as old as one may get": send(*BEGIN, closing(2, Closing.REASON_MAX_AGE)),
    "the gateway ended the stream for reason 99": send(*BEGIN, closing(2, 99)),
    "the gateway was silent for two heartbeats": send_and_hold(started(0, 0.05), batch(1, 2)),
    "DRAINING: in words": send_and_fail(Refusal(grpc.StatusCode.UNAVAILABLE, "DRAINING", 0.001), *BEGIN),
    "LIMIT: in words": send_and_fail(Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT", 0.001), *BEGIN),
    "INTERNAL: in words": send_and_fail(Refusal(grpc.StatusCode.INTERNAL), *BEGIN),
    "UNAVAILABLE: in words": send_and_fail(Refusal(grpc.StatusCode.UNAVAILABLE), *BEGIN),
}


@pytest.mark.parametrize("cause", ENDS)
def test_stream_is_continued(kind: Any, serve: Any, cause: str) -> None:
    gateway, told = serve(ENDS[cause], replay(4)), []
    subscription = Subscription(start=earliest(), on_lost_cursor="latest", on_retry=lambda error, wait: told.append(str(error)))
    assert kind.read(gateway.address, subscription) == ["started", "#1", "#2", "started", "#3", "#4"]
    assert told == [cause]
    assert gateway.requests[1].start.after_cursor == cursor(2)
    assert gateway.requests[1].on_lost_cursor == gateway.requests[0].on_lost_cursor
    assert (gateway.peers[0] != gateway.peers[1]) == ("silent" in cause)  # a dead connection is not used again


@pytest.mark.parametrize("kind", [Client, aio.Client])
def test_dead_connection_is_replaced_once(kind: Any) -> None:
    async def check(client: Any) -> None:
        io = client._io
        first = io.line()
        await io.abandon(first)
        second = io.line()
        await io.abandon(first)  # found dead by another stream too
        assert first is not second is io.line()
        await io.abandon(second)
        third = io.line()
        await io.close()
        await io.abandon(third)
        assert second is not third is io.line()

    async def in_a_loop() -> None:
        client = kind("127.0.0.1:1")
        await check(client)
        await client.close()

    if kind is aio.Client:
        asyncio.run(in_a_loop())
    else:
        with kind("127.0.0.1:1") as client:
            run(check(client))


def test_killed_gateway_is_resumed_without_gap_or_double(kind: Any, serve: Any) -> None:
    # The first gateway holds back the end, so that it can only come from the second one.
    first = serve(send_and_hold(started(0), batch(1, 5), batch(6, 10)))
    second = Gateway(replay(23))
    store, handled = Memory(), []

    def body(message: Message) -> None:
        handled.append(name(message))
        if name(message) == "#3":
            first.stop()
            second.start(first.address)

    try:
        kind.read(first.address, Subscription(start=earliest(), store=store), body)
    finally:
        second.stop()
    assert [n for n in handled if n != "started"] == [f"#{n}" for n in range(1, 24)]
    assert store.cursor == cursor(23)


def test_gateway_that_is_not_there_yet_is_waited_for(kind: Any, serve: Any) -> None:
    gateway = serve(replay(1))
    gateway.stop()
    told: list[Exception] = []

    def retry(error: Exception, wait: float) -> None:
        told.append(error)
        if len(told) == 2:
            gateway.start(gateway.address)

    assert kind.read(gateway.address, Subscription(start=earliest(), on_retry=retry)) == ["started", "#1"]
    assert all(isinstance(error, GatewayError) and error.code is grpc.StatusCode.UNAVAILABLE for error in told)


def test_broken_stream_from_latest_goes_on_where_it_began(kind: Any, serve: Any) -> None:
    """It must not begin at the latest event again: what came in between would be lost."""
    gateway, store = serve(send(started(3)), replay(5)), Memory()
    assert kind.read(gateway.address, Subscription(start=latest(), store=store)) == ["started", "started", "#4", "#5"]
    assert gateway.requests[1].start.after_cursor == store.saved[0] == cursor(3)


def test_gap_after_started_comes_again(kind: Any, serve: Any) -> None:
    """Started may stand where the stream goes on after a lost cursor. As long as the Gap has not come, that is no position."""
    gateway = serve(send(started(7)), send(started(7), gap(7), caught_up(7)))
    assert kind.read(gateway.address, Subscription(store=Memory(cursor(2)))) == ["started", "started", "gap"]
    assert gateway.requests[1].start.after_cursor == cursor(2)


def test_failure_that_returns_is_told(kind: Any, serve: Any) -> None:
    broken = Refusal(grpc.StatusCode.INTERNAL)
    gateway = serve(send_and_fail(broken, started(0), batch(1, 1)), send_and_fail(broken, started(1)))
    with pytest.raises(GatewayError, match="INTERNAL"):
        kind.read(gateway.address, Subscription(start=earliest()))
    assert len(gateway.requests) == 2


def test_refusal_after_an_expired_credential_ends_the_iteration(kind: Any, serve: Any) -> None:
    """It may have been renewed since: one new attempt tells."""
    expired = send(started(0), closing(0, Closing.REASON_CREDENTIAL_EXPIRED))
    gateway = serve(expired, send_and_fail(Refusal(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")))
    with pytest.raises(GatewayError, match="UNAUTHENTICATED"):
        kind.read(gateway.address, Subscription(start=earliest()))
    assert len(gateway.requests) == 2


def test_what_on_retry_raises_ends_the_iteration(kind: Any, serve: Any) -> None:
    def retry(error: Exception, wait: float) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        kind.read(serve(send(started(0))).address, Subscription(start=earliest(), on_retry=retry))
    assert not [thread for thread in threading.enumerate() if thread.name == "headgate-save"]
