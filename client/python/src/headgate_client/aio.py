"""The client for asyncio. All but Client is imported from headgate_client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from functools import partial
from types import TracebackType
from typing import Any, Callable

import grpc
import grpc.aio

from ._aio import AioIo, AioSignal
from ._connection import Dialing, Lifetime, Options, dialing, new_member
from ._io import Signal
from ._message import Message
from ._reader import Reader
from ._subscription import Subscription
from ._worker import FINISH_WITHIN, Worker

__all__ = ["Client"]

Handler = Callable[[Message], Awaitable[None]]


class Client:
    """A connection to a gateway, for one event loop. Many subscriptions can share it.

    It is an asynchronous context manager that calls close at the end of its block.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        tls: grpc.ChannelCredentials | None = None,
        options: Options = (),
    ) -> None:
        """As in headgate_client.Client. It is to be made in a coroutine, as it belongs to the loop that runs."""
        dial = partial(_open_channel, dialing(address, token, tls, options))
        self._channel = dial()
        self._io = AioIo(self._channel, dial)
        self._member = new_member()
        self._life = Lifetime(AioSignal())

    @property
    def channel(self) -> grpc.aio.Channel:
        """The connection, for the generated stubs of all other calls. Their errors are read by GatewayError.of.

        A subscription that finds it dead goes on over one of its own; here gRPC's keepalive makes it work again.
        """
        return self._channel

    async def close(self) -> None:
        """Ends every iteration and every consume of this client as soon as what is being handled is handled.

        They save and give their shards back, and end without an error. The connection is closed when the last of them has
        left. close does not wait for that.
        """
        if self._life.close():
            await self._hang_up()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def subscribe(self, subscription: Subscription) -> AsyncGenerator[Message, None]:
        """Yields the subscription's messages, as headgate_client.Client.subscribe does.

        A loop that is left by break or by an exception leaves the generator to the event loop, which ends it soon. Where it
        must have ended, and its shard be given back, before the next line, close it:

            async with contextlib.aclosing(client.subscribe(...)) as messages:
                async for message in messages:

        When the task is cancelled while a cursor is being saved, the saving is finished first. A Store is called in a thread
        of its own; an AsyncStore is awaited.
        """
        subscription._check()
        return self._iterate(subscription)

    async def consume(self, subscription: Subscription, handle: Handler) -> None:
        """Has the events of a named subscription handled, as headgate_client.Client.consume does, until it is cancelled.

        handle is a coroutine function. Those of different shards run at the same time, as tasks. The task of one is
        cancelled when its shard is lost: to another member, because its position was moved, or because the message was left
        out.

        When consume is cancelled, or the client is closed, handlers that run get ten seconds to finish before they are
        cancelled; what they did is saved and the shards are given back. Then it raises CancelledError, or returns. When it is
        cancelled once more it does not wait for the handlers.
        """
        consuming = _Consuming(self, subscription, handle)
        self._life.enter()
        try:
            with self._life.stop.calling(consuming.stop.set):
                await consuming.run()
        finally:
            await self._left()

    async def _iterate(self, subscription: Subscription) -> AsyncGenerator[Message, None]:
        self._life.enter()
        reader = Reader(self._io, subscription, self._member, self._life.stop)
        try:
            while True:
                message = await reader.next()
                if message is None:
                    return
                yield message
        finally:
            try:
                await reader.leave()
            finally:
                await self._left()

    async def _left(self) -> None:
        if self._life.leave():
            await self._hang_up()

    async def _hang_up(self) -> None:
        await self._channel.close()
        await self._io.close()


def _open_channel(d: Dialing) -> grpc.aio.Channel:
    if d.credentials is not None:
        return grpc.aio.secure_channel(d.address, d.credentials, options=d.options)
    interceptors: list[grpc.aio.ClientInterceptor] = []
    if d.token is not None:
        interceptors = [_UnaryBearer(d.token), _StreamBearer(d.token)]
    return grpc.aio.insecure_channel(d.address, options=d.options, interceptors=interceptors)


class _Bearer:
    """Sends a token with every call, to this machine."""

    def __init__(self, token: str) -> None:
        self._header = ("authorization", "Bearer " + token)

    def _with_token(self, details: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        metadata.add(*self._header)
        return details._replace(metadata=metadata)


class _UnaryBearer(_Bearer, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self._with_token(client_call_details), request)


class _StreamBearer(_Bearer, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self._with_token(client_call_details), request)


class _Consuming:
    """One consume: a task for each shard that there can be."""

    def __init__(self, client: Client, subscription: Subscription, handle: Handler) -> None:
        self.stop: Signal = AioSignal()
        self._handle = handle
        self._workers = [
            Worker(client._io, subscription, client._member, self.stop, self._attempt) for _ in range(subscription._streams())
        ]

    async def run(self) -> None:
        tasks = [asyncio.create_task(worker.run()) for worker in self._workers]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.stop.set()
            await _finish(tasks)
        for task in ended:
            task.result()  # raises what ended it

    async def _attempt(self, message: Message, shard_over: Signal) -> BaseException | None:
        handling = asyncio.ensure_future(self._call(message))
        late: list[asyncio.TimerHandle] = []
        loop = asyncio.get_running_loop()
        with (
            shard_over.calling(handling.cancel),
            self.stop.calling(lambda: late.append(loop.call_later(FINISH_WITHIN, handling.cancel))),
        ):
            try:
                await asyncio.wait({handling})
            finally:
                handling.cancel()
                for timer in late:
                    timer.cancel()
        return asyncio.CancelledError() if handling.cancelled() else handling.exception()

    async def _call(self, message: Message) -> None:
        await self._handle(message)


async def _finish(tasks: list[asyncio.Task[None]]) -> None:
    """Waits for the tasks. When that is cancelled it cancels them, and waits for what they must do then."""
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
