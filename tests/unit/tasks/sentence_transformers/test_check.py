"""Sentence transformers: detection of the format, AutoTrain's configurations, and bad input."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.tasks.registry import registry, resolve
from tests.cases.conftest import Checked, check_path

TASK = "sentence-transformers"
Check = Callable[..., Checked]
NOUNS = [
    "kettle",
    "lamp",
    "tent",
    "drill",
    "watch",
    "camera",
    "bicycle",
    "heater",
    "blender",
    "jacket",
    "speaker",
    "chair",
]


def pairs(count: int = 24) -> list[tuple[str, str]]:
    """Return questions and answers, all different."""
    return [
        (f"How do I repair the {NOUNS[i % 12]} number {i}?", f"Open the {NOUNS[i % 12]} {i} and replace its fuse.")
        for i in range(count)
    ]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that checks a CSV file of these columns and rows."""
    calls = 0

    def write(header: Sequence[str], rows: Sequence[Sequence[Any]], name: str = "rows.csv", **settings: Any) -> Checked:
        nonlocal calls
        calls += 1
        folder = tmp_path / str(calls)
        (folder / "data").mkdir(parents=True)
        with (folder / "data" / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return check_path(folder, TASK, folder / "data", **settings)

    return write


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        (("anchor", "positive"), (), "pair"),
        (("sentence1", "sentence2"), (), "pair"),
        (("query", "answer"), (), "qa"),
        (("question", "answer"), (), "qa"),
        (("anchor", "positive", "negative"), ("Close the lid of the other one {i}.",), "triplet"),
        (("sentence1", "sentence2", "score"), (0.25, 1.5, 4.75), "pair_score"),
        (("sentence1", "sentence2", "label"), (0.25, 1.5, 4.75), "pair_score"),
        (("sentence1", "sentence2", "score"), (0, 1, 2, 3, 4, 5), "pair_score"),
        (("premise", "hypothesis", "label"), ("entailment", "neutral", "contradiction"), "pair_class"),
        (("premise", "hypothesis", "label"), (0, 1, 2), "pair_class"),
        (("question1", "question2", "is_duplicate"), (0, 1), "pair_class"),
        # Columns without usual names: the left one is the query.
        (("left", "right"), (), "pair"),
    ],
)
def test_the_format_is_detected(check: Check, header: tuple[str, ...], cells: tuple[Any, ...], expected: str) -> None:
    rows = [
        (*pair, *([str(cells[i % len(cells)]).replace("{i}", str(i))] if cells else []))
        for i, pair in enumerate(pairs())
    ]
    found = check(header, rows)
    assert not found.errors, found.result["findings"]
    assert found.result["format"]["name"] == expected
    assert found.result["mapping"]["sentence1"] == [header[0]] and found.result["mapping"]["sentence2"] == [header[1]]
    assert sum(found.result["splits"].values()) == 24 and found.result["splits"]["validation"] in {4, 5, 6}


def test_another_column_is_no_target(check: Check) -> None:
    found = check(("question", "answer", "category"), [(*p, "abc"[i % 3]) for i, p in enumerate(pairs())])
    assert found.result["format"]["name"] == "qa" and not found.errors
    assert "target" not in found.result["mapping"]


def test_a_format_can_be_chosen(check: Check) -> None:
    rows = [(*p, i % 2) for i, p in enumerate(pairs())]
    header = ("sentence1", "sentence2", "label")
    assert check(header, rows).result["format"]["name"] == "pair_class"
    assert check(header, rows, format="pair_score").result["format"]["name"] == "pair_score"
    assert check(header, rows, format="pair").result["format"]["name"] == "pair"


def autotrain_yaml(trainer: str, columns: str) -> str:
    return f"""
task: {trainer}
base_model: microsoft/mpnet-base
project_name: autotrain-st
log: tensorboard
backend: local
data:
  path: sentence-transformers/all-nli
  train_split: {trainer.partition(":")[2]}:train
  valid_split: {trainer.partition(":")[2]}:dev
  column_mapping:
    {columns}
params:
  max_seq_length: 512
  epochs: 5
  batch_size: 8
  lr: 2e-5
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
hub:
  username: ${{HF_USERNAME}}
  token: ${{HF_TOKEN}}
  push_to_hub: true
"""


@pytest.mark.parametrize("name", ["sentence-transformers", "st", "sentence_transformers", "ST"])
@pytest.mark.parametrize(
    ("format", "mapping"),
    [
        ("pair", {"sentence1_column": "anchor", "sentence2_column": "positive"}),
        ("pair_class", {"sentence1_column": "premise", "sentence2_column": "hypothesis", "target_column": "label"}),
        ("pair_score", {"sentence1_column": "sentence1", "sentence2_column": "sentence2", "target_column": "score"}),
        ("triplet", {"sentence1_column": "anchor", "sentence2_column": "positive", "sentence3_column": "negative"}),
        ("qa", {"sentence1_column": "query", "sentence2_column": "answer"}),
    ],
)
def test_autotrain_yaml_resolves(name: str, format: str, mapping: dict[str, str]) -> None:
    text = autotrain_yaml(f"{name}:{format}", "\n    ".join(f"{k}: {v}" for k, v in mapping.items()))
    spec, secrets = from_yaml(text, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_x"})
    found = resolve(spec)
    assert found.task.name == TASK and found.spec.data.format == format and secrets.token == "hf_x"
    assert found.spec.data.columns == {k.removesuffix("_column"): v for k, v in mapping.items()}
    assert (found.params.lr, found.params.batch_size, found.params.max_seq_length) == (2e-5, 8, 512)


def test_other_names_of_columns_are_roles() -> None:
    spec = resolve({"task": "st", "data": {"path": "x/y", "columns": {"query": "q", "answer_column": "a"}}}).spec
    assert spec.task == TASK and spec.data.columns == {"sentence1": "q", "sentence2": "a"}
    assert registry().get("sentence_transformers").name == TASK


@pytest.mark.parametrize("value", ["256,many", "0", "1.5"])
def test_dimensions_must_be_whole_numbers(value: str) -> None:
    with pytest.raises(SpecError, match="not a number of dimensions"):
        resolve({"task": TASK, "params": {"matryoshka_dims": value}})
    assert resolve({"task": TASK, "params": {"matryoshka_dims": [64, "32"]}}).params.matryoshka_dims == "64,32"


def test_an_anchor_that_equals_its_positive_is_skipped(check: Check) -> None:
    rows = [*pairs(), ("The same text twice.", "the same  text twice.")]
    found = check(("anchor", "positive"), rows)
    assert found.message("positive-equals-anchor").startswith("1 row has the same text as anchor and positive")
    assert "row 26" in found.message("positive-equals-anchor")
    assert found.result["dropped"] == [{"code": "positive-equals-anchor", "count": 1}]


def test_a_negative_that_is_the_positive_is_skipped(check: Check) -> None:
    rows = [(*p, f"Something else, number {i}.") for i, p in enumerate(pairs())]
    rows[3] = (*rows[3][:2], rows[3][1])
    rows[5] = (*rows[5][:2], rows[5][0])
    found = check(("anchor", "positive", "negative"), rows)
    assert "2 rows" in found.message("negative-equals-other")
    assert found.result["dropped"] == [{"code": "negative-equals-other", "count": 2}]


def test_empty_texts_are_counted(check: Check) -> None:
    found = check(("query", "answer"), [*pairs(), ("Who is it?", ""), ("", "Nobody.")])
    assert found.result["dropped"] == [{"code": "text-empty", "count": 2}]


@pytest.mark.parametrize(
    ("scores", "limits", "rescaled"),
    [
        ((0.0, 0.4, 1.0), None, (0.0, 0.4, 1.0)),
        ((0.0, 2.5, 4.8), "0 to 5", (0.0, 0.5, 0.96)),
        ((1, 3, 5, 4), "1 to 5", (0.0, 0.5, 1.0, 0.75)),
        ((-1, 0.5, 1), "-1 to 1", (0.0, 0.75, 1.0)),
        ((0, 55, 90, 20), "0 to 100", (0.0, 0.55, 0.9, 0.2)),
        ((0, 7.5, 10), "0 to 10", (0.0, 0.75, 1.0)),
        ((-3, 0.5, 4), "-3 to 4", (0.0, 0.5, 1.0)),
        ((0, 500.5, 700), "0 to 700", (0.0, 0.715, 1.0)),
    ],
)
def test_scores_are_rescaled(
    check: Check, scores: tuple[float, ...], limits: str | None, rescaled: tuple[float, ...]
) -> None:
    rows = [(*p, scores[i % len(scores)]) for i, p in enumerate(pairs())]
    found = check(("sentence1", "sentence2", "score"), rows, format="pair_score")
    assert not found.errors
    assert sorted(set(found.column("target"))) == pytest.approx(sorted(rescaled))
    if limits is None:
        assert "score-rescaled" not in found.codes()
    else:
        assert f"read as a scale of {limits}, and rescaled to 0 to 1" in found.message("score-rescaled")


def test_the_other_scale_is_offered_and_can_be_given(check: Check) -> None:
    rows = [(*p, (1, 3, 5, 2)[i % 4]) for i, p in enumerate(pairs())]
    found = check(("sentence1", "sentence2", "score"), rows)
    fix = next(f["fix"] for f in found.result["findings"] if f["code"] == "score-rescaled")
    assert (fix["label"], fix["change"]) == ("The scale is 0 to 5", {"options": {"score_range": "0-5"}})
    again = check(("sentence1", "sentence2", "score"), rows, **fix["change"])
    assert min(again.column("target")) == pytest.approx(0.2)
    cut = check(("sentence1", "sentence2", "score"), rows, options={"score_range": "1-4"})
    assert cut.result["dropped"] == [{"code": "score-outside-range", "count": 6}]
    wrong = check(("sentence1", "sentence2", "score"), rows, options={"score_range": "five"})
    assert wrong.errors == ["invalid-setting"]


def test_invalid_scores_are_reported(check: Check) -> None:
    rows = [(*p, (0.1, 0.9, "high", "")[i % 4] if i < 8 else 0.5) for i, p in enumerate(pairs())]
    found = check(("sentence1", "sentence2", "score"), rows, format="pair_score")
    assert {d["code"]: d["count"] for d in found.result["dropped"]} == {"number-unreadable": 2, "number-missing": 2}


def test_duplicates_and_contradictions_are_reported(check: Check) -> None:
    rows = [(*p, (i % 5) / 4) for i, p in enumerate(pairs())]
    rows += [(rows[0][1], rows[0][0], 1.0), (*rows[1][:2], rows[1][2])]
    found = check(("sentence1", "sentence2", "score"), rows)
    assert "1 pair occurs more than once with different scores" in found.message("same-pair-other-target")
    assert "rows 2 = 26" in found.message("same-pair-other-target")
    assert found.message("duplicates").startswith("2 duplicate rows: rows.csv, rows 2 = 26")
    low = check(("sentence1", "sentence2", "score"), [*rows[:24], ("Same here.", "same here.", 0.0)])
    assert "1 row has two equal texts" in low.message("equal-texts-low-score")


def test_texts_in_both_given_splits_are_reported(tmp_path: Path) -> None:
    rows = [{"query": q, "answer": a} for q, a in pairs()]
    for name, part in (
        ("train", rows),
        ("valid", [*rows[:2], {"query": rows[3]["query"], "answer": "Call a friend."}]),
    ):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in part))
    found = check_path(tmp_path / "x", TASK, tmp_path)
    assert found.message("same-in-train-and-validation").startswith("2 validation rows are also in the training split")
    assert "1 validation row has a first text that the training split has too" in found.message("query-in-both-splits")


def test_rows_that_share_a_text_stay_in_one_split(check: Check) -> None:
    rows = [(f"Question {i} about the {NOUNS[i % 12]}?", f"All about the {NOUNS[i % 12]} is here.") for i in range(48)]
    found = check(("query", "answer"), rows)
    train, valid = (set(found.column("sentence2", split)) for split in ("train", "validation"))
    assert train and valid and not train & valid
    assert "by whole groups of 'shared text'" in found.result["split_how"]
    assert "sentence1" in found.rows()[0] and "shared text" not in found.rows()[0]


def test_one_group_of_nearly_all_rows_does_not_prevent_validation(check: Check) -> None:
    rows = [(f"Question number {i}?", ("Yes, it is.", "No, it is not.")[i % 2]) for i in range(40)]
    found = check(("query", "answer"), rows)
    assert found.result["splits"]["validation"] == 8
    assert "have only 2 different texts as the answer" in found.message("few-positives")


def test_relations_are_checked(check: Check) -> None:
    header = ("premise", "hypothesis", "label")
    found = check(header, [(*p, "entailment") for p in pairs()])
    assert found.errors == ["one-class"]
    numbers = check(header, [(*p, i % 3) for i, p in enumerate(pairs())])
    fix = next(f["fix"] for f in numbers.result["findings"] if f["code"] == "relation-numbers")
    named = check(header, [(*p, i % 3) for i, p in enumerate(pairs())], **fix["change"])
    assert named.classes == ["contradiction", "entailment", "neutral"]
    marks = check(header, [(*p, ("entailment", "neutral", "-")[i % 3]) for i, p in enumerate(pairs())])
    assert "'-'" in marks.message("relation-no-agreement")
    skipped = check(
        header, [(*p, ("entailment", "neutral", "-")[i % 3]) for i, p in enumerate(pairs())], labels={"-": None}
    )
    assert skipped.classes == ["entailment", "neutral"] and skipped.result["splits"]["train"] < 19


GERMAN = "Wie kann ich das Gerät mit der Nummer {i} wieder reparieren, wenn es heute nicht mehr läuft?"


def test_mixed_languages_are_reported(check: Check) -> None:
    mixed = [(q if i % 2 else GERMAN.format(i=i), a) for i, (q, a) in enumerate(pairs())]
    found = check(("query", "answer"), mixed)
    assert "German" in found.message("languages-mixed") and "English" in found.message("languages-mixed")
    across = check(("query", "answer"), [(GERMAN.format(i=i), a) for i, (_, a) in enumerate(pairs())])
    assert "Query German, Answer English" in across.message("languages-differ")
    assert {"languages-mixed", "languages-differ"} & set(check(("query", "answer"), pairs()).codes()) == set()
