"""Tar archives of strangers: every format is read as `tarfile` writes it, and traps are refused at once."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import GIB, MIB
from autotrain_gradio.data.files import archives
from autotrain_gradio.data.files.archives import extract
from autotrain_gradio.data.files.zip_directory import most_members


def header(name: str, size: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def extended(kind: bytes, data: bytes) -> bytes:
    return header("x", len(data), kind) + padded(data)


def unpack(data: bytes, folder: Path, suffix: str = ".tar.xz", limits: Limits | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"a{suffix}").write_bytes(data)
    (folder / "out").mkdir()
    extract(folder / f"a{suffix}", folder / "out", limits or Limits(), lambda message, fraction: None)
    return folder / "out"


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_members_are_those_that_tarfile_wrote(tmp_path: Path, format_: int, suffix: str) -> None:
    source = random.Random(3)
    files = {f"d{k % 3}/{'n' * k}.bin": source.randbytes(k * 171) for k in range(1, 90, 7)}
    if format_ != tarfile.USTAR_FORMAT:
        files |= {f"{'äö犬' * 20}/{'long' * 40}.txt": b"x", "kätzchen/ ü=1\n.txt": b"y" * 512}
    packed = io.BytesIO()
    mode = {".tar": "w"}.get(suffix, f"w:{suffix.rpartition('.')[2]}")
    with tarfile.open(fileobj=packed, mode=mode, format=format_, pax_headers={"comment": "git"}) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1.5 if format_ == tarfile.PAX_FORMAT else 1
            file.addfile(info, io.BytesIO(data))
        folder = tarfile.TarInfo("empty")
        folder.type = tarfile.DIRTYPE
        file.addfile(folder)
    out = unpack(packed.getvalue(), tmp_path, suffix)
    assert {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()} == files


DIGITS = b"1" * 900_000
TRAPS = {
    # tarfile of Python 3.11.7 takes minutes for each of the first two.
    "pax header of digits": lzma.compress(extended(b"x", DIGITS) * 10),
    "global header of digits": lzma.compress(extended(b"g", DIGITS) * 10),
    "pax header of 100 MiB": lzma.compress(header("x", 100 * MIB, b"x") + bytes(MIB)),
    "long name of 100 MiB": lzma.compress(header("x", 100 * MIB, b"L") + bytes(MIB)),
    "endless pax headers": lzma.compress(extended(b"x", b"") * 5000),
    "pax record without length": extended(b"x", b" a=b\n"),
    "pax record of length zero": extended(b"x", b"0 a=b\n"),
    "pax record beyond the header": extended(b"x", b"99 path=b\n"),
    "pax record without line break": extended(b"x", b"9 path=bb"),
    "negative size in pax": extended(b"x", b"11 size=-5\n") + header("f", 5, b"0"),
    "huge size in pax": extended(b"x", b"60 size=" + b"9" * 51 + b"\n") + header("f", 5, b"0"),
    "no tar": bytes(range(256)) * 20,
    "nothing": b"",
    "an archive cut in a header": header("f", 0, b"0") + b"x" * 100,
    "an archive cut in a file": header("f", 5000, b"0") + b"x" * 100,
}


@pytest.mark.parametrize("data", TRAPS.values(), ids=TRAPS)
def test_a_trap_is_refused_at_once(tmp_path: Path, data: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(DataError) as caught:
        unpack(data, tmp_path)
    assert caught.value.code == "archive-damaged" and time.monotonic() - began < 3.0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(header("f", 8 * GIB - 1, b"0")), "archive-bomb"),
        (gzip.compress(header(".hidden", 100 * MIB, b"0") + bytes(100 * MIB), 1), "archive-bomb"),
        (header("f", 10, b"S"), "archive-special-member"),
        (extended(b"x", b"22 GNU.sparse.major=1\n") + header("f", 10, b"0"), "archive-special-member"),
        (extended(b"x", b"12 path=../x\n"[:-1] + b"\n") + header("f", 0, b"0"), "archive-damaged"),
        (extended(b"x", b"13 path=../x\n") + header("f", 0, b"0"), "archive-escape"),
        (extended(b"x", b"12 path=a\0b\n") + header("f", 0, b"0"), "archive-escape"),
        (header("a", 0, b"0") * 30, "archive-duplicate-member"),
    ],
    ids=["file", "hidden file", "sparse", "sparse by pax", "path cut", "path upwards", "null in path", "twice"],
)
def test_what_is_not_unpacked(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(DataError) as caught:
        unpack(data, tmp_path)
    assert caught.value.code == code


def test_random_damage_gives_a_finding_or_files(tmp_path: Path) -> None:
    source = random.Random(5)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as file:
        for k in range(5):
            info = tarfile.TarInfo(f"{k}/{'ü' * 60 * (k % 2)}.txt")
            info.size = 100
            file.addfile(info, io.BytesIO(bytes(100)))
    for k in range(150):
        data = bytearray(packed.getvalue())
        for _ in range(source.randint(1, 6)):
            data[source.randrange(len(data) - 6000 if source.random() < 0.9 else len(data))] = source.randrange(256)
        try:
            unpack(bytes(data), tmp_path / str(k), ".tar")
        except DataError:
            continue


def test_the_members_of_a_zip_are_counted_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for k in range(300):
            file.writestr(f"{k}.txt", "")
        file.comment = b"PK\x05\x06?"[:3] * 5
    raw = path.read_bytes()
    at = raw.rindex(b"PK\x05\x06", 0, len(raw) - 20)
    lie = bytearray(raw)
    lie[at + 8 : at + 12] = b"\1\0\1\0"  # it says that it has one member
    path.write_bytes(lie)
    with path.open("rb") as file_:
        assert most_members(file_, 1000) >= 300 and most_members(file_, 299) == 300 and most_members(file_, 10) == 11
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda *given: pytest.fail("the members were listed"))
    with pytest.raises(DataError, match="more than 100 members") as caught:
        extract(path, tmp_path / "out", Limits(archive_members=100), lambda message, fraction: None)
    assert caught.value.code == "archive-too-many-members"


def packed_file(name: str, content: bytes) -> bytes:
    return header(name, len(content), b"0") + padded(content) + bytes(1024)


def test_streams_of_xz_that_follow_each_other_are_one_archive(tmp_path: Path) -> None:
    data = packed_file("a.txt", random.Random(1).randbytes(3 * MIB))
    streams = (lzma.compress(data[:MIB]), bytes(8), lzma.compress(data[MIB:]), bytes(4))
    assert (unpack(b"".join(streams), tmp_path / "whole") / "a.txt").stat().st_size == 3 * MIB
    for left in (streams[:1], [streams[0], streams[2][:1000]]):
        with pytest.raises(DataError) as caught:
            unpack(b"".join(left), tmp_path / str(len(left)))
        assert caught.value.code == "archive-damaged"


def test_xz_that_needs_much_memory_is_refused(tmp_path: Path) -> None:
    packed = bytearray(lzma.compress(packed_file("a.txt", b"x"), lzma.FORMAT_ALONE))
    assert (unpack(bytes(packed), tmp_path / "small") / "a.txt").read_bytes() == b"x"
    packed[1:5] = GIB.to_bytes(4, "little")  # the size of the dictionary
    with pytest.raises(DataError, match="needs more than 256.0 MiB of memory") as caught:
        unpack(bytes(packed), tmp_path / "large")
    assert caught.value.code == "archive-damaged"
