"""An event loop whose clock goes on only when everything waits, and a gateway that lives in it: hours pass at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable

import grpc.aio
from headgate.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from headgate.v1.subscription_service_pb2 import SaveCursorsRequest, ShardSave
from scripted import brief

from headgate_client import aio
from headgate_client._aio import AioIo


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen"
        self.now += max(0.0, timeout)
        return super().select(0)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs the coroutine on such a loop, which begins at 0."""
    selector = _Selector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    loop._clock_resolution = 1e-6  # type: ignore[attr-defined]
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def now() -> float:
    """Tells the seconds since the loop began."""
    return asyncio.get_running_loop().time()


class Call:
    """A Subscribe call: it gives the responses, and then ends, fails or is silent."""

    def __init__(self, responses: tuple[SubscribeResponse | float, ...], then: str | Exception) -> None:
        self._responses = list(responses)
        self._then = then
        self._cancelled = asyncio.get_running_loop().create_future()

    async def read(self) -> Any:
        while self._responses:
            response = self._responses.pop(0)
            if not isinstance(response, float):
                return response
            await asyncio.wait({self._cancelled}, timeout=response)
        if isinstance(self._then, Exception):
            raise self._then
        if self._then == "hold":
            await asyncio.shield(self._cancelled)
        return grpc.aio.EOF

    def cancel(self) -> None:
        self._cancelled.cancel()


class Failure(grpc.RpcError):
    """The error of a call."""

    def __init__(self, code: grpc.StatusCode, trailers: Any = ()) -> None:
        super().__init__(code)
        self._code, self._trailers = code, trailers

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "in words"

    def trailing_metadata(self) -> Any:
        return self._trailers


class World(AioIo):
    """The nth stream follows the nth script, later ones the last. answer says what becomes of each save."""

    def __init__(self, *scripts: tuple[tuple[Any, ...], str | Exception]) -> None:
        self._events: Any = self
        self._subscriptions: Any = self
        self.scripts = list(scripts)
        self.answer: Callable[[ShardSave], None] = lambda save: None
        self.saves: list[str] = []
        self.saved_at: list[float] = []
        self.abandoned_at: list[float] = []

    async def abandon(self, line: object) -> None:
        assert line is self.line()
        self.abandoned_at.append(now())

    async def close(self) -> None:
        pass

    def Subscribe(self, request: SubscribeRequest) -> Call:  # noqa: N802
        script = self.scripts[0] if len(self.scripts) == 1 else self.scripts.pop(0)
        return Call(*script)

    def SaveCursors(self, request: SaveCursorsRequest, **how: Any) -> Awaitable[None]:  # noqa: N802
        async def save() -> None:
            self.saves.append(brief(request.saves[0]))
            self.saved_at.append(now())
            self.answer(request.saves[0])

        return save()

    def client(self) -> aio.Client:
        """Makes a client of it. To be called within the loop."""
        client = aio.Client("127.0.0.1:1")
        client._io = self
        return client
