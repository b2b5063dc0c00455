"""Prints the changes of relations and keeps the position in a file. The next run goes on where this one stopped."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from headgate_client import Entity, FileStore, Filter, GatewayError, Reason, Subscription, earliest
from headgate_client.aio import Client

SUBSCRIPTION = Subscription(start=earliest(), store=FileStore("relations.cursor"), filter=Filter(entities=[Entity.RELATION]))


async def main(address: str) -> None:
    async with Client(address) as client:
        try:
            async for message in client.subscribe(SUBSCRIPTION):
                if message.event is not None:
                    print(message.event.event_type, message.event.primary_key, flush=True)
                elif message.gap is not None:
                    print("something may be missing, reconcile with the CRM:", message.gap)
        except GatewayError as error:
            if error.reason != Reason.CURSOR_EXPIRED:
                raise
            sys.exit(f"reconcile with the CRM, then begin after {error.metadata['earliest_cursor']}")


with suppress(KeyboardInterrupt):
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9090"))
