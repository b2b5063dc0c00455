"""The file that keeps a cursor."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from scripted import cursor, cursors

from headgate_client import FileStore


def test_keeps_the_last_cursor(tmp_path: Path) -> None:
    path = tmp_path / "billing.cursor"
    store = FileStore(path)
    assert store.load() is None
    for want in [*cursors(1, 3), "a-_Z5678901234567890123456789012"]:
        store.save(want)
        assert FileStore(str(path)).load() == want
    assert os.listdir(tmp_path) == ["billing.cursor"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_survives_what_a_kill_leaves(tmp_path: Path) -> None:
    store, new = FileStore(tmp_path / "billing.cursor"), tmp_path / "billing.cursor.new"
    store.save(cursor(1))
    new.write_text("ccc")  # killed before the rename
    new.chmod(0o644)
    assert store.load() == cursor(1)
    store.save(cursor(2))
    assert store.load() == cursor(2)
    assert stat.S_IMODE((tmp_path / "billing.cursor").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"\n", cursor(1).encode(), cursor(1).encode() + b"\r\n"])
def test_reads(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "billing.cursor"
    path.write_bytes(content)
    assert FileStore(path).load() == (content.decode().strip() or None)


@pytest.mark.parametrize("content", [
    cursor(1)[:21].encode(), cursor(1).encode() + b"c", cursor(1)[:21].encode() + b"=", b"\0" * 22, b"\xff" * 22,
    cursor(1).encode() + b"\nanother",
])  # fmt: skip
def test_reads_nothing_into_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "billing.cursor"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not hold a cursor") as raised:
        FileStore(path).load()
    assert str(path) in str(raised.value) and "ccc" not in str(raised.value)


def test_tells_what_it_cannot_do(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        FileStore(tmp_path).load()
    with pytest.raises(FileNotFoundError):
        FileStore(tmp_path / "missing" / "billing.cursor").save(cursor(1))
    with pytest.raises(ValueError, match="not a cursor"):
        FileStore(tmp_path / "billing.cursor").save("no cursor")
    assert os.listdir(tmp_path) == []
