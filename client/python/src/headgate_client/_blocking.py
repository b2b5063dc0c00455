"""I/O with threads. Its coroutines block and never suspend."""

from __future__ import annotations

import threading
import time
from collections.abc import Coroutine
from typing import Any, Callable, TypeVar, cast

import grpc
from headgate.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from headgate.v1.event_service_pb2_grpc import EventServiceStub
from headgate.v1.subscription_service_pb2 import SaveCursorsRequest
from headgate.v1.subscription_service_pb2_grpc import SubscriptionServiceStub

from ._errors import Interruption, SaveError, silent
from ._io import Background, Io, Signal, Stream
from ._store import AsyncStore, Store

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine over this module's I/O to its end."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine of the synchronous client was suspended: a store's methods must be plain functions")


class BlockingSignal(Signal):
    def __init__(self) -> None:
        super().__init__()
        self._condition = threading.Condition(self._lock)

    def _wake(self) -> None:
        self._condition.notify_all()

    async def wait(self, timeout: float | None = None) -> bool:
        with self._condition:
            return self._condition.wait_for(self.is_set, timeout)


class BlockingStream(Stream):
    """A call, and a thread that cancels it when it was silent for too long."""

    def __init__(self, call: Any) -> None:
        super().__init__()
        self._call = call
        self._watched = threading.Condition(threading.RLock())  # guards all below
        self._silence = 0.0
        self._deadline: float | None = None  # by the monotonic clock, while a response is waited for
        self._looks_at = 0.0  # when the thread looks next
        self._watching = False
        self._over = False

    async def receive(self, silence: float) -> SubscribeResponse | None:
        self.check()
        self._expect(silence)
        try:
            response: SubscribeResponse | None = next(self._call, None)
        except grpc.RpcError:
            self.check()
            raise
        finally:
            self._deadline = None
        self.check()
        return response

    def cancel(self) -> None:
        with self._watched:
            self._over = True
            self._watched.notify_all()
        self._call.cancel()

    def _expect(self, silence: float) -> None:
        """Has the thread see to it that a response comes in time."""
        with self._watched:
            self._silence, self._deadline = silence, time.monotonic() + silence
            if not self._watching and not self._over:
                self._watching = True
                threading.Thread(target=self._watch, name="headgate-watch", daemon=True).start()
            elif self._deadline < self._looks_at:
                self._watched.notify_all()

    def _watch(self) -> None:
        """Looks no oftener than needed: whenever the deadline can have passed at the earliest."""
        with self._watched:
            while not self._over:
                now, deadline = time.monotonic(), self._deadline
                if deadline is not None and deadline <= now:
                    break
                self._looks_at = now + self._silence if deadline is None else deadline
                self._watched.wait(self._looks_at - now)
            else:
                return
        self.interrupt(Interruption(silent()))


class Thread(Background):
    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._thread = threading.Thread(target=run, args=(coroutine,), name="headgate-save", daemon=True)
        self._thread.start()

    async def join(self) -> None:
        self._thread.join()


class BlockingIo(Io):
    def __init__(self, channel: grpc.Channel, dial: Callable[[], grpc.Channel]) -> None:
        self._dial = dial
        self._lock = threading.Lock()  # guards all below; calls begin under it, as none may begin on a channel that is closed
        self._own: grpc.Channel | None = None  # the one in place of the client's
        self._closed = False
        self._use(channel)

    def _use(self, channel: grpc.Channel) -> None:
        self._events = EventServiceStub(channel)
        self._subscriptions = SubscriptionServiceStub(channel)

    def line(self) -> object:
        return self._events

    async def abandon(self, line: object) -> None:
        with self._lock:
            if self._closed or self._events is not line:
                return
            dead, self._own = self._own, self._dial()
            self._use(self._own)
            if dead is not None:
                dead.close()

    async def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._own is not None:
                self._own.close()

    def signal(self) -> Signal:
        return BlockingSignal()

    def now(self) -> float:
        return time.monotonic()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Background:
        return Thread(coroutine)

    def open(self, request: SubscribeRequest) -> Stream:
        with self._lock:
            return BlockingStream(self._events.Subscribe(request))

    async def save(
        self, request: SaveCursorsRequest, *, timeout: float, wait_for_ready: bool, until: Signal
    ) -> SaveError | None:
        with self._lock:
            call = self._subscriptions.SaveCursors.future(request, timeout=timeout, wait_for_ready=wait_for_ready)
        try:
            with until.calling(call.cancel):
                call.result()
        except grpc.FutureCancelledError:
            return SaveError(grpc.StatusCode.CANCELLED, "given up")
        except grpc.RpcError as error:
            return SaveError.of(error)
        return None

    async def load_from(self, store: Store | AsyncStore) -> str | None:
        return cast(Store, store).load()

    async def save_to(self, store: Store | AsyncStore, cursor: str) -> None:
        cast(Store, store).save(cursor)
