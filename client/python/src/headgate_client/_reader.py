"""One iteration over a subscription: reads one stream after the other."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import ExitStack, suppress
from functools import partial

import grpc
from headgate.v1.event_service_pb2 import Closing, SubscribeResponse

from ._errors import GatewayError, Interruption, Over, ended
from ._holding import SAVE_TIMEOUT, Holding
from ._io import Io, Signal, Stream
from ._message import Message
from ._pause import FIRST_PAUSE, pause
from ._subscription import Subscription

_log = logging.getLogger("headgate_client")

DEFAULT_HEARTBEAT = 15.0
"""The gateway's, in seconds, in force until Started tells."""
LEAVE_TIMEOUT = 2.0
"""Bounds the last saving of an iteration, in seconds."""


class Reader:
    """Yields messages by next, for one thread or task. leave must be called at the end."""

    def __init__(self, io: Io, subscription: Subscription, member: str, stop: Signal) -> None:
        self.held: Holding | None = None
        """The shard of a named subscription, None while it has none."""
        self._io = io
        self._subscription = subscription
        self._member = member
        self._stop = stop  # once set, the iteration ends
        self._cursor = ""  # after the last message that was handled; stays empty with a name, as the gateway keeps it then
        if subscription.start is not None and not subscription.name:
            self._cursor = subscription.start.after_cursor
        self._failures = 0  # since the last message after Started
        self._in_hand: Message | None = None  # what next returned last
        self._begun = False
        # The stream in hand.
        self._stream: Stream | None = None
        self._line: object = None  # that it was begun over
        self._ties = ExitStack()
        self._pending: deque[Message] = deque()
        self._closing: Closing | None = None  # what it ended with
        self._silence = 0.0  # how many seconds of it are too long
        self._moved_on = False  # it delivered something after Started

    async def next(self) -> Message | None:
        """Returns the next message, None at the end. The message before counts as handled.

        Raises GatewayError for a refusal, and what the store raises.
        """
        try:
            await self._begin()
            await self._note_in_hand()
            while True:
                try:
                    message = await self._step()
                except Interruption as broken:
                    await self._wait_after(broken)
                    continue
                if message is not None:
                    return message
        except Over:
            return None

    async def leave(self) -> None:
        """Ends the stream and gives the shard back, so that another member gets it at once. It takes up to LEAVE_TIMEOUT.

        When that fails the gateway finds out by itself, and what was not saved comes again.
        """
        self._drop_stream()
        if self.held is None:
            return
        deadline, never = self._io.now() + LEAVE_TIMEOUT, self._io.signal()
        left = LEAVE_TIMEOUT
        while left > 0:
            failed = await self.held.release(timeout=left, wait_for_ready=True, until=never)
            if failed is None or not failed._temporary(False):
                return
            left = deadline - self._io.now()
            await never.wait(min(FIRST_PAUSE, max(0.0, left)))

    async def _begin(self) -> None:
        """Takes the position from the store, the first time."""
        store = self._subscription.store
        if self._begun or store is None:
            return
        stored = await self._io.load_from(store)
        self._cursor, self._begun = stored or self._cursor, True

    async def _note_in_hand(self) -> None:
        message, self._in_hand = self._in_hand, None
        if message is None:
            return
        await self._note(message.cursor)
        if self.held is not None:
            self.held.working = False

    async def _note(self, cursor: str) -> None:
        """Makes the cursor the position, in the store or at the gateway too."""
        if self._subscription.name:
            if self.held is not None:  # else nothing was assigned yet
                self.held.note(cursor)
            return
        if not cursor or cursor == self._cursor:
            return
        self._cursor = cursor
        if self._subscription.store is not None:
            await self._io.save_to(self._subscription.store, cursor)

    async def _step(self) -> Message | None:
        """Goes one step on, and returns a message if that yields one."""
        if self._stream is None:
            await self._settle(wait_for_ready=True)
            self._open_stream()
        if self._pending:
            return await self._hand_out(self._pending.popleft())
        if self._closing is not None:
            await self._close(self._closing)
        self._take(await self._receive())
        return None

    async def _hand_out(self, message: Message) -> Message | None:
        if message._passed_over():
            await self._note(message.cursor)
            return None
        assert self._stream is not None
        self._stream.check()  # nothing is delivered of a stream that was given up
        if self.held is not None:
            self.held.working = True
        self._in_hand = message
        return message

    def _open_stream(self) -> None:
        self._silence = 2 * max(DEFAULT_HEARTBEAT, self._subscription.heartbeat)
        self._moved_on = False
        self._line = self._io.line()
        self._stream = self._io.open(self._subscription._request(self._cursor, self._member))
        self._ties.callback(self._stream.cancel)
        self._ties.enter_context(self._stop.calling(partial(self._stream.interrupt, Over())))

    def _drop_stream(self) -> None:
        self._stream, self._closing = None, None
        self._pending.clear()
        self._ties.close()

    async def _receive(self) -> SubscribeResponse:
        assert self._stream is not None
        try:
            response = await self._stream.receive(self._silence)
        except grpc.RpcError as error:
            answer = GatewayError.of(error)
            if answer._temporary(self._moved_on):
                raise Interruption(answer, answer.retry_after) from error
            raise answer from error
        if response is None:
            raise Interruption(ended())
        return response

    def _take(self, response: SubscribeResponse) -> None:
        """Prepares what the response holds for handing out."""
        kind = response.WhichOneof("signal")
        if kind == "started":
            self._take_started(response)
        elif kind == "standby":
            self._pending.append(Message(cursor="", standby=response.standby))
        elif kind == "assigned":
            assert self._stream is not None
            self.held = Holding(self._io, self._subscription.name, response.assigned, response.cursor, self._stream)
            self._pending.append(Message(response.cursor, self.held.shard, assigned=response.assigned))
        else:
            self._take_place(response, kind)

    def _take_started(self, response: SubscribeResponse) -> None:
        """Where the reader has a position already, that one stays.

        A Gap which says that it was lost may come next, and must come again if the connection breaks in between.
        """
        heartbeat = response.started.heartbeat_interval.ToTimedelta().total_seconds()
        if heartbeat > 0:
            self._silence = 2 * heartbeat
        self._pending.append(Message(self._cursor or response.cursor, started=response.started))

    def _take_place(self, response: SubscribeResponse, kind: str | None) -> None:
        """Takes what has a place in the log, of known kinds and others. Its cursor covers what the filter left out too."""
        shard = self.held.shard if self.held is not None else None
        if self._subscription.name and shard is None and (response.events or kind in ("gap", "erased")):
            raise GatewayError(
                grpc.StatusCode.INTERNAL,
                "the gateway sent events without assigning a shard first: they could not be saved",
            )
        if kind == "closing":
            self._closing = response.closing
        else:
            self._moved_on, self._failures = True, 0
        for event in response.events:
            self._pending.append(Message(event.cursor, shard, event=event))
        self._pending.append(
            Message(
                response.cursor,
                shard,
                gap=response.gap if kind == "gap" else None,
                erased=response.erased if kind == "erased" else None,
                checkpoint=response.checkpoint if kind == "checkpoint" else None,
            )
        )

    async def _close(self, closing: Closing) -> None:
        """Ends the stream as the gateway said. It always raises."""
        if closing.reason == Closing.REASON_CAUGHT_UP:
            self._drop_stream()
            await self._settle()
            raise Over
        wait = closing.retry_after.ToTimedelta().total_seconds()
        raise Interruption(ended(closing.reason), max(0.0, wait), in_order=True)

    async def _settle(self, wait_for_ready: bool = False) -> None:
        """Releases the shard of a stream that is over.

        Nothing new is asked for before the gateway has said whether what was handled is saved: it would come again.
        """
        if self.held is None:
            return
        failed = await self.held.release(timeout=SAVE_TIMEOUT, wait_for_ready=wait_for_ready, until=self._stop)
        if failed is not None:
            if self._stop.is_set():
                raise Over
            if not failed._passing():
                raise failed
            if failed._temporary(False):
                raise Interruption(failed, failed.retry_after)
        self.held = None

    async def _wait_after(self, broken: Interruption) -> None:
        """Saves what was handled of the stream that broke, and waits before the next."""
        if self._stream is not None:
            self._drop_stream()
            if broken.by_dead_line():
                await self._io.abandon(self._line)
            with suppress(Interruption):  # the next stream begins with another try
                await self._settle()
        wait = broken.retry_after + pause(self._failures)
        if self.held is not None and not broken.retry_after:
            # What was handled is to be saved as soon as the gateway is back: it does not wait long before it gives the
            # shard away.
            wait = pause(0)
        self._failures += 1
        self._tell(broken, wait)
        if await self._stop.wait(wait):
            raise Over

    def _tell(self, broken: Interruption, wait: float) -> None:
        """Says that the stream was lost: a reader that waits for its gateway must not do so unseen."""
        if self._subscription.on_retry is not None:
            self._subscription.on_retry(broken.cause, wait)
        elif not broken.in_order:
            name = self._subscription.name
            text = "the gateway's stream is lost; connecting again: subscription=%s wait=%.3fs error=%s"
            _log.warning(text, name, wait, broken.cause)
