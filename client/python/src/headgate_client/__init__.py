"""Reads the events of a Headgate gateway.

The normal way is a named subscription, whose position the gateway keeps. The replicas of a service say the same name and
share the events:

    from headgate_client import Client, Entity, Filter, Subscription, earliest

    def handle(message, cancelled):
        if message.gap is not None:
            reconcile(message.gap)
        elif message.event is not None:
            link(message.event.relation)

    with Client("127.0.0.1:9090") as client:
        client.consume(
            Subscription(name="billing", shards=8, start=earliest(), filter=Filter(entities=[Entity.RELATION])),
            handle,
        )

Client.subscribe does the same as a loop, for one shard; and without a name it reads from a position that the caller keeps,
in a Store or in the transaction of its effects. headgate_client.aio is the same for asyncio.

Both connect again by themselves and go on after the last message that was handled. Events come at least once. What the
gateway refuses, a lost cursor above all, ends them with a GatewayError: nothing is skipped quietly.

All other calls of the gateway are made with the generated stubs over Client.channel.
"""

from headgate.v1.event_pb2 import Event
from headgate.v1.event_service_pb2 import Filter, Shard, Start

from ._errors import GatewayError, SaveError, StreamEnded
from ._message import Message
from ._names import Action, Entity, EventType, Reason
from ._store import AsyncStore, FileStore, Store
from ._subscription import Subscription, after, earliest, from_time, latest
from ._sync import Client

__all__ = [
    "Action", "AsyncStore", "Client", "Entity", "Event", "EventType", "FileStore", "Filter", "GatewayError", "Message",
    "Reason", "SaveError", "Shard", "Start", "Store", "StreamEnded", "Subscription",
    "after", "earliest", "from_time", "latest",
]  # fmt: skip
