"""What a gateway, or the way to it, answered instead of what was asked for."""

from __future__ import annotations

from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from headgate.v1.event_service_pb2 import Closing

from ._names import Reason

_DETAILS = "grpc-status-details-bin"
_ASK_FOR_PATIENCE = (Reason.DRAINING, Reason.UNAVAILABLE, Reason.LIMIT)
_WAY_IS_BROKEN = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)

_Self = TypeVar("_Self", bound="GatewayError")


class GatewayError(Exception):
    """A refusal of the gateway, or a failure of the way to it.

    Its text is the reason, or else the code's name, and the message.
    """

    reason: str
    """One of the constants of Reason, or one of a newer gateway. Empty when the answer was not a gateway's own."""
    code: grpc.StatusCode
    """The status code of gRPC."""
    message: str
    """What was wrong, in words."""
    metadata: dict[str, str]
    """The particulars, for example "earliest_cursor" of CURSOR_EXPIRED, or "field" of FILTER_INVALID. May be empty."""
    retry_after: float
    """How many seconds the gateway asks to wait before another try. 0 when it does not say."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(code, message, reason, metadata, retry_after)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.reason or self.code.name}: {self.message}"

    @classmethod
    def of(cls: type[_Self], error: grpc.RpcError) -> _Self:
        """Reads the error of a call, of either kind of channel, the calls over Client.channel included."""
        code: grpc.StatusCode = error.code() or grpc.StatusCode.UNKNOWN
        answer = cls(code, str(error.details() or ""))
        trailers: Any = error.trailing_metadata() or ()
        for key, value in trailers:
            if key == _DETAILS:
                answer._read(value)
        return answer

    def _read(self, details: bytes) -> None:
        status = status_pb2.Status()
        try:
            status.ParseFromString(details)
        except DecodeError:  # not a gateway's
            return
        for detail in status.details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            if detail.Unpack(info) and info.domain == "headgate":
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(retry):
                self.retry_after = max(0.0, retry.retry_delay.ToTimedelta().total_seconds())

    def _temporary(self, moved_on: bool) -> bool:
        """Tells whether asking again can help. That is never so for what a gateway refuses.

        An INTERNAL or UNKNOWN of the way, such as a proxy's reset, is taken for a broken connection only when the stream
        had moved on: the same failure at the same place would return for ever.
        """
        if self.reason:
            return self.reason in _ASK_FOR_PATIENCE or self.code is grpc.StatusCode.UNAVAILABLE
        if self.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self.retry_after > 0
        if self.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):
            return moved_on
        return self.code in _WAY_IS_BROKEN


class SaveError(GatewayError):
    """What kept a cursor of a named subscription from being saved."""

    def __str__(self) -> str:
        return "save the cursor: " + super().__str__()

    def _passing(self) -> bool:
        """Tells whether the next stream finds out what holds.

        Otherwise the failure would return for ever, and what was handled with it.
        """
        found_out = (Reason.LEASE_LOST, Reason.CURSOR_BEHIND, Reason.CURSOR_FOREIGN)
        return self.reason in found_out or self._temporary(False) or self.code is grpc.StatusCode.UNAUTHENTICATED


class StreamEnded(Exception):
    """Why a stream was over that another one continues, where no error says it: on_retry is told."""


class _Silent(StreamEnded):
    pass


class Interruption(Exception):
    """The end of a stream that another stream can continue. The applications never see it."""

    def __init__(self, cause: Exception, retry_after: float = 0.0, in_order: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after = retry_after  # the gateway's wish in seconds, 0 when it has none
        self.in_order = in_order  # the gateway said that it ends the stream, and why

    def by_dead_line(self) -> bool:
        """Tells whether nothing may come any more over the stream's connection: neither a heartbeat nor a save's answer."""
        if isinstance(self.cause, SaveError):
            return self.cause.code is grpc.StatusCode.DEADLINE_EXCEEDED
        return isinstance(self.cause, _Silent)


class Over(Exception):
    """The end of an iteration that has no error to tell. The applications never see it."""


_ENDED = "the gateway ended the stream"
_CLOSINGS: dict[int, str] = {
    Closing.REASON_UNSPECIFIED: _ENDED,
    Closing.REASON_DRAINING: "the gateway is stopping",
    Closing.REASON_GRANT_CHANGED: "what this reader may read has changed",
    Closing.REASON_CREDENTIAL_EXPIRED: "the credential has expired",
    Closing.REASON_MAX_AGE: "the stream was as old as one may get",
    Closing.REASON_HANDED_OVER: "the shard goes to another member, or its position was moved",
    Closing.REASON_OPERATOR: "an operator ended the stream",
}


def ended(reason: int = Closing.REASON_UNSPECIFIED) -> StreamEnded:
    """Says why the gateway ended a stream. The reason may be one of a newer gateway."""
    return StreamEnded(_CLOSINGS.get(reason, f"{_ENDED} for reason {reason}"))


def silent() -> StreamEnded:
    """Says that the stream was taken for dead."""
    return _Silent("the gateway was silent for two heartbeats")
