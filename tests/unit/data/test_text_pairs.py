"""Pairs of texts in files that hold several in a row, or in the folders of a retrieval benchmark."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, load_from_disk

from tests.cases.conftest import Checked, check_path

RERANKING, EMBEDDINGS = "text-reranking", "sentence-transformers"
NAMES = ("kettle", "lamp", "tent", "drill", "watch", "camera")
CORPUS = {f"p{i}": f"Open the {name} and replace its part {i}." for i, name in enumerate(NAMES * 2)}
QUERIES = {f"q{i}": f"How do I repair the {name}?" for i, name in enumerate(NAMES)}


def write_lines(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def benchmark(folder: Path, **judged: list[tuple[str, str, Any]]) -> Path:
    """Write a folder as of BEIR. judged: split → (query, text, score)."""
    write_lines(folder / "corpus.jsonl", ({"_id": k, "title": "Manual", "text": v} for k, v in CORPUS.items()))
    write_lines(folder / "queries.jsonl", ({"_id": k, "text": v, "metadata": {}} for k, v in QUERIES.items()))
    (folder / "qrels").mkdir()
    for split, rows in judged.items():
        lines = [("query-id", "corpus-id", "score"), *rows]
        text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
        (folder / "qrels" / f"{split}.tsv").write_text(text, encoding="utf-8")
    return folder


def checked(tmp_path: Path, task: str, path: Path, **settings: Any) -> tuple[Checked, list[dict[str, Any]]]:
    """Return the check, and the training rows."""
    found = check_path(tmp_path / task, task, path, **settings)
    rows = load_from_disk(str(found.draft / "data" / "dataset"))["train"] if not found.errors else Dataset.from_list([])
    return found, rows.to_list()


RIGHT = [(f"q{i}", f"p{i}", 1) for i in range(6)]
WRONG = [(f"q{i}", f"p{(i + k) % 12}", 0) for i in range(6) for k in (1, 2)]


def test_a_benchmark_of_right_texts_is_read_as_pairs(tmp_path: Path) -> None:
    path = benchmark(tmp_path / "data", train=RIGHT[:4], dev=RIGHT[4:])
    for task, name in ((RERANKING, "pair"), (EMBEDDINGS, "qa")):
        found, rows = checked(tmp_path, task, path)
        assert found.result["layout"]["name"] == "beir" and found.result["format"]["name"] == name
        assert found.result["splits"] == {"train": 4, "validation": 2}
        texts = next(iter({"passage", "sentence2"} & set(rows[0])))
        assert {row[texts] for row in rows} == {f"Manual {CORPUS[p]}" for _, p, _ in RIGHT[:4]}
        note = next(f for f in found.result["findings"] if f["code"] == "judged-pairs")
        assert "6 of 12 texts of the corpus" in note["message"]


def test_judged_wrong_texts_are_labels_for_reranking_and_negatives_for_embeddings(tmp_path: Path) -> None:
    path = benchmark(tmp_path / "data", train=[*RIGHT[:4], *WRONG[:8]], dev=[*RIGHT[4:], *WRONG[8:]])
    found, rows = checked(tmp_path, RERANKING, path)
    assert found.result["format"]["name"] == "labelled" and len(rows) == 12
    assert sorted(row["relevance"] for row in rows) == [0.0] * 8 + [1.0] * 4
    found, rows = checked(tmp_path, EMBEDDINGS, path)
    assert found.result["format"]["name"] == "triplet" and found.result["splits"] == {"train": 8, "validation": 4}
    assert {(r["sentence1"], r["sentence3"]) for r in rows} == {
        (QUERIES[q], f"Manual {CORPUS[p]}") for q, p, _ in WRONG[:8]
    }


def test_negatives_of_a_few_queries_only_are_not_used_and_that_is_said(tmp_path: Path) -> None:
    path = benchmark(tmp_path / "data", train=[*RIGHT, *WRONG[:2], ("q0", "p9", 2)], dev=[("q5", "p0", 0)])
    found, rows = checked(tmp_path, EMBEDDINGS, path)
    codes = {f["code"]: f["message"] for f in found.result["findings"]}
    assert "5 queries have no judged text with the score 0, so that the 3" in codes["negatives-not-used"]
    assert codes["query-without-positive"].startswith("1 query has no judged text")
    assert found.result["format"]["name"] in {"qa", "pair"} and sum(found.result["splits"].values()) == 7


def test_unknown_ids_and_invalid_scores_are_reported_with_their_rows(tmp_path: Path) -> None:
    path = benchmark(tmp_path / "data", train=[*RIGHT, ("q9", "p1", 1), ("q1", "p99", 1)])
    found, _ = checked(tmp_path, RERANKING, path)
    message = next(f["message"] for f in found.result["findings"] if f["code"] == "unknown-id")
    assert message.startswith("2 pairs of qrels/train.tsv have an id") and "row 8 (q9, p1), row 9 (q1, p99)" in message
    path = benchmark(tmp_path / "other", train=[*RIGHT, ("q1", "p2", "yes")])
    message = checked(tmp_path / "2", EMBEDDINGS, path)[0].message("score-invalid")
    assert message.startswith("The score 'yes' is not a number.") and message.endswith("qrels/train.tsv, row 8")


def rows_with_negatives(count: int = 12) -> list[dict[str, Any]]:
    return [
        {"query": f"How do I repair the number {i}?", "positive": f"Replace the fuse of number {i}."}
        | {f"negative_{k + 1}": f"Number {i} was made in the year {1990 + k}." for k in range(3)}
        for i in range(count)
    ]


@pytest.mark.parametrize("task", [RERANKING, EMBEDDINGS])
@pytest.mark.parametrize("form", ["columns", "lists", "pos and neg", "text in a CSV"])
def test_a_row_with_several_negatives_becomes_several_triplets(tmp_path: Path, task: str, form: str) -> None:
    rows = rows_with_negatives()
    expected = {(r["query"], r["positive"], r[f"negative_{k}"]) for r in rows for k in (1, 2, 3)}
    made: list[dict[str, Any]] = rows
    if form != "columns":
        lists = [[r[f"negative_{k}"] for k in (1, 2, 3)] for r in rows]
        names, one = (("pos", "neg"), list) if form == "pos and neg" else (("positive", "negatives"), lambda t: t[0])
        made = [
            {"query": r["query"], names[0]: one([r["positive"]]), names[1]: negatives}
            for r, negatives in zip(rows, lists, strict=True)
        ]
    if form == "text in a CSV":
        file = tmp_path / "data" / "rows.csv"
        file.parent.mkdir()
        with file.open("w", encoding="utf-8", newline="") as out:
            cells = [[json.dumps(v) if isinstance(v, list) else v for v in r.values()] for r in made]
            csv.writer(out).writerows([list(made[0]), *cells])
    else:
        write_lines(tmp_path / "data" / "rows.jsonl", made)
    found = check_path(tmp_path, task, tmp_path / "data")
    assert found.result["format"]["name"] == "triplet", found.result["findings"]
    dataset = load_from_disk(str(found.draft / "data" / "dataset"))
    roles = ("query", "passage", "negative") if task == RERANKING else ("sentence1", "sentence2", "sentence3")
    assert {tuple(row[r] for r in roles) for part in dataset.values() for row in part} == expected
    message = next(f["message"] for f in found.result["findings"] if f["code"] == "several-texts")
    assert "12 rows became 36" in message


def test_rows_have_different_numbers_of_texts(tmp_path: Path) -> None:
    rows = [{k: v for k, v in r.items() if k[-1] not in "23" or i % 2} for i, r in enumerate(rows_with_negatives())]
    write_lines(tmp_path / "data" / "rows.jsonl", rows)
    found = check_path(tmp_path, EMBEDDINGS, tmp_path / "data")
    assert not found.errors and sum(found.result["splits"].values()) == 6 + 18


def test_a_column_that_is_chosen_is_read_alone(tmp_path: Path) -> None:
    write_lines(tmp_path / "data" / "rows.jsonl", rows_with_negatives())
    columns = {"query": "query", "passage": "positive", "negative": "negative_2"}
    found = check_path(tmp_path, RERANKING, tmp_path / "data", columns=columns)
    assert sum(found.result["splits"].values()) == 12 and found.result["mapping"]["negative"] == ["negative_2"]
