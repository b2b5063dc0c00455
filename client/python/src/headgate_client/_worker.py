"""One of the streams of consume: has the messages of a shard handled one after the other."""

from __future__ import annotations

import logging

from ._io import Attempt, Io, Signal
from ._message import Message
from ._pause import pause
from ._reader import Reader
from ._subscription import Subscription

FINISH_WITHIN = 10.0
"""How long a handling may go on when consume is to end, in seconds."""

_log = logging.getLogger("headgate_client")


class Worker:
    """Reads and handles until stop is set, or until the iteration ends by itself."""

    def __init__(self, io: Io, subscription: Subscription, member: str, stop: Signal, attempt: Attempt) -> None:
        self._io = io
        self._subscription = subscription
        self._stop = stop
        self._attempt = attempt
        self._reader = Reader(io, subscription, member, stop)

    async def run(self) -> None:
        """Raises what ends the iteration with an error."""
        try:
            while True:
                message = await self._reader.next()
                if message is None or (message._to_handle() and not await self._handle(message)):
                    return
        finally:
            await self._reader.leave()

    async def _handle(self, message: Message) -> bool:
        """Has a message handled, however often that takes. It returns False when it was not, because stop is set.

        That the shard was lost meanwhile the reader sees by itself.
        """
        held, failures = self._reader.held, 0
        assert held is not None  # the reader takes no events without
        while True:
            error = await self._attempt(message, held.over)
            if error is None or held.lost:
                return True
            if self._stop.is_set():
                return False
            wait, failures = pause(failures), failures + 1
            self._tell(message, failures, error, wait)
            woken = self._io.signal()
            with self._stop.calling(woken.set), held.over.calling(woken.set):
                await woken.wait(wait)
            if self._stop.is_set():
                return False
            if held.over.is_set():
                return True

    def _tell(self, message: Message, attempt: int, error: BaseException, wait: float) -> None:
        """Says that a handling failed: a shard that stands still must not do so unseen."""
        if self._subscription.on_failure is not None:
            self._subscription.on_failure(message, error, wait)
            return
        _log.warning(
            "a message could not be handled and is tried again; its shard waits: "
            "subscription=%s shard=%s cursor=%s attempt=%d wait=%.3fs error=%r",
            self._subscription.name, message.shard, message.cursor, attempt, wait, error,
        )  # fmt: skip
