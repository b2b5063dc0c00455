"""What the tests share: the two clients under one face, and gateways."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Callable

# Set before grpc is loaded: the tests start processes while its threads run.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

import pytest
from gateway import RealGateway, build
from scripted import Gateway

from headgate_client import Client, Message, Subscription, aio

Body = Callable[[Message], object]


class Leave(Exception):
    """Raised by a body to leave the loop."""


class Blocking:
    """Reads with the synchronous client."""

    def read(self, address: str, subscription: Subscription, body: Body = lambda m: None, **how: Any) -> list[str]:
        """Collects what the subscription yields, by name, up to its end."""
        names = []
        with Client(address, **how) as client:
            messages = client.subscribe(subscription)
            try:
                for message in messages:
                    names.append(name(message))
                    body(message)
            except Leave:
                pass
            finally:
                messages.close()
        return names

    def consume(self, address: str, subscription: Subscription, handle: Body) -> Callable[[], None]:
        """Consumes until the returned function is called, which raises what ended it otherwise."""
        client = Client(address)
        errors: list[BaseException] = []

        def run() -> None:
            try:
                client.consume(subscription, lambda message, cancelled: void(handle(message)))
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()

        def stop() -> None:
            client.close()
            thread.join(30)
            assert not thread.is_alive()
            for error in errors:
                raise error

        return stop


class Asyncio:
    """Reads with the asyncio client."""

    def read(self, address: str, subscription: Subscription, body: Body = lambda m: None, **how: Any) -> list[str]:
        return asyncio.run(self._read(address, subscription, body, how))

    async def _read(self, address: str, subscription: Subscription, body: Body, how: dict[str, Any]) -> list[str]:
        names = []
        async with aio.Client(address, **how) as client:
            messages = client.subscribe(subscription)
            try:
                async for message in messages:
                    names.append(name(message))
                    body(message)
            except Leave:
                pass
            finally:
                await messages.aclose()
        return names

    def consume(self, address: str, subscription: Subscription, handle: Body) -> Callable[[], None]:
        errors: list[BaseException] = []
        running: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = SimpleQueue()

        async def main() -> None:
            running.put((asyncio.get_running_loop(), asyncio.current_task()))
            await self._consume(address, subscription, handle)

        def run() -> None:
            try:
                asyncio.run(main())
            except asyncio.CancelledError:
                pass
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        loop, task = running.get()

        def stop() -> None:
            with suppress(RuntimeError):  # it has ended already
                loop.call_soon_threadsafe(lambda: task and task.cancel())
            thread.join(30)
            assert not thread.is_alive()
            for error in errors:
                raise error

        return stop

    async def _consume(self, address: str, subscription: Subscription, handle: Body) -> None:
        async def handle_it(message: Message) -> None:
            handle(message)

        async with aio.Client(address) as client:
            await client.consume(subscription, handle_it)


def void(result: object) -> None:
    """Drops a result."""


def name(message: Message) -> str:
    """Says what it is, in short."""
    if message.event is not None:
        return f"#{message.event.primary_key}"
    kinds = [field.name for field in dataclasses.fields(message) if field.name not in ("cursor", "shard")]
    return " ".join(kind for kind in kinds if getattr(message, kind) is not None)


@pytest.fixture(params=[Blocking, Asyncio], ids=["sync", "asyncio"])
def kind(request: pytest.FixtureRequest) -> Any:
    """Each of the two clients."""
    return request.param()


@pytest.fixture
def serve() -> Iterator[Callable[..., Gateway]]:
    """Starts scripted gateways."""
    gateways: list[Gateway] = []

    def start(*scripts: Any, **how: Any) -> Gateway:
        gateways.append(Gateway(*scripts, **how))
        gateways[-1].start()
        return gateways[-1]

    yield start
    for gateway in gateways:
        gateway.stop()


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real gateway's program."""
    return build(tmp_path_factory.mktemp("program"))


@pytest.fixture
def headgated(program: Path, tmp_path: Path) -> Iterator[RealGateway]:
    """A real gateway."""
    gateway = RealGateway(program, tmp_path / "log")
    gateway.start()
    yield gateway
    gateway.kill()
