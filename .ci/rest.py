"""Reads from a gateway over REST with a client that was generated from the OpenAPI document."""

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
import urllib.request

from headgate_client import AuthenticatedClient, Client
from headgate_client.api.event_service import event_service_describe_log, event_service_get_event, event_service_list_events
from headgate_client.api.session import session_log_in, session_log_out
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
TOKEN = "token-of-the-page"
SECRET = b"a secret that is long enough"


def start(work):
    """Starts a gateway with one reader on free ports and returns it with its addresses."""
    with open(f"{work}/secret", "wb") as file:
        file.write(SECRET)
    with open(f"{work}/headgate.yaml", "w") as file:
        file.write(f"""
data_dir: log
retention: {{disk_reserve: 1MiB}}
sources: {{acme: {{contexts: [Cust26759], time_zone: UTC, secrets: [{{id: a, file: secret}}]}}}}
readers: {{page: {{tokens: ["sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}"], allow: [{{sources: [acme]}}]}}}}
""")
    listen = [f"--listen-{name}=127.0.0.1:0" for name in ("webhook", "api", "grpc", "admin")]
    command = [f"{work}/headgated", f"--config={work}/headgate.yaml", "--log-format=json", *listen]
    gateway = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    for line in gateway.stdout:
        said += line
        found = re.search(r'"msg":"listening","webhook":"([^"]+)","api":"([^"]+)"', line)
        if found:
            return gateway, f"http://{found[1]}/webhooks/superoffice/acme", f"http://{found[2]}"
    sys.exit("the gateway did not start:\n" + said)


def post(webhook, key):
    body = json.dumps({
        "EventId": f"5b0f6c1e-5fd4-41d3-849a-{key:012x}", "Timestamp": "2026-01-02T03:04:05Z", "Changes": [], "Event": "relation.created",
        "PrimaryKey": key, "Entity": "relation", "ContextIdentifier": "Cust26759", "ChangedByAssociateId": 5, "WebhookName": "w", "FieldValues": {},
    }).encode()
    signature = base64.b64encode(hmac.digest(SECRET, body, "sha256")).decode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json", "X-Superoffice-Signature": signature})
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


def check_session(api):
    """Logs in and out as a browser does: without the token, by the cookie alone."""
    page = Client(base_url=api)
    stranger = event_service_list_events.sync(client=page)
    assert isinstance(stranger, GoogleRpcStatus) and stranger.code == 16, stranger
    refused = session_log_in.sync_detailed(client=AuthenticatedClient(base_url=api, token="of nobody"))
    assert refused.status_code == 401 and refused.parsed.code == 16, refused
    answer = session_log_in.sync_detailed(client=AuthenticatedClient(base_url=api, token=TOKEN))
    assert answer.status_code == 204, answer
    name, _, value = answer.headers["set-cookie"].split(";")[0].partition("=")
    assert len(event_service_list_events.sync(client=page.with_cookies({name: value})).events) == EVENTS
    assert session_log_out.sync_detailed(client=page).status_code == 204


def main():
    gateway, webhook, api = start(sys.argv[1])
    try:
        for key in range(1, EVENTS + 1):
            post(webhook, key)
        check(AuthenticatedClient(base_url=api, token=TOKEN))
        check_session(api)
    finally:
        gateway.terminate()
        gateway.wait(30)
    print(f"{EVENTS} events over REST, by a generated client")


main()
