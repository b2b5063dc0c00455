"""The real gateway, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from ports import own_address

_ROOT = Path(__file__).parents[3]


def build(folder: Path) -> Path:
    """Builds the gateway, or takes the one that HEADGATED names."""
    if "HEADGATED" in os.environ:
        return Path(os.environ["HEADGATED"])
    if shutil.which("go") is None:
        pytest.skip("go is not installed: name a headgated by the variable HEADGATED")
    subprocess.run(["go", "build", "-o", str(folder / "headgated"), "./server/cmd/headgated"], cwd=_ROOT, check=True)
    return folder / "headgated"


class RealGateway:
    def __init__(self, program: Path, log: Path) -> None:
        self._program = program
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self.grpc = own_address()  # the same after a restart
        self.webhook = ""
        self.sent = 0

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        errors = self._log.with_suffix(".err").open("a")
        self._process = subprocess.Popen(
            [
                str(self._program), "--dev", "--data-dir", str(self._log), "--listen-grpc", self.grpc, "--log-format", "json",
                "--listen-webhook", "127.0.0.1:0", "--listen-api", "127.0.0.1:0", "--listen-admin", "127.0.0.1:0",
            ],
            stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        errors.close()
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            webhook = re.search(r"webhook (127\.0\.0\.1:\d+)", said)
            grpc = re.search(r"grpc (127\.0\.0\.1:\d+)", said)
            if webhook and grpc:
                self.webhook = webhook[1]
                return
        raise AssertionError(f"the gateway did not start: {said}{self._log.with_suffix('.err').read_text()}")

    def kill(self) -> None:
        """Ends it as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def post(self, *keys: int) -> None:
        """Posts a change of each record. Its number among all is said to be an associate's."""
        for key in keys:
            self.sent += 1
            body = {
                "EventId": f"00000000-0000-4000-0000-{self.sent:012}", "Timestamp": "2026-01-02T03:04:05Z",
                "Changes": ["updated"],
                "Event": "contact.changed", "PrimaryKey": key, "Entity": "contact", "ContextIdentifier": "Cust26759",
                "ChangedByAssociateId": self.sent, "WebhookName": "test",
            }  # fmt: skip
            request = urllib.request.Request(
                f"http://{self.webhook}/webhooks/superoffice/dev",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=30) as answer:
                assert answer.status == 200
