"""Text classification, trained for a few steps with tiny models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from markdown_it import MarkdownIt
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    GPT2Config,
    GPT2ForSequenceClassification,
    Trainer,
    pipeline,
)

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.tasks.text_classification import models
from autotrain_gradio.tasks.text_classification import train as task
from autotrain_gradio.training.class_labels import Labels
from autotrain_gradio.training.classification_loss import loss_function
from autotrain_gradio.training.label_sets import LabelSets
from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer

Make = Callable[..., Any]


def report_of(made: Any) -> dict[str, dict[str, Any]]:
    return {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}


def test_a_trained_model_is_loaded_by_the_public_loaders_and_predicts(text_trial: Make) -> None:
    made = text_trial(epochs=12)
    run = made.reporter()
    task.train(run)
    model = AutoModelForSequenceClassification.from_pretrained(run.model)
    assert model.config.id2label == {0: "animal", 1: "fruit", 2: "tool"}
    assert AutoTokenizer.from_pretrained(run.model).model_max_length == 128
    classifier = pipeline("text-classification", model=str(run.model))
    assert classifier("my old hammer and a saw", truncation=True)[0]["label"] == "tool"
    predictor = task.load(made.directory)
    found = predictor([{"text": "the good dog near the horse"}, {"text": "peach and plum"}])
    assert [f["label"] for f in found] == ["animal", "fruit"]
    assert sum(found[0]["scores"].values()) == pytest.approx(1, abs=1e-5) and "note" not in found[0]
    assert made.events("result")[-1]["values"]["eval_accuracy"] > 0.9
    with pytest.raises(UserError, match="text is empty"):
        predictor([{"text": " "}])
    assert predictor([]) == []


def test_batched_predictions_equal_single_predictions(text_trial: Make) -> None:
    made = text_trial()
    task.train(made.reporter())
    predictor = task.load(made.directory)
    texts = [" ".join(["dog"] * n) for n in (1, 40, 7, 400, 3)]
    together = predictor([{"text": t} for t in texts])
    for text, found in zip(texts, together, strict=True):
        alone = predictor([{"text": text}])[0]
        assert alone["label"] == found["label"]
        assert alone["scores"] == pytest.approx(found["scores"], abs=1e-4)
    assert [("note" in f) for f in together] == [False, False, False, True, False]
    assert together[3]["note"] == "The text has 402 tokens and was truncated to the first 128."


def test_the_record_has_curves_samples_and_a_report(text_trial: Make) -> None:
    made = text_trial(epochs=3)
    task.train(made.reporter())
    values = {name for e in made.events("metric") for name in e["values"]}
    assert {"loss", "samples_per_second", "eval_loss", "eval_accuracy", "eval_f1_macro"} <= values
    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 3 and len(samples[0]["rows"]) == 8
    assert {tuple(row[0] for row in s["rows"]) for s in samples} == {tuple(r[0] for r in samples[0]["rows"])}
    report = report_of(made)
    assert list(report) == ["Results", "Confusion matrix", "Each class", "Most confident mistakes", "Training"]
    matrix = np.asarray(report["Confusion matrix"]["values"])
    wrong = int(matrix.sum() - np.trace(matrix))
    assert matrix.sum() == 12 and len(report["Most confident mistakes"]["rows"]) == wrong
    card = (made.directory / "model" / "README.md").read_text()
    assert "pipeline_tag: text-classification" in card and 'pipeline("text-classification"' in card


def test_metrics_match_the_rows_after_sorting_by_length(text_trial: Make) -> None:
    made = text_trial(epochs=6)
    task.train(made.reporter())
    from autotrain_gradio import data

    rows = data.load(made.directory)["validation"]
    names = rows.features["target"].names
    found = task.load(made.directory)([{"text": t} for t in rows["text"]])
    right = np.mean([f["label"] == names[i] for f, i in zip(found, rows["target"], strict=True)])
    assert made.events("result")[-1]["values"]["eval_accuracy"] == pytest.approx(right)
    mistakes = {row[0]: row[3] for row in report_of(made)["Most confident mistakes"]["rows"]}
    told = {t: names[i] for t, i in zip(rows["text"], rows["target"], strict=True)}
    assert mistakes == {text: told[text] for text in mistakes}


def test_multi_label_thresholds_are_saved_with_the_model(text_trial: Make) -> None:
    made = text_trial(several=True, epochs=12)
    task.train(made.reporter())
    config = json.loads((made.directory / "model" / "config.json").read_text())
    limits = config["label_thresholds"]
    assert config["problem_type"] == "multi_label_classification" and set(limits) == {"animal", "fruit", "tool"}
    found = task.load(made.directory)([{"text": "the dog and a cat under my apple and a plum"}])[0]
    assert "label" not in found and found["thresholds"] == pytest.approx(limits)
    assert set(found["labels"]) == {n for n, s in found["scores"].items() if s >= limits[n]}
    report = report_of(made)
    assert list(report) == ["Results", "Each label", "Most confident mistakes", "Training"]
    assert [row[0] for row in report["Each label"]["rows"]] == ["animal", "fruit", "tool"]
    assert [row[1] for row in report["Each label"]["rows"]] == pytest.approx(
        [limits[n] for n in sorted(limits)], abs=1e-4
    )
    values = made.events("result")[-1]["values"]
    assert {"eval_accuracy", "eval_hamming_loss", "eval_f1_macro", "eval_auc"} <= set(values)
    assert values["eval_f1_macro"] > 0.8
    # The card's few lines say the same as the predictor.
    card = (made.directory / "model" / "README.md").read_text()
    said = "those of each half of these texts use thresholds tuned on the other half."
    assert said in card and said in report["Each label"]["note"]
    chosen = "The checkpoint is the best of 12 evaluations on these same validation texts: on new texts, expect"
    assert chosen in card and chosen in report["Results"]["note"]
    lines = card.split("```python\n")[1].split("```")[0].replace("./things", str(made.directory / "model"))
    lines = lines.replace("Your text", "the dog and a cat under my apple and a plum")
    scope: dict[str, Any] = {}
    exec(lines, scope)
    assert set(scope["answer"]) == set(found["labels"])


def test_untuned_thresholds_have_the_given_value(text_trial: Make) -> None:
    made = text_trial(
        several=True, tune_thresholds=False, threshold=3e-7, epochs=1
    )  # 0 would give each label to every text
    task.train(made.reporter())
    config = json.loads((made.directory / "model" / "config.json").read_text())
    assert set(config["label_thresholds"].values()) == {3e-7}
    said = "A label is assigned if its score is at least 3e-07."
    assert said == report_of(made)["Each label"]["note"]
    card = (made.directory / "model" / "README.md").read_text()
    assert said in card and "other half" not in card
    # Of one evaluation there was no choice.
    assert "the best of" not in card and "the best of" not in report_of(made)["Results"]["note"]


def test_adapters_are_merged_and_trained_with_the_head_only(
    text_trial: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = models.tiny_model(tmp_path / "base", ["a", "b"], texts=["my old dog and the new apple"] * 3)
    made = text_trial(model=str(base), peft=True, lora_r=4, epochs=4, lr=0.005)
    seen: list[set[str]] = []
    original = Trainer.train

    def spying(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        seen.append({n for n, p in self.model.named_parameters() if p.requires_grad})
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "train", spying)
    task.train(made.reporter())
    assert seen[0] and all("lora_" in n or ".head." in n or ".classifier." in n for n in seen[0])
    assert any("lora_" in n for n in seen[0]) and any(".classifier." in n for n in seen[0])
    files = {p.name for p in (made.directory / "model").iterdir()}
    assert "model.safetensors" in files and not any("adapter" in f for f in files)
    trained = AutoModelForSequenceClassification.from_pretrained(made.directory / "model").state_dict()
    before = AutoModelForSequenceClassification.from_pretrained(base).state_dict()
    assert set(trained) == set(before)
    assert torch.equal(
        trained["model.embeddings.tok_embeddings.weight"], before["model.embeddings.tok_embeddings.weight"]
    )
    assert not torch.equal(trained["model.layers.0.attn.Wqkv.weight"], before["model.layers.0.attn.Wqkv.weight"])
    assert any("adapters were merged" in e["message"] for e in made.events("note"))
    assert made.events("result")[-1]["values"]["eval_loss"] < 0.8


def test_a_run_with_adapters_is_resumed(text_trial: Make) -> None:
    made = text_trial(peft=True, epochs=4)
    stop_and_resume(made, after=8, total=24)


def test_missing_lora_target_modules_are_named(text_trial: Make) -> None:
    with pytest.raises(UserError) as caught:
        task.train(text_trial(peft=True, target_modules="Wqk, Wi").reporter())
    finding = caught.value.findings[0]
    assert finding.where == "params.target_modules" and "'Wqk'" in finding.message and "Wqkv" in finding.hint


def test_a_frozen_backbone_is_unchanged(text_trial: Make, tmp_path: Path) -> None:
    base = models.tiny_model(tmp_path / "base", ["a", "b"], texts=["my old dog and the new apple"] * 3)
    made = text_trial(model=str(base), freeze_backbone=True)
    task.train(made.reporter())
    trained = AutoModelForSequenceClassification.from_pretrained(made.directory / "model").state_dict()
    before = AutoModelForSequenceClassification.from_pretrained(base).state_dict()
    same = {n for n in before if before[n].shape == trained[n].shape and torch.equal(before[n], trained[n])}
    assert {n for n in before if n.startswith("model.")} <= same
    assert "head.dense.weight" not in same and "classifier.weight" not in same


def stop_and_resume(made: Any, *, after: int, total: int) -> None:
    made.record.enqueue(resume=False)
    run = made.reporter()
    original = run.metric

    def stop(step: int, epoch: float, **values: float) -> None:
        original(step, epoch, **values)
        if step == after:
            run.request_stop()

    run.metric = stop
    task.train(run)
    run.close()
    assert (made.directory / "model" / "model.safetensors").is_file()
    assert max(made.steps()) in {after, after + 1}
    again = made.reporter(attempt=2)
    task.train(again)
    assert min(made.steps(2)) == max(made.steps()) + 1 and max(made.steps(2)) == total


def test_a_resumed_run_continues_with_the_remaining_rows(text_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[int, ...]] = []
    original = Trainer.training_step

    def watching(self: Trainer, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        read.append(tuple(inputs["input_ids"].sum(dim=1).tolist()))
        return original(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(Trainer, "training_step", watching)
    task.train(text_trial(epochs=2, run="whole").reporter())
    whole, read[:] = list(read), []
    stop_and_resume(text_trial(epochs=2), after=3, total=12)
    assert read == whole
    assert sorted(s for batch in whole[:6] for s in batch) == sorted(s for batch in whole[6:] for s in batch)


def test_the_same_seed_gives_the_same_model(text_trial: Make) -> None:
    weights = []
    for name in ("one", "two"):
        made = text_trial(run=name)
        task.train(made.reporter())
        weights.append((made.directory / "model" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]
    assert (made.directory / "model" / "tokenizer.json").is_file()


def test_the_tiny_vocabulary_is_deterministic_across_processes(tmp_path: Path) -> None:
    code = (
        "import json, sys; from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer as t;"
        "texts = [f'number {i} of {i * 7 % 13} things, {chr(97 + i % 26) * 3}ish' for i in range(200)];"
        "print(json.dumps(t(texts).get_vocab(), sort_keys=True))"
    )
    made = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert made[0].stdout == made[1].stdout and '"[PAD]": 0' in made[0].stdout


def gpt2(folder: Path) -> Path:
    """Write a small GPT-2: it has no token for padding."""
    tokenizer = tiny_tokenizer(["my old dog and the new apple near a hammer"] * 3)
    tokenizer.pad_token = None
    tokenizer.eos_token = "[SEP]"
    tokenizer.save_pretrained(folder)
    config = GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=1, n_head=2, eos_token_id=3)
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_model_without_a_padding_token_trains_within_its_maximum_length(text_trial: Make, tmp_path: Path) -> None:
    rows = [{"text": "dog " * 90 if i % 2 else "apple", "label": "ab"[i % 2]} for i in range(20)]
    rows = [{**r, "text": f"{r['text']} {i}"} for i, r in enumerate(rows)]
    made = text_trial(rows, model=str(gpt2(tmp_path / "gpt2")), epochs=6)
    task.train(made.reporter())
    notes = [e["message"] for e in made.events("note")]
    assert any("at most 64 tokens: max_seq_length is lowered" in n for n in notes)
    assert any("8 training texts (50.0%) were truncated to 64 tokens" in n for n in notes)
    config = json.loads((made.directory / "model" / "config.json").read_text())
    assert config["pad_token_id"] == 3
    assert made.events("result")[-1]["values"]["eval_accuracy"] == 1.0


def test_texts_of_unknown_tokens_are_predicted(text_trial: Make, tmp_path: Path) -> None:
    rows = [{"text": "\u200b" * (i + 1) + ("dog" if i % 2 else ""), "label": "ab"[i % 2]} for i in range(20)]
    made = text_trial(rows, model=str(gpt2(tmp_path / "gpt2")))
    task.train(made.reporter())
    assert task.load(made.directory)([{"text": "\u200b"}])[0]["label"] in {"a", "b"}


def test_data_of_one_class_is_refused(text_trial: Make) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "target": ClassLabel(names=["only"])})
    with pytest.raises(DataError, match="only one class"):
        Labels.of(Dataset.from_dict({"text": ["a"], "target": [0]}, features=features))


def params(**given: Any) -> Any:
    from autotrain_gradio.tasks.text_classification import TextClassificationParams

    return TextClassificationParams(**given)


def label_sets(rows: list[list[int]], labels: int) -> LabelSets:
    """Return the label sets of rows with these label ids."""
    return LabelSets.of_column(Dataset.from_dict({"target": rows}), "target", labels)


def test_balanced_class_weights_equalize_the_classes() -> None:
    targets = np.asarray([0, 0, 0, 1])
    loss = loss_function(params(class_weights="balanced"), targets)
    logits = torch.tensor([[0.0, 0.0]])
    common, rare = (float(loss(type("O", (), {"logits": logits}), torch.tensor([c]))) for c in (0, 1))
    assert rare == pytest.approx(3 * common)
    assert (3 * common + rare) / 4 == pytest.approx(float(np.log(2)))


def test_the_loss_of_several_labels_is_the_mean_over_texts_and_labels() -> None:
    targets = np.asarray([[1, 0], [0, 0], [0, 1], [1, 1]], dtype=np.float32)
    logits = torch.tensor(np.random.default_rng(0).normal(size=(4, 2)))
    outputs = type("O", (), {"logits": logits})
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor(targets).double())
    sets = label_sets([[0], [], [1], [0, 1]], 2)
    assert float(loss_function(params(), sets)(outputs, torch.tensor(targets))) == pytest.approx(float(expected))
    smoothed = float(loss_function(params(label_smoothing=0.5), sets)(outputs, torch.tensor(targets)))
    assert smoothed != pytest.approx(float(expected))
    balanced = loss_function(params(class_weights="balanced"), label_sets([[0], [], []], 1))
    one = type("O", (), {"logits": torch.zeros(1, 1)})
    assert float(balanced(one, torch.ones(1, 1))) == pytest.approx(2 * float(balanced(one, torch.zeros(1, 1))))


def test_the_preview_shows_tokens_and_truncation(text_trial: Make) -> None:
    long = [{"text": "dog " * 30 + str(i), "label": "long"} for i in range(10)]
    made = text_trial([*long, *({"text": f"apple {i}", "label": "short"} for i in range(10))], max_seq_length=16)
    found = {p["title"]: p for p in task.preview(made.directory, made.resolved.spec, made.resolved.params, {})}
    assert all(p["kind"] in panels.KINDS for p in found.values())
    facts = {i["label"]: i["value"] for i in found["Text lengths in tokens"]["items"]}
    assert facts["truncated texts"] == "8 (50.0%)" and facts["maximum sequence length"] == 16
    bars = found["Texts by length in tokens"]
    assert sum(bars["series"]["texts"]) == 16
    item = next(i for i in found["Tokenized texts"]["items"] if "long" in i["label"])
    assert item["read"][0] == "[CLS]" and item["read"][-1] == "[SEP]" and len(item["read"]) == 16
    assert item["cut"][0] == "dog" and len(item["read"]) + len(item["cut"]) == facts["longest"]


def test_the_preview_shows_whole_characters_and_the_reading_direction(text_trial: Make) -> None:
    texts = ["का हाल बा रउआ", "مرحبا بالعالم", "👩‍👩‍👧 ok \ufffd"]
    rows = [{"text": f"{texts[i % 3]} {i}", "label": "ab"[i % 2]} for i in range(12)]
    made = text_trial(rows)
    shown = task.preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 12})[-1]["items"]
    assert len(shown) > 6
    for item in shown:
        boxes = "".join(item["read"][1:-1])
        assert boxes.isascii() is False and not set(boxes) & set("Ãàâ¤¦ðŁ"), "no bytes for letters"
        assert any("".join(text.split()) in boxes for text in texts[:2]) or "👩" in boxes
        assert item["rtl"] == ("مرحبا" in boxes)


def test_label_names_are_escaped_in_the_model_card(text_trial: Make) -> None:
    names = ["<script>alert(1)</script>", "**a** | [b](javascript:x)", "__proto__ of snake_case $x$\nnext `c`"]
    rows = [{"text": f"the {['dog', 'cat', 'axe'][i % 3]} {i}", "label": names[i % 3]} for i in range(30)]
    made = text_trial(rows, epochs=1)
    task.train(made.reporter())
    card = (made.directory / "model" / "README.md").read_text()
    (cell,) = (line for line in card.splitlines() if line.startswith("| classes |"))
    assert "<script" not in card and "&lt;script&gt;alert(1)&lt;/script&gt;" in cell
    drawn = MarkdownIt("commonmark").enable("table").render(card[card.index("## Data") :].split("## Training")[0])
    assert not re.search(r"<(strong|em|a|code|script)\b", drawn)
    assert "__proto__ of snake_case $x$ next `c`" in drawn and "**a** | [b](javascript:x)" in drawn
    assert set(task.load(made.directory)([{"text": "the dog"}])[0]["scores"]) == set(names)


def test_the_preview_of_a_missing_model_is_an_error(text_trial: Make) -> None:
    made = text_trial()
    spec = made.resolved.spec.model_copy(update={"model": "somebody/not-here"})
    (panel,) = task.preview(made.directory, spec, made.resolved.params, {})
    assert "not downloaded yet" in panel["note"]


def test_the_probe_reports_the_maximum_length(text_trial: Make, tmp_path: Path) -> None:
    made = text_trial()
    found = task.probe(made.resolved.spec, made.resolved.params, {})
    assert found["input_size"] == {"tokens": 512} and found["parameters"] > 100_000
    spec = made.resolved.spec.model_copy(update={"model": str(gpt2(tmp_path / "gpt2"))})
    assert task.probe(spec, made.resolved.params, {})["input_size"] == {"tokens": 64}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"model_type": "resnet", "architectures": ["ResNetModel"]}')
    spec = spec.model_copy(update={"model": str(tmp_path / "other")})
    found = task.probe(spec, made.resolved.params, {})
    assert found["findings"][0]["code"] == "model-wrong-task"
