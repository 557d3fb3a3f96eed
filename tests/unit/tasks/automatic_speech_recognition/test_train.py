"""Speech recognition, trained for a few steps with tiny models of every kind on a language of tones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
import soundfile
import torch
from transformers import AutoModelForCTC, AutoTokenizer, pipeline

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.tasks.automatic_speech_recognition import tiny
from autotrain_gradio.tasks.automatic_speech_recognition import train as task
from autotrain_gradio.training import checkpoints
from tests.voices import RATE, Talk, dataset, prepare, record, speak

TEXTS = ("abba", "cab", "bad", "dab a", "add", "bead", "fad", "cafe")
Make = Callable[..., Talk]


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that prepares a run: 6 utterances to train on, 2 for validation, of two speakers."""

    def make(kind: str = "wav2vec2", texts: Any = TEXTS, rows: Any = None, labels: str = "", **more: Any) -> Talk:
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        if rows is None:
            rows = record(tmp_path / f"wav-{abs(hash(tuple(texts)))}", texts)
            rows = [{**row, "speaker": f"s{i % 2}"} for i, row in enumerate(rows)]
        folder = tmp_path / f"start-{kind}"
        if kind != "tiny" and not folder.exists():
            tiny.tiny_model(folder, list(labels), kind=kind)
        spec = {
            "task": "ASR",
            "model": "tiny" if kind == "tiny" else str(folder),
            "project_name": "tones",
            "data": {"source": "path", "path": str(tmp_path)},
            "params": {"epochs": 1, "batch_size": 3, "early_stopping_patience": 0, "logging_steps": 1, **more},
        }
        held = 2 if len(rows) > 3 else 0
        parts = {"train": dataset(rows[: len(rows) - held])}
        if held:
            parts["validation"] = dataset(rows[-held:])
        return prepare(Talk(tmp_path / "run", datasets.DatasetDict(parts), spec), monkeypatch)

    return make


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wav2vec2-bert", "parakeet", "whisper", "moonshine", "tdt"])
def test_every_family_trains_and_is_loaded_by_the_public_loader(talk: Make, kind: str, tmp_path: Path) -> None:
    made = talk(kind)
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    assert {"eval_wer", "eval_cer", "eval_wer_raw", "eval_substitutions", "eval_words", "eval_loss"} <= set(values)
    assert values["eval_words"] == 2
    wave = speak("abba")
    path = tmp_path / "new.wav"
    soundfile.write(path, wave, RATE)
    ours = task.load(made.directory)([{"audio": str(path)}])[0]
    assert ours["seconds"] == pytest.approx(0.6) and set(ours) == {"text", "seconds", "segments", "panels"}
    wave = soundfile.read(path, dtype="float32")[0]
    public = pipeline("automatic-speech-recognition", model=str(run.model))
    theirs = public(wave)["text"].strip()
    if kind not in {"whisper", "moonshine"}:  # the pipeline writes more labels than fit a tiny decoder's sentence
        assert theirs == ours["text"]
    card = (run.model / "README.md").read_text()
    assert "pipeline_tag: automatic-speech-recognition" in card and "| wer |" in card
    assert "the best of" not in card  # of one evaluation there is no choice


def test_the_tiny_model_learns_from_scratch(talk: Make) -> None:
    made = talk("tiny", texts=TEXTS * 4, epochs=25, metric_for_best_model="loss")
    task.train(made.reporter())
    rates = [e["values"]["eval_cer"] for e in made.events("metric") if "eval_cer" in e["values"]]
    assert min(rates) < 0.35 < rates[0]


def test_the_run_has_transcripts_curves_checkpoints_and_a_report(talk: Make) -> None:
    made = talk(epochs=2)
    task.train(made.reporter())
    card = (made.directory / "model" / "README.md").read_text()
    assert "the best of 2 evaluations on these same validation utterances" in card
    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 2 and samples[0]["kind"] == "transcripts"
    row = samples[0]["rows"][0]
    assert row["reference"] in TEXTS and row["cer"] >= 0 and (made.directory / row["file"]).is_file()
    assert sorted(made.losses()) == [1, 2, 3, 4]
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert {"Results", "Errors", "Worst utterances", "Each speaker", "Training"} <= set(report)
    worst = report["Worst utterances"]["rows"]
    assert worst and all((made.directory / r["file"]).is_file() for r in worst)
    assert [r[0] for r in report["Each speaker"]["rows"]] in (["s0", "s1"], ["s1", "s0"])
    assert not [p for p in (made.directory / "model").rglob("*") if p.suffix in {".bin", ".pkl", ".pt"}]


@pytest.mark.parametrize("script", ["कखग किताब", "pʰat͡sãː"])
def test_any_script_gets_a_new_vocabulary(talk: Make, script: str) -> None:
    texts = [script[i:] + script[:i].strip() for i in range(8)]
    made = talk(texts=[t.strip() for t in texts], tokens="graphemes")
    task.train(made.reporter())
    assert "a new one was built" in made.notes()
    tokenizer = AutoTokenizer.from_pretrained(made.directory / "model")
    known = set(tokenizer.get_vocab())
    assert {"कि" if script[0] == "क" else "t͡s"} <= known and not {"a", "b", "c"} <= known
    model = AutoModelForCTC.from_pretrained(made.directory / "model")
    assert model.lm_head.weight.shape[0] == len(tokenizer)


def test_a_sufficient_vocabulary_is_kept(talk: Make) -> None:
    made = talk(texts=[t.upper() for t in TEXTS])
    task.train(made.reporter())
    assert "vocabulary" not in made.notes()
    assert len(AutoTokenizer.from_pretrained(made.directory / "model")) == 30
    again = talk(vocabulary="new")
    task.train(again.reporter())
    assert len(AutoTokenizer.from_pretrained(again.directory / "model")) == 3 + 5


def test_the_adapter_of_a_language_is_trained_alone(talk: Make) -> None:
    made = talk("mms", language="hin", lr=0.01)
    task.train(made.reporter())
    assert "pretrained adapter for 'hin' is fine-tuned" in made.notes()
    before = AutoModelForCTC.from_pretrained(made.resolved.spec.model, target_lang="hin").state_dict()
    after = AutoModelForCTC.from_pretrained(made.directory / "model").state_dict()
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert changed and all("adapter_layer" in n or n.startswith("lm_head") for n in changed)
    assert (made.directory / "model" / "adapter.hin.safetensors").is_file()


def test_a_language_without_an_adapter_gets_a_new_one_and_its_own_vocabulary(talk: Make) -> None:
    made = talk("mms", texts=["कखग", "गख", "कक", "खग", "गगक", "क ख", "ख", "ग"], language="bho")
    task.train(made.reporter())
    assert "has no adapter for 'bho': a new adapter is trained" in made.notes()
    folder = made.directory / "model"
    assert (folder / "adapter.bho.safetensors").is_file()
    assert set("कखग") <= set(AutoTokenizer.from_pretrained(folder).get_vocab())


def test_whisper_gets_its_language(talk: Make) -> None:
    made = talk("whisper", language="Hindi")
    task.train(made.reporter())
    settings = json.loads((made.directory / "model" / "generation_config.json").read_text())
    assert settings["language"] == "<|hi|>" and settings["task"] == "transcribe"
    from autotrain_gradio.tasks.automatic_speech_recognition import models

    recognizer = models.open_recognizer(made.resolved.spec.model, made.params, ["a"], Path())
    names = recognizer.tokenizer.convert_ids_to_tokens(recognizer.encode("a"))
    assert names == ["<|hi|>", "<|transcribe|>", "<|notimestamps|>", "a", "<|endoftext|>"]


@pytest.mark.parametrize("language", [None, "Bhojpuri"])
def test_whisper_trains_and_predicts_without_an_unknown_language(talk: Make, language: str | None) -> None:
    made = talk("whisper", language=language)
    task.train(made.reporter())
    assert ("no token for 'Bhojpuri'" if language else "The language is not set") in made.notes()
    settings = json.loads((made.directory / "model" / "generation_config.json").read_text())
    assert settings["is_multilingual"] is False and "lang_to_id" not in settings
    from autotrain_gradio.tasks.automatic_speech_recognition import models

    recognizer = models.open_recognizer(made.resolved.spec.model, made.params, ["a"], Path())
    names = recognizer.tokenizer.convert_ids_to_tokens(recognizer.encode("a"))
    assert names == ["<|notimestamps|>", "a", "<|endoftext|>"]


def test_unusable_rows_are_skipped_and_counted(talk: Make, tmp_path: Path) -> None:
    rows = record(tmp_path / "w", [*TEXTS, "abcd" * 20])
    rows[0]["text"] = "far more text than the audio can hold " * 3
    rows[1]["text"] = "…"
    rows.insert(0, rows.pop())
    made = talk(rows=rows, max_duration=5.0, max_seq_length=100)
    task.train(made.reporter())
    notes = made.notes()
    assert "1 of 7 clips longer than 5 s was excluded" in notes
    assert "1 of 7 clips without a symbol of the vocabulary was excluded" in notes
    assert "1 of 7 clips whose transcript has more labels than the limit was excluded" in notes
    report = json.loads((made.directory / "report.json").read_text())
    assert len(next(p for p in report if p["title"] == "Excluded clips")["rows"]) == 3
    again = talk(rows=rows, max_duration=5.0, max_seq_length=1000)
    task.train(again.reporter())
    assert "whose transcript is too long for its audio" in again.notes()


def test_leading_and_trailing_silence_is_trimmed_on_request(talk: Make, tmp_path: Path) -> None:
    rows = record(tmp_path / "w", [*TEXTS, " " * 20 + "abba" + " " * 20])
    rows[-1]["text"] = "abba"
    rows.insert(0, rows.pop())
    made = talk(rows=rows, max_duration=2.0, too_long="trim")
    task.train(made.reporter())
    assert "1 clip fits after silence at its ends was trimmed." in made.notes() and "excluded" not in made.notes()


def test_no_usable_row_is_an_error_with_the_reason(talk: Make) -> None:
    with pytest.raises(DataError, match=r"6 of 6 clips longer than 0.1 s were excluded"):
        task.train(talk(max_duration=0.1).reporter())


def test_segments_of_a_recording_are_utterances(talk: Make, tmp_path: Path) -> None:
    row = record(tmp_path / "w", ["abcdabcdabcd"], seconds=0.2)[0]
    rows = [{"audio": row["audio"], "text": "abcd", "start": 0.8 * i, "end": 0.8 * (i + 1)} for i in range(3)]
    made = talk(rows=rows, vocabulary="new")
    task.train(made.reporter())
    assert "No metrics were computed" in json.loads((made.directory / "report.json").read_text())[0]["text"]
    assert len(made.losses()) == 1


def test_audio_of_another_sampling_rate_is_resampled(talk: Make, tmp_path: Path) -> None:
    rows = record(tmp_path / "w", TEXTS, rate=44_100)
    made = talk(rows=rows, sampling_rate=8000)
    task.train(made.reporter())
    assert "a sampling rate of 16,000 Hz" in made.notes() and "8,000" in made.notes()


def test_the_same_seed_gives_the_same_training(talk: Make) -> None:
    more = {"epochs": 2, "speed_perturbation": True}
    first, second = talk(**more), None
    task.train(first.reporter())
    losses = first.losses()
    second = talk(**more)
    task.train(second.reporter())
    assert second.losses() == losses


@pytest.mark.parametrize(
    ("kind", "at", "more"),
    [
        ("wav2vec2", 2, {}),
        ("wav2vec2", 5, {"speed_perturbation": True}),
        ("wav2vec2", 5, {"peft": True, "lora_r": 2, "vocabulary": "new"}),
        ("mms", 5, {"language": "bho", "vocabulary": "new"}),
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one(talk: Make, kind: str, at: int, more: dict[str, Any]) -> None:
    more = {**more, "epochs": 2, "batch_size": 2, "lr": 0.01}
    whole = talk(kind, **more)
    task.train(whole.reporter())
    expected = whole.losses()
    made = talk(kind, **more)
    made.record.enqueue(resume=False)
    run = made.reporter()
    original = run.metric

    def stop_after_one(step: int, epoch: float, **values: float) -> None:
        original(step, epoch, **values)
        if step == at - 1:
            run.request_stop()

    run.metric = stop_after_one
    task.train(run)
    run.close()
    assert (made.directory / "model" / "model.safetensors").is_file()
    last = max(made.losses())
    assert checkpoints.is_complete(run.checkpoints / f"checkpoint-{last}") and last == at
    task.train(made.reporter(attempt=2))
    rest = made.losses(2)
    assert sorted(rest) == list(range(last + 1, 7))
    assert {s: rest[s] for s in rest} == pytest.approx({s: expected[s] for s in rest}, rel=1e-4)


@pytest.mark.parametrize("kind", ["wav2vec2", "parakeet", "whisper"])
def test_lora_adapters_are_merged_into_the_saved_model(talk: Make, kind: str) -> None:
    new = {"vocabulary": "new"} if kind != "whisper" else {}
    made = talk(kind, peft=True, lora_r=2, lr=0.01, **new)
    task.train(made.reporter())
    assert "LoRA: " in made.notes()
    folder = made.directory / "model"
    assert not list(folder.glob("adapter*"))
    start = json.loads((Path(made.resolved.spec.model) / "config.json").read_text())
    assert json.loads((folder / "config.json").read_text())["architectures"] == start["architectures"]
    assert task.load(made.directory)


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_a_frozen_encoder_is_unchanged(talk: Make, kind: str) -> None:
    from safetensors.torch import load_file

    made = talk(kind, freeze_encoder=True, lr=0.01)
    task.train(made.reporter())
    before = load_file(Path(made.resolved.spec.model) / "model.safetensors")
    after = load_file(made.directory / "model" / "model.safetensors")
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert changed
    inside = "wav2vec2." if kind == "wav2vec2" else "model.encoder."
    assert not [n for n in changed if n.startswith(inside)]
    with pytest.raises(UserError, match="cannot be combined"):
        task.train(talk(kind, freeze_encoder=True, peft=True).reporter())


def test_accumulated_batches_are_averaged(talk: Make) -> None:
    made = talk(gradient_accumulation=2, gradient_checkpointing=True)
    plain = talk()
    task.train(made.reporter())
    with_two = made.losses()[1]
    task.train(plain.reporter())
    assert with_two < 1.5 * max(plain.losses().values())


def test_the_length_found_by_the_check_is_used(talk: Make, tmp_path: Path) -> None:
    rows = [{**row, "audio_seconds": 9.0 if i == 0 else 0.6} for i, row in enumerate(record(tmp_path / "w", TEXTS))]
    made = talk(rows=rows, max_duration=5.0)
    task.train(made.reporter())
    assert "1 of 6 clips longer than 5 s was excluded" in made.notes()


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_audio_of_any_length_is_transcribed_in_parts(talk: Make, tmp_path: Path, kind: str) -> None:
    made = talk(kind)
    task.train(made.reporter())
    predictor = task.load(made.directory)
    path = tmp_path / "long.wav"
    soundfile.write(path, speak(("abcabc" + " " * 4) * 24), RATE)
    found = predictor([{"audio": str(path)}])[0]
    assert found["seconds"] == pytest.approx(36.0)
    segments = found["segments"]
    assert len(segments) >= (2 if kind == "wav2vec2" else 9), "Whisper's window is 4 s here"
    assert all(a["end"] == b["start"] for a, b in zip(segments, segments[1:], strict=False))
    assert found["text"] == " ".join(s["text"] for s in segments)
    with pytest.raises(UserError, match="No audio"):
        predictor([{"audio": None}])
    assert predictor([]) == []
