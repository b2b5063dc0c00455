"""What to read and from where on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Callable, Literal

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from headgate.v1.event_service_pb2 import Filter, OnLostCursor, Saved, Shard, Start, SubscribeRequest

from ._message import Message
from ._store import AsyncStore, Store

_ON_LOST_CURSOR = {
    "fail": OnLostCursor.ON_LOST_CURSOR_FAIL,
    "earliest": OnLostCursor.ON_LOST_CURSOR_EARLIEST,
    "latest": OnLostCursor.ON_LOST_CURSOR_LATEST,
}


def earliest() -> Start:
    """Begins with the oldest event that the log holds."""
    return Start(at=Start.EDGE_EARLIEST)


def latest() -> Start:
    """Begins with what comes from now on."""
    return Start(at=Start.EDGE_LATEST)


def after(cursor: str) -> Start:
    """Begins just after the cursor of a message."""
    return Start(after_cursor=cursor)


def from_time(time: datetime | Timestamp) -> Start:
    """Begins with the first event that the gateway received at that time or later.

    A datetime counts to the microsecond, a protobuf Timestamp, such as Event.received_at, to the nanosecond. Raises ValueError
    for a datetime that does not say its time zone.
    """
    if isinstance(time, Timestamp):
        return Start(from_time=time)
    if time.tzinfo is None:
        raise ValueError("from_time: the time has no time zone: use datetime(…, tzinfo=timezone.utc)")
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return Start(from_time=timestamp)


@dataclass(frozen=True)
class Subscription:
    """What to read and from where on. It can be used again and by several iterations at once, unless it has a store."""

    name: str = ""
    """The subscription's name at the gateway, which then keeps the position: the normal way. Replicas that say the same
    name share the events, each event to one of them. Excludes store. Without a name the position is the caller's."""
    shards: int = 0
    """How many parts a named subscription has, 1 to 128; 0 means 1. It is fixed when the subscription is made, and every
    replica must say the same. All events of one record go to one shard. subscribe serves one shard at a time, consume
    as many as there are."""
    member: str = ""
    """Which replica this is, as the gateway spreads shards evenly over members. Default: a name of the client's own."""
    filter: Filter | None = None
    """Which events; None means everything that the caller may read. Every replica of a named subscription must say the
    same: an event goes to the one that has its shard, and when that one's filter leaves it out nobody gets it."""
    start: Start | None = None
    """Where the first stream begins: earliest(), latest(), after(cursor) or from_time(time). Required, unless store has a
    cursor: the gateway answers START_REQUIRED. With a name it is where a new subscription begins, and None says that there
    must be one."""
    on_lost_cursor: Literal["fail", "earliest", "latest"] = "fail"
    """What the gateway does when the position is no longer in its log, at the start as on every later connection: "fail"
    ends the iteration with CURSOR_EXPIRED or CURSOR_FOREIGN; "earliest" and "latest" begin there after a Gap that says so."""
    store: Store | AsyncStore | None = None
    """Keeps the position over restarts, for a reader that has a disk and no replicas. Its cursor, if it has one, wins over
    start. A cursor is saved when the loop comes back for the next message, that is, after the message before was
    handled, and never earlier. The message in whose handling the loop is left is not saved and comes again. The saving is
    not part of the handling: when the process dies between the two, the message comes again as well. To take effect
    exactly once, have no store, keep Message.cursor in the transaction of the effects and begin with after(cursor)."""
    heartbeat: float = 0.0
    """How many seconds a stream may be silent before the gateway sends a checkpoint: 1 to 300. 0 leaves it to the gateway,
    which takes 15. After two silent heartbeats the stream is taken for dead."""
    shard: Shard | None = None
    """Reads only one part of the events, when replicas share them and know their numbers. With a name its count stands
    for shards."""
    client_name: str = ""
    """Who reads, for the gateway's operator."""
    stop_when_caught_up: bool = False
    """Ends the iteration, without an error, once everything that was stored when the stream began has been handled."""
    on_retry: Callable[[Exception, float], None] | None = None
    """Called before each new connection with what ended the last one, a GatewayError or a StreamEnded, and how many
    seconds the wait will be. It runs within the iteration, never beside the loop's body; consume calls it for each of its
    streams, in the synchronous client perhaps several at once. What it raises ends the iteration. Default: a warning to the
    logger "headgate_client", unless the gateway ended the stream in order, as when it restarts."""
    on_failure: Callable[[Message, BaseException, float], None] | None = None
    """Told by consume that the handling of a message failed, with what, and how many seconds the wait will be before it is
    tried again. Otherwise as on_retry. Default: a warning to the logger "headgate_client"."""

    def _check(self) -> None:
        """Raises ValueError for what cannot be meant."""
        if self.name and self.store is not None:
            raise ValueError("subscription: name and store exclude each other: with a name the gateway keeps the position")
        if not self.name and (self.shards or self.member):
            raise ValueError("subscription: shards and member need a name")
        if self.shards < 0:
            raise ValueError(f"subscription: shards is {self.shards}: want 1 to 128, or 0 for one")
        if self.on_lost_cursor not in _ON_LOST_CURSOR:
            raise ValueError(f"subscription: on_lost_cursor is {self.on_lost_cursor!r}: want fail, earliest or latest")

    def _streams(self) -> int:
        """Tells how many streams consume reads. Raises ValueError when it cannot."""
        self._check()
        if not self.name:
            raise ValueError("subscription: consume needs a name")
        return 1 if self.shard is not None else max(1, self.shards)

    def _request(self, cursor: str, member: str) -> SubscribeRequest:
        """Asks for what comes after the cursor, if there is one; with a name, after what the gateway has saved."""
        request = SubscribeRequest(
            filter=self.filter,
            start=self.start,
            on_lost_cursor=_ON_LOST_CURSOR[self.on_lost_cursor],
            shard=self.shard,
            client_name=self.client_name,
            stop_when_caught_up=self.stop_when_caught_up,
        )
        if self.name:
            self._ask_for_membership(request, member)
        elif cursor:
            request.start.CopyFrom(after(cursor))
        if self.heartbeat > 0:
            heartbeat = Duration()
            heartbeat.FromTimedelta(timedelta(seconds=self.heartbeat))
            request.heartbeat_interval.CopyFrom(heartbeat)
        return request

    def _ask_for_membership(self, request: SubscribeRequest, member: str) -> None:
        request.subscription, request.member = self.name, self.member or member
        if self.shard is None:
            # Always said: to read one shard of several, taking it for all, would be silent loss.
            request.subscription_shards = max(1, self.shards)
        start = self.start or Start()
        saved, position = Saved(), start.WhichOneof("position")
        if position == "at":
            saved.at = start.at
        elif position == "after_cursor":
            saved.after_cursor = start.after_cursor
        elif position == "from_time":
            saved.from_time.CopyFrom(start.from_time)
        elif position == "saved":
            saved.CopyFrom(start.saved)
        request.start.CopyFrom(Start(saved=saved))
