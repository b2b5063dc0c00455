"""How a gateway is connected to, with either kind of channel."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import grpc

from ._io import Signal

Options = Sequence[tuple[str, Any]]

MAX_MESSAGE = 16 << 20
"""The largest answer taken, in bytes: an event takes at most 3 MiB, and GetEvent returns its raw body beside it."""

_OPTIONS: dict[str, Any] = {
    "grpc.max_receive_message_length": MAX_MESSAGE,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.http2.max_pings_without_data": 0,  # a quiet stream is pinged for as long as it is quiet
    # A fixed window, of the bytes of a stream that may be on their way to a client that does not read. What is on its way
    # when a shard goes to another member is handled by the one before: the less, the sooner the other begins.
    "grpc.http2.bdp_probe": 0,
    "grpc.http2.lookahead_bytes": 64 << 10,
    # The readers have a backoff of their own. The connection's stays short, so that a gateway that is back is found soon.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 3_000,
    "grpc.min_reconnect_backoff_ms": 5_000,  # this is how long one attempt may take
    "grpc.use_local_subchannel_pool": 1,  # each client has a connection of its own
}


class Dialing(NamedTuple):
    """What a channel is made of."""

    address: str
    options: list[tuple[str, Any]]
    credentials: grpc.ChannelCredentials | None  # None for an unencrypted one
    token: str | None  # to be sent with each call, where the credentials do not


def dialing(address: str, token: str | None, tls: grpc.ChannelCredentials | None, options: Options) -> Dialing:
    """Decides how to connect. Raises ValueError for an address that is none."""
    local = is_local(address)
    every = dict(_OPTIONS)
    if local:
        every["grpc.enable_http_proxy"] = 0
    every.update(options)
    if local and tls is None:
        return Dialing(address, list(every.items()), None, token)
    credentials = tls if tls is not None else grpc.ssl_channel_credentials()
    if token is not None:
        # grpc sends these over encrypted connections only, and fails the call over others.
        credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))
    return Dialing(address, list(every.items()), credentials, None)


def is_local(address: str) -> bool:
    """Tells whether the target is this machine itself."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    target = address
    for scheme in ("dns", "ipv4", "ipv6"):
        if address.startswith(scheme + ":"):
            target = address[len(scheme) + 1 :].rsplit("/", 1)[-1]
    if "://" in target:
        return False  # a name that something else resolves
    host, colon, port = target.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port or not host or (":" in host and not bracketed):
        raise ValueError(f"address {address!r}: want host:port")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def new_member() -> str:
    """Makes a name for a client that no other has, and that tells an operator which machine it is on."""
    host = "".join(c for c in socket.gethostname() if " " < c <= "~")
    return f"{host[:100]}-{secrets.token_hex(5)}"


class Lifetime:
    """Counts the iterations of a client, so that its channel is closed when the last of them has left."""

    def __init__(self, stop: Signal) -> None:
        self.stop = stop
        self._lock = threading.RLock()
        self._open = 0

    def enter(self) -> None:
        """Begins an iteration. Raises ValueError when the client is closed."""
        with self._lock:
            if self.stop.is_set():
                raise ValueError("the client is closed")
            self._open += 1

    def leave(self) -> bool:
        """Ends an iteration and tells whether the channel is to be closed."""
        with self._lock:
            self._open -= 1
            return self.stop.is_set() and self._open == 0

    def close(self) -> bool:
        """Has the iterations end and tells whether the channel is to be closed."""
        with self._lock:
            self.stop.set()
            return self._open == 0
