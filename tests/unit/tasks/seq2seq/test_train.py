"""Text to text, trained for a few steps with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sacrebleu
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, Trainer

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.tasks.seq2seq import train as task
from autotrain_gradio.tasks.seq2seq.trainer import GenerationBudget, loss_function
from tests.unit.tasks.seq2seq.conftest import WORDS, translations

Make = Callable[..., Any]


def report_of(made: Any) -> list[dict[str, Any]]:
    return list(json.loads((made.directory / "report.json").read_text()))


def notes_of(made: Any) -> list[str]:
    return [e["message"] for e in made.events("note")]


def test_it_learns_words_and_the_public_loaders_give_the_same_answers(pair_trial: Make) -> None:
    made = pair_trial(translations(240), epochs=25, batch_size=16)
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    assert values["eval_chrf"] > 80, values
    predictor = task.load(made.directory)
    found = predictor([{"text": "red cat sees old house"}, {"text": "dog likes tree"}])
    assert found[1]["text"] == "Hund mag Baum" and found[0]["panels"][0]["kind"] == "text"
    tokenizer, model = AutoTokenizer.from_pretrained(run.model), AutoModelForSeq2SeqLM.from_pretrained(run.model)
    for given, answer in zip(("red cat sees old house", "dog likes tree"), found, strict=True):
        output = model.generate(**tokenizer(given, return_tensors="pt"))[0]
        assert tokenizer.decode(output, skip_special_tokens=True).strip() == answer["text"]
    with pytest.raises(UserError, match="text is empty"):
        predictor([{"text": " "}])
    assert predictor([]) == []


def test_the_record_has_metrics_samples_and_a_report(pair_trial: Make) -> None:
    made = pair_trial(epochs=2)
    task.train(made.reporter())
    logged = {name for e in made.events("metric") for name in e["values"]}
    assert {"loss", "eval_loss", "eval_chrf", "eval_bleu", "eval_rouge1", "eval_rougeLsum", "eval_gen_len"} <= logged
    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 2 and all(s["kind"] == "transcripts" and len(s["rows"]) == 6 for s in samples)
    assert [r["reference"] for r in samples[0]["rows"]] == [r["reference"] for r in samples[1]["rows"]]
    report = report_of(made)
    assert [p["title"] for p in report] == ["Results", "Kinds of errors", "chrF of the rows", "Worst rows", "Training"]
    assert "nrefs:1" in report[0]["note"] and "all scripts" in report[0]["note"]
    for panel in [*report, *samples]:
        assert render_html(panel) and render_text(panel)
    card = (made.directory / "model" / "README.md").read_text()
    assert "AutoModelForSeq2SeqLM" in card and "training rows" in card


def test_metrics_are_those_of_the_predictions_of_the_saved_model(pair_trial: Make) -> None:
    made = pair_trial(epochs=3)
    task.train(made.reporter())
    rows = data.load(made.directory)["validation"]
    found = [f["text"] for f in task.load(made.directory)([{"text": t} for t in rows["text"]])]
    values = made.events("result")[-1]["values"]
    targets = list(rows["target"])
    assert values["eval_chrf"] == pytest.approx(sacrebleu.corpus_chrf(found, [targets]).score, abs=1e-3)
    assert values["eval_bleu"] == pytest.approx(sacrebleu.corpus_bleu(found, [targets]).score, abs=1e-3)
    kinds = find_panel(report_of(made), "kinds-of-errors")
    assert kinds is not None and kinds["rows"][0][1] == sum(not t for t in found)


def test_truncated_sources_and_targets_are_counted_for_each_split(pair_trial: Make) -> None:
    rows = translations(60)
    rows[3]["text"] = " ".join(["red cat"] * 100)
    rows[4]["target"] = " ".join(["rot Katze"] * 100)
    made = pair_trial(rows, max_seq_length=64, data={"valid_fraction": 0})
    task.train(made.reporter())
    notes = notes_of(made)
    assert any(n.startswith("1 training source text (1.7%) were truncated to 64 tokens") for n in notes), notes
    assert any(n.startswith("1 training target text (1.7%) were truncated to 24 tokens") for n in notes), notes
    found = task.load(made.directory)([{"text": rows[3]["text"]}])[0]
    assert "was truncated to the first 64" in found["note"] and found["panels"][0]["note"] == found["note"]
    assert "no validation split" in report_of(made)[0]["text"]


def test_one_validation_row_is_enough(pair_trial: Make) -> None:
    made = pair_trial(data={"valid_fraction": 0.01})
    task.train(made.reporter())
    assert "eval_chrf" in made.events("result")[-1]["values"]


def test_the_prefix_is_saved_with_the_model(pair_trial: Make) -> None:
    made = pair_trial(source_prefix="translate: ")
    run = made.reporter()
    task.train(run)
    assert json.loads((run.model / "config.json").read_text())["source_prefix"] == "translate: "
    tokenizer, model = AutoTokenizer.from_pretrained(run.model), AutoModelForSeq2SeqLM.from_pretrained(run.model)
    output = model.generate(**tokenizer("translate: red cat", return_tensors="pt"))[0]
    answer = tokenizer.decode(output, skip_special_tokens=True).strip()
    assert task.load(made.directory)([{"text": "red cat"}])[0]["text"] == answer


def test_beams_are_used_in_evaluation_and_by_the_saved_model(pair_trial: Make) -> None:
    made = pair_trial(num_beams=3, no_repeat_ngram_size=2, length_penalty=0.8)
    run = made.reporter()
    task.train(run)
    settings = json.loads((run.model / "generation_config.json").read_text())
    assert (settings["num_beams"], settings["no_repeat_ngram_size"], settings["length_penalty"]) == (3, 2, 0.8)
    rows = data.load(made.directory)["validation"]
    found = [f["text"] for f in task.load(made.directory)([{"text": t} for t in rows["text"]])]
    own = sacrebleu.corpus_chrf(found, [list(rows["target"])]).score
    assert made.events("result")[-1]["values"]["eval_chrf"] == pytest.approx(own, abs=1e-3)


def test_batched_predictions_equal_single_predictions(pair_trial: Make) -> None:
    made = pair_trial(epochs=3)
    task.train(made.reporter())
    predictor = task.load(made.directory)
    texts = [" ".join(list(WORDS)[:n]) for n in (1, 9, 3, 12, 2)]
    together = predictor([{"text": t} for t in texts])
    assert [f["text"] for f in together] == [predictor([{"text": t}])[0]["text"] for t in texts]


def test_the_time_for_generation_limits_the_rows_and_the_report_says_so(pair_trial: Make) -> None:
    made = pair_trial(epochs=2, generation_seconds=1e-6, batch_size=4)
    task.train(made.reporter())
    results = report_of(made)[0]
    assert "Texts were generated for 4 of 12 validation rows" in results["note"]
    stored = json.loads((made.directory / "checkpoints" / "generated_batches-0.json").read_text())
    assert stored == {"batches": 1}
    losses = [e["values"]["eval_loss"] for e in made.events("metric") if "eval_loss" in e["values"]]
    full = pair_trial(epochs=2, batch_size=4, run="full")
    task.train(full.reporter())
    assert losses == pytest.approx(
        [e["values"]["eval_loss"] for e in full.events("metric") if "eval_loss" in e["values"]]
    )


def test_the_first_evaluation_decides_how_many_batches_are_generated(tmp_path: Path) -> None:
    now = 0.0
    budget = GenerationBudget(10, tmp_path, clock=lambda: now)
    budget.begin()
    allowed = []
    for _ in range(5):
        allowed.append(budget.allows())
        now += 4
    budget.end()
    assert allowed == [True, True, True, False, False]
    resumed = GenerationBudget(10, tmp_path, clock=lambda: now)
    for again in (budget, resumed):
        again.begin()
        assert [again.allows() for _ in range(5)] == allowed
        now += 1000
        again.end()


def test_a_stopped_training_is_resumed(pair_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pair_trial(epochs=4)
    run = made.reporter()
    monkeypatch.setattr(run, "stop_requested", lambda: bool(made.steps()) and made.steps()[-1] >= 2)
    task.train(run)
    assert (made.directory / "model").is_dir()
    task.train(made.reporter(attempt=2))
    assert max(made.steps(2)) == 24 and "eval_chrf" in made.events("result")[-1]["values"]


def test_the_loss_is_the_mean_over_target_tokens_with_smoothing() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 7), torch.tensor([[1, 2, -100], [3, -100, -100]])

    class Outputs:
        pass

    outputs: Any = Outputs()
    outputs.logits = logits
    for smoothing in (0.0, 0.2):
        flat = torch.log_softmax(logits, -1)
        picked = torch.stack([flat[0, 0], flat[0, 1], flat[1, 0]])
        own = -(1 - smoothing) * picked[range(3), [1, 2, 3]] - smoothing * picked.mean(-1)
        assert loss_function(smoothing)(outputs, labels).item() == pytest.approx(own.mean().item(), rel=1e-5)
        assert loss_function(smoothing)(outputs, labels, 6).item() == pytest.approx(own.sum().item() / 6, rel=1e-5)


def test_a_plain_trainer_has_the_same_validation_loss(pair_trial: Make) -> None:
    made = pair_trial(epochs=1, batch_size=12)
    run = made.reporter()
    task.train(run)
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(run.model).eval(), AutoTokenizer.from_pretrained(run.model)
    rows = data.load(made.directory)["validation"]
    batch = tokenizer(list(rows["text"]), padding=True, return_tensors="pt")
    labels = tokenizer(text_target=list(rows["target"]), padding=True, return_tensors="pt").input_ids
    labels = labels.masked_fill(labels == tokenizer.pad_token_id, -100)
    loss = model(**batch, labels=labels).loss.item()
    assert made.events("result")[-1]["values"]["eval_loss"] == pytest.approx(loss, rel=1e-4)
    assert isinstance(Trainer, type) and np.isfinite(loss)
