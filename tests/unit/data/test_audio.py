"""Audio from files to rows: what is wrong with it is told, the rest is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autotrain_gradio import data
from autotrain_gradio.data.checks import audio_content
from autotrain_gradio.data.kinds import audio as audio_kind
from autotrain_gradio.data.media import audio_files
from tests.unit.data.conftest import codes, errors, finding, plant
from tests.unit.data.roles import dropped
from tests.unit.data.sounds import sound, tone, with_ffmpeg
from tests.unit.data.speech import check, loaded


def speech(root: Path, files: dict[str, Any] | None = None, *, count: int = 6, rows: str = "") -> Path:
    """Plant a folder of clips that differ, with a table of them; `files` and `rows` are added."""
    clips: dict[str, Any] = {f"clips/{i}.wav": sound(1.0 + i / 10, hertz=200 + 10 * i) for i in range(count)}
    table = "file_name,transcription\n" + "".join(f"clips/{i}.wav,this is number {i}\n" for i in range(count)) + rows
    return plant(root, {**clips, **(files or {}), "metadata.csv": table})


def numbers(result: dict[str, Any], title: str) -> dict[str, Any]:
    panel = next(p for p in result["profile"] if p["title"] == title)
    if panel["kind"] == "numbers":
        return {i["label"]: i["value"] for i in panel["items"]}
    return {n: dict(zip(panel["labels"], v, strict=True)) for n, v in panel["series"].items()}


def test_clips_and_their_table_become_rows_with_lengths(tmp_path: Path, draft: Path) -> None:
    result = check(draft, speech(tmp_path / "in"))
    assert result["layout"]["name"] == "table-with-files" and not errors(result)
    assert result["mapping"] == {"audio": ["file_name"], "text": ["transcription"]}
    assert result["splits"] == {"train": 5, "validation": 1}
    rows = data.load(draft)["train"]
    assert set(rows.column_names) == {"audio", "audio_seconds", "text"}
    assert type(rows.features["audio"]).__name__ == "Audio" and rows.features["audio"].decode is False
    first = rows[0]
    assert first["audio"]["path"].endswith(".wav") and first["audio"]["bytes"] is None
    assert len(audio_files.read_audio(first["audio"])) == round(first["audio_seconds"] * 16_000)
    said = numbers(result, "Audio")
    assert said["Total"] == "7.5 s" and said["Shortest"] == "1.0 s" and said["Longest"] == "1.5 s"
    assert sum(numbers(result, "Length")["train"].values()) == 5


@pytest.mark.parametrize(
    "name, content, code",
    [
        ("empty.wav", b"", "audio-empty"),
        ("text.wav", b"hello", "audio-unknown"),
        ("picture.mp3", b"\x89PNG\r\n\x1a\n0000", "audio-unknown"),
        ("head.flac", sound(format="FLAC")[:60], "audio-corrupt"),
        ("zero.wav", sound(0.0), "audio-zero"),
        ("short.wav", sound(0.05), "audio-short"),
        ("cut.wav", sound(2.0)[:40_000], "audio-cut"),
        ("cut.flac", sound(2.0, format="FLAC", samples=np.random.RandomState(0).uniform(-1, 1, 32_000))[:40_000], None),
        ("silent.wav", sound(samples=np.zeros(16_000)), "audio-silent"),
        ("cancel.wav", sound(samples=tone() * [[1, -1]]), "audio-silent"),
        ("hiss.flac", sound(samples=np.full(16_000, 0.0005), format="FLAC"), "audio-silent"),
    ],
)
def test_audio_that_cannot_be_used_is_skipped_and_reported(
    tmp_path: Path, draft: Path, name: str, content: bytes, code: str | None
) -> None:
    result = check(draft, speech(tmp_path / "in", {f"clips/{name}": content}, rows=f"clips/{name},what is said\n"))
    expected = {code} if code else {"audio-corrupt", "audio-cut"}
    assert len(dropped(result)) == 1 and set(dropped(result)) <= expected
    found = finding(result, next(iter(dropped(result))))
    assert f"clips/{name}" in found["message"] and found["level"] == "warning" and found["hint"]
    assert sum(result["splits"].values()) == 6


def test_missing_files_and_paths_outside_the_folder_are_reported(tmp_path: Path, draft: Path) -> None:
    result = check(draft, speech(tmp_path / "in", rows="clips/none.wav,hello there\n"))
    assert "metadata.csv, row 8: clips/none.wav" in finding(result, "audio-missing")["message"]
    plant(tmp_path, {"secret.wav": sound()})
    outside = check(draft, speech(tmp_path / "in", rows="../secret.wav,hello there\n"))
    assert finding(outside, "file-outside")["level"] == "error"


@pytest.mark.parametrize("prefix", ["/home/ann/corpus/clips/", "C:\\corpus\\clips\\"])
def test_paths_of_another_computer_are_matched_by_their_end(tmp_path: Path, draft: Path, prefix: str) -> None:
    folder = speech(tmp_path / "in")
    rows = "".join(f"{prefix}{i}.wav,number {i}\n" for i in range(6)) + f"{prefix}none.wav,not there\n"
    (folder / "metadata.csv").write_text("file_name,transcription\n" + rows)
    result = check(draft, folder)
    assert "clips/0.wav" in finding(result, "files-elsewhere")["message"]
    assert "file-outside" in errors(result), "one that is nowhere is not opened"
    (folder / "metadata.csv").write_text("file_name,transcription\n" + rows.rpartition(prefix)[0])
    assert sum(check(draft, folder)["splits"].values()) == 6


def test_unusual_audio_formats_are_used_and_reported(tmp_path: Path, draft: Path) -> None:
    odd = {
        "clips/eight.wav": sound(1.0, 8_000, subtype="PCM_U8"),
        "clips/double.wav": sound(1.0, 192_000, subtype="DOUBLE", channels=6),
        "clips/really_flac.wav": sound(1.0, format="FLAC"),
        "clips/small.opus": sound(1.0, 48_000, format="OGG", subtype="OPUS"),
        "clips/old.mp3": sound(1.0, 44_100, format="MP3"),
    }
    result = check(draft, speech(tmp_path / "in", odd, rows="".join(f"{n},spoken words\n" for n in odd)))
    assert not result["dropped"] and sum(result["splits"].values()) == 11
    assert "clips/really_flac.wav" in finding(result, "wrong-extension")["message"]
    assert len(numbers(result, "Sampling rates")["rows"]) == 5
    assert "at 192,000 Hz" in finding(result, "sampling-rates")["message"]
    assert "clips/double.wav" in finding(result, "channels")["message"]


@pytest.mark.skipif(not audio_files.has_ffmpeg(), reason="ffmpeg is not installed")
def test_formats_that_ffmpeg_reads(tmp_path: Path, draft: Path) -> None:
    folder = speech(tmp_path / "in", rows="".join(f"clips/x.{s},spoken words\n" for s in ("m4a", "aac", "wma")))
    for suffix in ("m4a", "aac", "wma"):
        with_ffmpeg(folder / "clips" / f"x.{suffix}", 2.0)
    (folder / "clips" / "cut.m4a").write_bytes((folder / "clips" / "x.m4a").read_bytes()[:1500])
    table = folder / "metadata.csv"
    table.write_text(table.read_text() + "clips/cut.m4a,cut off\n")
    result = check(draft, folder)
    assert dropped(result) == {"audio-corrupt": 1} and sum(result["splits"].values()) == 9
    assert str(tmp_path) not in finding(result, "audio-corrupt")["message"]
    seconds = {Path(r["audio"]["path"]).suffix: r["audio_seconds"] for r in loaded(draft)}
    assert all(seconds[s] == pytest.approx(2.0, abs=0.2) for s in (".m4a", ".aac", ".wma"))


def test_rows_that_need_a_missing_ffmpeg_are_skipped(
    tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    files = {"clips/x.m4a": b"\0\0\0\x20ftypM4A \0\0\0\0"}
    result = check(draft, speech(tmp_path / "in", files, rows="clips/x.m4a,hello there\n"))
    assert dropped(result) == {"audio-no-decoder": 1}
    assert "packages.txt" in finding(result, "audio-no-decoder")["hint"]


def test_a_long_file_is_reported(tmp_path: Path, draft: Path) -> None:
    long = sound(samples=np.tile(tone(1.0, 1000, hertz=100)[:, 0], 3 * 3600), rate=1000, format="FLAC")
    result = check(draft, speech(tmp_path / "in", {"clips/long.flac": long}, rows="clips/long.flac,all day long\n"))
    assert "the longest 3:00:00" in finding(result, "audio-long")["message"]
    assert numbers(result, "Audio")["Longest"] == "3 h"


def test_clipped_audio_is_used_and_reported(tmp_path: Path, draft: Path) -> None:
    loud = sound(samples=np.clip(3 * tone()[:, 0], -1, 1))
    odd = sound(samples=np.where(np.arange(16_000) == 5, np.nan, tone()[:, 0]), subtype="FLOAT")
    files = {"clips/loud.wav": loud, "clips/nan.wav": odd}
    result = check(draft, speech(tmp_path / "in", files, rows="clips/loud.wav,very loud\nclips/nan.wav,not a number\n"))
    assert "clips/loud.wav" in finding(result, "audio-clipped")["message"] and not result["dropped"]
    assert "clips/nan.wav" in finding(result, "audio-no-numbers")["message"]


def test_a_sample_of_the_rows_is_decoded_and_all_on_request(
    tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    decode = audio_content.decode

    def counting(cells: Any, row: int) -> Any:
        heard.append(row)
        return decode(cells, row)

    monkeypatch.setattr(audio_content, "decode", counting)
    monkeypatch.setattr(audio_content, "SHARE", 3)
    folder = speech(tmp_path / "in")
    said = finding(check(draft, folder), "audio-sampled")
    assert "3 of 6 rows (50.0%) were decoded" in said["message"] and len(heard) == 3
    check(draft, folder, valid_fraction=0.5)
    assert len(heard) == 3, "what was heard is kept"
    change = said["fix"]["change"]
    assert "All of the 6 rows" in finding(check(draft, folder, **change), "audio-sampled")["message"]
    assert len(heard) == 6


def test_headers_are_read_once(tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    look = audio_kind.look

    def counting(source: Any, size: int) -> Any:
        read.append(size)
        return look(source, size)

    monkeypatch.setattr(audio_kind, "look", counting)
    folder = speech(tmp_path / "in", rows="clips/0.wav,the same file again\n")
    check(draft, folder)
    assert len(read) == 6
    check(draft, folder, valid_fraction=0.5)
    assert len(read) == 6
    (folder / "clips/1.wav").write_bytes(sound(3.0))
    check(draft, folder)
    assert len(read) == 7


def test_duplicate_audio_with_different_transcripts_is_reported(tmp_path: Path, draft: Path) -> None:
    files = {"clips/copy.wav": sound(1.0, hertz=200), "clips/again.wav": sound(1.1, hertz=210)}
    rows = "clips/copy.wav,something else\nclips/again.wav,this is number 1\n"
    result = check(draft, speech(tmp_path / "in", files, rows=rows))
    said = finding(result, "same-audio-other-text")["message"]
    assert "clips/0.wav ('this is number 0')" in said and "clips/copy.wav ('something else')" in said
    assert "clips/again.wav" in finding(result, "duplicates")["message"]
    assert sum(result["splits"].values()) == 8
    by_path = {Path(r["audio"]["path"]).name: n for n, d in data.load(draft).items() for r in d}
    assert by_path["copy.wav"] == by_path["0.wav"], "copies stay on one side"


def test_files_with_equal_beginnings_are_not_duplicates(tmp_path: Path, draft: Path) -> None:
    samples = np.random.RandomState(1).uniform(-0.5, 0.5, 100_000)
    other = samples.copy()
    other[20_000] += 0.3
    files = {"clips/a.wav": sound(samples=samples), "clips/b.wav": sound(samples=other)}
    result = check(draft, speech(tmp_path / "in", files, rows="clips/a.wav,one text\nclips/b.wav,another text\n"))
    assert "same-audio-other-text" not in codes(result)


def test_transcripts_that_do_not_fit_are_reported(tmp_path: Path, draft: Path) -> None:
    rows = 'clips/5.wav,"?!  ..."\nclips/4.wav,"' + "many words " * 20 + '"\n'
    rows += "clips/3.wav,это по-русски\nclips/2.wav,a mіxed word\n"
    result = check(draft, speech(tmp_path / "in", rows=rows))
    assert dropped(result) == {"text-no-letters": 1} and "'?! ...'" in finding(result, "text-no-letters")["message"]
    long = finding(result, "text-too-long-for-audio")["message"]
    assert "1 transcript is too long" in long and "219 characters in 1.4 s" in long
    assert "Latin (8 rows), Cyrillic (1 row)" in finding(result, "scripts-mixed")["message"]
    assert "'mіxed'" in finding(result, "scripts-mixed-in-words")["message"]


def test_phonetic_letters_do_not_count_as_a_second_script(tmp_path: Path, draft: Path) -> None:
    rows = "".join(f"clips/{i}.wav,ˈt͡ʃʰã̱nd θɪŋ βoχ {i}\n" for i in range(6))
    folder = plant(tmp_path / "in", {"metadata.csv": "file_name,transcription\n" + rows})
    speech(folder)
    (folder / "metadata.csv").write_text("file_name,transcription\n" + rows, encoding="utf-8")
    assert not {"scripts-mixed", "scripts-mixed-in-words"} & set(codes(check(draft, folder)))


def parts(root: Path, rows: list[dict[str, Any]], *, files: int = 1, seconds: float = 10.0) -> Path:
    clips = {f"r{k}.wav": sound(seconds, hertz=300 + 50 * k) for k in range(files)}
    return plant(root, {**clips, "metadata.jsonl": "\n".join(json.dumps(r) for r in rows)})


def test_segments_are_validated_against_their_files(tmp_path: Path, draft: Path) -> None:
    good = [{"file_name": "r0.wav", "text": f"part number {i}", "start": i, "end": i + 0.9} for i in range(9)]
    bad = [
        {"file_name": "r0.wav", "text": "ends before", "start": 3, "end": 2},
        {"file_name": "r0.wav", "text": "is outside", "start": 9, "end": 12},
        {"file_name": "r0.wav", "text": "too short", "start": 3, "end": 3.05},
        {"file_name": "r0.wav", "text": "no time", "start": "soon", "end": 3.05},
        {"file_name": "r0.wav", "text": "rounded", "start": 9.1, "end": 10.01},
    ]
    result = check(draft, parts(tmp_path / "in", good + bad))
    assert dropped(result) == {"part-backwards": 1, "part-outside": 1, "part-short": 1, "time-unreadable": 1}
    assert "(3 to 2 s)" in finding(result, "part-backwards")["message"]
    assert "(9 to 12 s of 10.00 s)" in finding(result, "part-outside")["message"]
    assert result["splits"] == {"train": 8, "validation": 2}, "one recording is parted: there is no other way"
    rows = {r["text"]: r for d in data.load(draft).values() for r in d}
    assert rows["part number 3"]["audio_seconds"] == pytest.approx(0.9)
    assert rows["rounded"]["audio_seconds"] == pytest.approx(0.9)
    assert (rows["part number 3"]["start"], rows["part number 3"]["end"]) == (3.0, 3.9)
    assert numbers(result, "Audio")["Total"] == "9.0 s"
    assert "same-audio-other-text" not in codes(result)


def test_segments_of_one_recording_stay_in_one_split(tmp_path: Path, draft: Path) -> None:
    rows = [
        {"file_name": f"r{k}.wav", "text": f"part {i} of {k}", "start": i, "end": i + 1}
        for k in range(6)
        for i in range(4)
    ]
    result = check(draft, parts(tmp_path / "in", rows, files=6, seconds=4.0))
    assert "'file'" in result["split_how"]
    sides = {n: {r["audio"]["path"] for r in d} for n, d in data.load(draft).items()}
    assert sides["validation"] and not sides["train"] & sides["validation"]


def test_clock_times_of_segments_are_parsed(tmp_path: Path, draft: Path) -> None:
    rows = [
        {"file_name": "r0.wav", "text": f"part {i}", "start": f"00:00:0{i}.5", "end": f"0:0{i + 1},4"} for i in range(8)
    ]
    result = check(draft, parts(tmp_path / "in", rows))
    assert not result["dropped"] and "at random" in result["split_how"]
    assert {(r["start"], r["end"]) for r in loaded(draft)} == {(i + 0.5, i + 1.4) for i in range(8)}


def test_times_in_milliseconds_are_converted_and_reported(tmp_path: Path, draft: Path) -> None:
    rows = [{"file_name": "r0.wav", "text": f"part {i}", "start": 1000 * i, "end": 1000 * i + 900} for i in range(9)]
    folder = parts(tmp_path / "in", rows)
    result = check(draft, folder)
    found = finding(result, "times-in-milliseconds")
    assert found["level"] == "warning" and not errors(result) and not result["dropped"]
    assert max(r["end"] for d in data.load(draft).values() for r in d) == pytest.approx(8.9)
    assert dropped(check(draft, folder, **found["fix"]["change"])) == {"part-outside": 9}


def test_a_silent_segment_of_a_loud_file_is_skipped(tmp_path: Path, draft: Path) -> None:
    samples = np.concatenate([tone(5.0)[:, 0], np.zeros(16_000 * 5)])
    rows = [{"file_name": "r0.wav", "text": f"part {i}", "start": i, "end": i + 1} for i in range(4)]
    rows.append({"file_name": "r0.wav", "text": "silence", "start": 6, "end": 8})
    folder = parts(tmp_path / "in", rows)
    (folder / "r0.wav").write_bytes(sound(samples=samples))
    assert dropped(check(draft, folder)) == {"audio-silent": 1}


def test_the_gallery_has_a_clip_of_some_segments(tmp_path: Path, draft: Path) -> None:
    rows = [
        {"file_name": "r0.wav", "text": f"part {i}", "start": i, "end": i + 0.5, "speaker": f"s{i}"} for i in range(9)
    ]
    panel = next(p for p in check(draft, parts(tmp_path / "in", rows))["gallery"] if p["kind"] == "gallery")
    assert len(panel["items"]) == 9
    for item in panel["items"]:
        assert audio_files.header(draft / item["file"]).seconds == pytest.approx(0.5)
        assert item["caption"].startswith("part ") and "0.5 s" in item["detail"] and item["detail"].startswith("s")


def test_audio_files_without_transcripts_are_an_error_with_a_hint(tmp_path: Path, draft: Path) -> None:
    result = check(draft, plant(tmp_path / "in", {"a/1.wav": sound(), "2.mp3": sound(format="MP3")}))
    found = finding(result, "nothing-but-files")
    assert "2 recordings have no transcripts" in found["message"] and "metadata.csv" in found["hint"]


def test_nothing_left_is_an_error(tmp_path: Path, draft: Path) -> None:
    rows = [{"file_name": "r0.wav", "text": f"part {i}", "start": 5, "end": i} for i in range(3)]
    assert "no-rows" in errors(check(draft, parts(tmp_path / "in", rows)))


def test_speakers_that_share_a_recording_stay_in_one_split(tmp_path: Path, draft: Path) -> None:
    spoken = ["a", "a+b", "b", "c", "d+e", "e", "f", "g", "h", "h+ i", "i", "j"] * 2
    lines = [json.dumps({"audio": f"{i}.wav", "text": f"Satz {i}", "speaker": s}) for i, s in enumerate(spoken)]
    files: dict[str, Any] = {f"{i}.wav": sound(1.0, hertz=200 + 10 * i) for i in range(len(spoken))}
    for share in (0.2, 0.3, 0.5):
        result = check(draft, plant(tmp_path / "in", {**files, "list.jsonl": "\n".join(lines)}), valid_fraction=share)
        assert "whole groups of 'speaker'" in result["split_how"]
        sides = [{p.strip() for name in part["speaker"] for p in name.split("+")} for part in data.load(draft).values()]
        assert len(sides) == 2 and not sides[0] & sides[1], share
