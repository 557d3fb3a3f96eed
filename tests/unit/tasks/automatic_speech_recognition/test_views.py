"""Speech recognition before the training: the preview, and what is known of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

from autotrain_gradio.tasks.automatic_speech_recognition import tiny
from autotrain_gradio.tasks.automatic_speech_recognition import train as task
from autotrain_gradio.tasks.registry import resolve
from tests.voices import Talk, dataset, prepare, record


def prepared(folder: Path, patch: pytest.MonkeyPatch, texts: list[str], model: str, **params: Any) -> Talk:
    rows = datasets.DatasetDict({"train": dataset(record(folder / "wav", texts))})
    spec = {"task": "asr", "model": model, "data": {"source": "path", "path": str(folder)}, "params": params}
    return prepare(Talk(folder / "run", rows, spec), patch)


def look(talk: Talk, **context: Any) -> dict[str, Any]:
    panels = task.preview(talk.directory, talk.resolved.spec, talk.params, context)
    return {p["title"]: p for p in panels}


def test_the_preview_has_audio_labels_and_the_new_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prepared(tmp_path, monkeypatch, ["कि का!"] * 5 + ["ङ"], "tiny", tokens="graphemes", speed_perturbation=True)
    others = [made.directory / "preview" / name for name in ("old.wav", "picker/heard.wav")]
    others[1].parent.mkdir(parents=True)
    for file in others:
        file.touch()
    shown = look(made, rows=2)
    assert [f.exists() for f in others] == [False, True], "what a picker lets one hear stays"
    files = [made.directory / i["file"] for i in shown["Training clips"]["items"]]
    assert len(files) == 6 and len({f.stat().st_size for f in files[:3]}) == 3
    learned = shown["Transcripts and labels"]["rows"]
    assert ["कि का!", "कि का", "कि | का", 3] in [row[1:] for row in learned]
    symbols = {row[0]: row[1:] for row in shown["The new vocabulary"]["rows"]}
    assert symbols["कि"] == [5, "U+0915 U+093F", ""]
    assert symbols["ङ"] == [1, "U+0919", "rare: hard to learn"]


def test_the_preview_lists_characters_outside_the_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.tiny_model(tmp_path / "start", list("ab"), kind="wav2vec2")
    made = prepared(tmp_path, monkeypatch, ["ab"] * 200 + ["ac"], str(folder))
    shown = look(made, rows=1)
    symbols = {row[0]: row[3] for row in shown["The symbols of the transcripts"]["rows"]}
    assert symbols == {"c": "unknown to the model", "a": "", "b": ""}
    assert "lacks 0.25%" in shown["The symbols of the transcripts"]["note"]


def test_the_preview_of_a_remote_model_downloads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prepared(tmp_path, monkeypatch, ["ab"], "openai/whisper-tiny")
    assert "not downloaded yet" in look(made, rows=1)["Transcripts and labels"]["note"]


def test_the_preview_shows_the_prompt_of_whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.tiny_model(tmp_path / "start", kind="whisper")
    made = prepared(tmp_path, monkeypatch, ["Ab, c."], str(folder), language="hi")
    row = look(made, rows=1)["Transcripts and labels"]["rows"][0]
    assert row[1:3] == ["Ab, c.", "Ab, c."]


@pytest.mark.parametrize(
    ("kind", "named", "labels"),
    [("wav2vec2", "Wav2Vec2ForCTC (CTC)", 28), ("whisper", "(encoder–decoder)", None), ("parakeet", "(CTC)", 28)],
)
def test_the_probe_reports_family_size_and_vocabulary(
    tmp_path: Path, kind: str, named: str, labels: int | None
) -> None:
    folder = tiny.tiny_model(tmp_path, kind=kind)
    resolved = resolve({"task": "asr", "model": str(folder)})
    found = task.probe(resolved.spec, resolved.params, {})
    assert named in found["task"] and found["sampling_rate"] == 16_000
    assert found["parameters"] > 10_000 and (
        found["labels"] is None if labels is None else len(found["labels"]) == labels
    )


def test_the_probe_reports_languages(tmp_path: Path) -> None:
    folder = tiny.tiny_model(tmp_path / "mms", kind="mms")
    resolved = resolve({"task": "asr", "model": str(folder), "params": {"language": "bho"}})
    found = task.probe(resolved.spec, resolved.params, {})
    assert found["languages"] == ["eng", "hin"]
    assert "adapters for 2 languages; with 'bho' a new one is trained" in found["findings"][0]["message"]
    folder = tiny.tiny_model(tmp_path / "whisper", kind="whisper")
    for language, said in ((None, "with a language token"), ("Bhojpuri", "no token for 'Bhojpuri'"), ("hindi", None)):
        resolved = resolve({"task": "asr", "model": str(folder), "params": {"language": language}})
        messages = [f["message"] for f in task.probe(resolved.spec, resolved.params, {})["findings"]]
        assert (said in messages[0]) if said else not messages


def test_the_probe_of_an_unsuitable_model_is_a_finding(tmp_path: Path) -> None:
    from transformers import BertConfig

    BertConfig(architectures=["BertModel"]).save_pretrained(tmp_path)
    resolved = resolve({"task": "asr", "model": str(tmp_path)})
    found = task.probe(resolved.spec, resolved.params, {})["findings"]
    assert found[0]["code"] == "model-wrong-task"
    tiny_spec = resolve({"task": "asr", "model": "tiny"})
    assert task.probe(tiny_spec.spec, tiny_spec.params, {})["parameters"] > 100_000
