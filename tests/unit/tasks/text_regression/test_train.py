"""Text regression, trained for a few steps with tiny models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    Trainer,
    pipeline,
)

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.text_regression import train as task
from autotrain_gradio.training.regression_loss import loss_function
from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer
from tests.unit.tasks.text_regression.conftest import weighed

Make = Callable[..., Any]


def report_of(made: Any) -> dict[str, dict[str, Any]]:
    return {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}


def by_pipeline(folder: Path, text: str) -> dict[str, float]:
    """Return the outputs of the public pipeline."""
    scores = pipeline("text-classification", model=str(folder))(text, top_k=None, truncation=True)
    return {s["label"]: s["score"] for s in scores}


def test_a_trained_model_is_loaded_by_the_public_loaders_and_predicts_in_the_units_of_the_target(
    number_trial: Make,
) -> None:
    made = number_trial(epochs=15)
    run = made.reporter()
    task.train(run)
    model = AutoModelForSequenceClassification.from_pretrained(run.model)
    config = model.config
    assert config.id2label == {0: "weight"} and config.problem_type == "regression"
    train = np.asarray(data.load(made.directory)["train"]["target:weight"])
    assert config.target_means == {"weight": pytest.approx(train.mean())}
    assert config.target_deviations == {"weight": pytest.approx(train.std())}
    assert not hasattr(config, "target_offsets")
    text = "the heap of gold and silver"
    tokenizer = AutoTokenizer.from_pretrained(run.model)
    with torch.inference_mode():
        logit = model(**tokenizer(text, return_tensors="pt")).logits.item()
    assert 1500 < logit < 2000
    found = task.load(made.directory)([{"text": text}, {"text": "sand"}])
    assert found[0]["values"] == pytest.approx({"weight": logit}, rel=1e-4)
    assert by_pipeline(run.model, text) == pytest.approx(found[0]["values"], rel=1e-4)
    assert found[1]["values"]["weight"] < 1400 and "units" not in found[0] and "note" not in found[0]
    assert made.events("result")[-1]["values"]["eval_r2"] > 0.7
    with pytest.raises(UserError, match="text is empty"):
        task.load(made.directory)([{"text": " "}])


def test_several_targets_are_predicted_together(number_trial: Make) -> None:
    made = number_trial(targets=2, epochs=12)
    run = made.reporter()
    task.train(run)
    rows = data.load(made.directory)["validation"]
    answers = [p["values"] for p in task.load(made.directory)([{"text": t} for t in rows["text"]])]
    assert set(answers[0]) == {"weight", "words"}
    scores = [r2_score(rows[f"target:{name}"], [a[name] for a in answers]) for name in ("weight", "words")]
    recorded = made.events("result")[-1]["values"]
    assert recorded["eval_r2"] == pytest.approx(np.mean(scores), abs=1e-3) and min(scores) > 0.2
    report = report_of(made)
    assert [row[0] for row in report["Each target"]["rows"]] == ["weight", "words"]
    column = report["Each target"]["columns"].index("R²")
    assert [row[column] for row in report["Each target"]["rows"]] == pytest.approx(scores, abs=1e-3)
    assert report["Largest errors"]["columns"] == ["text", "target", "predicted", "true", "difference"]
    card = (run.model / "README.md").read_text()
    assert "Metrics are means over the targets. weight: R² 0." in card and "words: mean -" in card
    assert by_pipeline(run.model, rows["text"][0]) == pytest.approx(answers[0], rel=1e-4)


def test_metrics_and_report_match_the_predictions_of_the_saved_model(number_trial: Make) -> None:
    made = number_trial(epochs=5)
    task.train(made.reporter())
    rows = data.load(made.directory)["validation"]
    true = np.asarray(rows["target:weight"])
    found = task.load(made.directory)([{"text": t} for t in rows["text"]])
    predicted = np.asarray([f["values"]["weight"] for f in found])
    recorded = made.events("result")[-1]["values"]
    assert recorded["eval_mae"] == pytest.approx(mean_absolute_error(true, predicted), rel=1e-3)
    assert recorded["eval_r2"] == pytest.approx(r2_score(true, predicted), abs=1e-3)
    report = report_of(made)
    titles = ["Results", "Predicted against true", "Distribution of the residuals", "Largest errors", "Training"]
    assert list(report) == titles
    assert np.asarray(report["Predicted against true"]["points"]) == pytest.approx(
        np.column_stack([true, predicted]), rel=1e-3
    )
    worst = report["Largest errors"]["rows"]
    assert len(worst) == len(true)
    assert abs(worst[0][3]) == pytest.approx(np.abs(predicted - true).max(), rel=1e-3)
    assert rows["text"][int(np.abs(predicted - true).argmax())] == worst[0][0]
    baseline = np.abs(true - np.mean(data.load(made.directory)["train"]["target:weight"])).mean()
    assert f"has a mean absolute error of {baseline:,.4g}." in report["Results"]["note"]


def test_the_record_has_curves_and_the_same_samples_at_each_evaluation(number_trial: Make) -> None:
    made = number_trial(epochs=3, targets=2)
    task.train(made.reporter())
    values = {name for e in made.events("metric") for name in e["values"]}
    assert {"loss", "eval_loss", "eval_r2", "eval_mae", "eval_rmse", "eval_spearman"} <= values
    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 3 and len(samples[0]["rows"]) == 8
    assert samples[0]["columns"] == ["text", "weight: predicted (true)", "words: predicted (true)"]
    assert {tuple(row[0] for row in s["rows"]) for s in samples} == {tuple(samples[0]["examples"]["text"])}


def test_units_are_taken_off_kept_and_shown(number_trial: Make) -> None:
    made = number_trial([{**r, "weight": f"{r['weight']:.1f} kg".replace(".", ",")} for r in weighed(40)])
    task.train(made.reporter())
    found = task.load(made.directory)([{"text": "gold"}])[0]
    assert found["units"] == {"weight": "kg"} and 1000 < found["values"]["weight"] < 2000
    assert found["panels"][0]["items"][0]["unit"] == "kg"
    report = report_of(made)
    assert report["Predicted against true"]["x"] == "true (kg)" and "All in kg." in report["Results"]["note"]
    assert report["Largest errors"]["columns"][1] == "predicted (kg)"


def test_a_last_layer_without_bias_keeps_its_offsets_in_the_config(number_trial: Make, tmp_path: Path) -> None:
    rows = weighed(40)
    tokenizer = tiny_tokenizer(r["text"] for r in rows)
    config = GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=1, n_head=2)
    config.pad_token_id = tokenizer.pad_token_id
    GPT2ForSequenceClassification(config).save_pretrained(tmp_path / "gpt2")
    tokenizer.save_pretrained(tmp_path / "gpt2")
    made = number_trial(rows, model=str(tmp_path / "gpt2"))
    run = made.reporter()
    task.train(run)
    offsets = json.loads((run.model / "config.json").read_text())["target_offsets"]
    found = task.load(made.directory)([{"text": "gold and sand"}])[0]["values"]
    assert found["weight"] == pytest.approx(by_pipeline(run.model, "gold and sand")["weight"] + offsets["weight"])
    assert 1000 < found["weight"] < 2000


def test_lora_and_freezing_train_the_head_and_save_a_whole_model(number_trial: Make, tmp_path: Path) -> None:
    rows = weighed(40)
    tokenizer = tiny_tokenizer(r["text"] for r in rows)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    for name, params in (("lora", {"peft": True}), ("frozen", {"freeze_backbone": True})):
        made = number_trial(rows, model=str(tmp_path / "bert"), run=name, **params)
        run = made.reporter()
        task.train(run)
        model = AutoModelForSequenceClassification.from_pretrained(run.model)
        assert 1000 < task.load(made.directory)([{"text": "gold"}])[0]["values"]["weight"] < 2000
        if name == "frozen":
            before = BertForSequenceClassification.from_pretrained(tmp_path / "bert")
            assert torch.equal(
                model.bert.embeddings.word_embeddings.weight, before.bert.embeddings.word_embeddings.weight
            )


def test_without_validation_rows_the_model_is_saved_and_says_so(number_trial: Make) -> None:
    made = number_trial(data={"valid_fraction": 0})
    task.train(made.reporter())
    report = report_of(made)
    assert list(report) == ["Results", "Training"] and "no validation split" in report["Results"]["text"]
    assert task.load(made.directory)([{"text": "gold"}])[0]["values"]


@pytest.mark.parametrize("metric", ["loss", "r2", "spearman", "mae"])
def test_one_validation_row_has_no_r2_and_is_trained(number_trial: Make, metric: str) -> None:
    rows = weighed(20)
    made = number_trial(rows, data={"valid_fraction": 0.05}, metric_for_best_model=metric)
    task.train(made.reporter())
    found = made.events("result")[-1]["values"]
    assert "eval_r2" not in found and found["eval_mae"] > 0
    notes = [n["message"] for n in made.events("note") if "is undefined" in n["message"]]
    assert len(notes) == (metric in {"r2", "spearman"})


def test_the_best_checkpoint_is_chosen_by_the_metric(number_trial: Make) -> None:
    made = number_trial(epochs=4, metric_for_best_model="mae")
    task.train(made.reporter())
    seen = [e["values"]["eval_mae"] for e in made.events("metric") if "eval_mae" in e["values"]]
    assert len(seen) == 4 and made.events("result")[-1]["values"]["eval_mae"] == pytest.approx(min(seen))


def test_a_stopped_training_is_resumed_and_ends_as_one_without_a_stop(number_trial: Make) -> None:
    whole = number_trial(epochs=3, run="whole")
    task.train(whole.reporter())
    made = number_trial(epochs=3, run="stopped")
    run = made.reporter()
    calls = {"steps": 0}
    requested = run.stop_requested

    def stop_requested() -> bool:
        calls["steps"] += bool(made.steps())
        return calls["steps"] > 10 or requested()

    run.stop_requested = stop_requested  # type: ignore[method-assign]
    task.train(run)
    stopped = made.steps()[-1]
    assert stopped < 24 and (made.directory / "model").is_dir()
    task.train(made.reporter(2))
    assert made.steps(2)[-1] == 24
    text = [{"text": "the gold near a small heap"}]
    predictions = [task.load(t.directory)(text)[0]["values"]["weight"] for t in (whole, made)]
    assert predictions[0] == pytest.approx(predictions[1], rel=0.02)


@pytest.mark.parametrize("name", ["mse", "huber", "mae"])
def test_losses_are_those_of_torch_for_any_accumulation(name: str) -> None:
    function = {"mse": torch.nn.MSELoss, "huber": torch.nn.HuberLoss, "mae": torch.nn.L1Loss}[name]()
    generator = torch.Generator().manual_seed(0)
    logits, labels = (3 * torch.randn(8, 2, generator=generator) for _ in range(2))
    loss = loss_function(name)
    outputs = [type("Output", (), {"logits": part})() for part in (logits, *logits.split(3))]
    assert loss(outputs[0], labels) == pytest.approx(function(logits, labels).item())
    parts = [loss(o, part, labels.numel()) for o, part in zip(outputs[1:], labels.split(3), strict=True)]
    assert sum(parts).item() == pytest.approx(function(logits, labels).item())


def test_predictions_that_are_not_finite_are_an_error_of_the_loss(
    number_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = number_trial(lr=1.0, max_grad_norm=0, optimizer="sgd", epochs=20)
    step = Trainer.training_step

    def explode(self: Trainer, model: Any, *args: Any, **kwargs: Any) -> Any:
        loss = step(self, model, *args, **kwargs)
        with torch.no_grad():
            next(p for n, p in model.named_parameters() if "classifier" in n).fill_(float("nan"))
        return loss

    monkeypatch.setattr(Trainer, "training_step", explode)
    with pytest.raises(UserError, match="diverged"):
        task.train(made.reporter())


def test_the_preview_shows_texts_over_the_range_of_the_numbers(number_trial: Make) -> None:
    made = number_trial(targets=2)
    panels = task.preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 3})
    assert [p["title"] for p in panels] == ["Text lengths in tokens", "Texts by length in tokens", "Tokenized texts"]
    labels = [item["label"] for item in panels[2]["items"]]
    values = [float(label.split("weight ")[1].split(", words")[0].replace(",", "")) for label in labels]
    rows = data.load(made.directory)["train"]["target:weight"]
    assert values[0] == pytest.approx(min(rows), rel=1e-3) and values[-1] == pytest.approx(max(rows), rel=1e-3)


def test_the_probe_describes_a_model(number_trial: Make, tmp_path: Path) -> None:
    made = number_trial()
    assert task.probe(made.resolved.spec, made.resolved.params, {})["task"] == "ModernBERT, untrained"
    task.tiny_model(tmp_path / "tiny", ["weight"], texts=["gold and sand"])
    spec = made.resolved.spec.model_copy(update={"model": str(tmp_path / "tiny")})
    facts = task.probe(spec, made.resolved.params, {})
    assert not facts["findings"] and facts["input_size"] == {"tokens": 512} and facts["labels"] == ["weight"]
