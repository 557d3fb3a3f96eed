"""Uploads: who uses a file, and how many bytes an address sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.core.errors import DataError, Forbidden
from autotrain_gradio.ui.upload_ledger import HOUR, UploadLedger


def test_an_upload_is_used_by_as_many_sessions_as_have_uploaded_it(tmp_path: Path) -> None:
    ledger = UploadLedger(tmp_path, largest=10)
    ledger.record(["x/one.csv"])
    ledger.claim("x/one.csv", "a")
    ledger.claim("x/one.csv", "a")
    with pytest.raises(Forbidden):
        ledger.claim("x/one.csv", "b")
    ledger.record(["x/one.csv"])  # b has the same file
    ledger.claim("x/one.csv", "b")
    with pytest.raises(Forbidden):
        ledger.claim("/etc/passwd", "a")


@pytest.mark.parametrize(
    "value", [{"path": "/etc/passwd"}, [{"a": [{"path": "/etc/passwd"}]}], {"path": None}, {"path": {"path": "x"}}]
)
def test_paths_are_found_wherever_they_are(tmp_path: Path, value: object) -> None:
    ledger = UploadLedger(tmp_path, largest=10)
    with pytest.raises(Forbidden):
        ledger.claim_all(value, "a")
    ledger.claim_all(["a text", 3, None, {"choice": "/etc/passwd"}], "a")


def test_bytes_are_counted_by_address_and_hour(tmp_path: Path) -> None:
    now = 0.0
    ledger = UploadLedger(tmp_path / "later", largest=60, per_hour=100, clock=lambda: now)
    with pytest.raises(DataError) as caught:
        ledger.admit("a", 61)
    assert caught.value.code == "upload-too-large"
    ledger.admit("a", 60)
    with pytest.raises(DataError) as caught:
        ledger.admit("a", 60)
    assert caught.value.code == "upload-limit" and "an hour" in str(caught.value)
    ledger.admit("b", 60)
    now = HOUR + 1
    ledger.admit("a", 60)


def test_a_full_disk_is_not_filled(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        UploadLedger(tmp_path, largest=2**80).admit("a", 2**70)
    assert caught.value.code == "disk-full" and "The disk of the server is full: the upload has" in str(caught.value)


def test_only_uploads_are_shown(tmp_path: Path) -> None:
    folder, digest = tmp_path / "uploads", "a" * 64
    for name in (f"{digest}/a.png", "deep_links/x/state.json", f"{digest}/b/c.png", "hash_seed.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (tmp_path / "secret").write_text("x")
    (folder / digest / "link").symlink_to(tmp_path / "secret")
    ledger = UploadLedger(folder, largest=10)
    shown = [p for p in tmp_path.rglob("*") if ledger.may_be_shown(str(p))]
    assert shown == [folder / digest / "a.png"]
    assert not ledger.may_be_shown("a\0b") and not ledger.may_be_shown(f"{folder}/{digest}/../../secret")
