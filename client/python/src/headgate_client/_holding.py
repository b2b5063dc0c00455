"""One shard of a named subscription, under one lease."""

from __future__ import annotations

import grpc
from headgate.v1.event_service_pb2 import Assigned
from headgate.v1.subscription_service_pb2 import SaveCursorsRequest, ShardSave

from ._errors import Interruption, SaveError
from ._io import Background, Io, Signal, Stream
from ._names import Reason

SHARD_SPACING = 0.02
"""Times the number of shards the least seconds between two saves of one: 50 a second for all of a subscription's together."""
ASK_EVERY = 2.0
"""How often, in seconds, the lease is presented while one message is being handled. It is less than the gateway's grace, so
whoever takes long keeps the shard, and finds out soon when somebody else has been given it."""
SAVE_TIMEOUT = 10.0
"""Bounds each saving of what was handled, in seconds."""


class Holding:
    """Saves what was handled, beside the handling: one save is under way at a time, always of the newest cursor.

    Its methods are for the thread or task of the loop.
    """

    def __init__(self, io: Io, name: str, assigned: Assigned, begin: str, stream: Stream) -> None:
        self.shard: int = assigned.shard.index
        self.over: Signal = io.signal()
        """Set when the holding ends, by release or because the lease is lost."""
        self.lost = False
        """Whether somebody else has the shard now, or nobody can save it any more."""
        self.working = False
        """Whether a message is being handled: set by the loop."""
        self._io = io
        self._name = name
        self._lease = assigned.lease
        self._spacing = SHARD_SPACING * max(1, assigned.shard.count)  # between saves, at least
        self._begin = begin  # the saved cursor when the shard was assigned
        self._newest = ""  # the last that was handled; empty until there is one
        self._stream = stream
        self._noted = io.signal()
        self._keeper: Background = io.start(self._keep())

    def note(self, cursor: str) -> None:
        """Has the cursor saved soon."""
        if cursor and cursor not in (self._newest, self._begin):
            self._newest = cursor
            self._noted.set()

    async def release(self, *, timeout: float, wait_for_ready: bool, until: Signal) -> SaveError | None:
        """Saves what was handled and gives the shard back. It may be called again when that failed.

        Under a lease that is lost it saves nothing.
        """
        self.over.set()
        await self._keeper.join()
        if self.lost:
            return None
        return await self._save(self._newest, release=True, timeout=timeout, wait_for_ready=wait_for_ready, until=until)

    async def _keep(self) -> None:
        """Saves until the holding ends."""
        with self.over.calling(self._noted.set):  # wakes the wait below
            at, again, wait = self._begin, False, ASK_EVERY
            while True:
                noted = await self._noted.wait(wait)
                if self.over.is_set():
                    return
                self._noted.clear()
                newest = self._newest or self._begin
                if newest == at and not again and (noted or not self.working):
                    continue
                at = newest
                failed = await self._save(at, release=False, timeout=SAVE_TIMEOUT, wait_for_ready=False, until=self.over)
                again, wait, spacing = False, ASK_EVERY, self._spacing
                if failed is not None:
                    again, wait, spacing = True, 0.0, self._failed(failed)
                if await self.over.wait(spacing):
                    return

    def _failed(self, failed: SaveError) -> float:
        """Decides what a save that failed means, and returns after how many seconds to try again.

        Unless the gateway only asks for patience, nothing more is delivered before what was handled is saved.
        """
        if self.over.is_set() or failed.reason == Reason.LIMIT:
            return max(failed.retry_after, 10 * self._spacing)
        if failed.reason == Reason.CURSOR_FOREIGN:  # the position at the assignment may be lost, as the Gap then says
            return ASK_EVERY
        can_help = failed._temporary(True) or failed.code is grpc.StatusCode.UNAUTHENTICATED
        if can_help or failed._passing():
            self._stream.interrupt(Interruption(failed, failed.retry_after))
        else:
            self._stream.interrupt(failed)
        if not can_help:
            self.lost = True
            self.over.set()  # last: whoever sees it finds the stream interrupted
        return max(failed.retry_after, 10 * self._spacing)

    async def _save(
        self, cursor: str, *, release: bool, timeout: float, wait_for_ready: bool, until: Signal
    ) -> SaveError | None:
        save = ShardSave(shard=self.shard, lease=self._lease, cursor=cursor, release=release)
        request = SaveCursorsRequest(name=self._name, saves=[save])
        return await self._io.save(request, timeout=timeout, wait_for_ready=wait_for_ready, until=until)
