"""What an application gets."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.v1.event_pb2 import Event
from headgate.v1.event_service_pb2 import Assigned, Checkpoint, Erased, Gap, Standby, Started


@dataclass(frozen=True)
class Message:
    """One event, or one signal: exactly one of the fields from event to standby is set."""

    cursor: str
    """Where to resume once this message has been handled. Store it then, for signals as for events; with a named
    subscription the gateway does. Empty before a named subscription's stream is assigned a shard."""
    shard: int | None = None
    """The shard of the named subscription that this message belongs to. None without a name, and before the assignment."""
    event: Event | None = None
    """A change in the CRM."""
    gap: Gap | None = None
    """Something may be missing at this place: reconcile its window with the CRM."""
    erased: Erased | None = None
    """An event stood at this place and was removed on request."""
    checkpoint: Checkpoint | None = None
    """Everything up to here that matches has been delivered."""
    started: Started | None = None
    """The first message of each connection: the stream's terms."""
    assigned: Assigned | None = None
    """The shard of a named subscription that the stream is served from here on, and under which lease."""
    standby: Standby | None = None
    """All shards of the named subscription are served to others."""

    def _to_handle(self) -> bool:
        """Tells whether consume has it handled."""
        return self.event is not None or self.gap is not None or self.erased is not None

    def _passed_over(self) -> bool:
        """Tells whether it is only a place: of an unknown kind of message, or of what ends a batch or the stream."""
        signals = (self.checkpoint, self.started, self.assigned, self.standby)
        return not self._to_handle() and all(signal is None for signal in signals)
