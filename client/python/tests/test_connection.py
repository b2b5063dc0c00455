"""Addresses, encryption, tokens."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import Asyncio
from headgate.v1.event_service_pb2 import DescribeLogRequest
from headgate.v1.event_service_pb2_grpc import EventServiceStub
from scripted import Gateway, Refusal, assigned, batch, caught_up, replay, send, send_and_fail

from headgate_client import (
    Action,
    Client,
    Entity,
    EventType,
    GatewayError,
    Reason,
    Subscription,
    earliest,
)  # fmt: skip
from headgate_client._connection import is_local


@pytest.mark.parametrize("address", [
    "127.0.0.1:1", "localhost:1", "[::1]:1", "127.9.9.9:1", "unix:/tmp/gateway", "unix:///tmp/gateway", "dns:///localhost:1",
    "ipv4:127.0.0.1:1", "ipv6:[::1]:1",
])  # fmt: skip
def test_this_machine(address: str) -> None:
    assert is_local(address)


@pytest.mark.parametrize("address", [
    "10.0.0.5:1", "localhost.example:1", "127.0.0.1.example:1", "[2001:db8::1]:1", "dns:///gateway:1", "dns://127.0.0.1/gateway:1",
    "xds:///gateway",
])  # fmt: skip
def test_other_machines(address: str) -> None:
    assert not is_local(address)


@pytest.mark.parametrize("address", ["", "gateway", "::1", "gateway:", ":9090"])
def test_address_without_host_or_port_is_refused(kind: Any, address: str) -> None:
    with pytest.raises(ValueError, match="want host:port"):
        kind.read(address, Subscription(start=earliest()))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A key and a certificate of 127.0.0.1."""
    folder: Path = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
         "/CN=gateway", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key", "-out", folder / "certificate"],
        check=True, capture_output=True,
    )  # fmt: skip
    return (folder / "key").read_bytes(), (folder / "certificate").read_bytes()


def test_token_is_sent_over_tls(kind: Any, certificate: tuple[bytes, bytes]) -> None:
    gateway = Gateway(replay(1))
    gateway.credentials = grpc.ssl_server_credentials([certificate])
    gateway.start()
    try:
        tls = grpc.ssl_channel_credentials(root_certificates=certificate[1])
        names = kind.read(gateway.address, Subscription(start=earliest()), token="s3cret", tls=tls)
    finally:
        gateway.stop()
    assert names == ["started", "#1"] and gateway.headers[0]["authorization"] == "Bearer s3cret"


def test_token_is_sent_to_this_machine(kind: Any, serve: Any) -> None:
    gateway = serve(replay(1))
    assert kind.read(gateway.address, Subscription(start=earliest()), token="s3cret") == ["started", "#1"]
    assert gateway.headers[0]["authorization"] == "Bearer s3cret"


def test_token_is_sent_with_saves(kind: Any, serve: Any) -> None:
    gateway = serve(send(*assigned(0, "a"), batch(1, 3), caught_up(3)))
    kind.read(gateway.address, Subscription(name="billing"), token="s3cret")
    assert gateway.saved()[-1] == "3@a release"
    assert all(headers["authorization"] == "Bearer s3cret" for headers in gateway.headers) and len(gateway.headers) > 1


def test_refusal_reaches_a_reader_with_a_token(kind: Any, serve: Any) -> None:
    gateway = serve(send_and_fail(Refusal(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")))
    with pytest.raises(GatewayError, match="UNAUTHENTICATED: in words"):
        kind.read(gateway.address, Subscription(start=earliest()), token="s3cret")


def test_token_is_never_sent_unencrypted_elsewhere(kind: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headgate_client._connection.is_local", lambda address: False)
    gateway, tls = serve(replay(1)), grpc.experimental.insecure_channel_credentials()  # type: ignore[no-untyped-call]
    with pytest.raises(GatewayError):
        kind.read(gateway.address, Subscription(start=earliest()), token="s3cret", tls=tls)
    assert gateway.headers == []


def test_channel_serves_the_generated_stubs(serve: Any) -> None:
    with Client(serve(replay(1)).address) as client, pytest.raises(grpc.RpcError) as raised:
        EventServiceStub(client.channel).DescribeLog(DescribeLogRequest())
    assert GatewayError.of(raised.value).code is grpc.StatusCode.UNIMPLEMENTED


def test_channel_of_asyncio_serves_the_generated_stubs(serve: Any) -> None:
    import asyncio

    from headgate_client import aio

    async def describe() -> None:
        async with aio.Client(serve(replay(1)).address, token="s3cret") as client:
            await EventServiceStub(client.channel).DescribeLog(DescribeLogRequest())

    with pytest.raises(grpc.RpcError) as raised:
        asyncio.run(describe())
    assert GatewayError.of(raised.value).code is grpc.StatusCode.UNIMPLEMENTED
    assert Asyncio().read(serve(replay(1)).address, Subscription(start=earliest()), token="a") == ["started", "#1"]


def test_options_win() -> None:
    from headgate_client._connection import dialing

    made = dialing("127.0.0.1:1", None, None, [("grpc.keepalive_time_ms", 5), ("grpc.default_authority", "gateway")])
    options = dict(made.options)
    assert options["grpc.keepalive_time_ms"] == 5 and options["grpc.default_authority"] == "gateway"
    assert options["grpc.max_receive_message_length"] == 16 << 20 and len(options) == len(made.options)


def test_names_fit_together() -> None:
    entities = [value for key, value in vars(Entity).items() if key.isupper()]
    actions = [value for key, value in vars(Action).items() if key.isupper()]
    event_types = [value for key, value in vars(EventType).items() if key.isupper()]
    for event_type in event_types:
        entity, _, action = event_type.partition(".")
        assert entity in entities and action in actions
    assert (len(entities), len(actions), len(event_types)) == (13, 18, 47)
    assert EventType.PROJECT_MEMBER_CREATED == "projectmember.created"
    assert Reason.SUBSCRIPTION_MISMATCH == "SUBSCRIPTION_MISMATCH"
