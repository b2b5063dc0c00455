"""What reading needs of the world. _blocking.py supplies it with threads, _aio.py with asyncio.

All that is not I/O is written once, as coroutines over these classes. Those of _blocking.py block where the others
suspend, so that one step runs such a coroutine to its end.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Callable, Optional

from headgate.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from headgate.v1.subscription_service_pb2 import SaveCursorsRequest

from ._errors import SaveError
from ._message import Message
from ._store import AsyncStore, Store


class Signal(ABC):
    """A flag that can be waited for. All but wait may be called by any thread, a signal's handler included."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._flag = False
        self._callbacks: dict[object, Callable[[], object]] = {}

    def is_set(self) -> bool:
        return self._flag

    def set(self) -> None:
        """Wakes whoever waits and calls the callbacks, in the thread of the caller."""
        with self._lock:
            if self._flag:
                return
            self._flag = True
            self._wake()
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback()

    def clear(self) -> None:
        self._flag = False

    @contextmanager
    def calling(self, callback: Callable[[], object]) -> Generator[None, None, None]:
        """Has callback called when the flag is set within the block, or is set already."""
        key = object()
        with self._lock:
            self._callbacks[key] = callback
            already = self._flag
        try:
            if already:
                callback()
            yield
        finally:
            with self._lock:
                del self._callbacks[key]

    @abstractmethod
    def _wake(self) -> None:
        """Wakes whoever waits. The lock is held."""

    @abstractmethod
    async def wait(self, timeout: float | None = None) -> bool:
        """Waits for the flag, for at most so many seconds, and tells whether it is set."""


class Stream(ABC):
    """A Subscribe call under way."""

    def __init__(self) -> None:
        self._cause: Exception | None = None

    def interrupt(self, cause: Exception) -> None:
        """Ends the stream, of which nothing more is delivered: receive and check raise the first cause."""
        if self._cause is None:
            self._cause = cause
            self.cancel()

    def check(self) -> None:
        """Raises the cause of an interruption."""
        if self._cause is not None:
            raise self._cause

    @abstractmethod
    async def receive(self, silence: float) -> SubscribeResponse | None:
        """Returns the next response, None at the end. Raises grpc.RpcError, or the cause of an interruption.

        After so many seconds without a response it interrupts the stream itself.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Ends the call. May be called again, and by any thread."""


class Background(ABC):
    """A coroutine that runs beside."""

    @abstractmethod
    async def join(self) -> None:
        """Waits for its end."""


Attempt = Callable[[Message, Signal], Awaitable[Optional[BaseException]]]
"""Has the application handle a message once and returns what it failed with. The signal is that of the shard's end."""


class Io(ABC):
    """The gateway, the clock and what runs beside."""

    @abstractmethod
    def signal(self) -> Signal:
        """Makes a flag."""

    @abstractmethod
    def now(self) -> float:
        """Tells the seconds of a clock that only goes forward."""

    @abstractmethod
    def start(self, coroutine: Coroutine[Any, Any, None]) -> Background:
        """Runs the coroutine beside."""

    @abstractmethod
    def line(self) -> object:
        """Names the connection that calls are made over now."""

    @abstractmethod
    async def abandon(self, line: object) -> None:
        """Has further calls made over a new connection, unless they are already.

        gRPC notices that a connection is dead only by keepalive, and until then new calls wait on it.
        """

    @abstractmethod
    async def close(self) -> None:
        """Closes the connection that was made in place of the client's, if any."""

    @abstractmethod
    def open(self, request: SubscribeRequest) -> Stream:
        """Begins a stream."""

    @abstractmethod
    async def save(
        self, request: SaveCursorsRequest, *, timeout: float, wait_for_ready: bool, until: Signal
    ) -> SaveError | None:
        """Saves cursors at the gateway. The call is given up, with CANCELLED, once until is set."""

    @abstractmethod
    async def load_from(self, store: Store | AsyncStore) -> str | None:
        """Calls the store's load."""

    @abstractmethod
    async def save_to(self, store: Store | AsyncStore, cursor: str) -> None:
        """Calls the store's save, and sees it through whatever happens meanwhile."""
