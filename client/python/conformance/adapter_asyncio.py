"""The asyncio client as the conformance kit drives it."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

from kit import Answers, Failed, read_request, subscription, tell, tell_end

from headgate_client import Message
from headgate_client.aio import Client


class Adapter:
    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request
        self._subscription = subscription(request)
        self._acknowledge = request.get("acknowledge", False)
        self._answers = Answers()
        self._loop = asyncio.get_running_loop()
        self._left = False

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        threading.Thread(target=self._listen, args=(reading,), daemon=True).start()
        try:
            await reading
            error = None
        except (Exception, asyncio.CancelledError) as failure:
            error = failure
        if not self._left:
            tell_end(error)

    def _listen(self, reading: asyncio.Task[None]) -> None:
        self._answers.listen()
        self._left = True
        self._loop.call_soon_threadsafe(reading.cancel)

    async def _read(self) -> None:
        async with Client(self._request["address"], token=self._request.get("token")) as client:
            if self._subscription.name:
                await client.consume(self._subscription, self._handle)
                return
            messages = client.subscribe(self._subscription)
            try:
                async for message in messages:
                    await self._handle(message)
            except Failed:
                pass
            finally:
                await messages.aclose()

    async def _handle(self, message: Message) -> None:
        answered: asyncio.Future[Exception | None] = self._loop.create_future()

        def answer(failed: Exception | None) -> None:
            self._loop.call_soon_threadsafe(_resolve, answered, failed)

        with self._answers.expect(message.cursor, answer):
            failed = await answered if tell(message) and self._acknowledge else None
        if failed is not None:
            raise failed


def _resolve(answered: asyncio.Future[Exception | None], failed: Exception | None) -> None:
    if not answered.done():
        answered.set_result(failed)


async def main() -> None:
    await Adapter(read_request()).run()


asyncio.run(main())
os._exit(0)  # the thread that listens may still wait for a line
