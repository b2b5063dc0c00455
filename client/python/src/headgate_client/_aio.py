"""I/O with asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable, TypeVar, cast

import grpc
import grpc.aio
from headgate.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from headgate.v1.event_service_pb2_grpc import EventServiceStub
from headgate.v1.subscription_service_pb2 import SaveCursorsRequest
from headgate.v1.subscription_service_pb2_grpc import SubscriptionServiceStub

from ._errors import GatewayError, Interruption, SaveError, silent
from ._io import Background, Io, Signal, Stream
from ._store import AsyncStore, Store

T = TypeVar("T")


class AioSignal(Signal):
    def __init__(self) -> None:
        super().__init__()
        self._waiters: set[asyncio.Future[None]] = set()

    def _wake(self) -> None:
        for waiter in self._waiters:
            _resolve(waiter)

    async def wait(self, timeout: float | None = None) -> bool:
        if self.is_set():
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = None if timeout is None else loop.call_later(timeout, _resolve, waiter)
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()
        return self.is_set()


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class AioStream(Stream):
    def __init__(self, call: Any) -> None:
        super().__init__()
        self._call = call

    async def receive(self, silence: float) -> SubscribeResponse | None:
        self.check()
        # In a task of its own: whether the call or this task was cancelled could not be told apart otherwise.
        read = _quiet(self._call.read())
        try:
            await asyncio.wait({read}, timeout=silence)
            if not read.done():
                self.interrupt(Interruption(silent()))
        finally:
            read.cancel()
        self.check()
        if read.cancelled():
            raise GatewayError(grpc.StatusCode.CANCELLED, "the connection was closed")
        response = read.result()
        return None if response is grpc.aio.EOF else response

    def cancel(self) -> None:
        self._call.cancel()


class Task(Background):
    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.ensure_future(coroutine)

    async def join(self) -> None:
        await asyncio.wait({self._task})
        self._task.result()


class AioIo(Io):
    def __init__(self, channel: grpc.aio.Channel, dial: Callable[[], grpc.aio.Channel]) -> None:
        self._dial = dial
        self._own: grpc.aio.Channel | None = None  # the one in place of the client's
        self._closed = False
        self._use(channel)

    def _use(self, channel: grpc.aio.Channel) -> None:
        self._events = EventServiceStub(channel)
        self._subscriptions = SubscriptionServiceStub(channel)

    def line(self) -> object:
        return self._events

    async def abandon(self, line: object) -> None:
        if self._closed or self._events is not line:
            return
        dead, self._own = self._own, self._dial()
        self._use(self._own)
        if dead is not None:
            await dead.close()

    async def close(self) -> None:
        self._closed = True
        if self._own is not None:
            await self._own.close()

    def signal(self) -> Signal:
        return AioSignal()

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Background:
        return Task(coroutine)

    def open(self, request: SubscribeRequest) -> Stream:
        return AioStream(self._events.Subscribe(request))

    async def save(
        self, request: SaveCursorsRequest, *, timeout: float, wait_for_ready: bool, until: Signal
    ) -> SaveError | None:
        call = self._subscriptions.SaveCursors(request, timeout=timeout, wait_for_ready=wait_for_ready)
        answer = _quiet(call)
        try:
            with until.calling(answer.cancel):
                await asyncio.wait({answer})
        finally:
            answer.cancel()
        if answer.cancelled():
            return SaveError(grpc.StatusCode.CANCELLED, "given up")
        error = answer.exception()
        if isinstance(error, grpc.RpcError):
            return SaveError.of(error)
        answer.result()
        return None

    async def load_from(self, store: Store | AsyncStore) -> str | None:
        if inspect.iscoroutinefunction(store.load):
            return await cast(AsyncStore, store).load()
        return await _in_thread(cast(Store, store).load)

    async def save_to(self, store: Store | AsyncStore, cursor: str) -> None:
        if inspect.iscoroutinefunction(store.save):
            await _see_through(cast(AsyncStore, store).save(cursor))
        else:
            await _see_through(_in_thread(cast(Store, store).save, cursor))


async def _in_thread(function: Callable[..., T], *args: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


async def _see_through(saving: Coroutine[Any, Any, T]) -> T:
    """Finishes a saving even when the task is cancelled meanwhile, and lets it be cancelled then."""
    task = asyncio.ensure_future(saving)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        await asyncio.wait({task})
        task.result()
        raise
    return task.result()


def _quiet(awaitable: Awaitable[T]) -> asyncio.Future[T]:
    """Makes a task whose error nobody needs to look at."""

    async def whole() -> T:
        return await awaitable

    task = asyncio.ensure_future(whole())
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
