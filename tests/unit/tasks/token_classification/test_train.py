"""Token classification, trained for a few steps with tiny models."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from seqeval.metrics import f1_score
from transformers import AutoModelForTokenClassification, AutoTokenizer

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.token_classification import train as task
from autotrain_gradio.tasks.token_classification.loss import loss_function
from autotrain_gradio.tasks.token_classification.words import word_borders
from autotrain_gradio.worker.input_rows import predict

from .conftest import notices

Make = Callable[..., Any]


def report_of(made: Any) -> dict[str, dict[str, Any]]:
    return {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}


def iob(text: str, spans: list[dict[str, Any]]) -> list[str]:
    """Return the tags of the words of a text."""
    starts, ends = word_borders(text)
    tags = ["O"] * len(starts)
    for s in spans:
        inside = [i for i, (a, b) in enumerate(zip(starts, ends, strict=True)) if s["start"] <= a and b <= s["end"]]
        for i in inside:
            tags[i] = f"{'B' if i == inside[0] else 'I'}-{s['label']}"
    return tags


def test_a_trained_model_finds_entities_and_records_seqevals_f1(tagging_trial: Make) -> None:
    made = tagging_trial(epochs=16)
    run = made.reporter()
    task.train(run)
    model = AutoModelForTokenClassification.from_pretrained(run.model)
    assert list(model.config.id2label.values()) == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert AutoTokenizer.from_pretrained(run.model).model_max_length == 128
    values = made.events("result")[-1]["values"]
    assert (
        values["eval_f1"] > 0.8 and values["eval_accuracy"] > 0.9 and 0 < values["eval_f1_strict"] <= values["eval_f1"]
    )
    rows = data.load(made.directory)["validation"]
    predictor = task.load(made.directory)
    found = [p["entities"] for p in predictor([{"text": t} for t in rows["text"]])]
    true = [iob(t, spans) for t, spans in zip(rows["text"], rows["entities"], strict=True)]
    said = [iob(t, spans) for t, spans in zip(rows["text"], found, strict=True)]
    assert f1_score(true, said) == pytest.approx(values["eval_f1"])
    (entity, *_) = predictor([{"text": "Anna lives in Graz, near the river. (7)"}])[0]["entities"]
    assert entity == {"label": "PER", "start": 0, "end": 4, "text": "Anna", "score": pytest.approx(1, abs=0.3)}
    with pytest.raises(UserError, match="text is empty"):
        predictor([{"text": " "}])
    assert predictor([]) == []


def test_files_of_rows_may_have_tokens(tagging_trial: Make, tmp_path: Any) -> None:
    rows = [{"tokens": r["text"].split(), "tags": ["B-PER", *"O" * (len(r["text"].split()) - 1)]} for r in notices(20)]
    made = tagging_trial(rows, epochs=1)
    task.train(made.reporter())
    file = tmp_path / "new.jsonl"
    file.write_text(json.dumps({"tokens": ["Anna", "lives", "in", "Graz"]}) + "\n", encoding="utf-8")
    given = [{"rows_of": str(file)}, {"text": "Ben is here"}]
    found = predict(task.load(made.directory), given, made.directory, made.resolved)
    assert found[0]["row"] == 1 and found[0]["input"] == {"text": "Anna lives in Graz"}
    assert all(p["panels"][0]["kind"] == "entities" for p in found)


def test_the_record_has_curves_samples_and_a_report(tagging_trial: Make) -> None:
    made = tagging_trial(epochs=2)
    task.train(made.reporter())
    names = {name for e in made.events("metric") for name in e["values"]}
    assert {"loss", "samples_per_second", "eval_loss", "eval_f1", "eval_f1_strict", "eval_accuracy"} <= names
    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 2 and len(samples[0]["items"]) == 6 and samples[0]["examples"]["text"]
    report = report_of(made)
    assert list(report)[:3] == ["Results", "Each entity type", "Mistakes by kind"] and list(report)[-1] == "Training"
    counts = {row[0]: row[1] for row in report["Mistakes by kind"]["rows"]}
    rows = data.load(made.directory)["validation"]
    gold = sum(len(spans) for spans in rows["entities"])
    right = sum(row[1] * row[6] for row in report["Each entity type"]["rows"])
    assert sum(row[5] for row in report["Each entity type"]["rows"]) == gold
    assert gold - round(right) == sum(count for kind, count in counts.items() if kind != "spurious")
    for kind, count in counts.items():
        assert len(report.get(kind.capitalize(), {"items": []})["items"]) == min(count, 12)
    card = (made.directory / "model" / "README.md").read_text()
    assert "pipeline_tag: token-classification" in card and "| entity types | LOC, PER |" in card


def test_long_texts_are_read_in_windows_and_no_entity_is_lost(tagging_trial: Make) -> None:
    rows = notices(60)
    made = tagging_trial(rows, epochs=14, max_seq_length=24, window_overlap=10)
    task.train(made.reporter())
    # A text of several windows has the entities of its sentences, wherever the borders of windows are.
    few = [r for r in rows[:8]]
    predictor = task.load(made.directory)
    for shift in range(8):
        text, wanted = "x " * shift, []
        for row in few:
            wanted += [(row["text"][a:b], a + len(text)) for a, b, _ in row["entities"]]
            text += row["text"] + " "
        found = {(e["text"], e["start"]) for e in predictor([{"text": text}])[0]["entities"]}
        assert len(found & set(wanted)) >= 0.8 * len(wanted), shift
    long = [{"text": " ".join(r["text"] for r in rows[k : k + 6]), "entities": []} for k in range(0, 60, 6)]
    for k, item in enumerate(long):
        place = 0
        for row in rows[6 * k : 6 * k + 6]:
            item["entities"] += [[a + place, b + place, n] for a, b, n in row["entities"]]
            place += len(row["text"]) + 1
    again = tagging_trial(long, run="long", epochs=2, max_seq_length=24, window_overlap=40)
    task.train(again.reporter())
    notes = " ".join(e["message"] for e in again.events("note"))
    assert "8 training texts are longer than 24 tokens and were split into overlapping windows" in notes
    assert "window_overlap is lowered to 11" in notes
    assert report_of(again)["Results"]["note"].startswith("24 entities are annotated in 2 validation texts")


def test_types_of_validation_alone_count_as_missed(tagging_trial: Make) -> None:
    rows = notices(40)
    file = [{**r, "split": "valid" if i >= 30 else "train"} for i, r in enumerate(rows)]
    file[35]["entities"] = [[*file[35]["entities"][0][:2], "ORG"]]
    made = tagging_trial(file, epochs=1)
    task.train(made.reporter())
    row = next(r for r in report_of(made)["Each entity type"]["rows"] if r[0] == "ORG")
    assert row[3] == 0 and row[5] == 1


def test_without_validation_and_with_one_row_of_it(tagging_trial: Make) -> None:
    made = tagging_trial(data={"valid_fraction": 0}, epochs=1)
    task.train(made.reporter())
    assert "no validation split" in report_of(made)["Results"]["text"]
    rows = [{**r, "split": "valid" if i == 39 else "train"} for i, r in enumerate(notices(40))]
    made = tagging_trial(rows, run="one", epochs=1)
    task.train(made.reporter())
    assert "1 validation text" in report_of(made)["Results"]["note"]


def test_adapters_and_a_frozen_backbone(tagging_trial: Make, tmp_path: Any) -> None:
    base = task.tiny_model(tmp_path / "base", ["O", "B-X", "I-X"], texts=[r["text"] for r in notices()])
    before = AutoModelForTokenClassification.from_pretrained(base).state_dict()
    embeddings, attention = "model.embeddings.tok_embeddings.weight", "model.layers.0.attn.Wqkv.weight"
    made = tagging_trial(model=str(base), peft=True, lora_r=4, epochs=2)
    task.train(made.reporter())
    after = AutoModelForTokenClassification.from_pretrained(made.directory / "model").state_dict()
    assert torch.equal(after[embeddings], before[embeddings]) and not torch.equal(after[attention], before[attention])
    assert any("adapters were merged" in e["message"] for e in made.events("note"))
    made = tagging_trial(model=str(base), run="frozen", freeze_backbone=True, epochs=1)
    task.train(made.reporter())
    after = AutoModelForTokenClassification.from_pretrained(made.directory / "model").state_dict()
    assert torch.equal(after[attention], before[attention])
    assert not torch.equal(after["head.dense.weight"], before["head.dense.weight"])


def test_the_loss_is_the_mean_over_scored_tokens() -> None:
    logits, labels = torch.randn(2, 3, 4), torch.tensor([[1, -100, 2], [-100, -100, 0]])

    class Outputs:
        pass

    outputs = Outputs()
    outputs.logits = logits  # type: ignore[attr-defined]
    wanted = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    assert torch.allclose(loss_function(0.0)(outputs, labels), wanted)
    assert torch.allclose(loss_function(0.0)(outputs, labels, torch.tensor(6)), wanted / 2)
    assert loss_function(0.0)(outputs, torch.full((2, 3), -100)) == 0


def test_preview_and_probe(tagging_trial: Make) -> None:
    made = tagging_trial(max_seq_length=10, window_overlap=4)
    panels = task.preview(made.directory, made.resolved.spec, made.resolved.params, {})
    titles = [p["title"] for p in panels]
    assert titles == ["Text lengths in tokens", "Annotated texts", "Tokenized texts", "Texts by length in tokens"]
    facts = panels[0]
    assert "texts of several windows" in json.dumps(facts) and "Windows overlap by 4 tokens" in facts["note"]
    probe = task.probe(made.resolved.spec, made.resolved.params, {})
    assert probe["findings"] == [] and probe["parameters"] > 1000
