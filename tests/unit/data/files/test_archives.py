"""Archives: hostile, damaged, odd and ordinary ones."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.files import archives
from autotrain_gradio.data.files.archives import extract
from tests.unit.data.conftest import Check, classes, errors, finding, names, picture, plant, resolved

Members = dict[str, bytes]


def pack(path: Path, members: Members, **info: Any) -> Path:
    """Write a zip; attributes given are set on every member."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            for key, value in info.items():
                setattr(member, key, value)
            file.writestr(member, content)
    return path


def pictures(*labels: str, count: int = 6) -> Members:
    return {name: picture(seed) for name, seed in classes(*labels, count=count).items()}


def upload(draft: Path, **files: Members) -> Path:
    """Put one zip a keyword into the draft's upload folder."""
    for name, members in files.items():
        pack(draft / "data" / "upload" / f"{name}.zip", members)
    return draft


def everything_below(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


@pytest.mark.parametrize(
    "name",
    [
        "../evil.jpg",
        "cat/../../evil.jpg",
        "/etc/evil.jpg",
        "..\\evil.jpg",
        "C:\\evil.jpg",
        "c:/evil.jpg",
        "cat/..",
        "\\\\host\\share\\x.jpg",
    ],
)
def test_a_member_outside_refuses_the_archive(tmp_path: Path, draft: Path, check: Check, name: str) -> None:
    upload(draft, photos={**pictures("cat", "dog"), name: b"x"})
    before = everything_below(tmp_path)
    result = check(source="upload")
    found = finding(result, "archive-escape")
    assert (
        found["where"] == "photos.zip"
        and "evil" in found["message"]
        or ".." in found["message"]
        or "host" in found["message"]
    )
    assert everything_below(tmp_path) - before <= {"home/runs/draft/check.json"}
    assert (draft / "data" / "upload" / "photos.zip").exists()
    with pytest.raises(DataError):
        data.ensure(draft, resolved(source="upload"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_refuse_the_archive(draft: Path, check: Check, kind: int) -> None:
    path = draft / "data" / "upload" / "photos.zip"
    pack(path, {"cat/link.jpg": b"/etc/passwd"}, external_attr=(kind | 0o644) << 16, create_system=3)
    found = finding(check(source="upload"), "archive-special-member")
    assert "cat/link.jpg" in found["message"]
    assert not (draft / "data" / "media").exists() and not (draft / "data" / "media.partial").exists()


@pytest.mark.parametrize(
    "kind, name, linkname",
    [
        (tarfile.SYMTYPE, "cat/1.jpg", "/etc/passwd"),
        (tarfile.LNKTYPE, "cat/1.jpg", "../../x"),
        (tarfile.CHRTYPE, "cat/1.jpg", ""),
        (tarfile.REGTYPE, "../evil.jpg", ""),
        (tarfile.REGTYPE, "/evil.jpg", ""),
    ],
)
def test_hostile_tar_members(draft: Path, check: Check, kind: bytes, name: str, linkname: str) -> None:
    path = draft / "data" / "upload" / "photos.tar.gz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as file:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, linkname
        file.addfile(member, io.BytesIO())
    assert errors(check(source="upload"))[0] in {"archive-special-member", "archive-escape"}
    assert not (draft / "data" / "media").exists()


def test_a_zip_bomb_is_refused_before_anything_is_written(draft: Path, check: Check) -> None:
    path = draft / "data" / "upload" / "bomb.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("cat/1.jpg", "w", force_zip64=True) as out:
        for _ in range(100):
            out.write(bytes(2**20))
    found = finding(check(source="upload"), "archive-bomb")
    assert "zip bomb" in found["message"] and found["where"] == "bomb.zip"
    assert not (draft / "data" / "media.partial").exists()


def test_member_larger_than_declared_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("cat/1.jpg", bytes(10**6))
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = raw.index(signature) + offset
        raw[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(raw)
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError) as caught:
        extract(path, tmp_path / "out", Limits(), lambda m, f: None)
    assert caught.value.code == "archive-damaged"
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in written) <= 100


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "twice.zip", {"a/1.jpg": b"x" * 500, "b/2.jpg": b"x" * 500})
    raw = bytearray(path.read_bytes())
    second = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 4)
    raw[second + 42 : second + 46] = struct.pack("<I", 10)  # its header is said to lie inside the first member
    path.write_bytes(raw)
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError) as caught:
        extract(path, tmp_path / "out", Limits(), lambda m, f: None)
    assert caught.value.code == "archive-bomb"
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    "limits, code",
    [
        (Limits(archive_members=5), "archive-too-many-members"),
        (Limits(archive_bytes=1000), "archive-too-large"),
    ],
)
def test_limits(draft: Path, check: Check, limits: Limits, code: str) -> None:
    assert errors(check(source="upload", limits=limits) if upload(draft, p=pictures("cat", "dog")) else {}) == [code]


def test_full_disk_is_reported_before_anything_is_written(
    draft: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(draft, photos=pictures("cat", "dog"))
    monkeypatch.setattr(
        archives.shutil, "disk_usage", lambda p: os.terminal_size((1, 1)) and type("U", (), {"free": 10})()
    )
    found = finding(check(source="upload"), "disk-full")
    assert "256.0 MiB of the disk must stay free; 10 bytes are left" in found["message"], found["message"]
    assert (draft / "data" / "upload" / "photos.zip").exists()


def test_an_encrypted_zip(draft: Path, check: Check) -> None:
    path = pack(draft / "data" / "upload" / "photos.zip", pictures("cat"))
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := raw.find(signature, at + 1)) >= 0:
            raw[at + offset] |= 1
    path.write_bytes(raw)
    found = finding(check(source="upload"), "archive-encrypted")
    assert "cat/" in found["message"] and "password" in found["hint"]


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.05])
def test_a_truncated_zip(draft: Path, check: Check, keep: float) -> None:
    path = pack(draft / "data" / "upload" / "photos.zip", pictures("cat", "dog"))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    assert "archive-damaged" in errors(check(source="upload"))
    assert not (draft / "data" / "media").exists() and not (draft / "data" / "media.partial").exists()


def test_a_flipped_byte_names_the_member(draft: Path, check: Check) -> None:
    path = pack(draft / "data" / "upload" / "photos.zip", pictures("cat", "dog"))
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"cat/3.jpg") + 40] ^= 255
    path.write_bytes(raw)
    assert "cat/3.jpg" in finding(check(source="upload"), "archive-damaged")["message"]


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_tar_archives(tmp_path: Path, draft: Path, check: Check, suffix: str) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    path = draft / "data" / "upload" / f"photos.{suffix}"
    path.parent.mkdir(parents=True)
    mode = {"tar": "w", "tgz": "w:gz"}.get(suffix, f"w:{suffix.rpartition('.')[2]}")
    with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
        file.add(folder, "photos")
    result = check(source="upload")
    assert names(result) == ["cat", "dog"] and result["rows"] == 12


def test_a_truncated_tar(tmp_path: Path, draft: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    path = draft / "data" / "upload" / "photos.tar.gz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as file:
        file.add(folder, "photos")
    path.write_bytes(path.read_bytes()[:-2000])
    assert "archive-damaged" in errors(check(source="upload"))
    assert not (draft / "data" / "media.partial").exists()


@pytest.mark.parametrize("name", ["photos.rar", "photos.7z"])
def test_unsupported_archives_are_refused(draft: Path, check: Check, name: str) -> None:
    plant(draft / "data" / "upload", {name: b"Rar!..."})
    assert "zip" in finding(check(source="upload"), "archive-kind")["message"]


def test_a_web_page_called_zip(draft: Path, check: Check) -> None:
    plant(draft / "data" / "upload", {"photos.zip": "<html>not found</html>"})
    assert finding(check(source="upload"), "archive-damaged")["where"] == "photos.zip"


def test_two_members_of_one_name(draft: Path, check: Check) -> None:
    path = draft / "data" / "upload" / "photos.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as file, pytest.warns(UserWarning):
        file.writestr("cat/1.jpg", picture(1))
        file.writestr("cat/1.jpg", picture(2))
    assert "cat/1.jpg" in finding(check(source="upload"), "archive-duplicate-member")["message"]


def test_non_ascii_and_long_names_are_kept(draft: Path, check: Check) -> None:
    labels = ["Katze äöü", "犬", "a" * 240]
    members = {f"{label}/{i}.jpg": picture(f"{label} {i}") for label in labels for i in range(5)}
    members[f"犬/{'x' * 230}.jpg"] = picture("long")
    upload(draft, photos=members)
    result = check(source="upload")
    assert not errors(result) and result["rows"] == 16
    assert {"Katze äöü", "犬"} < set(names(result)) and len(result["labels"]) == 3


def test_windows_separators_and_unmarked_utf8_names(draft: Path, check: Check) -> None:
    path = draft / "data" / "upload" / "photos.zip"
    pack(path, {f"{c}\\ä{i}.jpg": picture(f"{c}{i}") for c in ("kätzchen", "hund") for i in range(5)})
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := raw.find(signature, at + 1)) >= 0:
            raw[at + offset + 1] &= ~0x08 & 0xFF  # the flag that says UTF-8
    path.write_bytes(raw)
    assert set(names(check(source="upload"))) == {"kätzchen", "hund"}


def test_archive_is_deleted_after_extraction(draft: Path, check: Check) -> None:
    upload(draft, photos=pictures("cat", "dog"))
    result = check(source="upload")
    assert result["rows"] == 12
    assert not (draft / "data" / "upload").exists()
    assert len(list((draft / "data" / "media").rglob("*.jpg"))) == 12
    assert check(source="upload", valid_fraction=0.5)["splits"] == {"train": 6, "validation": 6}
    assert "photos.zip" in (draft / "data" / "upload.json").read_text()


def test_several_archives_become_splits(draft: Path, check: Check) -> None:
    upload(draft, train=pictures("cat", "dog"), valid={k: v + b"2" for k, v in pictures("cat", "dog", count=2).items()})
    assert check(source="upload")["splits"] == {"train": 12, "validation": 4}


def test_a_zip_and_a_table(draft: Path, check: Check) -> None:
    upload(draft, images={f"{i}.jpg": picture(i) for i in range(10)})
    plant(
        draft / "data" / "upload",
        {"labels.csv": "file,label\n" + "".join(f"{i}.jpg,{'ab'[i % 2]}\n" for i in range(10))},
    )
    result = check(source="upload")
    assert result["layout"]["name"] == "table-with-files" and names(result) == ["a", "b"] and result["rows"] == 10


def test_clutter_in_an_archive_is_counted(draft: Path, check: Check) -> None:
    upload(draft, photos={**pictures("cat", "dog"), "__MACOSX/cat/._0.jpg": b"x", "cat/.DS_Store": b"y"})
    assert "1 hidden" in finding(check(source="upload"), "passed-over")["message"]
    assert not list((draft / "data" / "media").rglob(".DS_Store"))


def test_archive_in_a_server_folder_is_kept(tmp_path: Path, draft: Path, check: Check) -> None:
    path = pack(tmp_path / "photos.zip", pictures("cat", "dog"))
    assert check(path)["rows"] == 12
    assert path.exists() and check(path, valid_fraction=0)["splits"] == {"train": 12}


def test_nothing_uploaded(check: Check) -> None:
    assert errors(check(source="upload")) == ["no-files"]


def test_an_archive_in_an_archive(tmp_path: Path, draft: Path, check: Check) -> None:
    inner = pack(tmp_path / "inner.zip", pictures("cat", "dog"))
    upload(draft, photos={"inner.zip": inner.read_bytes()})
    assert "inner.zip" in finding(check(source="upload"), "archive-in-archive")["message"]


@pytest.mark.parametrize("left", ["media.partial", "media", "upload.done", "dataset.partial"])
def test_interrupted_extraction_is_repeated(draft: Path, check: Check, left: str) -> None:
    upload(draft, photos=pictures("cat", "dog"))
    plant(draft / "data" / left, {"cow/torn.jpg": 5})
    result = check(source="upload")
    assert names(result) == ["cat", "dog"] and not (draft / "data" / "upload.done").exists()


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_damage_inside_a_compressed_tar_is_reported(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photos.tar.{suffix}"
    folder = plant(tmp_path / "in", {f"{i}.bin": random.Random(i).randbytes(20_000) for i in range(20)})
    with tarfile.open(path, f"w:{suffix}") as file:  # type: ignore[call-overload]
        file.add(folder, "photos")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 50] = bytes(50)
    path.write_bytes(raw)
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError) as caught:
        extract(path, tmp_path / "out", Limits(), lambda m, f: None)
    assert caught.value.code == "archive-damaged" and caught.value.where == path.name
