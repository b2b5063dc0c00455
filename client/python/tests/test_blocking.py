"""What only the synchronous client has: threads, a signal's handler, Ctrl-C."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Generator, Iterator
from typing import Any

import grpc
import pytest
from conftest import name
from scripted import Refusal, assigned, batch, send_and_hold, started

from headgate_client import Client, Message, Reason, Subscription, earliest
from headgate_client import _sync as sync
from headgate_client._blocking import BlockingSignal, run


@pytest.fixture(autouse=True)
def no_threads_are_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("headgate-"):
            thread.join(10)
            assert not thread.is_alive()


def test_close_ends_a_loop_of_another_thread(serve: Any) -> None:
    """What is being handled is handled, saved and given back."""
    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 3)))
    client, handling, closed = Client(gateway.address), threading.Event(), threading.Event()
    names: list[str] = []

    def read() -> None:
        for message in client.subscribe(Subscription(name="billing")):
            names.append(name(message))
            if name(message) == "#2":
                handling.set()
                assert closed.wait(10)

    thread = threading.Thread(target=read)
    thread.start()
    assert handling.wait(10)
    client.close()
    closed.set()
    thread.join(10)
    assert not thread.is_alive() and names[-1] == "#2"
    assert gateway.saved()[-1] == "2@a release"
    with pytest.raises(ValueError, match="closed"):
        next(client.subscribe(Subscription(start=earliest())))


def test_close_wakes_who_waits(serve: Any) -> None:
    client, waiting = Client(serve(send_and_hold(started(0))).address), threading.Event()

    def read() -> None:
        for _ in client.subscribe(Subscription(start=earliest())):
            waiting.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert waiting.wait(10)
    client.close()
    thread.join(10)
    assert not thread.is_alive()


def test_connection_stays_until_the_last_has_left(serve: Any) -> None:
    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 3)))
    client = Client(gateway.address)
    one, other = (client.subscribe(Subscription(name="billing")) for _ in range(2))
    assert [name(next(one)) for _ in range(3)] == ["started", "assigned", "#1"]
    assert [name(next(other)) for _ in range(2)] == ["started", "assigned"]
    client.close()
    assert next(one, None) is None and next(other, None) is None
    assert gateway.saved()[-2:] == ["1@a release", "@a release"]


def test_close_in_the_body_ends_the_loop(serve: Any) -> None:
    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 3)))
    with Client(gateway.address) as client:
        for message in client.subscribe(Subscription(name="billing")):
            if name(message) == "#1":
                client.close()
    assert gateway.saved()[-1] == "1@a release"


def test_close_in_the_handler_of_a_signal_ends_consume(serve: Any) -> None:
    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 1)))
    client = Client(gateway.address)
    before = signal.signal(signal.SIGUSR1, lambda *_: client.close())
    try:
        client.consume(
            Subscription(name="billing"),
            lambda message, cancelled: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1),
        )
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert gateway.saved()[-1] == "1@a release"


def test_interrupt_ends_consume_in_order(serve: Any) -> None:
    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 1)))
    with Client(gateway.address) as client, pytest.raises(KeyboardInterrupt):
        client.consume(Subscription(name="billing"), lambda message, cancelled: _thread.interrupt_main())
    assert gateway.saved()[-1] == "1@a release"


def test_handler_is_told_of_the_lost_shard(serve: Any) -> None:
    lost = Refusal(grpc.StatusCode.ABORTED, Reason.LEASE_LOST)
    waiting = threading.Event()

    def save(what: Any) -> None:
        if what.lease == "a" and waiting.is_set():
            raise lost

    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 2)), send_and_hold(*assigned(1, "b"), batch(2, 2)), save=save)
    client, got = Client(gateway.address), []

    def handle(message: Message, cancelled: threading.Event) -> None:
        got.append(name(message))
        if got == ["#1", "#2"]:
            waiting.set()
            assert cancelled.wait(10)
        elif name(message) == "#2":
            client.close()

    client.consume(Subscription(name="billing"), handle)
    assert got == ["#1", "#2", "#2"]
    assert gateway.saved()[-1] == "2@b release"


def test_handler_is_told_when_it_takes_too_long_to_end(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "FINISH_WITHIN", 0.05)
    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 2)))
    client = Client(gateway.address)

    def handle(message: Message, cancelled: threading.Event) -> None:
        client.close()
        assert cancelled.wait(10)
        raise TimeoutError

    client.consume(Subscription(name="billing"), handle)
    assert gateway.saved()[-1] == "@a release"


def test_exit_of_a_handler_ends_consume(serve: Any) -> None:
    gateway = serve(send_and_hold(*assigned(0, "a"), batch(1, 1)))
    with Client(gateway.address) as client, pytest.raises(SystemExit):
        client.consume(Subscription(name="billing"), lambda message, cancelled: exit(3))
    assert gateway.saved()[-1] == "@a release"


def test_coroutine_that_waits_is_refused() -> None:
    class Wrong:
        def __await__(self) -> Generator[None, None, None]:
            yield

    async def wait() -> None:
        await Wrong()

    with pytest.raises(RuntimeError, match="suspended"):
        run(wait())


def test_signal_calls_back_once() -> None:
    flag, calls = BlockingSignal(), []
    with flag.calling(lambda: calls.append("before")):
        flag.set()
        flag.set()
    with flag.calling(lambda: calls.append("after")):
        pass
    flag.clear()
    flag.set()
    assert calls == ["before", "after"]
    assert run(flag.wait(0))
