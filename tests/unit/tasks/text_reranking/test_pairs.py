"""Text reranking: the retriever, the pairs that are trained on, the candidates, and bad input."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from autotrain_gradio.tasks.text_reranking.evaluation import ranking_metrics
from autotrain_gradio.tasks.text_reranking.pairs import Candidates, training_pairs, validation_candidates
from autotrain_gradio.tasks.text_reranking.retriever import Bm25, terms
from tests.cases.conftest import Checked, check_path

TASK = "text-reranking"
Check = Callable[..., Checked]
PAIRS = [(f"How do I repair the thing number {i}?", f"Open the thing {i} and replace its fuse.") for i in range(24)]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that checks a CSV file of these columns and rows."""

    def write(header: Sequence[str], rows: Sequence[Sequence[Any]], **settings: Any) -> Checked:
        (tmp_path / "data").mkdir()
        with (tmp_path / "data" / "rows.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return check_path(tmp_path, TASK, tmp_path / "data", **settings)

    return write


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        (("query", "answer"), (), "pair"),
        (("question", "positive", "negative"), ("Close the lid, number {i}.",), "triplet"),
        (("query", "passage", "label"), (0, 1), "labelled"),
        (("query", "passage", "label"), ("True", "False"), "labelled"),
        (("query", "passage", "label"), ("yes", "no"), "labelled"),
        (("query", "passage", "relevance"), ("Relevant", "irrelevant"), "labelled"),
        (("query", "document", "score"), (0.1, 0.75), "labelled"),
    ],
)
def test_the_format_is_detected(check: Check, header: tuple[str, ...], cells: tuple[Any, ...], expected: str) -> None:
    extra = [[str(cells[i % len(cells)]).replace("{i}", str(i))] if cells else [] for i in range(24)]
    found = check(header, [(*pair, *more) for pair, more in zip(PAIRS, extra, strict=True)])
    assert not found.errors and found.result["format"]["name"] == expected
    if expected == "labelled":
        assert set(found.column("relevance")) <= {0.0, 1.0, 0.1, 0.75}


def test_grades_are_rescaled_and_bad_rows_reported(check: Check) -> None:
    rows = [(*pair, i % 4) for i, pair in enumerate(PAIRS)]
    rows[5] = (rows[5][0], "", 2)
    found = check(("query", "passage", "grade"), rows)
    assert "read as a scale of 0 to 5" in found.message("score-rescaled")
    assert {d["code"] for d in found.result["dropped"]} == {"text-empty"}
    (finding,) = (f for f in found.result["findings"] if f["code"] == "score-rescaled")
    assert finding["fix"]["change"] == {"options": {"score_range": "0-3"}}


@pytest.mark.parametrize(("value", "change"), [(1, {"format": "pair"}), (0, None)])
def test_of_passages_that_are_all_right_wrong_ones_can_be_mined(check: Check, value: int, change: Any) -> None:
    found = check(("query", "passage", "label"), [(*pair, value) for pair in PAIRS])
    (finding,) = (f for f in found.result["findings"] if f["code"] == "one-value")
    assert finding["level"] == "error" and finding.get("fix", {}).get("change") == change


def test_terms_of_scripts_without_spaces_are_characters() -> None:
    assert terms("The Fuse-box, 12 V") == ["the", "fuse", "box", "12", "v"]
    assert terms("更换保险丝 now") == ["更", "换", "保", "险", "丝", "now"]


def test_bm25_equals_its_definition() -> None:
    passages = ["the fuse is old", "replace the fuse, the old fuse", "a bicycle"]
    found = Bm25(passages).scores(["old fuse"])[0]
    split = [terms(p) for p in passages]
    mean = sum(map(len, split)) / 3

    def score(words: list[str]) -> float:
        total = 0.0
        for term in ("old", "fuse"):
            count, having = words.count(term), sum(term in other for other in split)
            rarity = math.log(1 + (3 - having + 0.5) / (having + 0.5))
            total += rarity * count * 2.5 / (count + 1.5 * (0.25 + 0.75 * len(words) / mean))
        return total

    assert found.tolist() == pytest.approx([score(words) for words in split], rel=1e-5)
    assert Bm25(passages).order(["old fuse"], 2) == [[1, 0]]
    assert Bm25(["…", "!"]).order(["?"], 2) == [[0, 1]]


def split(**columns: Sequence[Any]) -> DatasetDict:
    return DatasetDict(
        {n: Dataset.from_dict({k: list(v) for k, v in columns.items()}) for n in ("train", "validation")}
    )


def test_wrong_passages_are_mined_without_right_ones() -> None:
    rows = split(query=["old fuse", "old fuse", "bell"], passage=["the old fuse", "an old fuse box", "the bell fuse"])
    found = training_pairs(rows, 2)
    wrong = [(q, p) for q, p, r in zip(found.queries, found.passages, found.relevance, strict=True) if r < 0.5]
    assert ("old fuse", "the bell fuse") in wrong and found.mined == len(wrong)
    assert not {("old fuse", "the old fuse"), ("old fuse", "an old fuse box"), ("bell", "the bell fuse")} & set(wrong)
    assert found.positive_weight == pytest.approx(len(wrong) / 3)
    assert training_pairs(rows, 0).mined == 0


def test_given_wrong_passages_are_used() -> None:
    rows = split(query=["a", "b"], passage=["right a", "right b"], negative=["wrong a", "wrong b"])
    found = training_pairs(rows, 5)
    assert found.mined == 0 and found.relevance == [1.0, 1.0, 0.0, 0.0]


def test_labelled_passages_of_a_query_are_its_candidates() -> None:
    rows = split(
        query=["old fuse"] * 3 + ["bell"] * 2,
        passage=["a tent", "the old fuse", "a fuse", "the bell", "a kettle"],
        relevance=[0.0, 1.0, 0.0, 0.0, 0.9],
    )
    found = validation_candidates(rows, 30)
    assert [c.passages for c in found] == [["the old fuse", "a fuse", "a tent"], ["the bell", "a kettle"]]
    assert [c.right.tolist() for c in found] == [[True, False, False], [False, True]]
    searched = validation_candidates(split(query=["old fuse"], passage=["the old fuse"]), 30)
    assert searched[0].passages == ["the old fuse"] and validation_candidates(DatasetDict(), 3) == []


def test_metrics_are_those_of_the_librarys_evaluator() -> None:
    from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator

    rng = np.random.default_rng(0)
    candidates, orders, samples, scores = [], [], [], {}
    for number in range(20):
        passages = [f"passage {number} {i}" for i in range(15)]
        right = np.zeros(15, dtype=bool)
        right[rng.permutation(15)[: number % 4 + 1]] = True
        values = rng.normal(size=15)
        scores |= {(f"query {number}", p): v for p, v in zip(passages, values, strict=True)}
        candidates.append(Candidates(f"query {number}", passages, right))
        orders.append(np.argsort(-values, kind="stable"))
        positive = [p for p, r in zip(passages, right.tolist(), strict=True) if r]
        samples.append({"query": f"query {number}", "positive": positive, "documents": passages})

    class Model:
        model_card_data = type("Data", (), {"set_evaluation_metrics": lambda *a, **k: None})()

        def predict(self, pairs: Any, **_: Any) -> np.ndarray:
            return np.array([scores[tuple(pair)] for pair in pairs])

    theirs = CrossEncoderRerankingEvaluator(samples, always_rerank_positives=False, write_csv=False)(Model())  # type: ignore[arg-type]
    ours = ranking_metrics(candidates, orders)
    assert ours["reranked_ndcg_at_10"] == pytest.approx(theirs["ndcg@10"])
    assert ours["reranked_mrr_at_10"] == pytest.approx(theirs["mrr@10"])
    kept = ranking_metrics(candidates, [np.arange(15)] * 20)
    assert kept["reranked_ndcg_at_10"] == pytest.approx(theirs["base_ndcg@10"])
