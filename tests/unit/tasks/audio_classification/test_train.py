"""Audio classification, trained for a few steps with small models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from transformers import AutoModelForAudioClassification

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.audio_classification import TASK, tiny
from autotrain_gradio.tasks.audio_classification import train as task
from autotrain_gradio.training.evaluators.classifier import ClassEvaluator
from tests.unit.tasks.audio_classification.conftest import RATE, TONES, tone

Make = Callable[..., Any]


def run_loader_example(model: Path, value: Path) -> Any:
    """Run the code of the docs."""
    namespace: dict[str, Any] = {"model": str(model), "value": str(value)}
    exec(TASK.loader_example, namespace)
    return namespace["answer"], namespace["scores"]


def results(made: Any) -> dict[str, float]:
    values: dict[str, float] = made.events("result")[-1]["values"]
    return values


def test_a_trained_model_hears_the_difference_in_clips_of_any_length(clip_trial: Make, tmp_path: Path) -> None:
    made = clip_trial(epochs=4, max_length_seconds=1.0)
    task.train(made.reporter())
    assert results(made)["eval_accuracy"] == 1.0
    assert [e["message"] for e in made.events("note")][1:] == [
        "12 of 16 training clips are longer than 1 s: of these, a random crop of this length is used in each epoch.",
        "2 of 4 validation clips are longer than 1 s: the scores of their windows of 1 s are averaged.",
    ]
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert set(report) == {"Results", "Confusion matrix", "Each class", "Most confident mistakes", "Training"}
    items = made.events("sample")[-1]["panel"]["items"]
    assert len(items) == 4 and all((made.directory / i["file"]).is_file() and i["tone"] == "good" for i in items)
    predictor = task.load(made.directory)
    new = tmp_path / "new.wav"
    soundfile.write(new, tone("high", 4.3, 7, 44_100), 44_100)
    found = predictor([{"audio": str(new)}])[0]
    assert found["label"] == "high" and "Mean scores of 5 windows of 1 s" in found["note"]
    answer, scores = run_loader_example(made.directory / "model", new)
    assert answer == "high" and scores == pytest.approx(found["scores"], abs=2e-3)
    with pytest.raises(UserError, match="No audio"):
        predictor([{"audio": None}])
    card = (made.directory / "model" / "README.md").read_text()
    assert "pipeline_tag: audio-classification" in card and "maximum length of an input (s)" in card


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_what_an_evaluation_records_is_what_a_prediction_of_one_clip_says(
    clip_trial: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Also of models without an attention mask, whose batches must not be padded."""
    start = task.tiny_model(tmp_path / "start", list(TONES), kind=kind)
    made = clip_trial(model=str(start), max_length_seconds=1.0, data={"valid_fraction": 0.4})
    recorded: dict[int, float] = {}
    original = ClassEvaluator.update

    def recording(self: Any, outputs: Any, targets: Any, rows: Any) -> None:
        recorded.update(zip(rows.tolist(), outputs[1].tolist(), strict=True))
        original(self, outputs, targets, rows)

    monkeypatch.setattr(ClassEvaluator, "update", recording)
    task.train(made.reporter())
    rows = data.load(made.directory)["validation"]
    predictor = task.load(made.directory)
    alone = [max(predictor([{"audio": a["path"]}])[0]["scores"].values()) for a in rows["audio"]]
    together = [max(p["scores"].values()) for p in predictor([{"audio": a["path"]} for a in rows["audio"]])]
    assert len(recorded) == len(rows) == 8
    assert [recorded[i] for i in range(8)] == pytest.approx(alone, abs=1e-5)
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Clips with no tone, one or both, and a table of them."""
    folder, rows = tmp_path / "several", []
    folder.mkdir()
    for i in range(30):
        names = [name for k, name in enumerate(TONES) if (i >> k) & 1]
        wave = sum((tone(name, 1.5, 10 * i) for name in names), np.random.default_rng(i).normal(0, 0.005, 24_000))
        soundfile.write(folder / f"{i}.wav", wave, RATE)
        rows.append(json.dumps({"file_name": f"{i}.wav", "labels": names}) + "\n")
    (folder / "metadata.jsonl").write_text("".join(rows))
    return folder


def test_multi_label(clip_trial: Make, several: Path) -> None:
    made = clip_trial(path=several, epochs=5, max_length_seconds=1.0, class_weights="balanced")
    task.train(made.reporter())
    values = results(made)
    assert values["eval_accuracy"] > 0.7 and values["eval_hamming_loss"] < 0.2
    model = AutoModelForAudioClassification.from_pretrained(made.directory / "model")
    assert set(model.config.label_thresholds) == set(TONES)
    report = {p["title"] for p in json.loads((made.directory / "report.json").read_text())}
    assert {"Each label", "Most confident mistakes"} <= report
    found = task.load(made.directory)([{"audio": str(several / "3.wav")}])[0]
    answer, scores = run_loader_example(made.directory / "model", several / "3.wav")
    assert set(answer) == set(found["labels"]) == set(TONES)
    assert scores == pytest.approx(found["scores"], abs=1e-4)


def test_mistakes_are_played(clip_trial: Make) -> None:
    made = clip_trial(lr=1e-9)
    task.train(made.reporter())
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    mistakes = report["Most confident mistakes"]
    assert results(made)["eval_accuracy"] < 1 and mistakes["items"]
    for item in mistakes["items"]:
        assert (
            item["file"].startswith("report/") and (made.directory / item["file"]).is_file() and item["tone"] == "bad"
        )


def test_a_frozen_backbone_is_unchanged(clip_trial: Make, tmp_path: Path) -> None:
    for kind, head in (("wav2vec2", ("classifier", "projector")), ("whisper", ("classifier", "projector"))):
        start = task.tiny_model(tmp_path / kind, ["a", "b", "c"], kind=kind)
        made = clip_trial(run=f"run-{kind}", model=str(start), freeze_backbone=True, lr=0.1)
        task.train(made.reporter())
        before = AutoModelForAudioClassification.from_pretrained(start).state_dict()
        after = AutoModelForAudioClassification.from_pretrained(made.directory / "model").state_dict()
        changed = {n for n in before if before[n].shape != after[n].shape or not torch.equal(before[n], after[n])}
        assert changed and all(n.startswith(head) for n in changed)


def test_a_longer_input_than_the_model_takes_is_reported(clip_trial: Make) -> None:
    made = clip_trial(max_length_seconds=20)
    run = made.reporter()
    task.train(run)
    assert "The model takes at most 3.015 s at once: that is the maximum length, not 20 s." in [
        e["message"] for e in made.events("note")
    ]
    assert AutoModelForAudioClassification.from_pretrained(run.model).config.window_seconds == pytest.approx(3.015)


def test_the_preview_shows_inputs_as_the_training_gets_them(clip_trial: Make) -> None:
    made = clip_trial(max_length_seconds=1.0)
    spec, params = made.resolved.spec, made.resolved.params
    lengths, gallery = task.preview(made.directory, spec, params, {"clips": 6, "versions": 2})
    assert "12 of 16 training clips are longer than 1 s" in lengths["note"]
    assert "16 training clips are shorter than the input of the model, 3.015 s, and padded" in lengths["note"]
    whole = [i for i in gallery["items"] if i["caption"] == "whole clip"]
    crops = [i for i in gallery["items"] if i["caption"].startswith("epoch")]
    assert crops and len(gallery["items"]) == len(whole) + len(crops)
    kinds = [Path(i["file"]).suffix for i in gallery["items"]]
    assert kinds.count(".png") == kinds.count(".wav") == len(kinds) / 2
    assert all((made.directory / i["file"]).is_file() for i in gallery["items"])
    waves = [soundfile.read(made.directory / i["file"])[0] for i in crops if i["file"].endswith(".wav")]
    assert {len(w) for w in waves} == {RATE} and not np.array_equal(waves[0], waves[1])
    again = params.model_copy(update={"noise": True, "speed_perturbation": True})
    varied = task.preview(made.directory, spec, again, {"clips": 6, "versions": 6})[1]
    captions = " ".join(i["caption"] for i in varied["items"])
    assert "noise at" in captions and "times the speed" in captions


def test_the_crops_of_the_training_are_those_of_the_preview(clip_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = clip_trial(max_length_seconds=1.0, noise=True, epochs=2)
    seen: list[tuple[int, int]] = []
    original = task.Clips.crop

    def recording(self: Any, row: int, epoch: int) -> Any:
        seen.append((row, epoch))
        found = original(self, row, epoch)
        assert np.array_equal(found[0], original(self, row, epoch)[0]), "it is drawn by seed, epoch and row alone"
        return found

    monkeypatch.setattr(task.Clips, "crop", recording)
    task.train(made.reporter())
    assert sorted(set(seen)) == [(row, epoch) for row in range(16) for epoch in range(2)]


def test_the_probe_describes_a_model_and_refuses_others(clip_trial: Make, tmp_path: Path) -> None:
    made = clip_trial()
    facts = task.probe(made.resolved.spec, made.resolved.params, {})
    assert facts["sampling_rate"] == RATE and facts["parameters"] > 10_000 and not facts["findings"]
    start = task.tiny_model(tmp_path / "start", ["one", "two"], kind="hubert")
    spec = made.resolved.spec.model_copy(update={"model": str(start)})
    facts = task.probe(spec, made.resolved.params, {})
    assert facts["task"] == "HubertForSequenceClassification" and facts["labels"] == ["one", "two"]
    config = json.loads((start / "config.json").read_text())
    (start / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    assert [f["code"] for f in task.probe(spec, made.resolved.params, {})["findings"]] == ["model-wrong-task"]
    shutil.rmtree(start)
