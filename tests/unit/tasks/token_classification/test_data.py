"""Annotated texts as people bring them, through the whole check: what is taken, and what is said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.tasks.registry import resolve

from .conftest import entities, finding

Look = Callable[..., dict[str, Any]]
TOKENS = [
    ["Anna", "Berg", "lives", "in", "Graz", "."],
    ["Ben", "went", "to", "New", "York", "!"],
    ["It", "rained", "."],
]
TAGS = [["B-PER", "I-PER", "O", "O", "B-LOC", "O"], ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"], ["O", "O", "O"]]
ROWS = [(TOKENS[i % 3][:-1] + [f"n{i}"], TAGS[i % 3]) for i in range(12)]
WANTED = {
    " ".join(tokens): [[], [("Anna Berg", "PER"), ("Graz", "LOC")], [("Ben", "PER"), ("New York", "LOC")]][(i + 1) % 3]
    for i, (tokens, _) in enumerate(ROWS)
}
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TEXTS = [(text, [(text.index(w), text.index(w) + len(w), n) for w, n in found]) for text, found in WANTED.items()]


def jsonl(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def table(rows: list[tuple[Any, Any]], write: Callable[[Any], str], head: tuple[str, str] = ("tokens", "tags")) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([head, *((write(a), write(b)) for a, b in rows)])
    return buffer.getvalue()


def numpy_text(items: list[str]) -> str:
    return str(np.array(items, dtype=object))


def parquet(rows: list[tuple[Any, Any]], **columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"tokens": [t for t, _ in rows], "tags": [n for _, n in rows], **columns}), buffer)
    return buffer.getvalue()


def hub_parquet() -> bytes:
    """Class numbers, named by the schema, as datasets of the Hub have them."""
    features = datasets.Features(
        {"id": datasets.Value("string"), "tokens": datasets.List(datasets.Value("string"))}
        | {name: datasets.List(datasets.ClassLabel(names=NAMES)) for name in ("pos_tags", "ner_tags")}
    )
    rows = [
        {"id": str(i), "tokens": t, "pos_tags": [0] * len(t), "ner_tags": [NAMES.index(n) for n in tags]}
        for i, (t, tags) in enumerate(ROWS)
    ]
    buffer = io.BytesIO()
    datasets.Dataset.from_list(rows, features=features).to_parquet(buffer)
    return buffer.getvalue()


def conll(rows: list[tuple[list[str], list[str]]] = ROWS, separator: str = " ", columns: int = 2) -> str:
    middle = [["NN", "x", "y", "I-NP", "1", "2", "3", "4"][k] for k in range(columns - 2)]
    return "\n".join(
        "".join(separator.join([t, *middle, tag]) + "\n" for t, tag in zip(*row, strict=True)) for row in rows
    )


def label_studio() -> str:
    tasks = []
    for n, (text, spans) in enumerate(TEXTS):
        regions = [
            {"type": "labels", "value": {"start": a, "end": b, "text": text[a:b], "labels": [name]}}
            for a, b, name in spans
        ]
        tasks.append({"id": n, "data": {"text": text}, "annotations": [{"id": 1, "result": regions}]})
    return json.dumps(tasks)


def hub_spans() -> bytes:
    """Objects with a list for each key, as the library datasets stores a sequence of objects."""
    spans = [{k: [s[i] for s in found] for i, k in enumerate(("start", "end", "label"))} for _, found in TEXTS]
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": [t for t, _ in TEXTS], "entities": spans}), buffer)
    return buffer.getvalue()


FORMS: dict[str, dict[str, bytes | str]] = {
    "lists": {"a.jsonl": jsonl([{"tokens": t, "tags": n} for t, n in ROWS])},
    "other names": {"a.jsonl": jsonl([{"words": t, "labels": n} for t, n in ROWS])},
    "unknown names": {"a.jsonl": jsonl([{"x": t, "y": n} for t, n in ROWS])},
    "json": {"a.json": json.dumps([{"tokens": t, "ner_tags": n} for t, n in ROWS])},
    "python in csv": {"a.csv": table(ROWS, str)},
    "json in csv": {"a.csv": table(ROWS, json.dumps)},
    "numpy in csv": {"a.csv": table(ROWS, numpy_text)},
    "words in csv": {"a.csv": table(ROWS, " ".join, ("sentence", "labels"))},
    "nested in csv": {"a.csv": table(ROWS, lambda items: json.dumps([str(items)]))},
    "parquet": {"a.parquet": parquet(ROWS)},
    "text beside tokens": {"a.parquet": parquet(ROWS, text=[" ".join(t) for t, _ in ROWS])},
    "class numbers": {"a.parquet": hub_parquet()},
    "conll": {"a.conll": conll()},
    "conll tab": {"a.tsv": conll(separator="\t")},
    "conll txt 4": {"a.txt": "-DOCSTART- -X- -X- O\n\n" + conll(columns=4)},
    "conll 10": {"a.txt": "# a comment\n" + conll(columns=10, separator="\t")},
    "conll csv": {"a.csv": "token,tag\n" + conll(separator=",")},
    "conll without type of file": {"eng.testa": conll()},
    "doccano": {"a.jsonl": jsonl([{"id": i, "text": t, "label": s} for i, (t, s) in enumerate(TEXTS)])},
    "doccano relations": {
        "a.jsonl": jsonl(
            [
                {"text": t, "entities": [{"id": 1, "label": n, "start_offset": a, "end_offset": b} for a, b, n in s]}
                for t, s in TEXTS
            ]
        )
    },
    "prodigy": {
        "a.jsonl": jsonl(
            [
                {
                    "text": t,
                    "tokens": [{"text": w, "id": k} for k, w in enumerate(t.split())],
                    "spans": [{"start": a, "end": b, "label": n, "token_start": 0} for a, b, n in s],
                }
                for t, s in TEXTS
            ]
        )
    },
    "spacy": {"a.json": json.dumps([[t, {"entities": s}] for t, s in TEXTS])},
    "spacy lines": {"a.jsonl": jsonl([[t, {"entities": s}] for t, s in TEXTS])},
    "spacy annotator": {
        "a.json": json.dumps({"classes": ["PER"], "annotations": [[t, {"entities": s}] for t, s in TEXTS]})
    },
    "spans in csv": {"a.csv": table(TEXTS, str, ("text", "entities"))},
    "spans of the hub": {"a.parquet": hub_spans()},
    "label studio": {"a.json": label_studio()},
    "label studio min": {
        "a.json": json.dumps(
            [
                {"text": t, "id": i, "label": [{"start": a, "end": b, "text": t[a:b], "labels": [n]} for a, b, n in s]}
                for i, (t, s) in enumerate(TEXTS)
            ]
        )
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_entities(look: Look, form: str) -> None:
    found = look(FORMS[form])
    assert entities(found) == WANTED
    assert [f for f in found["findings"] if f["level"] != "info"] == []
    titles = {p["title"] for p in (*found["profile"], *found["gallery"])}
    assert {"Entities of each type", "Examples"} <= titles


def test_autotrain_configurations_resolve_and_check(look: Look) -> None:
    text = """
task: {task}
base_model: google-bert/bert-base-uncased
project_name: autotrain-tokens
log: tensorboard
backend: local
data: {{path: x, train_split: train, valid_split: null, column_mapping: {{text_column: words, target_column: marks}}}}
params: {{max_seq_length: 256, epochs: 3, batch_size: 16, lr: 2e-5, optimizer: adamw_torch, scheduler: linear,
  gradient_accumulation: 1, mixed_precision: fp16}}
"""
    for task in ("token_classification", "token-classification", "text_token_classification"):
        for keys in (("tokens_column", "tags_column"), ("text_column", "target_column"), ("tokens", "tags")):
            given = text.format(task=task).replace("text_column", keys[0]).replace("target_column", keys[1])
            resolved = resolve(from_yaml(given)[0])
            assert resolved.task.name == "token-classification" and resolved.params.max_seq_length == 256
            assert resolved.spec.data.columns == {"text": "words", "entities": "marks"}
    files = {"a.jsonl": jsonl([{"words": t, "marks": n} for t, n in ROWS])}
    found = look(files, columns={"tokens": "words", "tags": "marks"})
    assert entities(found) == WANTED and found["format"]["name"] == "tagged-tokens"


def test_tags_that_are_numbers(look: Look) -> None:
    rows = [{"tokens": t, "tags": [NAMES.index(n) for n in tags]} for t, tags in ROWS]
    found = look({"a.jsonl": jsonl(rows)})
    assert "tag_names" in finding(found, "tags-without-names")["hint"]
    assert entities(look({"a.jsonl": jsonl(rows)}, options={"tag_names": NAMES})) == WANTED
    assert entities(look({"a.jsonl": jsonl(rows)}, options={"tag_names": " ".join(NAMES)})) == WANTED
    found = look({"a.jsonl": jsonl(rows)}, options={"tag_names": NAMES[:4]})
    assert "number outside 0 to 3" in finding(found, "tag-number-unknown")["message"]
    assert {"code": "tag-number-unknown", "count": 4} in found["dropped"]


def test_tokens_and_tags_of_different_length_are_named_and_skipped(look: Look) -> None:
    rows = [{"tokens": t, "tags": n[:-1] if i in {2, 5} else n} for i, (t, n) in enumerate(ROWS)]
    found = look({"a.jsonl": jsonl(rows)})
    said = finding(found, "tokens-tags-lengths")
    assert "2 rows have another number of tags than tokens" in said["message"]
    assert "a.jsonl, row 3 (3 tokens, 2 tags)" in said["message"] and "row 6" in said["message"]
    assert found["dropped"] == [{"code": "tokens-tags-lengths", "count": 2}]
    skipped = next(p for p in found["profile"] if p["title"] == "Skipped rows")
    assert skipped["rows"] == [["another number of tags than tokens", 2]]


@pytest.mark.parametrize(
    ("tokens", "tags", "code", "count"),
    [
        ([], [], "text-empty", 1),
        (None, ["O"], "text-empty", 1),
        (["", " "], ["O", "O"], "text-empty", 1),
        (["a"], None, "annotations-missing", 1),
        ([["a", "b"], ["c"]], ["O"], "tokens-unreadable", 1),
        (["a"], [["O", "B-PER"]], "tokens-tags-lengths", 1),
        (["a", "b"], [["O", "B-PER"], ["O"]], "annotations-unreadable", 1),
    ],
)
def test_rows_that_cannot_be_used(look: Look, tokens: Any, tags: Any, code: str, count: int) -> None:
    rows = [{"tokens": t, "tags": n} for t, n in ROWS] + [{"tokens": tokens, "tags": tags}]
    found = look({"a.jsonl": jsonl(rows)})
    assert found["dropped"] == [{"code": code, "count": count}]
    assert "a.jsonl, row 13" in finding(found, code)["message"]
    assert entities(found) == WANTED


def test_no_training_row_is_left(look: Look) -> None:
    valid = [{"tokens": t, "tags": n} for t, n in ROWS]
    train = [{"tokens": t, "tags": None} for t, _ in ROWS]
    found = look({"train.jsonl": jsonl(train), "valid.jsonl": jsonl(valid)})
    assert {"no-rows", "annotations-missing"} <= {f["code"] for f in found["findings"]}


def test_truncated_numpy_lists_are_reported(look: Look) -> None:
    rows = [*ROWS, (["a", "b"], ["O", "O"])]
    written = table(rows, lambda items: numpy_text(items).replace("'b'", "... 'b'"))
    found = look({"a.csv": written})
    assert "'...' inside" in finding(found, "tokens-truncated")["message"]
    assert found["dropped"] == [{"code": "tokens-truncated", "count": 1}]


def test_schemes_are_converted_and_repairs_counted(look: Look) -> None:
    change = {"I-PER": "E-PER", "I-LOC": "E-LOC"}
    rows = [{"tokens": t, "tags": [change.get(n, n) for n in tags]} for t, tags in ROWS]
    rows[0]["tags"][4] = "S-LOC"
    found = look({"a.jsonl": jsonl(rows)})
    assert entities(found) == WANTED and "BIOES" in finding(found, "tags-scheme")["message"]
    said = finding(found, "tags-repaired")  # single entities that begin with B- and do not end
    assert "sequences of tags that BIOES does not allow" in said["message"]
    rows = [{"tokens": t, "tags": n} for t, n in ROWS]
    rows[3]["tags"] = ["O", "I-PER", "O", "O", "I-LOC", "O"]
    found = look({"a.jsonl": jsonl(rows)})
    said = finding(found, "tags-repaired")
    assert "1 row has" in said["message"] and "(2 in all)" in said["message"] and "row 4" in said["message"]


def test_plain_tags_offer_the_other_reading(look: Look) -> None:
    plain = [{"tokens": t, "tags": [n[2:] or "O" for n in tags]} for t, tags in ROWS]
    found = look({"a.jsonl": jsonl(plain)})
    assert entities(found) == WANTED
    fix = finding(found, "tags-scheme")["fix"]["change"]
    other = entities(look({"a.jsonl": jsonl(plain)}, **fix))
    assert other["Anna Berg lives in Graz n0"] == [("Anna", "PER"), ("Berg", "PER"), ("Graz", "LOC")]
    speech = [{"tokens": ["The", "old", "dog", f"n{i}"], "pos": ["DET", "ADJ", "NOUN", "NOUN"]} for i in range(10)]
    found = look({"a.jsonl": jsonl(speech)})
    assert entities(found)["The old dog n3"][2:] == [("dog", "NOUN"), ("n3", "NOUN")]
    with pytest.raises(AssertionError, match="not a tagging scheme"):
        entities(look({"a.jsonl": jsonl(plain)}, options={"tag_scheme": "XYZ"}))


def test_conll_columns_are_chosen_and_can_be_changed(look: Look) -> None:
    rows = "\n".join(
        "".join(
            f"{k + 1}\t{t}\t{t.lower()}\t{'NOUN' if k % 2 else 'VERB'}\t_\t_\t0\troot\t_\t_\n"
            for k, t in enumerate(tokens)
        )
        for tokens, _ in ROWS
    )
    found = look({"a.conllu": f"# sent_id = 1\n# text = x\n{rows}"})
    assert "column 2 has the tokens and column 4 the tags" in finding(found, "conll-columns-chosen")["message"]
    assert entities(found)["Anna Berg lives in Graz n0"][:2] == [("Anna", "VERB"), ("Berg", "NOUN")]
    text = conll(columns=4)
    found = look({"a.conll": text}, options={"tag_column": 2})
    assert {label for spans in entities(found).values() for _, label in spans} == {"NN"}
    assert entities(look({"a.conll": text}, options={"tag_column": -1})) == WANTED
    found = look({"a.conll": text}, options={"tag_column": 7})
    assert "from 1 to 4" in finding(found, "column-missing")["hint"]


def test_conll_documents_stay_together_and_damaged_sentences_are_named(look: Look) -> None:
    parts = [conll(ROWS[k : k + 2]) for k in range(0, 12, 2)]
    text = "".join(f"-DOCSTART- O\n\n{part}\n" for part in parts)
    found = look({"a.txt": text.replace("rained O", "rained", 1)})
    assert finding(found, "conll-columns")["message"].startswith("1 sentence has lines with other than 2 columns")
    assert found["mapping"]["document"] == ["document"]
    documents = [set(part["document"]) for part in found["data"].values()]
    assert len(documents) == 2 and not documents[0] & documents[1]


def test_no_sentence_is_left_of_a_damaged_file(look: Look) -> None:
    found = look({"a.conll": "cat NN B-PER\nran VB O\nhome NN\n\n" * 30})
    assert [f["code"] for f in found["findings"] if f["level"] == "error"] == ["no-rows"]
    assert "of 30 rows" in finding(found, "no-rows")["message"]


def test_equal_texts_are_the_reason_for_no_validation(look: Look) -> None:
    found = look({"a.jsonl": jsonl([{"text": "Anna is here.", "entities": [[0, 4, "PER"]]}] * 40)})
    assert finding(found, "no-validation")["message"].startswith("All 40 rows have the same content")


@pytest.mark.parametrize("filled", [True, False])
def test_tables_with_a_token_in_each_row(look: Look, filled: bool) -> None:
    lines = [
        [f"Sentence: {n}" if filled or k == 0 else "", token, "NN", tag]
        for n, row in enumerate(ROWS)
        for k, (token, tag) in enumerate(zip(*row, strict=True))
    ]
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["Sentence #", "Word", "POS", "Tag"], *lines])
    found = look({"ner_dataset.csv": buffer.getvalue()})
    assert entities(found) == WANTED and found["layout"]["name"] == "token-rows"
    assert not [f for f in found["findings"] if f["level"] != "info"]


def test_rows_of_single_tokens_are_pointed_out(look: Look) -> None:
    written = "word,tag\n" + "".join(f"{t},{n}\n" for row in ROWS for t, n in zip(*row, strict=True))
    assert "no context" in finding(look({"a.csv": written}), "single-tokens")["message"]


def test_numbers_of_types_are_named_by_the_schema(look: Look) -> None:
    label = datasets.ClassLabel(names=["LOC", "PER"])
    spans = datasets.List({"start": datasets.Value("int64"), "end": datasets.Value("int64"), "label": label})
    rows = [
        {"text": t, "entities": [{"start": a, "end": b, "label": ["LOC", "PER"].index(n)} for a, b, n in s]}
        for t, s in TEXTS
    ]
    buffer = io.BytesIO()
    features = datasets.Features({"text": datasets.Value("string"), "entities": spans})
    datasets.Dataset.from_list(rows, features=features).to_parquet(buffer)
    assert entities(look({"a.parquet": buffer.getvalue()})) == WANTED


def test_tokens_that_look_like_comments(look: Look) -> None:
    text = "# a comment here\n" + conll([(["#", "1", f"n{i}"], ["O", "O", "B-X"]) for i in range(8)])
    found = look({"a.conll": text})
    assert set(entities(found)) == {f"# 1 n{i}" for i in range(8)}


def test_label_studio_tasks_without_annotation_or_with_several(look: Look) -> None:
    tasks = json.loads(label_studio())
    tasks[0]["annotations"] = []
    tasks[1]["annotations"].append(tasks[1]["annotations"][0])
    tasks[2]["annotations"].insert(0, {"was_cancelled": True, "result": []})
    found = look({"a.json": json.dumps(tasks)})
    assert "a.json, row 1" in finding(found, "not-annotated")["message"]
    assert "1 task has several annotations" in finding(found, "several-annotations")["message"]
    assert {"code": "not-annotated", "count": 1} in found["dropped"] and len(entities(found)) == 11


def spans_with(text: str, *spans: Any) -> dict[str, bytes | str]:
    rows = [{"text": t, "entities": s} for t, s in TEXTS]
    return {"a.jsonl": jsonl([*rows, {"text": text, "entities": list(spans)}])}


@pytest.mark.parametrize(
    ("span", "code", "message", "kept"),
    [
        ([0, 90, "PER"], "spans-outside", "PER 0 to 90 of 18 characters", []),
        ([-3, 2, "PER"], "spans-outside", "PER -3 to 2", []),
        ([5, 5, "PER"], "spans-empty", "PER 5 to 5", []),
        ([4, 5, "PER"], "spans-empty", "PER 4 to 5", []),
        ([7, 3, "PER"], "spans-empty", "PER 7 to 3", []),
        ([1, 3, "PER"], "spans-misaligned", "'nn' in 'Anna'", [("Anna", "PER")]),
        ([3, "PER"], "spans-incomplete", "without a start, an end or a label (1 in all)", []),
    ],
)
def test_spans_that_do_not_fit_are_reported_with_their_row(
    look: Look, span: Any, code: str, message: str, kept: Any
) -> None:
    found = look(spans_with("Anna is here today", span))
    said = finding(found, code)
    assert message in said["message"] and "a.jsonl, row 13" in said["message"] and said["level"] == "warning"
    assert entities(found)["Anna is here today"] == kept


def test_spaces_around_a_span_do_not_matter_and_of_overlapping_spans_the_longest_is_used(look: Look) -> None:
    found = look(spans_with(" Anna Maria Berg ", [0, 6, "PER"], [1, 16, "PER"], [12, 17, "LOC"]))
    assert entities(found)[" Anna Maria Berg "] == [("Anna Maria Berg", "PER")]
    assert "1 row has spans that overlap others (2 in all)" in finding(found, "spans-overlap")["message"]


def test_offsets_of_javascript_are_recognized(look: Look) -> None:
    rows = []
    for i in range(10):
        text = f"🎉🎉 {i} e\u0301t\u00e9: Anna lives in Graz"
        places = [(text.index(w), w, n) for w, n in (("Anna", "PER"), ("Graz", "LOC"))]
        units = [(len(text[:a].encode("utf-16-le")) // 2, w, n) for a, w, n in places]
        rows.append(
            {"text": text, "label": [{"start": a, "end": a + 4, "labels": [n], "text": w} for a, w, n in units]}
        )
    found = look({"a.jsonl": jsonl(rows)})
    assert "UTF-16" in finding(found, "span-offsets")["message"]
    assert {tuple(spans) for spans in entities(found).values()} == {(("Anna", "PER"), ("Graz", "LOC"))}
    plain = [
        {"text": r["text"], "label": [{**s, "start": s["start"] - 2, "end": s["end"] - 2} for s in r["label"]]}
        for r in rows
    ]
    found = look({"a.jsonl": jsonl(plain)})
    assert {tuple(spans) for spans in entities(found).values()} == {(("Anna", "PER"), ("Graz", "LOC"))}
    assert not [f for f in found["findings"] if f["code"] in {"span-offsets", "spans-misaligned"}]


def test_inclusive_ends_are_recognized(look: Look) -> None:
    rows = [{"text": t, "entities": [[a, b - 1, n] for a, b, n in spans]} for t, spans in TEXTS]
    found = look({"a.jsonl": jsonl(rows)})
    assert entities(found) == WANTED and "the last one of the span" in finding(found, "span-offsets")["message"]
    fix = finding(found, "span-offsets")["fix"]["change"]
    assert "spans-misaligned" in {f["code"] for f in look({"a.jsonl": jsonl(rows)}, **fix)["findings"]}


def test_languages_without_spaces_and_from_right_to_left(look: Look) -> None:
    chinese = [list(f"王小明住在北京{n}。") for n in "一二三四五六七八"]
    rows = [{"tokens": t, "tags": ["B-PER", "I-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "O", "O"]} for t in chinese]
    found = look({"a.jsonl": jsonl(rows)})
    assert entities(found)["王小明住在北京一。"] == [("王小明", "PER"), ("北京", "LOC")]
    written = "text,labels\n" + "".join(f"{''.join(r['tokens'])},{' '.join(r['tags'])}\n" for r in rows)
    assert entities(look({"b.csv": written}, options={"tables": ["b.csv"]})) == entities(found)
    thai = [{"text": f"สมชายอยู่ที่เชียงใหม่ {i}", "entities": [[0, 5, "PER"], [12, 21, "LOC"]]} for i in range(8)]
    found = look({"c.jsonl": jsonl(thai)}, options={"tables": ["c.jsonl"]})
    assert entities(found)["สมชายอยู่ที่เชียงใหม่ 1"] == [("สมชาย", "PER"), ("เชียงใหม่", "LOC")]
    arabic = [{"text": f"تعيش ليلى في بيروت {i}", "entities": [[5, 9, "PER"], [13, 18, "LOC"]]} for i in range(8)]
    found = look({"d.jsonl": jsonl(arabic)}, options={"tables": ["d.jsonl"]})
    assert entities(found)["تعيش ليلى في بيروت 2"] == [("ليلى", "PER"), ("بيروت", "LOC")]


def test_only_outside_tags_and_one_type(look: Look) -> None:
    found = look({"a.jsonl": jsonl([{"tokens": t, "tags": ["O"] * len(n)} for t, n in ROWS])})
    assert "all tags are O" in finding(found, "no-entities")["message"]
    one = [{"tokens": t, "tags": [n if "PER" in n else "O" for n in tags]} for t, tags in ROWS]
    found = look({"a.jsonl": jsonl(one)})
    assert {n for spans in entities(found).values() for _, n in spans} == {"PER"}


def test_types_of_validation_alone_are_said(look: Look) -> None:
    train, valid = ([{"tokens": t, "tags": n} for t, n in rows] for rows in (ROWS[:9], ROWS[9:]))
    valid[0]["tags"] = ["B-ORG", "I-ORG", "O", "O", "B-LOC", "O"]
    found = look({"train.jsonl": jsonl(train), "valid.jsonl": jsonl(valid)})
    said = finding(found, "entity-type-not-trained")
    assert "1 type of the validation rows has no training rows: ORG" in said["message"] and "missed" in said["message"]


def test_types_are_renamed_excluded_and_compared(look: Look) -> None:
    rows = [{"text": t, "entities": s} for t, s in TEXTS]
    rows[0]["entities"] = [(a, b, "per" if n == "PER" else n) for a, b, n in rows[0]["entities"]]
    found = look({"a.jsonl": jsonl(rows)})
    fix = finding(found, "label-spelling")["fix"]
    assert fix["label"] == "Merge into 'PER'" and entities(look({"a.jsonl": jsonl(rows)}, **fix["change"])) == WANTED
    found = look({"a.jsonl": jsonl(rows)}, labels={"LOC": None, "per": "PER", "ORG": "X"})
    assert {n for spans in entities(found).values() for _, n in spans} == {"PER"}
    assert "'ORG'" in finding(found, "label-mapping-unused")["message"]


def test_equal_texts(look: Look) -> None:
    train = [{"text": t, "entities": s} for t, s in TEXTS]
    other = {"text": TEXTS[0][0], "entities": [[0, 4, "PER"]]}
    found = look({"train.jsonl": jsonl([*train, other]), "valid.jsonl": jsonl([train[1], *train[:1]])})
    assert "row 1" in finding(found, "same-text-other-entities")["message"]
    assert "also in the training rows" in finding(found, "same-in-train-and-validation")["message"]


def test_classes_of_texts_are_no_annotations(look: Look) -> None:
    found = look({"a.csv": "text,label\n" + "".join(f"a text {i},{'good' if i % 2 else 'bad'}\n" for i in range(9))})
    assert any(f["level"] == "error" for f in found["findings"])
    assert "another number of tags than tokens" in finding(found, "tokens-tags-lengths")["message"]
