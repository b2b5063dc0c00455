"""The synchronous client."""

from __future__ import annotations

import threading
from collections.abc import Generator
from functools import partial
from types import TracebackType
from typing import Any, Callable

import grpc

from ._blocking import BlockingIo, BlockingSignal, run
from ._connection import Dialing, Lifetime, Options, dialing, new_member
from ._io import Signal
from ._message import Message
from ._reader import Reader
from ._subscription import Subscription
from ._worker import FINISH_WITHIN, Worker

Handler = Callable[[Message, threading.Event], None]


class Client:
    """A connection to a gateway. It is safe for concurrent use; many subscriptions can share it.

    It is a context manager that calls close at the end of its block.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        tls: grpc.ChannelCredentials | None = None,
        options: Options = (),
    ) -> None:
        """Prepares a connection to the gateway's gRPC address, "host:port" or another target of gRPC.

        It returns at once; the first call connects. The connection is encrypted, except to this machine without tls, which
        sets the terms: grpc.ssl_channel_credentials(...) with other roots than the system's, or with a client certificate.
        token is a reader's, sent with every call. It is never sent unencrypted to another machine: such calls fail.
        options are further ones of gRPC's channel, and win over those that the client sets. Raises ValueError for an
        address without a host or a port.
        """
        dial = partial(_open_channel, dialing(address, token, tls, options))
        self._channel = dial()
        self._io = BlockingIo(self._channel, dial)
        self._member = new_member()
        self._life = Lifetime(BlockingSignal())

    @property
    def channel(self) -> grpc.Channel:
        """The connection, for the generated stubs of all other calls. Their errors are read by GatewayError.of.

        A subscription that finds it dead goes on over one of its own; here gRPC's keepalive makes it work again.
        """
        return self._channel

    def close(self) -> None:
        """Ends every iteration and every consume of this client as soon as what is being handled is handled.

        They save and give their shards back, and end without an error. The connection is closed when the last of them
        has left. close does not wait for that; it may be called by any thread, in a loop's body and by a signal's handler.
        """
        if self._life.close():
            self._hang_up()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def subscribe(self, subscription: Subscription) -> Generator[Message, None, None]:
        """Yields the subscription's messages, first the stored events and then live, for as long as the loop goes on.

        It connects again, with growing pauses, when the connection breaks, when the gateway stops or is full, and when a
        stream is silent. It does so only when the loop comes back for the next message, and goes on after the last one
        that was delivered. Messages come at least once.

        With a name the stream is served one shard of the subscription, or waits until there is one. What was handled is
        saved at the gateway beside the loop, a save at a time, under a lease, and at the latest before the shard goes to
        another. Leaving the loop gives the shard back at once, which takes up to two seconds when the gateway does not
        answer. When the lease is lost nothing more is delivered under it, and the next stream begins.

        When a handling fails, leave the loop: the message in hand is not saved and comes again, to the next subscribe of
        whichever replica. Going on counts as handled. Where the loop's body takes long, or can fail, consume is better: it
        tries again, and tells the handler that the lease is lost.

        The loop is left when it breaks or raises, KeyboardInterrupt included; a generator that is kept in a variable is
        left by its close(). Iterating raises a GatewayError when the gateway refuses, a SaveError when it refuses a save,
        and what a store raises. It ends without an error when the client is closed and when stop_when_caught_up is
        reached. Kinds of messages that this package does not know are passed over; their cursor counts.

        Raises ValueError for a subscription that cannot be meant.
        """
        subscription._check()
        return self._iterate(subscription)

    def consume(self, subscription: Subscription, handle: Handler) -> None:
        """Has the events of a named subscription handled, until the client is closed.

        It serves up to as many shards at once as the subscription has: those that are this member's share. handle gets
        the messages of a shard one after the other, those of different shards at the same time, in threads of their own.
        They are events, gaps and erased ones; all else consume does by itself, as subscribe does. A gap and an erased one
        go to every shard, so handle gets each once per shard, at different times.

        A message counts as handled when handle returns, and its cursor is saved. When it raises an exception it is called
        again for the same message, after growing pauses, for as long as it takes: that stops this shard, and no other.
        on_failure is told of each. An event that can never be handled is left out by SkipEvent.

        The event that handle gets is set when the shard is lost: to another member, because its position was moved, or
        because the message was left out. What handle then does does not matter, and another stream begins. It is also set
        ten seconds after the end of consume was asked for, time which handle otherwise may use to finish.

        Messages come again when the process dies, or is cut off for longer than the gateway's grace, before they are
        saved: handle must be able to take a message twice.

        It returns when the client is closed, once what runs is finished and its shards are given back, and when
        stop_when_caught_up is reached. It raises a GatewayError when the gateway refuses. An exception that is raised in
        its own thread, such as KeyboardInterrupt, ends it in order too. Raises ValueError without a name.
        """
        _Consuming(self, subscription, handle).run()

    def _iterate(self, subscription: Subscription) -> Generator[Message, None, None]:
        self._life.enter()
        reader = Reader(self._io, subscription, self._member, self._life.stop)
        try:
            while True:
                message = run(reader.next())
                if message is None:
                    return
                yield message
        finally:
            try:
                run(reader.leave())
            finally:
                self._left()

    def _left(self) -> None:
        if self._life.leave():
            self._hang_up()

    def _hang_up(self) -> None:
        self._channel.close()
        run(self._io.close())


def _open_channel(d: Dialing) -> grpc.Channel:
    if d.credentials is not None:
        return grpc.secure_channel(d.address, d.credentials, options=d.options)
    channel = grpc.insecure_channel(d.address, options=d.options)
    return channel if d.token is None else grpc.intercept_channel(channel, _Bearer(d.token))


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
):
    """Sends a token with every call, to this machine."""

    def __init__(self, token: str) -> None:
        self._header = ("authorization", "Bearer " + token)

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self._with_token(client_call_details), request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self._with_token(client_call_details), request)

    def _with_token(self, details: Any) -> Any:
        return details._replace(metadata=[*(details.metadata or ()), self._header])


class _Consuming:
    """One consume: a thread for each shard that there can be."""

    def __init__(self, client: Client, subscription: Subscription, handle: Handler) -> None:
        self._client = client
        self._handle = handle
        self._stop: Signal = BlockingSignal()
        self._errors: list[BaseException] = []
        self._workers = [
            Worker(client._io, subscription, client._member, self._stop, self._attempt) for _ in range(subscription._streams())
        ]

    def run(self) -> None:
        client = self._client
        client._life.enter()
        try:
            with client._life.stop.calling(self._stop.set):
                self._run_workers()
        finally:
            client._left()
        if self._errors:
            raise self._errors[0]

    def _run_workers(self) -> None:
        ends: list[BlockingSignal] = []
        try:
            for worker in self._workers:
                end = BlockingSignal()
                threading.Thread(target=self._work, args=(worker, end), name="headgate-shard", daemon=True).start()
                ends.append(end)
            _wait_for(ends)
        finally:
            self._stop.set()
            _wait_for(ends)

    def _work(self, worker: Worker, end: Signal) -> None:
        try:
            run(worker.run())
        except BaseException as error:  # consume raises it
            self._errors.append(error)
            self._stop.set()
        finally:
            end.set()

    async def _attempt(self, message: Message, shard_over: Signal) -> BaseException | None:
        cancelled = threading.Event()
        late = threading.Timer(FINISH_WITHIN, cancelled.set)
        late.daemon = True
        with shard_over.calling(cancelled.set), self._stop.calling(late.start):
            try:
                self._handle(message, cancelled)
            except Exception as error:
                return error
            finally:
                late.cancel()
        return None


def _wait_for(ends: list[BlockingSignal]) -> None:
    """Waits for threads. Their join is no good here: one that Ctrl-C interrupts takes the thread for ended."""
    for end in ends:
        while not run(end.wait(0.5)):
            pass  # Ctrl-C is seen in between, also where it cannot interrupt a wait
