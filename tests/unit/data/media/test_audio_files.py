"""Headers and samples of audio files, sound and damaged."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autotrain_gradio.data.media import audio_files
from autotrain_gradio.data.media.audio_files import AudioError, blocks, has_ffmpeg, header, read_audio, seconds_of
from tests.unit.data.sounds import sound, tone, with_ffmpeg

needs_ffmpeg = pytest.mark.skipif(not has_ffmpeg(), reason="ffmpeg is not installed")


def cell(content: bytes) -> dict[str, Any]:
    return {"path": None, "bytes": content}


@pytest.mark.parametrize(
    "format, subtype, name",
    [
        ("WAV", "PCM_16", "WAV"),
        ("WAV", "PCM_U8", "WAV"),
        ("WAV", "DOUBLE", "WAV"),
        ("WAVEX", "PCM_24", "WAV"),
        ("RF64", "FLOAT", "WAV"),
        ("FLAC", "PCM_16", "FLAC"),
        ("MP3", None, "MP3"),
        ("OGG", "VORBIS", "OGG"),
        ("OGG", "OPUS", "OPUS"),
        ("AIFF", "PCM_16", "AIFF"),
    ],
)
def test_headers_give_length_rate_channels_and_format(format: str, subtype: str | None, name: str) -> None:
    content = sound(1.5, 24_000, format=format, subtype=subtype, channels=2)
    found = header(content)
    assert (found.rate, found.channels, found.format, found.cut) == (24_000, 2, name, False)
    assert found.seconds == pytest.approx(1.5, abs=0.05)
    samples = read_audio(cell(content))
    assert samples.dtype == np.float32 and len(samples) == pytest.approx(24_000, abs=800)
    assert np.abs(samples).max() == pytest.approx(0.375, abs=0.03)  # the mean of 0.5 and 0.25


@pytest.mark.parametrize("channels, rate", [(1, 16_000), (6, 192_000), (2, 8_000), (1, 44_100)])
def test_samples_are_mono_at_the_requested_rate(channels: int, rate: int) -> None:
    found = read_audio(cell(sound(2.0, rate, subtype="DOUBLE", channels=channels, hertz=300)), rate=16_000)
    shown = tone(2.0, 16_000, hertz=300)[:, 0] * sum(1 / (k + 1) for k in range(channels)) / channels
    assert found.shape == (32_000,)
    # The ends of a resampled signal ring.
    assert np.abs(found[400:-400] - shown[400:-400]).max() < 2e-3


def test_resampling_in_blocks_is_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    content = cell(sound(3.0, 44_100, subtype="FLOAT", hertz=1000))
    whole = read_audio(content)
    monkeypatch.setattr(audio_files, "BLOCK", 5_000)
    parts = read_audio(content)
    assert parts.shape == whole.shape and np.abs(parts - whole).max() < 1e-5


def test_a_segment_equals_a_slice_of_the_file_and_only_it_is_decoded(tmp_path: Path) -> None:
    ramp = np.linspace(-0.9, 0.9, 160_000)
    path = tmp_path / "long.wav"
    path.write_bytes(sound(samples=ramp, subtype="FLOAT"))
    found = read_audio({"path": str(path), "bytes": None}, 2.5, 4.0)
    assert np.allclose(found, ramp[40_000:64_000], atol=1e-6)
    assert sum(len(b) for b, _ in blocks(path, 2.5, 4.0)) == 24_000
    assert len(read_audio(cell(path.read_bytes()), 9.5, 99.0)) == 8_000
    assert len(read_audio(cell(path.read_bytes()), 99.0, 100.0)) == 0


def test_nan_and_infinite_samples_count_as_silence() -> None:
    samples = np.array([0.1, np.nan, np.inf, -np.inf, 0.2])
    assert read_audio(cell(sound(samples=samples, subtype="FLOAT"))).tolist() == pytest.approx([0.1, 0, 0, 0, 0.2])


@pytest.mark.parametrize(
    "content, code",
    [
        (b"", "audio-empty"),
        (b"hello", "audio-unknown"),
        (b"<!DOCTYPE html><html></html>", "audio-unknown"),
        (sound()[:30], "audio-corrupt"),
        (sound(format="FLAC")[:60], "audio-corrupt"),
        (sound(format="OGG")[:3000], "audio-corrupt"),
    ],
)
def test_files_that_are_not_audio_give_the_reason(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(AudioError) as error:
            header(source)
        assert error.value.code == code and error.value.hint


def test_missing_files_and_raw_samples_are_errors(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as error:
        read_audio({"path": str(tmp_path / "none.wav"), "bytes": None})
    assert error.value.code == "audio-missing" and error.value.where == "none.wav"
    (tmp_path / "x.raw").write_bytes(b"\0" * 100)
    with pytest.raises(AudioError, match="raw samples"):
        header(tmp_path / "x.raw")


def test_a_truncated_wav_is_detected_by_its_header() -> None:
    found = header(sound(2.0)[:40_000])
    assert found.cut and found.seconds == pytest.approx(1.25, abs=0.01)
    assert not header(sound(0.0)).cut and header(sound(0.0)).seconds == 0


@pytest.mark.parametrize("promised", [0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFFFFF, 0x7FFFF000])
def test_a_streamed_wav_with_a_placeholder_length_is_not_truncated(promised: int) -> None:
    """Programs that write to a pipe put the greatest number where the length belongs."""
    content = bytearray(sound(2.0))
    place = content.index(b"data") + 4
    content[place : place + 4] = promised.to_bytes(4, "little")
    found = header(bytes(content))
    assert not found.cut and found.seconds == pytest.approx(2.0)


def test_the_format_is_detected_by_content_not_by_extension(tmp_path: Path) -> None:
    path = tmp_path / "really.mp3"
    path.write_bytes(sound(format="FLAC"))
    assert header(path).format == "FLAC" and len(read_audio({"path": str(path)})) == 16_000


@needs_ffmpeg
@pytest.mark.parametrize("suffix, name", [(".m4a", "M4A"), (".aac", "AAC"), (".wma", "WMA")])
def test_ffmpeg_reads_what_libsndfile_does_not(tmp_path: Path, suffix: str, name: str) -> None:
    path = with_ffmpeg(tmp_path / f"x{suffix}", 3.0)
    found = header(path)
    assert (found.format, found.rate, found.channels) == (name, 16_000, 1)
    assert found.seconds is None if name == "AAC" else found.seconds == pytest.approx(3.0, abs=0.2)
    assert seconds_of(path) == pytest.approx(3.0, abs=0.2)
    for source in ({"path": str(path), "bytes": None}, cell(path.read_bytes())):
        assert len(read_audio(source)) == pytest.approx(48_000, abs=3_000)
        assert len(read_audio(source, 1.0, 1.5)) == pytest.approx(8_000, abs=600)
    first = next(iter(blocks(path)))  # a reader that stops early leaves no process behind
    assert first[1] == 16_000


@needs_ffmpeg
def test_a_damaged_m4a_is_an_error(tmp_path: Path) -> None:
    path = with_ffmpeg(tmp_path / "x.m4a")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(AudioError) as error:
        header(path)
    assert error.value.code == "audio-corrupt" and "M4A" in error.value.message


def test_a_missing_ffmpeg_is_named_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "x.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0")
    with pytest.raises(AudioError) as error:
        header(path)
    assert error.value.code == "audio-no-decoder" and "packages.txt" in error.value.hint


@pytest.mark.parametrize("hanging", ["ffprobe", "ffmpeg", "ffmpeg after some", "ffmpeg at the end"])
def test_a_hanging_ffmpeg_is_an_error_that_names_the_file(
    hanging: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = '{"streams": [{"codec_name": "aac", "sample_rate": "16000", "channels": 1, "duration": "9"}]}'
    ways = {
        "ffmpeg": "exec sleep 60",
        "ffmpeg after some": "head -c 5000 /dev/zero; exec sleep 60",
        "ffmpeg at the end": "head -c 5000 /dev/zero; exec >&-; exec sleep 60",
    }
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ffprobe").write_text(f"#!/bin/sh\n{'exec sleep 60' if hanging == 'ffprobe' else f'echo {told!r}'}\n")
    (programs / "ffmpeg").write_text(f"#!/bin/sh\n{ways.get(hanging, 'exit 1')}\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(audio_files, "TIMEOUT_SECONDS", 0.7)
    clip = tmp_path / "village.m4a"
    clip.write_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(200))
    began = time.monotonic()
    with pytest.raises(AudioError, match="gave no output for 0.7 s") as caught:
        read_audio({"path": str(clip), "bytes": None})
    assert caught.value.code == "audio-corrupt" and caught.value.findings[0].where == "village.m4a"
    assert time.monotonic() - began < 20
