"""Data of audio classification: layouts, checks of the audio and the classes, and splits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from autotrain_gradio.core.assets import sample_folder
from autotrain_gradio.tasks.audio_classification import TASK
from tests.cases.conftest import Checked, check_path
from tests.unit.tasks.audio_classification.conftest import RATE, TONES, record, tone

NAME = TASK.name


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    return record(tmp_path / "clips", 10)


def classes(found: Checked) -> set[str]:
    return {found.classes[row["target"]] for row in found.rows()}


def test_folders_and_a_zip_of_them(tmp_path: Path, clips: Path) -> None:
    found = check_path(tmp_path / "a", NAME, clips)
    assert not found.errors and classes(found) == set(TONES) and found.result["splits"]["validation"] == 4
    items = [i for p in found.result["gallery"] for i in p["items"]]
    assert sorted(i["group"] for i in items) == ["high"] * 3 + ["low"] * 3, "some clips of each class are played"
    archive = shutil.make_archive(str(tmp_path / "zipped" / "clips"), "zip", clips)
    assert classes(check_path(tmp_path / "b", NAME, Path(archive))) == set(TONES)


def test_a_table_with_parts_and_parquet_with_embedded_audio(tmp_path: Path, clips: Path) -> None:
    table = tmp_path / "table"
    shutil.copytree(clips, table / "audio")
    rows = [f"audio/{name}/{i}.wav,{name},0.1,0.35\n" for name in TONES for i in range(10)]
    (table / "metadata.csv").write_text("file_name,label,start,end\n" + "".join(rows))
    found = check_path(tmp_path / "a", NAME, table)
    assert not found.errors and found.column("audio_seconds") == pytest.approx([0.25] * 20)
    folder = tmp_path / "embedded"
    folder.mkdir()
    files = [(name, (clips / name / f"{i}.wav").read_bytes()) for name in TONES for i in range(10)]
    audio = pa.array(
        [{"bytes": b, "path": None} for _, b in files], pa.struct({"bytes": pa.binary(), "path": pa.string()})
    )
    pq.write_table(pa.table({"audio": audio, "label": [name for name, _ in files]}), folder / "train.parquet")
    assert classes(check_path(tmp_path / "b", NAME, folder)) == set(TONES)


def test_bad_audio_and_classes_are_found(tmp_path: Path, clips: Path) -> None:
    soundfile.write(clips / "low" / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(clips / "low" / "short.wav", tone("low", 0.05, 1), RATE)
    (clips / "low" / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing")
    (clips / "rare").mkdir()
    soundfile.write(clips / "rare" / "0.wav", tone("low", 1, 5), RATE)
    found = check_path(tmp_path / "a", NAME, clips)
    codes = found.codes("warning")
    assert {"audio-silent", "audio-short", "class-with-one-row"} <= set(codes)
    assert any(code in codes for code in ("audio-corrupt", "audio-zero", "audio-unknown", "audio-cut"))
    assert len(found.rows()) == 21
    shutil.rmtree(clips / "rare")
    shutil.rmtree(clips / "low")
    assert "one-class" in check_path(tmp_path / "b", NAME, clips).errors


def test_the_hint_for_other_files_is_about_recordings(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("text\none\ntwo\n")
    found = check_path(tmp_path / "a", NAME, tmp_path / "notes.csv")
    assert "with its recordings inside" in found.message("layout-unknown")


def test_duplicates_across_splits_are_found(tmp_path: Path, clips: Path) -> None:
    split = tmp_path / "split"
    shutil.copytree(clips, split / "train")
    shutil.copytree(clips, split / "validation")
    assert "same-in-train-and-validation" in check_path(tmp_path / "a", NAME, split).codes("warning")


def test_long_clips_are_no_problem(tmp_path: Path) -> None:
    folder = record(tmp_path / "clips", 5, longest=35)
    found = check_path(tmp_path / "a", NAME, folder)
    assert "audio-long" not in found.codes(), "speech recognition skips them, this task does not"


@pytest.mark.parametrize("column", ["speaker", "recording"])
def test_speakers_and_recordings_are_not_divided(tmp_path: Path, clips: Path, column: str) -> None:
    rows = [f"{name}/{i}.wav,{name},{column}-{i}\n" for name in TONES for i in range(10)]
    (clips / "metadata.csv").write_text(f"file_name,label,{column}\n" + "".join(rows))
    found = check_path(tmp_path / "a", NAME, clips)
    splits = {split: set(found.column(column, split)) for split in ("train", "validation")}
    assert splits["train"] and splits["validation"] and not splits["train"] & splits["validation"]


def test_parts_of_a_recording_are_not_divided(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    rows = ["file_name,start,end,label\n"]
    for number in range(8):
        soundfile.write(folder / f"{number}.wav", tone("low", 4.0, number), RATE)
        rows += [f"{number}.wav,{part},{part + 1},{name}\n" for part, name in enumerate([*TONES] * 2)]
    (folder / "metadata.csv").write_text("".join(rows))
    found = check_path(tmp_path / "a", NAME, folder)
    files = {split: {Path(a["path"]).name for a in found.column("audio", split)} for split in ("train", "validation")}
    assert files["train"] and files["validation"] and not files["train"] & files["validation"]


@pytest.mark.parametrize("sample", TASK.samples, ids=lambda s: s.name)
def test_the_samples_are_small_and_without_problems(tmp_path: Path, sample: object) -> None:
    folder = sample_folder(sample.path)  # type: ignore[attr-defined]
    assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) < 300_000
    found = check_path(tmp_path / "a", NAME, folder)
    assert not found.codes("error", "warning"), json.dumps(found.result["findings"])
    assert sorted(found.classes) == ["bell", "bird", "drum", "siren"]
