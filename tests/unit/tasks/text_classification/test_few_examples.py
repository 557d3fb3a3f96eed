"""Few examples: embeddings with a logistic regression in an ordinary model, chosen by cross-validation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    pipeline,
)

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.text_classification import FEW, few_examples
from autotrain_gradio.tasks.text_classification import train as task
from autotrain_gradio.tasks.text_classification.few_examples import CONTRASTIVE, EMBEDDINGS, FINE_TUNING
from autotrain_gradio.tasks.text_classification.logistic_head import LogisticHead
from autotrain_gradio.training.class_labels import Labels
from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer
from tests.trials import sentences

Make = Callable[..., Any]


@pytest.fixture
def bert(tmp_path: Path) -> str:
    """A small BERT with random weights."""
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer(r["text"] for r in sentences(60))
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    return str(tmp_path / "bert")


def notes(made: Any) -> list[str]:
    return [n["message"] for n in made.events("note") if n["message"].startswith("Few examples")]


def report_of(made: Any) -> dict[str, dict[str, Any]]:
    return {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}


def assert_public_loader_agrees(made: Any) -> None:
    """The public pipeline gives the scores of the run's predictor, on texts of different lengths."""
    texts = ["my old hammer and a saw", "peach", "the good dog near the horse and a small cat under the new tree"]
    classifier = pipeline("text-classification", model=str(made.directory / "model"))
    for text, found in zip(texts, task.load(made.directory)([{"text": t} for t in texts]), strict=True):
        scores = {s["label"]: s["score"] for s in classifier(text, top_k=None, truncation=True)}
        assert scores == pytest.approx(found["scores"], abs=1e-4)


def test_auto_compares_three_methods_and_uses_the_best(text_trial: Make, bert: str) -> None:
    made = text_trial(model=bert, few_examples="auto", lr=1e-5)
    task.train(made.reporter())
    rows = report_of(made)["Few examples: methods compared"]["rows"]
    titles = [few_examples.TITLES[m] for m in (EMBEDDINGS, CONTRASTIVE, FINE_TUNING)]
    assert [row[0].removesuffix(" (chosen)") for row in rows] == titles
    chosen = [row for row in rows if row[0].endswith(" (chosen)")]
    assert len(chosen) == 1 and chosen[0][1] == max(row[1] for row in rows)
    assert chosen[0][1] > rows[2][1], "a learning rate of 1e-5 does not train random weights"
    (said,) = notes(made)
    assert chosen[0][0].removesuffix(" (chosen)") in said and f"fine-tuning {rows[2][1]:.3f}" in said
    assert said in (made.directory / "model" / "README.md").read_text().replace("\\", "")
    config = json.loads((made.directory / "model" / "config.json").read_text())
    assert config["few_examples"] in {EMBEDDINGS, CONTRASTIVE} and config["num_hidden_layers"] == 3
    assert made.events("result")[-1]["values"]["eval_accuracy"] > 0.5
    assert_public_loader_agrees(made)


@pytest.mark.parametrize("method", [EMBEDDINGS, CONTRASTIVE])
def test_each_method_is_saved_as_an_ordinary_model(
    text_trial: Make, bert: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few_examples, "methods", lambda run, model, rows: [method])
    made = text_trial(model=bert)
    run = made.reporter()
    task.train(run)
    model = AutoModelForSequenceClassification.from_pretrained(run.model)
    assert type(model) is BertForSequenceClassification and model.config.few_examples == method
    assert_public_loader_agrees(made)
    assert bool(made.steps()) == (method == CONTRASTIVE)
    values = made.events("result")[-1]["values"]
    names = Labels.of(data.load(made.directory)["train"]).names
    rows = data.load(made.directory)["validation"]
    found = task.load(made.directory)([{"text": t} for t in rows["text"]])
    right = np.mean([f["label"] == names[i] for f, i in zip(found, rows["target"], strict=True)])
    assert values["eval_accuracy"] == pytest.approx(right)
    assert not notes(made) and "Confusion matrix" in report_of(made)


def test_multi_label_texts_have_a_logistic_regression_for_each_label(text_trial: Make, bert: str) -> None:
    made = text_trial(several=True, model=bert, few_examples="on")
    task.train(made.reporter())
    assert "micro F1" in notes(made)[0] and "fine-tuning," not in notes(made)[0].replace("contrastive fine-tuning,", "")
    found = task.load(made.directory)([{"text": "the dog and a cat under my apple and a plum"}])[0]
    assert set(found["scores"]) == {"animal", "fruit", "tool"} and set(found["thresholds"]) == set(found["scores"])
    assert made.events("result")[-1]["values"]["eval_f1_micro"] > 0.5


def test_the_tiny_model_can_be_used_if_asked_for(text_trial: Make) -> None:
    made = text_trial(few_examples="on")
    task.train(made.reporter())
    assert len(notes(made)) == 1
    assert_public_loader_agrees(made)


@pytest.mark.parametrize(
    ("rows", "params"),
    [(60, {"few_examples": "off"}), (FEW * 2, {"few_examples": "auto"}), (60, {"few_examples": "auto", "peft": True})],
)
def test_texts_are_fine_tuned_where_they_are_not_few(
    text_trial: Make, bert: str, rows: int, params: dict[str, Any]
) -> None:
    made = text_trial(sentences(rows), model=bert, epochs=1, **params)
    task.train(made.reporter())
    assert not notes(made) and "few_examples" not in json.loads((made.directory / "model" / "config.json").read_text())


def test_auto_does_not_compare_with_the_untrained_tiny_model(text_trial: Make) -> None:
    made = text_trial(few_examples="auto", epochs=1)
    task.train(made.reporter())
    assert not notes(made)


def test_a_frozen_backbone_is_not_trained_by_any_method(text_trial: Make, bert: str) -> None:
    made = text_trial(model=bert, few_examples="auto", freeze_backbone=True)
    task.train(made.reporter())
    assert "contrastive" not in notes(made)[0]
    found = AutoModelForSequenceClassification.from_pretrained(made.directory / "model")
    before = BertForSequenceClassification.from_pretrained(bert)
    assert torch.equal(found.get_input_embeddings().weight, before.get_input_embeddings().weight)


def test_other_architectures_are_refused_only_if_asked_for(text_trial: Make, tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer(r["text"] for r in sentences(60))
    config = GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=1, n_head=2)
    config.pad_token_id = tokenizer.pad_token_id
    GPT2ForSequenceClassification(config).save_pretrained(tmp_path / "gpt2")
    tokenizer.save_pretrained(tmp_path / "gpt2")
    made = text_trial(model=str(tmp_path / "gpt2"), few_examples="on", epochs=1)
    with pytest.raises(UserError, match="does not support models of the type gpt2") as refused:
        task.train(made.reporter())
    assert refused.value.code == "few-examples-unsupported" and refused.value.hint
    made = text_trial(model=str(tmp_path / "gpt2"), few_examples="auto", epochs=1, run="auto")
    task.train(made.reporter())
    assert "not supported for models of the type gpt2" in notes(made)[0] and (made.directory / "model").is_dir()


def test_a_stop_while_methods_are_compared_ends_the_run(text_trial: Make, bert: str) -> None:
    made = text_trial(model=bert, few_examples="auto")
    run = made.reporter()
    state = run.state

    def stop_in_comparison(name: str, detail: str = "") -> None:
        state(name, detail)
        if "contrastive" in detail:
            run.request_stop()

    run.state = stop_in_comparison  # type: ignore[method-assign]
    task.train(run)
    assert run.stopping and not run.model.exists() and not made.steps()


def test_a_stopped_contrastive_training_is_resumed(
    text_trial: Make, bert: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first:
        first.setattr(few_examples, "methods", lambda run, model, rows: [CONTRASTIVE])
        made = text_trial(model=bert, few_examples="auto")
        run = made.reporter()
        requested = run.stop_requested
        run.stop_requested = lambda: len(made.steps()) > 4 or requested()  # type: ignore[method-assign]
        task.train(run)
    stopped = made.steps()[-1]
    assert (made.directory / "model").is_dir() and list(run.checkpoints.glob("checkpoint-*"))
    task.train(made.reporter(2))
    assert made.steps(2)[0] > stopped and not notes(made)
    config = json.loads((made.directory / "model" / "config.json").read_text())
    assert config["few_examples"] == CONTRASTIVE
    assert_public_loader_agrees(made)


def test_a_run_of_an_earlier_version_is_resumed_with_fine_tuning(text_trial: Make, bert: str) -> None:
    made = text_trial(model=bert, epochs=3)
    run = made.reporter()
    requested = run.stop_requested
    run.stop_requested = lambda: len(made.steps()) > 4 or requested()  # type: ignore[method-assign]
    task.train(run)
    resumed = made.reporter(2)
    resumed.params = resumed.params.model_copy(update={"few_examples": "auto"})  # the default, which it did not have
    task.train(resumed)
    assert made.steps(2) and not notes(made)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_head_is_the_logistic_regression_of_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(0)
    targets = np.arange(60) % classes
    features = rng.normal(0, 1, (60, 5)) + 2 * np.eye(classes, 5)[targets] + 7
    head = LogisticHead.fit(features, targets, classes, balanced=False, seed=0)
    centred = features - features.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=1).mean())
    logits = head.logits(features)
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wanted = [LogisticRegression(C=c, max_iter=1000).fit(centred / scale, targets) for c in (1, 10, 100)]
    assert any(np.allclose(found, model.predict_proba(centred / scale), atol=1e-3) for model in wanted)


def test_classes_without_rows_and_constant_labels_have_a_head() -> None:
    rng = np.random.default_rng(0)
    features, targets = rng.normal(0, 1, (20, 4)), np.arange(20) % 2 * 2  # classes 0 and 2 of three
    logits = LogisticHead.fit(features, targets, 3, balanced=True, seed=0).logits(features)
    assert (logits.argmax(axis=1) != 1).all()
    labels = np.stack([np.ones(20), np.zeros(20), targets / 2], axis=1)
    logits = LogisticHead.fit(features, labels, 3, balanced=False, seed=0).logits(features)
    assert (logits[:, 0] > 0).all() and (logits[:, 1] < 0).all()
    assert np.isfinite(LogisticHead.fit(features, np.zeros(20, dtype=int), 2, balanced=False, seed=0).bias).all()


def test_each_text_is_tested_once_and_rare_classes_are_kept() -> None:
    targets = np.array([0] * 8 + [1] * 9 + [2] * 6 + [3])
    found = list(few_examples.folds(targets, 1))
    assert len(found) == 4
    assert sorted(np.concatenate([test for _, test in found]).tolist()) == list(range(24))
    for train, test in found:
        assert not set(train) & set(test) and {0, 1, 2} <= set(targets[train]) and {0, 1} <= set(targets[test])
    assert not list(few_examples.folds(np.array([0, 1, 2, 3]), 1))
    assert len(list(few_examples.folds(np.eye(3)[np.arange(9) % 3], 1))) == 4


def test_too_few_texts_to_compare_are_embedded(text_trial: Make, bert: str) -> None:
    rows = [{"text": "a cat and a dog", "label": "animal"}, {"text": "apple and plum", "label": "fruit"}]
    made = text_trial(rows, model=bert, few_examples="auto", data={"valid_fraction": 0})
    task.train(made.reporter())
    assert notes(made) == [
        "Few examples: too few texts to compare methods: embeddings with logistic regression is used."
    ]
    assert [p["label"] for p in task.load(made.directory)([{"text": r["text"]} for r in rows])] == ["animal", "fruit"]


def test_the_contrastive_loss_is_the_squared_error_of_cosine_similarities() -> None:
    logits = torch.tensor([[1.0, 0], [0, 2], [3, 3]])
    outputs = type("Output", (), {"logits": logits})()
    half = 0.5**0.5
    # Pairs 0-1, 0-2 and 1-2 have the similarities 0, 0.71 and 0.71.
    assert few_examples.contrastive_loss(outputs, torch.tensor([0, 1, 0])).item() == pytest.approx(
        (0 + (1 - half) ** 2 + half**2) / 3
    )
    labels = torch.tensor([[1.0, 1, 0], [0, 1, 1], [0, 0, 0]])  # Jaccard: 1/3, 0, 0
    assert few_examples.contrastive_loss(outputs, labels).item() == pytest.approx((1 / 9 + half**2 + half**2) / 3)
    alone = type("Output", (), {"logits": logits[:1].clone().requires_grad_()})()
    few_examples.contrastive_loss(alone, torch.tensor([0])).backward()


@pytest.mark.parametrize(("written", "wanted"), [("on", "on"), ("off", "off"), ("auto", "auto"), ("true", "on")])
def test_yaml_reads_on_and_off(written: str, wanted: str) -> None:
    text = f"task: text-classification\nbase_model: a/b\nparams:\n  few_examples: {written}\n"
    assert resolve(from_yaml(text, {})[0]).params.few_examples == wanted


def test_the_check_says_how_few_rows_are_trained(tmp_path: Path) -> None:
    def codes(rows: int) -> dict[str, Any]:
        folder = tmp_path / f"{rows}"
        folder.mkdir()
        lines = "".join(json.dumps(r) + "\n" for r in sentences(rows))
        (folder / "rows.jsonl").write_text(lines)
        resolved = resolve({"task": "text-classification", "data": {"path": str(folder), "source": "path"}})
        draft = tmp_path / f"draft{rows}"
        draft.mkdir()
        return {f["code"]: f for f in data.check(draft, data.Request.of(resolved))["findings"]}

    found = codes(60)["few-examples"]
    assert found["level"] == "info" and "only 48 training rows" in found["message"]
    assert "few-examples" not in codes(150)
