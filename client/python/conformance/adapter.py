"""The synchronous client as the conformance kit drives it."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress
from typing import Any

from kit import Answers, Failed, read_request, subscription, tell, tell_end

from headgate_client import Client, Message


class Adapter:
    def __init__(self, request: dict[str, Any]) -> None:
        self._subscription = subscription(request)
        self._acknowledge = request.get("acknowledge", False)
        self._answers = Answers()
        self._client = Client(request["address"], token=request.get("token"))
        self._left = threading.Event()

    def run(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            if self._subscription.name:
                self._client.consume(self._subscription, self._handle)
            else:
                self._loop()
            error = None
        except Exception as failure:
            error = failure
        if not self._left.is_set():
            tell_end(error)

    def _listen(self) -> None:
        self._answers.listen()
        self._left.set()
        self._client.close()

    def _loop(self) -> None:
        for message in self._client.subscribe(self._subscription):
            try:
                self._handle(message, self._left)
            except Failed:
                return

    def _handle(self, message: Message, cancelled: threading.Event) -> None:
        answer: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        with self._answers.expect(message.cursor, answer.put):
            failed = self._wait(answer, cancelled) if tell(message) and self._acknowledge else None
        if failed is not None:
            raise failed

    def _wait(self, answer: queue.SimpleQueue[Exception | None], cancelled: threading.Event) -> Exception | None:
        while not cancelled.is_set():
            with suppress(queue.Empty):
                return answer.get(timeout=0.05)
        return Failed()


Adapter(read_request()).run()
os._exit(0)  # the thread that listens may still wait for a line
