"""Texts of one column or several, and labels: one a row or several, as lists, delimited, or in columns of 0 and 1."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pytest

from autotrain_gradio import data
from autotrain_gradio.data.values.content_ids import of_columns, of_texts
from autotrain_gradio.data.values.labels import Labels
from tests.unit.data import roles
from tests.unit.data.conftest import codes, errors, finding, names, plant


def check(draft: Path, rows: list[dict[str, Any]] | str, **given: Any) -> dict[str, Any]:
    content = rows if isinstance(rows, str) else "\n".join(map(json.dumps, rows))
    folder = plant(draft.parent / "in", {"a.csv" if isinstance(rows, str) else "a.jsonl": content})
    return roles.check(draft, roles.TEXTS, folder, **given)


def table(*labels: Any) -> list[dict[str, Any]]:
    return [{"text": f"row {i} of the table", "label": label} for i, label in enumerate(labels)]


def loaded(draft: Path) -> dict[str, Any]:
    """Return text → label, or list of labels, of all rows."""
    found = {}
    for part in data.load(draft).values():
        feature = part.features["target"]
        for row in part:
            value = row["target"]
            if isinstance(feature, datasets.ClassLabel):
                found[row["text"]] = feature.int2str(value)
            else:
                found[row["text"]] = [feature.feature.int2str(v) for v in value]
    return found


# -- texts


def test_rows_without_a_text_are_skipped_and_reported(draft: Path) -> None:
    result = check(draft, "text,label\nhello there,a\n   ,a\n,b\ngood bye,b\n")
    assert roles.dropped(result) == {"text-empty": 2}
    assert "a.csv, row 3, a.csv, row 4" in finding(result, "text-empty")["message"]


def test_columns_of_objects_and_lists_are_refused_as_texts(draft: Path) -> None:
    rows = [{"text": {"title": f"t{i}", "body": "b"}, "label": "ab"[i % 2]} for i in range(8)]
    found = finding(check(draft, rows, columns={"text": ["text"], "target": ["label"]}), "text-nested")
    assert found["level"] == "error" and "keys title, body" in found["message"] and "'title'" in found["hint"]
    assert found["where"] == "column text"
    rows = [{"text": f"row {i}", "words": ["a", f"w{i}"], "label": "ab"[i % 2]} for i in range(8)]
    found = finding(check(draft, rows, columns={"text": ["text", "words"], "target": ["label"]}), "text-nested")
    assert "'words' are lists" in found["message"]


def test_texts_that_are_json_are_reported(draft: Path) -> None:
    texts = [
        {"body": "x", "n": 1},
        "[deleted]",
        "{curly} braces",
        '{"a": [1,\n 2]}',
        "['one', 'two']",
        "plain",
        "[1] see",
    ]
    rows = [{"text": text, "label": "ab"[i % 2]} for i, text in enumerate(texts * 2)]
    found = finding(check(draft, rows), "text-json")
    assert found["level"] == "warning" and found["message"].startswith("6 texts look like JSON")
    assert "a.jsonl, row 1, a.jsonl, row 4, a.jsonl, row 5" in found["message"]


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ([f"id-{i:04d}" for i in range(12)], "text-identifiers"),
        ([str(i) for i in range(12)], "text-identifiers"),
        ([f"{i}日に注文しました。{i}" for i in range(12)], ""),  # sentences without spaces
        ([f"สั่งซื้อวันที่{i}" for i in range(12)], ""),
        ([f"{i % 5}.5" for i in range(12)], "text-numbers"),
        ([f"{i % 5} - 1e-05" for i in range(12)], "text-numbers"),
        ([f"room {i}" for i in range(12)], None),
        ([f"शब्द{i % 5}" for i in range(12)], None),
        ([*(f"id-{i:04d}" for i in range(12)), "word"], None),
        ([str(i) for i in range(9)], None),
    ],
)
def test_text_columns_of_numbers_or_identifiers_are_reported(draft: Path, texts: list[str], code: str | None) -> None:
    rows = [{"text": text, "label": "ab"[i // 2 % 2]} for i, text in enumerate(texts)]
    result = check(draft, rows, columns={"text": ["text"]})
    assert [c for c in codes(result) if c in ("text-identifiers", "text-numbers")] == ([code] if code else [])
    if code:
        assert finding(result, code)["where"] == "data.columns.text"


def test_several_columns_are_joined(draft: Path) -> None:
    rows = [{"title": "T", "body": "B", "label": "a"}, {"title": " ", "body": "only", "label": "b"}] + [
        {"title": None, "body": None, "label": "a"}
    ]
    result = check(draft, rows, columns={"text": ["title", "body"]}, valid_fraction=0)
    assert loaded(draft) == {"T\nB": "a", "only": "b"} and roles.dropped(result) == {"text-empty": 1}
    check(draft, rows, columns={"text": ["body", "title"]}, options={"text_separator": " | "}, valid_fraction=0)
    assert set(loaded(draft)) == {"B | T", "only"}
    assert errors(check(draft, rows, columns={"text": ["body", "title"]}, options={"text_separator": 3}))


def test_numbers_as_texts(draft: Path) -> None:
    check(draft, [{"text": i, "label": "ab"[i % 2]} for i in range(4)], valid_fraction=0)
    assert set(loaded(draft)) == {"0", "1", "2", "3"}


def test_the_column_of_sentences_is_guessed_as_text(draft: Path) -> None:
    rows = [{"note": f"a longer sentence of words {i}", "who": f"n{i}", "label": "ab"[i % 2]} for i in range(10)]
    result = check(draft, rows)
    assert result["mapping"] == {"text": ["note"], "target": ["label"]}
    assert "'note'" in finding(result, "column-guessed")["message"]


@pytest.mark.parametrize("seed", range(20))
def test_texts_that_differ_by_case_and_spaces_are_duplicates(seed: int) -> None:
    rng = random.Random(seed)
    words = ["a", "B", "ab", "Ünal", "é", "long" * rng.randint(1, 9), "\u00a0", "x"]
    texts: list[str | None] = []
    for _ in range(rng.randint(1, 60)):
        space = rng.choice([" ", "  ", "\t", "\n "])
        text = space.join(rng.choice(words) for _ in range(rng.randint(1, 3)))
        texts.append(rng.choice([text, text.upper(), f" {text} ", None, ""]))
    half = rng.randint(0, len(texts))
    chunks = [pa.array(texts[:half], pa.string()), pa.array(["?", *texts[half:]], pa.string()).slice(1)]
    found = of_texts(pa.chunked_array(chunks)).tolist()
    plain = [None if t is None else " ".join(t.lower().split()) for t in texts]
    count = Counter(p for p in plain if p is not None)
    for i, p in enumerate(plain):
        assert (found[i] >= 0) == (p is not None and count[p] > 1), (p, found[i])
        for j in range(i):
            if found[i] >= 0 and found[j] >= 0:
                assert (found[i] == found[j]) == (p == plain[j])


def test_long_texts_with_equal_ends_are_not_duplicates() -> None:
    texts = [f"{'same' * 20}{i}{'end' * 40}" for i in range(50)] * 2
    found = of_texts(pa.chunked_array([pa.array(texts)]))
    assert len(set(found.tolist())) == 50 and (found[:50] == found[50:]).all()


def test_rows_with_equal_columns_are_duplicates() -> None:
    found = of_columns([np.array([1, 1, 2, 1, -1, -1]), np.array([5, 5, 5, 6, 0, 0])])
    assert found[0] == found[1] >= 0 and found[4] == found[5] >= 0 and found[2] == found[3] == -1


def test_duplicates_and_contradicting_labels_are_reported(draft: Path) -> None:
    text = "text,label\n" + "".join(f"row number {i},{'ab'[i % 2]}\n" for i in range(20))
    result = check(draft, text + "Row  Number 3 ,a\nROW NUMBER 4,a\n")
    assert "a.csv, rows 5 (b) = 22 (a)" in finding(result, "same-in-two-classes")["message"]
    assert "1 duplicate text:" in finding(result, "duplicates")["message"]


def test_texts_that_are_all_in_two_classes_leave_no_validation_rows(draft: Path) -> None:
    rows = [{"text": f"row {i // 2} of the table", "label": "ab"[i % 2]} for i in range(40)]
    found = finding(check(draft, rows), "no-validation")
    assert found["message"].startswith("40 of 40 rows have a content with more than one label")
    assert "Correct the labels" in found["hint"] and found["where"] == "data.labels"
    few = finding(check(draft, [*rows, {"text": "another one", "label": "a"}]), "no-validation")["message"]
    assert few.startswith("40 of 41 rows") and "of the other 1 there are too few" in few


def test_texts_in_training_and_validation(tmp_path: Path, draft: Path) -> None:
    body = "text,label\n" + "".join(f"row number {i},{'ab'[i % 2]}\n" for i in range(20))
    files = {"train.csv": body, "valid.csv": "text,label\nrow NUMBER 3,b\nanother one,a\n"}
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "two", files))
    message = finding(result, "same-in-train-and-validation")["message"]
    assert "1 validation text is" in message and "train.csv, row 5 = valid.csv, row 2" in message


def test_very_long_texts_and_texts_without_words(draft: Path) -> None:
    rows = table("a", "b", "a", "b")
    rows += [{"text": "ü" * 20_001, "label": "a"}, {"text": "x" * 20_000, "label": "b"}, {"text": "?!?", "label": "a"}]
    result = check(draft, rows)
    assert "the longest 20,001): a.jsonl, row 5." in finding(result, "text-very-long")["message"]
    assert "1 text has no letter" in finding(result, "text-without-words")["message"]


def test_profile_and_gallery_of_texts(draft: Path) -> None:
    result = check(draft, table(*"ab" * 20))
    words = next(p for p in result["profile"] if p["title"] == "Words in a text")
    assert words["labels"] == ["5 to 9"] and sum(words["series"]["train"]) == 32
    (examples,) = result["gallery"]
    assert len(examples["rows"]) == 6 and {row[1] for row in examples["rows"]} == {"a", "b"}


# -- labels


def test_labels_in_lists(draft: Path) -> None:
    result = check(draft, table(["x", "y"], ["y"], [], ["x", "x", "z"], None, ["z"]), valid_fraction=0)
    assert loaded(draft) == {
        "row 0 of the table": ["x", "y"],
        "row 1 of the table": ["y"],
        "row 2 of the table": [],
        "row 3 of the table": ["x", "z"],
        "row 5 of the table": ["z"],
    }
    assert roles.dropped(result) == {"label-missing": 1}
    assert {label["name"]: label["rows"] for label in result["labels"]} == {"x": 2, "y": 2, "z": 2}
    assert json.loads((draft / "data" / "manifest.json").read_text())["multi_label"] is True


@pytest.mark.parametrize("form", ["['x', 'y']|['y']|[]", '["x", "y"]|["y"]|[]', "[x, y]|[y]|[]"])
def test_labels_in_lists_written_as_text(draft: Path, form: str) -> None:
    check(draft, table(*form.split("|") * 2), valid_fraction=0)
    assert list(loaded(draft).values()) == [["x", "y"], ["y"], []] * 2


@pytest.mark.parametrize("delimiter", [",", ";", "|", ", "])
def test_labels_with_a_delimiter_between_them(draft: Path, delimiter: str) -> None:
    labels = [delimiter.join(s) for s in (["x", "y"], ["y"], ["x", "z"], ["z", "y"], ["x"])]
    result = check(draft, table(*labels * 2), valid_fraction=0)
    found = finding(result, "labels-split")
    assert names(result) == ["x", "y", "z"] and found["fix"]["change"] == {"options": {"label_delimiter": ""}}
    result = check(draft, table(*labels * 2), valid_fraction=0, **found["fix"]["change"])
    assert len(names(result)) == 5 and "labels-split" not in codes(result)
    assert json.loads((draft / "data" / "manifest.json").read_text())["multi_label"] is False


@pytest.mark.parametrize(
    "labels",
    [
        ["San Jose, CA", "New York, NY", "Austin, TX", "Boston, MA"],
        ["cat", "dog"],
        ["well, it was good after all and more of such words than a label would ever have", "no, not so"],
    ],
)
def test_commas_in_sentences_do_not_delimit_labels(draft: Path, labels: list[str]) -> None:
    assert names(check(draft, table(*labels * 3))) == sorted(labels)


def test_a_delimiter_that_the_spec_names(draft: Path) -> None:
    check(draft, table("x/y", "y", "x/z"), valid_fraction=0, options={"label_delimiter": "/"})
    assert list(loaded(draft).values()) == [["x", "y"], ["y"], ["x", "z"]]


def test_labels_in_columns_of_zero_and_one(draft: Path) -> None:
    text = "text,toxic,rude,odd\nfirst text,1,0,Ja\nsecond text,0,0,nein\nthird text,1,1,no\nfourth,,1,no\n"
    result = check(draft, text, columns={"target": ["toxic", "rude", "odd"]}, valid_fraction=0)
    assert loaded(draft) == {"first text": ["odd", "toxic"], "second text": [], "third text": ["rude", "toxic"]}
    assert roles.dropped(result) == {"label-missing": 1}
    wrong = check(draft, text.replace("third text,1", "third text,7"), columns={"target": ["toxic", "rude"]})
    assert "row 4: '7'" in finding(wrong, "label-not-a-mark")["message"]


def test_several_labels_are_renamed_merged_and_left_out(draft: Path) -> None:
    rows = table(["x", "y"], ["y", "z"], ["z"], ["w"])
    result = check(draft, rows, labels={"x": "y", "z": None, "w": "v", "q": "r"}, valid_fraction=0)
    assert list(loaded(draft).values()) == [["y"], ["y"], [], ["v"]]
    assert {r["name"]: r["rows"] for r in result["raw_labels"]} == {"w": 1, "x": 1, "y": 2, "z": 2}
    assert "'q'" in finding(result, "label-mapping-unused")["message"]


def test_a_label_on_every_row_and_none_at_all(draft: Path) -> None:
    result = check(draft, table(["x", "y"], ["x"], ["x", "y"]))
    assert "'x'" in finding(result, "label-everywhere")["message"]
    assert errors(check(draft, table([], [], []))) == ["no-labels"]


def test_spellings_of_several_labels_can_be_merged(draft: Path) -> None:
    rows = table(*[["Cat", "dog"], ["cat"], ["cat", "dog"], ["dog"]] * 3)
    fix = finding(check(draft, rows), "label-spelling")["fix"]["change"]
    assert fix == {"labels": {"Cat": "cat"}} and names(check(draft, rows, **fix)) == ["cat", "dog"]


def test_labels_that_are_long_texts_are_reported_as_swapped(draft: Path) -> None:
    told = [f"This is what number {k} has written about it. " * 100 for k in range(3)]
    result = check(draft, [{"text": "good" if i % 2 else "bad", "label": told[i % 3]} for i in range(30)])
    found = finding(result, "label-long")
    assert "3 labels of 3 are longer than 100 characters (the longest 4,400)" in found["message"]
    assert "columns of texts and of labels are swapped" in found["hint"] and found["where"] == "data.columns.target"
    assert max(len(f["message"]) for f in result["findings"]) < 800, "names are cut where they are shown"
    assert all(len(row[1]) <= 60 for row in result["gallery"][0]["rows"])
    assert "label-long" not in codes(check(draft, table(*["a" * 100, "b"] * 8)))


def test_control_characters_in_labels_are_reported_with_a_fix(draft: Path) -> None:
    rows = table(*["go\x07od", "ba\nd", "fine", "as\u200dis"] * 6)
    found = finding(check(draft, rows), "label-control-characters")
    assert "'ba\\nd' (6), 'go\\x07od' (6)" in found["message"] and found["message"].startswith("2 labels")
    change = found["fix"]["change"]
    assert change == {"labels": {"go\x07od": "good", "ba\nd": "ba d"}}
    mended = check(draft, rows, **change)
    assert "label-control-characters" not in codes(mended)
    assert names(mended) == ["as\u200dis", "ba d", "fine", "good"]


def test_duplicate_texts_with_different_label_sets_are_reported(draft: Path) -> None:
    rows = [*table(["x"], ["y"], ["x", "y"]), {"text": "row 0 of the table", "label": ["y", "x"]}]
    rows.append({"text": "row 2 of the table", "label": ["y", "x"]})
    message = finding(check(draft, rows), "same-in-two-classes")["message"]
    assert message.startswith("1 text occurs more than once with different labels: a.jsonl, rows 1 (x) = 4")


def test_co_occurrence_of_labels_is_plotted(draft: Path) -> None:
    result = check(draft, table(*[["x", "y"], ["y"], ["y", "z"]] * 4))
    matrix = next(p for p in result["profile"] if p["kind"] == "matrix")
    assert matrix["labels"] == ["y", "x", "z"] and matrix["values"] == [[12, 4, 4], [4, 4, 0], [4, 0, 4]]


def test_rare_labels_are_in_both_splits(draft: Path) -> None:
    result = check(draft, table(*[["common"], ["common", "rare"], ["common"], ["common"], ["common"]] * 10))
    assert {x["name"]: (x["train"], x["validation"]) for x in result["labels"]}["rare"] == (8, 2)


@pytest.mark.parametrize("seed", range(10))
def test_label_counts_strata_and_signatures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = [sorted(rng.choice(4, rng.integers(0, 4), replace=False).tolist()) for _ in range(20)]
    offsets = np.concatenate(([0], np.cumsum([len(s) for s in sets])))
    labels = Labels("abcd", np.concatenate([np.array(s, dtype=int) for s in sets]), offsets)
    rows = np.flatnonzero(rng.random(20) < 0.5)
    assert [labels[int(i)] for i in rows] == [tuple("abcd"[k] for k in sets[i]) for i in rows]
    assert labels.counts(rows).tolist() == [sum(k in sets[i] for i in rows) for k in range(4)]
    same = labels.signatures(rows)
    assert all((same[a] == same[b]) == (sets[i] == sets[j]) for a, i in enumerate(rows) for b, j in enumerate(rows))
    kept = labels.only(rows)
    assert [kept[int(i)] for i in rows] == [labels[int(i)] for i in rows]
    assert kept.names == ["abcd"[k] for k in range(4) if any(k in sets[i] for i in rows)]
    counts = labels.counts(rows)
    for i, k in zip(rows, labels.strata(rows), strict=True):
        assert (k == -1 and not sets[i]) or counts[k] == min(counts[j] for j in sets[i])


# -- folders of texts


def test_a_folder_of_texts_for_each_class(tmp_path: Path, draft: Path) -> None:
    files: dict[str, Any] = {
        f"{c}/{i}.{'md' if i % 2 else 'txt'}": f"text {i} {c}" for c in ("x", "y") for i in range(6)
    }
    files |= {
        "x/latin.txt": "caf\xe9 au lait".encode("latin-1"),
        "x/void.txt": "",
        "README.md": "about",
        "x/a.docx": "?",
    }
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", files))
    assert result["layout"]["name"] == "text-folders" and names(result) == ["x", "y"]
    assert roles.dropped(result) == {"text-empty": 1, "label-missing": 1}
    assert {"encoding-guessed", "texts-beside-folders", "other-files"} <= set(codes(result))
    assert "café au lait" in loaded(draft)


def test_folders_of_texts_below_splits(tmp_path: Path, draft: Path) -> None:
    files = {f"{s}/{c}/{i}.txt": f"{s} {c} {i}" for s in ("train", "test") for c in ("x", "y") for i in range(5)}
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", files), valid_split="test")
    assert result["splits"] == {"train": 10, "validation": 10}


def test_a_table_wins_over_notes_in_folders(tmp_path: Path, draft: Path) -> None:
    files = {"a.csv": "text,label\n" + "some words here,a\nother words there,b\n" * 3, "docs/one/a.md": "x"}
    assert roles.check(draft, roles.TEXTS, plant(tmp_path / "in", files))["layout"]["name"] == "table"
