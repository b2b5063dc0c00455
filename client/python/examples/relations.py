"""Prints the changes of relations, as a named subscription. Ctrl-C ends it; the next run goes on where this one stopped."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress

from headgate_client import Client, Entity, Filter, Message, Subscription, earliest


def handle(message: Message, cancelled: threading.Event) -> None:
    if message.gap is not None:
        print("something may be missing, reconcile with the CRM:", message.gap)
    elif message.event is not None:
        event, relation = message.event, message.event.relation
        link = ""
        if relation.HasField("source_record"):  # a change may come without the values
            source, destination = relation.source_entity, relation.destination_entity
            link = f"{source} {relation.source_record} -> {destination} {relation.destination_record}  "
        by = event.changed_by_associate_id
        print(f"{event.event_type}  {event.context}  #{event.primary_key}  {link}by {by}", flush=True)


subscription = Subscription(name="relations", shards=4, start=earliest(), filter=Filter(entities=[Entity.RELATION]))

# After Ctrl-C what was printed is saved, and the shards are given back.
with Client(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9090") as client, suppress(KeyboardInterrupt):
    client.consume(subscription, handle)
