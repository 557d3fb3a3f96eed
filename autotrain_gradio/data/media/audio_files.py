"""Reading audio files: their headers, and their samples as mono at one rate.

libsndfile (through soundfile) reads WAV, FLAC, MP3, Ogg Vorbis and Opus, and AIFF; what it cannot (M4A, AAC,
WMA) is decoded by the program `ffmpeg` where that is installed. Files are read in blocks: memory follows what is
asked for, not how long a file is or how many channels it has.
"""

from __future__ import annotations

import io
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.media.content_type import describe

Source = str | Path | bytes | memoryview
"""A file, or the bytes of one."""

BLOCK = 1 << 18
"""Samples of all channels together that are decoded at once."""
UNKNOWN = 1 << 52
"""Frames from which the length is unknown: libsndfile returns a huge number for such files."""
UNKNOWN_BYTES = 0x7FFF0000
"""Data size in the header of a WAV from which the length is unknown: it was written before the end was reached."""
TIMEOUT_SECONDS = 60.0
"""Maximum time without output of ffmpeg or ffprobe."""
DEMUXERS = {"mp4": "mov", "aac": "aac", "asf": "asf", "webm": "matroska"}
"""Container, as `container` names it → the one demuxer that ffmpeg may use for it."""
CONTAINER_NAMES = {"mp4": "M4A", "aac": "AAC", "asf": "WMA", "webm": "WebM"}


class Header(NamedTuple):
    """Properties of a file.

    seconds: its length; None if it is only known after decoding the file.
    format: `WAV`, `FLAC`, `MP3`, `OGG` (Vorbis), `OPUS`, `AIFF`, `M4A`, `AAC`, `WMA`, `WebM` …
    subtype: how samples are stored, as libsndfile (`PCM_16`, `DOUBLE`) or ffmpeg (`aac`) calls it.
    cut: the header promises more bytes than the file has.
    """

    seconds: float | None
    rate: int
    channels: int
    format: str
    subtype: str
    cut: bool = False


@dataclass(eq=False)
class AudioError(DataError):
    """A file that cannot be read; `code` is `audio-empty`, `audio-missing`, `audio-unreadable`, `audio-unknown`,
    `audio-corrupt` or `audio-no-decoder`."""

    @property
    def reason(self) -> str:
        """The part of the message after the colon, for messages that name the problem themselves."""
        return (self.message.partition(": ")[2] or self.message)[:120].rstrip(".")


def header(source: Source) -> Header:
    """Read a file's header; samples are not decoded.

    Raises:
        AudioError: the file is not audio, damaged, or of a format without an installed decoder.
    """
    file = _open(source)
    if isinstance(file, str):
        return _probe(source, file)
    with file:
        frames, log = file.frames, file.extra_info
        seconds = frames / file.samplerate if 0 <= frames < UNKNOWN else None
        name = "OPUS" if file.subtype == "OPUS" else {"WAVEX": "WAV", "RF64": "WAV"}.get(file.format, file.format)
        promised = re.findall(r"^data\b\D*(\d+) \(should be", log, re.M)
        cut = name == "WAV" and any(int(size) < UNKNOWN_BYTES for size in promised)
        return Header(seconds, file.samplerate, file.channels, name, file.subtype, cut)


def read_audio(
    cell: Mapping[str, Any], start: float | None = None, end: float | None = None, rate: int = 16_000
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Decode a file, or the segment between two times, as mono at one rate.

    Channels are averaged; NaN and infinite samples count as silence. Only the segment is read.

    cell: `{"path": …, "bytes": …}` as `datasets.Audio(decode=False)` returns it; bytes take precedence.
    start, end: seconds; None: from the beginning, to the end. A part beyond the file's end is shorter or empty.
    rate: samples per second of the result.

    Returns an array of shape (samples,), float32, in -1 to 1.

    Raises:
        AudioError: the file cannot be read.
    """
    data = cell.get("bytes")
    source: Source = data if data is not None else str(cell["path"])
    wanted: list[np.ndarray[Any, Any]] = []
    resampler: Any = None
    for block, native in blocks(source, start, end):
        mono = mix(block)
        if native != rate:
            resampler = resampler or soxr.ResampleStream(native, rate, 1, dtype="float32", quality="HQ")
            mono = resampler.resample_chunk(mono)
        wanted.append(mono)
    if resampler is not None:
        wanted.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    if not wanted:
        return np.zeros(0, np.float32)
    return np.ascontiguousarray(wanted[0] if len(wanted) == 1 else np.concatenate(wanted), dtype=np.float32)


def seconds_of(source: Source) -> float:
    """Decode a file whose header does not tell its length (AAC), and return it.

    Raises:
        AudioError: the file cannot be read.
    """
    return sum(len(block) / rate for block, rate in blocks(source))


def mix(block: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Average the channels of samples of shape (frames, channels); NaN and infinite samples become 0."""
    mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
    if not np.isfinite(mono).all():
        mono = np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0)
    return np.ascontiguousarray(mono, dtype=np.float32)


def blocks(
    source: Source, start: float | None = None, end: float | None = None
) -> Iterator[tuple[np.ndarray[Any, np.dtype[np.float32]], int]]:
    """Yield samples of shape (frames, channels), float32, and their rate, block by block.

    start, end: seconds, as for `read_audio`.

    Raises:
        AudioError: the file cannot be read. It may come after some blocks, where a file is damaged in the middle.
    """
    file = _open(source)
    if isinstance(file, str):
        yield from _ffmpeg(source, file, start, end)
        return
    with file:
        rate = file.samplerate
        first = max(0, round((start or 0.0) * rate))
        last = min(file.frames, round(end * rate)) if end is not None else file.frames
        try:
            if first:
                if first >= file.frames:
                    return
                file.seek(first)
            left, size = last - first, max(1, BLOCK // file.channels)
            while left > 0:
                block = file.read(min(size, left), dtype="float32", always_2d=True)
                if not len(block):
                    return
                left -= len(block)
                yield block, rate
        except soundfile.SoundFileError as error:
            raise _error(source, "audio-corrupt", f"The audio is damaged: {_reason(error)}.", COPY) from None


def container(head: bytes) -> str | None:
    """Name the container of a file that libsndfile does not read, by its first bytes; None for no audio."""
    if head[4:8] == b"ftyp":
        return "mp4"
    if head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"):
        return "asf"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm"
    # ADTS: twelve set bits, then the layer, which is 0 as in no MP3.
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    return None


def has_ffmpeg() -> bool:
    """Return whether `ffmpeg` and `ffprobe` are installed."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


def _open(source: Source) -> soundfile.SoundFile | str:
    """Open a file with libsndfile; if it cannot read the format, return the container that ffmpeg shall read."""
    if isinstance(source, str | Path) and os.fspath(source).lower().endswith(
        ".raw"
    ):  # soundfile would ask for the rate
        message = "The file holds raw samples without a sampling rate."
        raise _error(source, "audio-unknown", message, "Save it as WAV.")
    try:
        return soundfile.SoundFile(os.fspath(source) if isinstance(source, str | Path) else io.BytesIO(source))
    except soundfile.LibsndfileError as error:
        kind = container(_head(source))
        if kind is None:
            raise _not_read(source, error) from None
        return kind


def _head(source: Source) -> bytes:
    if isinstance(source, bytes | memoryview):
        return bytes(source[:64])
    try:
        with open(source, "rb") as file:
            return file.read(64)
    except FileNotFoundError:
        raise _error(source, "audio-missing", "The file does not exist.", "Add it.") from None
    except OSError as error:
        message = f"The file cannot be opened: {error.strerror or error}."
        raise _error(source, "audio-unreadable", message, "Check its permissions.") from None


COPY = "Copy or record it again."
MAGIC = {b"RIFF": "WAV", b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3": "MP3", b"FORM": "AIFF"}
"""First bytes of a file → its format."""


def _error(source: Source, code: str, message: str, hint: str) -> AudioError:
    name = "" if isinstance(source, bytes | memoryview) else Path(source).name
    return AudioError(message, hint, name, code)


def _not_read(source: Source, error: soundfile.LibsndfileError) -> AudioError:
    head = _head(source)
    if not head:
        return _error(source, "audio-empty", "The file is empty (0 bytes).", "Copy it again.")
    name = next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")
    if name:
        message = f"The file begins as {name}, but is damaged: {_reason(error)}."
        return _error(source, "audio-corrupt", message, COPY)
    return _error(source, "audio-unknown", f"The file is not audio: {describe(head)}.", "Save it as WAV or FLAC.")


def _reason(error: BaseException) -> str:
    reason = getattr(error, "error_string", "") or str(error)
    return str(reason).strip().rstrip(".") or "it cannot be decoded"


@contextmanager
def _as_file(source: Source) -> Iterator[str]:
    """Give ffmpeg a file: containers of the MP4 family cannot be read from a pipe."""
    if not isinstance(source, bytes | memoryview):
        yield os.path.abspath(source)
        return
    with tempfile.NamedTemporaryFile(prefix="autotrain-audio-") as file:
        file.write(source)
        file.flush()
        yield file.name


def _command(program: str, path: str, kind: str, *options: str) -> list[str]:
    # One demuxer and local files only: an untrusted file must not make ffmpeg open anything else.
    return [program, "-v", "error", "-protocol_whitelist", "file,pipe", "-f", DEMUXERS[kind], *options, f"file:{path}"]


def _need_ffmpeg(source: Source, kind: str) -> None:
    if not has_ffmpeg():
        message = f"The file is {CONTAINER_NAMES[kind]}, which needs the program ffmpeg; it is not installed here."
        hint = (
            "Install ffmpeg (on a Space: a file packages.txt with the line ffmpeg), or save the files as WAV or FLAC."
        )
        raise _error(source, "audio-no-decoder", message, hint)


def _probe(source: Source, kind: str) -> Header:
    _need_ffmpeg(source, kind)
    asked = "stream=codec_name,sample_rate,channels,duration:format=duration"
    with _as_file(source) as path:
        command = _command("ffprobe", path, kind, "-select_streams", "a:0", "-show_entries", asked, "-of", "json")
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise _damaged(source, kind, f"ffprobe gave no output for {TIMEOUT_SECONDS:g} s") from None
    try:
        found = json.loads(done.stdout or b"{}")
        stream = found["streams"][0]
        rate, channels = int(stream["sample_rate"]), int(stream["channels"])
    except (ValueError, KeyError, IndexError):
        raise _damaged(source, kind, _last_error(done.stderr) or "it has no audio in it") from None
    if rate < 1 or channels < 1:
        raise _damaged(source, kind, "it has no audio in it")
    length = stream.get("duration") or found.get("format", {}).get("duration")
    # A raw AAC stream has no length: ffprobe would estimate it from the bit rate.
    seconds = float(length) if length and kind != "aac" else None
    return Header(seconds, rate, channels, CONTAINER_NAMES[kind], str(stream.get("codec_name", "")))


def _last_error(errors: bytes) -> str:
    """Return the reason in ffmpeg's last line, without the path of the file."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return re.sub(r"^file:.*: ", "", lines[-1].rpartition("] ")[2]).strip().rstrip(".")[:120] if lines else ""


def _damaged(source: Source, kind: str, why: str) -> AudioError:
    message = f"The file begins as {CONTAINER_NAMES[kind]}, but cannot be decoded: {why}."
    return _error(source, "audio-corrupt", message, "Save it again as WAV or FLAC.")


def _ffmpeg(
    source: Source, kind: str, start: float | None, end: float | None
) -> Iterator[tuple[np.ndarray[Any, np.dtype[np.float32]], int]]:
    known = _probe(source, kind)
    if end is not None and end <= (start or 0.0):
        return
    seek = ["-ss", f"{start:.6f}"] if start else []
    length = ["-t", f"{end - (start or 0.0):.6f}"] if end is not None else []
    held = b""
    with _as_file(source) as path, tempfile.TemporaryFile() as errors:
        command = [
            *_command("ffmpeg", path, kind, "-nostdin", *seek, "-i"),
            *("-map", "0:a:0", *length, "-f", "f32le", "-ac", str(known.channels), "-ar", str(known.rate), "-"),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, bufsize=0) as process:
            try:
                for data in _output_of(process):
                    held += data
                    whole = len(held) - len(held) % (4 * known.channels)
                    yield np.frombuffer(held[:whole], "<f4").reshape(-1, known.channels), known.rate
                    held = held[whole:]
                status = process.wait(timeout=TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                raise _damaged(source, kind, f"ffmpeg gave no output for {TIMEOUT_SECONDS:g} s") from None
            finally:
                process.kill()  # the caller may stop before the end; killing a finished process has no effect
        if status != 0:
            errors.seek(0)
            raise _damaged(source, kind, _last_error(errors.read()) or f"ffmpeg ended with status {status}")


def _output_of(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the output of an unbuffered process as it comes.

    Raises:
        subprocess.TimeoutExpired: nothing came for `TIMEOUT_SECONDS`.
    """
    assert process.stdout is not None  # the caller has asked for it
    ready = select.poll()
    ready.register(process.stdout)
    while ready.poll(TIMEOUT_SECONDS * 1000):
        data = process.stdout.read(BLOCK)
        if not data:
            return
        yield data
    raise subprocess.TimeoutExpired(process.args, TIMEOUT_SECONDS)
