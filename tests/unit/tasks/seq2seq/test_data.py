"""Data of text to text as people bring it, through the whole check: what is taken, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.registry import resolve

ENGLISH = [
    "The weather is very nice today, and we are going for a walk in the park.",
    "My brother has bought a new bicycle, because the old one was broken.",
    "Yesterday evening they watched a film about the history of the city.",
    "Could you please tell me where the next railway station is?",
    "She has been working in this hospital for more than ten years.",
    "The children are playing in the garden with their new ball.",
    "We would like to order two cups of coffee and a piece of cake.",
    "The meeting was postponed until next week because of the strike.",
    "He forgot his umbrella at home, although it was raining heavily.",
    "In the summer many people travel to the sea with their families.",
    "The teacher explained the exercise once more to all of the pupils.",
    "I have never seen such a beautiful house in my whole life.",
]
GERMAN = [
    "Das Wetter ist heute sehr schön, und wir gehen im Park spazieren.",
    "Mein Bruder hat ein neues Fahrrad gekauft, weil das alte kaputt war.",
    "Gestern Abend haben sie einen Film über die Geschichte der Stadt gesehen.",
    "Könnten Sie mir bitte sagen, wo der nächste Bahnhof ist?",
    "Sie arbeitet seit mehr als zehn Jahren in diesem Krankenhaus.",
    "Die Kinder spielen mit ihrem neuen Ball im Garten.",
    "Wir möchten gerne zwei Tassen Kaffee und ein Stück Kuchen bestellen.",
    "Die Besprechung wurde wegen des Streiks auf nächste Woche verschoben.",
    "Er hat seinen Regenschirm zu Hause vergessen, obwohl es stark regnete.",
    "Im Sommer fahren viele Leute mit ihren Familien ans Meer.",
    "Die Lehrerin erklärte die Übung allen Schülern noch einmal.",
    "Ich habe in meinem ganzen Leben noch kein so schönes Haus gesehen.",
]
PAIRS = list(zip(ENGLISH, GERMAN, strict=True))
Look = Callable[..., dict[str, Any]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Return a function that checks files, name → content; the result has `pairs`, all rows as pairs of texts."""

    def check(files: dict[str, bytes | str], *, path: str = "", **given: Any) -> dict[str, Any]:
        root, draft = tmp_path / "in", tmp_path / "run"
        draft.mkdir()
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return _checked(root / path, draft, given)

    return check


def _checked(root: Path, draft: Path, given: dict[str, Any]) -> dict[str, Any]:
    resolved = resolve({"task": "seq2seq", "data": {"source": "path", "path": str(root), **given}})
    found: dict[str, Any] = dict(data.check(draft, Request.of(resolved)))
    if not any(f["level"] == "error" for f in found["findings"]):
        found["data"] = data.load(draft)
        found["pairs"] = [(r["text"], r["target"]) for part in found["data"].values() for r in part]
        assert len(found["pairs"]) + sum(d["count"] for d in found["dropped"]) == found["rows"]
    return found


def csv(rows: list[tuple[str, str]], head: tuple[str, str] = ("text", "target")) -> str:
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (head, *rows)) + "\n"


def lines(texts: list[str]) -> str:
    return "\n".join(texts) + "\n"


def told(found: dict[str, Any], code: str) -> dict[str, Any]:
    mine = [f for f in found["findings"] if f["code"] == code]
    assert len(mine) == 1, [(f["code"], f["message"]) for f in found["findings"]]
    return dict(mine[0])


TRANSLATIONS = [{"translation": {"en": e, "de": g}} for e, g in PAIRS]


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": csv(PAIRS)},
        {"a.csv": csv(PAIRS, ("article", "summary"))},
        {"a.tsv": "en\tde\n" + "".join(f"{e}\t{g}\n" for e, g in PAIRS)},
        {"a.jsonl": lines([json.dumps({"source": e, "target": g}) for e, g in PAIRS])},
        {"a.jsonl": lines([json.dumps(row) for row in TRANSLATIONS])},
        {"a.csv": csv([("1", str(row["translation"])) for row in TRANSLATIONS], ("id", "translation"))},
        {"a.csv": csv([("1", json.dumps(row["translation"])) for row in TRANSLATIONS], ("id", "translation"))},
        {"corpus.en": lines(ENGLISH), "corpus.de": lines(GERMAN)},
        {"corpus.src": lines(ENGLISH), "corpus.tgt": lines(GERMAN)},
        {"text.en.txt": lines(ENGLISH), "text.de.txt": lines(GERMAN)},
        {"src-a.txt": lines(ENGLISH), "tgt-a.txt": lines(GERMAN)},
        {"source.txt": "\r\n".join(ENGLISH), "target.txt": lines(GERMAN)},
        {
            "train.en": lines(ENGLISH[:9]),
            "train.de": lines(GERMAN[:9]),
            "valid.en": lines(ENGLISH[9:]),
            "valid.de": lines(GERMAN[9:]),
        },
    ],
    ids=[
        *("csv", "named", "languages", "jsonl", "translation", "python text", "json text", "moses", "src and tgt"),
        *("before txt", "opennmt", "whole names", "splits"),
    ],
)
def test_every_form_gives_the_same_pairs(look: Look, files: dict[str, bytes | str]) -> None:
    swapped = next(iter(files)).endswith((".en", ".en.txt"))
    found = look(files, columns={"text": "en", "target": "de"} if swapped else {})
    assert [f for f in found["findings"] if f["level"] == "error"] == []
    assert sorted(found["pairs"]) == sorted(PAIRS)
    assert found["splits"] == ({"train": 9, "validation": 3} if "valid.en" in files else {"train": 10, "validation": 2})


def tmx(units: list[tuple[str, str]], before: str = "", inside: str = "") -> str:
    body = "".join(
        f'<tu><tuv xml:lang="en"><seg>{e}{inside}</seg></tuv><tuv xml:lang="de-DE"><seg>{g}</seg></tuv></tu>'
        for e, g in units
    )
    return f'<?xml version="1.0" encoding="utf-8"?>{before}<tmx version="1.4"><header/><body>{body}</body></tmx>'


def test_a_translation_memory_is_read_without_the_codes_of_its_format(look: Look) -> None:
    found = look({"memory.tmx": tmx(PAIRS, '<!DOCTYPE tmx SYSTEM "tmx14.dtd">', '<bpt i="1">&lt;b&gt;</bpt>')})
    assert sorted(found["pairs"]) == sorted(PAIRS) and found["layout"]["name"] == "tmx"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (tmx(PAIRS)[:-10], "tmx-damaged", "not valid XML"),
        (tmx(PAIRS, '<!DOCTYPE tmx [<!ENTITY a "aaaa">]>'), "tmx-damaged", "defines entities"),
        ("<html><body/></html>", "tmx-damaged", "'html'"),
        ('<tmx><body><tu><tuv xml:lang="en"><seg>a</seg></tuv></tu></body></tmx>', "tmx-no-pairs", "1 unit"),
    ],
)
def test_a_damaged_translation_memory_is_an_error(look: Look, content: str, code: str, said: str) -> None:
    found = told(look({"memory.tmx": content}), code)
    assert found["level"] == "error" and said in found["message"] and "memory.tmx" in found["where"]


def test_a_saved_translation_dataset_is_read(tmp_path: Path) -> None:
    features = datasets.Features({"translation": datasets.Translation(["de", "en"])})
    rows = [{"translation": {"de": g, "en": e}} for e, g in PAIRS]
    datasets.Dataset.from_list(rows, features=features).save_to_disk(tmp_path / "in")
    (tmp_path / "run").mkdir()
    found = _checked(tmp_path / "in", tmp_path / "run", {})
    assert sorted(found["pairs"]) == sorted((g, e) for e, g in PAIRS)
    assert "translate from German to English" in told(found, "translation-direction")["message"]


def test_the_direction_of_a_translation_is_said_and_can_be_exchanged(tmp_path: Path, look: Look) -> None:
    found = look({"a.jsonl": lines([json.dumps(row) for row in TRANSLATIONS])})
    direction = told(found, "translation-direction")
    assert direction["level"] == "info" and "from English to German" in direction["message"]
    assert direction["fix"]["change"] == {"columns": {"text": "de", "target": "en"}}
    assert "'translation' holds translations: en, de" in told(found, "translation-columns")["message"]
    (tmp_path / "again").mkdir()
    other = _checked(tmp_path / "in", tmp_path / "again", direction["fix"]["change"])
    assert sorted(other["pairs"]) == sorted((g, e) for e, g in PAIRS)


def test_of_several_languages_any_two_can_be_chosen(look: Look) -> None:
    rows = [{"translation": {"en": e, "de": g, "fr": f"phrase {i}"}} for i, (e, g) in enumerate(PAIRS)]
    found = look({"a.jsonl": lines([json.dumps(r) for r in rows])}, columns={"text": "de", "target": "fr"})
    assert {target for _, target in found["pairs"]} == {f"phrase {i}" for i in range(len(PAIRS))}
    assert [c["name"] for c in found["columns"]] == ["en", "de", "fr"]


def test_parallel_files_of_different_lengths_are_an_error_that_says_where(look: Look) -> None:
    english = [" ".join([text] * (i % 4 + 1)) for i, text in enumerate(ENGLISH)]
    german = [" ".join([text] * (i % 4 + 1)) for i, text in enumerate(GERMAN)]
    more = [*german[:7], "Noch eine Zeile, die es im Englischen gar nicht gibt.", *german[7:]]
    found = told(look({"train.en": lines(english), "train.de": lines(more)}), "parallel-lines-differ")
    assert found["level"] == "error"
    assert "train.en has 12 lines" in found["message"] and "train.de has 13 lines" in found["message"]
    assert found["where"] == "train.de, line 8" and "Noch eine Zeile" in found["message"]


def test_a_parallel_file_without_counterpart_is_reported(look: Look) -> None:
    found = look({"a.en": lines(ENGLISH), "a.de": lines(GERMAN), "b.en": lines(ENGLISH[:3])})
    assert "b.en" in told(found, "file-without-counterpart")["message"] and len(found["pairs"]) == 12


def test_one_named_file_needs_its_folder(look: Look) -> None:
    said = told(look({"a.en": lines(ENGLISH), "a.de": lines(GERMAN)}, path="a.en"), "layout-unknown")
    assert "name the folder" in said["hint"]


def test_empty_lines_of_one_side_are_counted_with_their_place(look: Look) -> None:
    found = look({"a.en": lines(ENGLISH), "a.de": lines([*GERMAN[:3], "", *GERMAN[4:]])})
    said = told(found, "text-empty")
    assert "row 4" in said["message"] and said["level"] == "warning" and len(found["pairs"]) == 11


SHORT = [f"Headline number {i} of the day" for i in range(12)]
LONG = [" ".join([f"Story {i}."] + ENGLISH[:8]) for i in range(12)]


@pytest.mark.parametrize(
    ("content", "level", "code", "said"),
    [
        (csv([*PAIRS, ("A text.", ""), ("Another.", "  ")]), "warning", "text-empty", "rows have no text"),
        (csv([*PAIRS, ("", "Text.")]), "warning", "text-empty", "1 row has no text"),
        (csv([(e, e) for e in ENGLISH]), "error", "targets-equal-sources", "nothing to learn"),
        (csv([*PAIRS, ("Hello you there.", "Hello you there.")]), "info", "targets-equal-sources", "row 14"),
        (
            csv([(e, e if i < 6 else g) for i, (e, g) in enumerate(PAIRS)]),
            "warning",
            "targets-equal-sources",
            "6 targets",
        ),
        (csv([(e, "yes") for e in ENGLISH]), "warning", "targets-constant", "'yes'"),
        (csv([*PAIRS, PAIRS[0]]), "info", "duplicates", "rows 2 = 14"),
        (csv([*PAIRS, (ENGLISH[0], GERMAN[1])]), "warning", "same-input-other-target", "different targets"),
        (
            csv([(e, g if i % 3 else e + " So.") for i, (e, g) in enumerate(PAIRS)]),
            "warning",
            "languages-mixed",
            "English",
        ),
        (csv(list(zip(SHORT, LONG, strict=True)), ("text", "target")), "warning", "columns-swapped", "times longer"),
        (csv([("<p>" + e + "</p>", g) for e, g in PAIRS]), "warning", "text-html", "12 source texts have HTML"),
        (csv([(e, g + " &amp; mehr") for e, g in PAIRS]), "warning", "text-html", "12 target texts have HTML"),
        (csv([(g, e) for e, g in PAIRS], ("en", "de")), "warning", "language-not-as-named", "detected as German"),
        (csv([(g, g.lower()) for g in GERMAN]), "warning", "text-not-english", "German"),
        (csv([*PAIRS, ("x" * 30_000, "y")]), "info", "text-very-long", "30,000"),
        ("text\n" + lines([e.replace(",", "") for e in ENGLISH]), "error", "column-unclear", "as the target text"),
        ("", "error", "table-empty", "empty"),
        ("text,target\n", "error", "table-header-only", "no rows"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(look: Look, content: str, level: str, code: str, said: str) -> None:
    found = look({"a.csv": content})
    mine = [f for f in found["findings"] if f["code"] == code]
    assert mine and mine[0]["level"] == level, [(f["level"], f["code"], f["message"]) for f in found["findings"]]
    assert any(said in f["message"] for f in mine), mine
    assert mine[0]["where"] or code == "duplicates"
    assert ("data" in found) == (level != "error")


def test_swapped_columns_can_be_exchanged_by_a_click(look: Look) -> None:
    found = look({"a.csv": csv(list(zip(SHORT, LONG, strict=True)))})
    assert told(found, "columns-swapped")["fix"]["change"] == {"columns": {"text": "target", "target": "text"}}


def test_good_pairs_give_no_warning(look: Look) -> None:
    found = look({"a.csv": csv(PAIRS)})
    assert [(f["code"], f["message"]) for f in found["findings"] if f["level"] != "info"] == []


def test_a_pair_in_training_and_validation_is_reported(look: Look) -> None:
    found = look({"train.csv": csv(PAIRS), "valid.csv": csv(PAIRS[:4])})
    said = told(found, "same-in-train-and-validation")
    assert "4 validation texts" in said["message"] and said["level"] == "warning"


AUTOTRAIN = """
task: {task}
base_model: google/flan-t5-base
project_name: autotrain-flan-t5-samsum
log: tensorboard
backend: local
data:
  path: samsum
  train_split: train
  valid_split: test
  column_mapping:
    text_column: dialogue
    target_column: summary
params:
  max_seq_length: 512
  max_target_length: 128
  epochs: 3
  batch_size: 4
  lr: 2e-5
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
  peft: true
  quantization: int8
  lora_r: 16
  lora_alpha: 32
  lora_dropout: 0.05
  target_modules: all-linear
hub:
  username: ${{HF_USERNAME}}
  token: ${{HF_TOKEN}}
  push_to_hub: true
"""


@pytest.mark.parametrize("name", ["seq2seq", "text2text", "text2text-generation", "text2text_generation"])
def test_autotrains_own_file_is_read_as_it_is(name: str) -> None:
    spec, secrets = from_yaml(AUTOTRAIN.format(task=name), {"HF_USERNAME": "ana", "HF_TOKEN": "hf_secret"})
    resolved = resolve(spec)
    assert resolved.spec.task == "seq2seq" and resolved.spec.model == "google/flan-t5-base"
    assert resolved.spec.data.columns == {"text": "dialogue", "target": "summary"}
    params: Any = resolved.params
    assert (params.max_seq_length, params.max_target_length, params.lr, params.peft) == (512, 128, 2e-5, True)
    assert params.quantization == "int8"
    assert secrets.token == "hf_secret"


def test_the_norwegian_code_is_no_boolean() -> None:
    spec, _ = from_yaml("task: seq2seq\nparams: {source_language: no, target_language: ''}\n", {})
    params: Any = resolve(spec).params
    assert params.source_language == "no" and params.target_language is None


@pytest.mark.parametrize(
    ("model", "lr"),
    [
        ("google/flan-t5-base", 3e-4),
        ("google/mt5-small", 3e-4),
        ("facebook/bart-base", 5e-5),
        ("google/t5gemma-s-s-prefixlm", 5e-5),
    ],
)
def test_the_learning_rate_of_a_family(model: str, lr: float) -> None:
    params: Any = resolve({"task": "seq2seq", "model": model}).params
    assert params.lr == lr and params.target_modules == ("q,v" if lr > 1e-4 else "all-linear")
