"""What takes its time: pauses, heartbeats, leases, handlings. It is the same code for both clients."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import partial
from typing import Any

import grpc
import pytest
import virtual
from conftest import name
from headgate.v1.event_service_pb2 import Closing
from scripted import Refusal, assigned, batch, caught_up, checkpoint, closing, gap, standby, started
from virtual import Failure, World, now

from headgate_client import Message, Reason, Subscription, earliest
from headgate_client._pause import FIRST_PAUSE, LONGEST_PAUSE


def failure(code: str, reason: str = "", retry_after: float = 0.0) -> Failure:
    refusal = Refusal(grpc.StatusCode[code], reason, retry_after)
    return Failure(refusal.code, [("grpc-status-details-bin", refusal.status.SerializeToString())])


def retries(world: World, enough: int, body: Any = None, **how: Any) -> list[tuple[str, float, float]]:
    """Reads until the iteration ends or there were enough retries, and tells each: why, how long the wait, and when."""
    told: list[tuple[str, float, float]] = []

    async def read() -> None:
        client = world.client()

        async def close() -> None:
            await client.close()

        def retry(error: Exception, wait: float) -> None:
            told.append((str(error), wait, now()))
            if len(told) == enough:
                client._life.close()

        async for message in client.subscribe(Subscription(start=earliest(), on_retry=retry, **how)):
            if body is not None:
                await body(message)

    virtual.run(read())
    return told


SILENT = "the gateway was silent for two heartbeats"


@pytest.mark.parametrize(
    "before", [(), (started(0),), (started(0), batch(1, 3), checkpoint(4))], ids=["at once", "started", "later"]
)
def test_stream_is_dead_after_two_silent_heartbeats(before: Any) -> None:
    told = retries(World((before, "hold")), 1)
    assert [(why, round(at, 3)) for why, _, at in told] == [(SILENT, 30)]


def test_connection_that_says_nothing_is_not_used_again() -> None:
    silent = World(((started(0),), "hold"))
    retries(silent, 1)
    assert [round(at, 3) for at in silent.abandoned_at] == [30]
    for code, abandoned in (("DEADLINE_EXCEEDED", 1), ("UNAVAILABLE", 0)):
        world = World(served("a", 0, batch(1, 1)))
        world.answer = partial(refuse, failure(code))
        retries(world, 1, name="billing")
        assert len(world.abandoned_at) == abandoned, code


def refuse(error: Exception, save: Any) -> None:
    raise error


@pytest.mark.parametrize(("ending", "warned"), [((started(0), closing(0, Closing.REASON_DRAINING)), 0), ((started(0),), 1)])
def test_lost_stream_is_logged_by_default(caplog: pytest.LogCaptureFixture, ending: Any, warned: int) -> None:
    async def read() -> None:
        world = World((ending, "end"), ((started(0), caught_up(0)), "end"))
        async for _ in world.client().subscribe(Subscription(start=earliest())):
            pass

    with caplog.at_level(logging.WARNING, logger="headgate_client"):
        virtual.run(read())
    assert len([m for m in caplog.messages if "the gateway ended the stream" in m and "connecting again" in m]) == warned
    assert len(caplog.messages) == warned


def test_announced_heartbeat_counts() -> None:
    told = retries(World(((started(0, 2),), "hold")), 1, heartbeat=60)
    assert [round(at, 3) for _, _, at in told] == [4]


def test_slow_handling_is_not_silence() -> None:
    handled = []

    async def body(message: Message) -> None:
        await asyncio.sleep(3600)
        handled.append(name(message))

    assert retries(World(((started(0, 1), batch(1, 3), caught_up(3)), "end")), 1, body) == []
    assert handled == ["started", "#1", "#2", "#3"]


def test_standby_is_a_sign_of_life() -> None:
    world = World(((assigned(0, "a")[0], *[15.0, standby()] * 4, caught_up(0)), "end"))
    assert retries(world, 1, name="billing") == []


def test_pauses_grow_and_are_short_again_after_progress() -> None:
    away: Any = ((), failure("UNAVAILABLE"))
    started_only = ((started(0),), "end")  # no progress: a gateway that fails right after it must not be stormed
    drained = ((started(0), closing(0, Closing.REASON_DRAINING)), "end")
    progress = ((started(0), checkpoint(1)), "end")
    told = retries(World(*[away, started_only, drained] * 20, progress, away), 62)
    waits = [wait for _, wait, _ in told]
    for n, wait in enumerate(waits[:60]):
        assert wait < min(LONGEST_PAUSE, FIRST_PAUSE * 2**n)
    assert max(waits[:60]) > LONGEST_PAUSE / 4
    assert waits[60] < FIRST_PAUSE


@pytest.mark.parametrize("script", [
    ((), failure("RESOURCE_EXHAUSTED", "LIMIT", 60)), ((), failure("UNAVAILABLE", "DRAINING", 60)),
    ((started(0), closing(0, Closing.REASON_DRAINING, 60)), "end"),
], ids=["LIMIT", "DRAINING", "Closing"])  # fmt: skip
def test_pause_is_what_the_gateway_asks_for(script: Any) -> None:
    told = retries(World(script), 2)
    for n, (_, wait, _) in enumerate(told):
        assert 60 <= wait <= 60 + FIRST_PAUSE * 2**n
    assert told[1][2] - told[0][2] == pytest.approx(told[0][1], abs=0.01)


def served(lease: str, after: int, *responses: Any) -> tuple[Any, str]:
    """A stream that is assigned the one shard and gets the responses, then holds."""
    return (*assigned(after, lease), *responses), "hold"


def consume(world: World, handle: Any, **how: Any) -> float:
    """Consumes to the end and tells how many seconds that took."""

    async def work() -> float:
        await world.client().consume(Subscription(name="billing", **how), handle)
        return now()

    took: float = virtual.run(work())
    return took


def test_handler_gets_events_gaps_and_erased_ones() -> None:
    got: list[str] = []

    async def handle(message: Message) -> None:
        got.append(name(message))

    world = World(served("a", 0, batch(1, 2), gap(3), checkpoint(5), caught_up(6)))
    consume(world, handle)
    assert (got, world.saves[-1]) == (["#1", "#2", "gap"], "6@a release")


def test_failed_handling_is_tried_again() -> None:
    tries, told = [], []

    async def handle(message: Message) -> None:
        tries.append(name(message))
        if name(message) == "#2" and len(tries) < 12:
            raise LookupError("not today")

    world = World(served("a", 0, batch(1, 3), caught_up(3)))
    took = consume(world, handle, on_failure=lambda m, error, wait: told.append((name(m), str(error), wait)))
    assert tries == ["#1"] + ["#2"] * 11 + ["#3"]
    assert [what for *what, _ in told] == [["#2", "not today"]] * 10
    assert all(wait < min(LONGEST_PAUSE, FIRST_PAUSE * 2**n) for n, (_, _, wait) in enumerate(told))
    assert took >= sum(wait for _, _, wait in told)
    assert "2@a" not in world.saves[: world.saves.index("1@a")]


def test_failure_is_logged_by_default(caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    async def handle(message: Message) -> None:
        tries.append(message)
        if len(tries) < 3:
            raise LookupError("not today")

    with caplog.at_level(logging.WARNING, logger="headgate_client"):
        consume(World(served("a", 0, batch(7, 7), caught_up(7))), handle)
    assert len(caplog.messages) == 2
    cursor = tries[0].cursor
    assert re.search(
        rf"subscription=billing shard=0 cursor={cursor} attempt=2 wait=.*LookupError\('not today'\)", caplog.messages[1]
    )
    assert "Cust26759" not in caplog.text  # nothing of the event


@pytest.mark.parametrize("failing", [False, True], ids=["while it runs", "between tries"])
def test_lost_shard_ends_the_handling(failing: bool) -> None:
    """Whoever takes long keeps the lease by presenting it, and learns that it is lost while the handling runs."""
    world = World(served("a", 0, batch(1, 5)), served("b", 2, batch(3, 3), caught_up(3)))
    got: list[str] = []
    cancelled: list[float] = []

    def answer(save: Any) -> None:
        if save.lease == "a" and now() > 60:
            raise failure("ABORTED", Reason.LEASE_LOST)

    async def handle(message: Message) -> None:
        if got[-1:] != [name(message)]:
            got.append(name(message))
        if name(message) == "#2":
            if failing:
                raise LookupError("not today")
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled.append(now())
                raise

    world.answer, told = answer, []
    took = consume(world, handle, on_failure=lambda message, error, wait: told.append(error))
    assert got == ["#1", "#2", "#3"] and all(isinstance(error, LookupError) for error in told)  # a lost shard is no failure
    assert 60 <= took <= 64.5 and len(cancelled) == (not failing)
    presented = world.saves.index("3@b release") if "3@b" not in world.saves else world.saves.index("3@b")
    assert presented >= 25 and set(world.saves[:presented]) == {"1@a"}


def test_quiet_stream_asks_nothing() -> None:
    world = World(served("a", 0, batch(1, 1), 25.0, caught_up(1)))

    async def handle(message: Message) -> None:
        pass

    consume(world, handle)
    assert world.saves == ["1@a", "1@a release"]


def test_saves_are_spaced() -> None:
    """All shards' saves together stay below what a gateway lets a reader ask."""

    async def handle(message: Message) -> None:
        await asyncio.sleep(0.01)

    world = World(((*assigned(0, "a", 5, 128), batch(1, 2000), caught_up(2000)), "hold"))
    consume(world, handle)
    assert 5 <= len(world.saves) <= 15
    times = world.saved_at[:-1]  # the last one releases
    assert all(b - a >= 128 * 0.02 - 0.001 for a, b in zip(times, times[1:]))


@pytest.mark.parametrize("needs, takes, saved", [(5, 5, "2@a release"), (3600, 10, "1@a release")], ids=["in time", "never"])
@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_end_lets_the_handling_finish(needs: float, takes: float, saved: str, how: str) -> None:
    world = World(served("a", 0, batch(1, 3)))

    async def work() -> tuple[float, bool]:
        client, consuming = world.client(), None

        async def handle(message: Message) -> None:
            if name(message) == "#2":
                assert consuming is not None
                if how == "closed":
                    await client.close()
                else:
                    consuming.cancel()
                await asyncio.sleep(needs)

        consuming = asyncio.create_task(client.consume(Subscription(name="billing"), handle))
        await asyncio.wait({consuming})
        return now(), consuming.cancelled()

    took, cancelled = virtual.run(work())
    assert took == pytest.approx(takes, abs=0.1) and cancelled == (how == "cancelled")
    assert world.saves[-1] == saved


def test_second_cancel_does_not_wait() -> None:
    world = World(served("a", 0, batch(1, 3)))

    async def work() -> float:
        begun = asyncio.Event()

        async def handle(message: Message) -> None:
            begun.set()
            await asyncio.sleep(3600)

        consuming = asyncio.create_task(world.client().consume(Subscription(name="billing"), handle))
        await begun.wait()
        consuming.cancel()
        await asyncio.sleep(1)
        consuming.cancel()
        await asyncio.wait({consuming})
        assert consuming.cancelled()
        return now()

    assert virtual.run(work()) < 2 and world.saves[-1] == "@a release"


def test_refusal_ends_all_of_consume() -> None:
    world = World(served("a", 0, batch(1, 1)), ((1.0,), failure("FAILED_PRECONDITION", Reason.SUBSCRIPTION_MISMATCH)))

    async def handle(message: Message) -> None:
        pass

    with pytest.raises(Exception, match="SUBSCRIPTION_MISMATCH"):
        consume(world, handle, shards=2)
    assert world.saves[-1].endswith("release")


def test_lost_position_is_handled_once() -> None:
    """A lost position's cursor cannot be presented. Whoever takes long over its Gap must not be sent back to it."""
    world, gaps = World(served("a", 1, gap(7), caught_up(7))), []

    def answer(save: Any) -> None:
        if save.cursor.endswith("1"):
            raise failure("FAILED_PRECONDITION", Reason.CURSOR_FOREIGN)

    async def handle(message: Message) -> None:
        gaps.append(message)
        await asyncio.sleep(60)

    world.answer = answer
    consume(world, handle)
    assert (len(gaps), world.saves[-1]) == (1, "7@a release")


def test_pauses_stay_short_while_something_is_unsaved() -> None:
    """The gateway gives the shard away some seconds after it is back."""
    world, waits = World(((*assigned(0, "a"), batch(1, 1)), "end"), served("b", 1, caught_up(1))), []
    away = [failure("UNAVAILABLE")] * 50

    def answer(save: Any) -> None:
        if save.release and away:
            raise away.pop()

    async def handle(message: Message) -> None:
        pass

    world.answer = answer
    consume(world, handle, on_retry=lambda error, wait: waits.append(wait))
    assert not away and len(waits) >= 49 and max(waits) < FIRST_PAUSE


def test_end_at_the_head_waits_until_it_is_saved() -> None:
    world, away = World(served("a", 0, batch(1, 1), caught_up(1)), served("b", 1, caught_up(1))), [failure("UNAVAILABLE")] * 100

    def answer(save: Any) -> None:
        if save.release and away:
            raise away.pop()

    async def handle(message: Message) -> None:
        pass

    world.answer = answer
    consume(world, handle, stop_when_caught_up=True)
    assert not away and world.saves[-2:] == ["1@a release", "@b release"]


def test_leaving_takes_two_seconds_when_the_gateway_does_not_answer() -> None:
    world = World(served("a", 0, batch(1, 3)))

    def answer(save: Any) -> None:
        raise failure("UNAVAILABLE")

    async def read() -> float:
        messages = world.client().subscribe(Subscription(name="billing"))
        async for message in messages:
            if name(message) == "#1":
                break
        world.answer = answer
        await messages.aclose()
        return now()

    assert 2 <= virtual.run(read()) <= 2.3


def test_saving_to_a_store_is_finished_when_the_task_is_cancelled() -> None:
    saved = []

    class Slow:
        async def load(self) -> None:
            return None

        async def save(self, cursor: str) -> None:
            await asyncio.sleep(5)
            saved.append(cursor)

    async def read() -> bool:
        async def loop() -> None:
            async for _ in (
                World(((started(0), batch(1, 3)), "hold")).client().subscribe(Subscription(start=earliest(), store=Slow()))
            ):
                pass

        reading = asyncio.create_task(loop())
        await asyncio.sleep(7)
        reading.cancel()
        await asyncio.wait({reading})
        return reading.cancelled()

    assert virtual.run(read()) and len(saved) == 2
