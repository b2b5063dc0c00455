"""Reads from a gateway over REST with a client that was generated from the OpenAPI document."""

import json
import re
import subprocess
import sys
import urllib.request

from headgate_client import Client
from headgate_client.api.event_service import event_service_describe_log, event_service_get_event, event_service_list_events
from headgate_client.api.subscription_service import (
    subscription_service_create_subscription,
    subscription_service_delete_subscription,
    subscription_service_get_subscription,
    subscription_service_save_cursors,
)
from headgate_client.models import (
    GoogleRpcStatus,
    HeadgateV1CreateSubscriptionRequest,
    HeadgateV1ShardSave,
    HeadgateV1Start,
    HeadgateV1StartEdge,
    HeadgateV1SubscriptionServiceSaveCursorsBody,
)

EVENTS = 25


def start(work):
    """Starts a gateway on free ports and returns it with its addresses."""
    listen = [f"--listen-{name}=127.0.0.1:0" for name in ("webhook", "api", "grpc", "admin")]
    gateway = subprocess.Popen([f"{work}/headgated", "--dev", f"--data-dir={work}/log", *listen], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    for line in gateway.stdout:
        said += line
        found = re.search(r"webhook (\S+).*^api (\S+)", said, re.S | re.M)
        if found:
            return gateway, "http://" + found[1], "http://" + found[2]
    sys.exit("the gateway did not start:\n" + said)


def post(webhook, key):
    body = {
        "EventId": f"5b0f6c1e-5fd4-41d3-849a-{key:012x}", "Timestamp": "2026-01-02T03:04:05Z", "Changes": [], "Event": "relation.created",
        "PrimaryKey": key, "Entity": "relation", "ContextIdentifier": "Cust26759", "ChangedByAssociateId": 5, "WebhookName": "w", "FieldValues": {},
    }
    request = urllib.request.Request(webhook, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def listed(client):
    """Pages through all events."""
    after, events = "", []
    while True:
        page = event_service_list_events.sync(client=client, after_cursor=after, page_size=10, filter_entities=["relation"])
        assert len(page.events) <= 10
        events += page.events
        after = page.next_cursor
        if not page.has_more:
            return events


def check(client):
    events = listed(client)
    assert [int(e.primary_key) for e in events] == list(range(1, EVENTS + 1)), events
    one = event_service_get_event.sync(events[6].cursor, client=client)
    assert one.event.event_id == events[6].event_id
    log = event_service_describe_log.sync(client=client)
    assert [t.context for t in log.tenants] == ["Cust26759"]
    refused = event_service_list_events.sync(client=client, filter_entities=["relatoin"])
    assert isinstance(refused, GoogleRpcStatus) and refused.code == 3 and "relation" in refused.message, refused

    request = HeadgateV1CreateSubscriptionRequest(name="billing", shard_count=1, start=HeadgateV1Start(at=HeadgateV1StartEdge.EDGE_EARLIEST))
    subscription_service_create_subscription.sync(client=client, body=request)
    saves = HeadgateV1SubscriptionServiceSaveCursorsBody(saves=[HeadgateV1ShardSave(shard=0, cursor=events[-1].cursor)])
    subscription_service_save_cursors.sync("billing", client=client, body=saves)
    kept = subscription_service_get_subscription.sync("billing", client=client)
    assert kept.shards[0].cursor == events[-1].cursor, kept
    subscription_service_delete_subscription.sync("billing", client=client)
    gone = subscription_service_get_subscription.sync("billing", client=client)
    assert isinstance(gone, GoogleRpcStatus) and gone.code == 5, gone


def main():
    gateway, webhook, api = start(sys.argv[1])
    try:
        for key in range(1, EVENTS + 1):
            post(webhook, key)
        check(Client(base_url=api))
    finally:
        gateway.terminate()
        gateway.wait(30)
    print(f"{EVENTS} events over REST, by a generated client")


main()
