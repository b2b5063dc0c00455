"""Addresses for gateways that go away and come back."""

from __future__ import annotations

import random
import socket


def own_address() -> str:
    """Finds one that nobody is given by the system: while the gateway is away, somebody else would take it."""
    for _ in range(100):
        address = ("127.0.0.1", random.randrange(10_000, 30_000))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError:
                continue
        return f"{address[0]}:{address[1]}"
    raise AssertionError("there is no free port")
