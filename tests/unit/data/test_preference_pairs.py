"""Tables of preferences: the forms in which data has them, what they become, and what is reported about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import DUPLICATES, PATH, PREFERENCES, SAVED_DATASET
from autotrain_gradio.data.kinds.conversation import messages_of
from autotrain_gradio.tasks.preferences import FORMATS, PREFERENCE_TABLE
from tests.unit.data.conftest import codes, errors, finding

Checked = Callable[..., dict[str, Any]]


@pytest.fixture
def check(draft: Path, tmp_path: Path) -> Checked:
    """Return a function that checks rows written as JSON lines, a file, or a folder."""

    def run(rows: list[Any] | Path, **given: Any) -> dict[str, Any]:
        path = rows if isinstance(rows, Path) else tmp_path / "pairs.jsonl"
        if not isinstance(rows, Path):
            path.write_text("\n".join(json.dumps(row) for row in rows))
        request = data.Request(
            title="Preferences",
            spec=DataSpec(source="path", path=str(path), **given),
            columns=tuple({c.role: c for f in FORMATS for c in f.columns}.values()),
            formats=FORMATS,
            sources=(PATH,),
            layouts=(SAVED_DATASET, PREFERENCE_TABLE),
            checks=(PREFERENCES, DUPLICATES),
        )
        result: dict[str, Any] = {**data.check(draft, request)}
        if not errors(result):
            assert result["rows"] == sum(result["splits"].values()) + sum(d["count"] for d in result["dropped"])
        return result

    return run


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def loaded(draft: Path) -> list[Any]:
    """Return (prompt, chosen, rejected) of all rows, in the order of their prompts."""
    rows = [row for split in data.load(draft).values() for row in split]
    return [
        [messages_of(row[r]) for r in ("prompt", "chosen", "rejected")]
        for row in sorted(rows, key=lambda r: r["prompt"])
    ]


WANTED = [[[user(f"Question {i}?")], [assistant("Yes, please.")], [assistant(f"No {i}.")]] for i in range(6)]
FORMS: dict[str, Callable[[list[Any], list[Any], list[Any]], dict[str, Any]]] = {
    "texts": lambda p, c, r: {"prompt": p[0]["content"], "chosen": c[0]["content"], "rejected": r[0]["content"]},
    "messages": lambda p, c, r: {"prompt": p, "chosen": c, "rejected": r},
    "implicit messages": lambda p, c, r: {"chosen": p + c, "rejected": p + r},
    "implicit texts": lambda p, c, r: {
        n: f"{p[0]['content']} {a[0]['content']}" for n, a in (("chosen", c), ("rejected", r))
    },
    "dialogues": lambda p, c, r: {
        n: f"\n\nHuman: {p[0]['content']}\n\nAssistant: {a[0]['content']}" for n, a in (("chosen", c), ("rejected", r))
    },
    "prompt twice": lambda p, c, r: {"prompt": p[0]["content"], "chosen": p + c, "rejected": p + r},
    "prompt as list": lambda p, c, r: {"prompt": p, "chosen": p + c, "rejected": p + r},
    "ShareGPT": lambda p, c, r: {
        "question": p[0]["content"],
        "chosen": [{"from": "gpt", "value": c[0]["content"]}],
        "rejected": [{"from": "gpt", "value": r[0]["content"]}],
    },
    "JSON": lambda p, c, r: {"chosen": json.dumps(p + c), "rejected": json.dumps(p + r)},
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_become_the_same_messages(check: Checked, draft: Path, form: str) -> None:
    result = check([FORMS[form](*row) for row in WANTED])
    assert not errors(result) and loaded(draft) == WANTED
    read = finding(result, "preference-form")["message"]
    assert "6 rows were read as a prompt with a preferred and a rejected answer" in read
    implicit = form in {"implicit messages", "implicit texts", "dialogues", "JSON"}
    assert ("what both answers begin with" in read) == implicit
    assert result["format"]["name"] == ("pairs" if implicit else "prompt-pairs")
    for panel in (*result["profile"], *result["gallery"]):
        assert render_html(panel) and render_text(panel)
    assert "Question 0?" in json.dumps(result["gallery"]) and "longer one in 100% of the rows" in json.dumps(
        result["profile"]
    )


def test_nested_columns_of_parquet_and_autotrains_names(check: Checked, draft: Path, tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    rows = [{"q": p[0]["content"], "good": p + c, "bad": p + r} for p, c, r in WANTED]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert not errors(check(path, columns={"prompt": "q", "chosen": "good", "rejected": "bad"}))
    assert loaded(draft) == WANTED


def test_system_prompts_are_put_in_front(check: Checked, draft: Path) -> None:
    check([{"system": "Be brief.", **FORMS["texts"](*row)} for row in WANTED])
    assert loaded(draft)[0][0] == [{"role": "system", "content": "Be brief."}, user("Question 0?")]


def test_rows_that_cannot_be_used_are_counted_with_their_places(check: Checked) -> None:
    rows = [FORMS["texts"](*row) for row in WANTED]
    rows += [
        {"prompt": "Equal?", "chosen": "Yes", "rejected": "Yes"},
        {"prompt": "Empty?", "chosen": "Yes", "rejected": " "},
        {"prompt": "", "chosen": "Yes", "rejected": "No"},
    ]
    result = check(rows)
    assert {d["code"]: d["count"] for d in result["dropped"]} == {
        "preference-answers-equal": 1,
        "answer-empty": 1,
        "prompt-empty": 1,
    }
    assert "row 7" in finding(result, "preference-answers-equal")["message"]
    assert result["splits"]["train"] + result["splits"].get("validation", 0) == 6


def test_texts_that_share_no_beginning_have_no_prompt(check: Checked) -> None:
    result = check([{"chosen": f"Yes {i}", "rejected": f"No {i}"} for i in range(6)])
    assert finding(result, "prompt-empty")["message"].startswith("6 rows have no prompt")
    assert "Choose the column of the prompt" in finding(result, "prompt-empty")["hint"]


def test_the_same_prompt_is_in_one_split(check: Checked, draft: Path) -> None:
    rows = [
        {"prompt": f"Question {i}?", "chosen": f"Yes {k}", "rejected": f"No {k}"} for i in range(10) for k in range(3)
    ]
    result = check(rows, valid_fraction=0.3)
    splits = data.load(draft)
    assert result["splits"]["validation"] in {9, 12}
    assert not {*splits["train"]["prompt"]} & {*splits["validation"]["prompt"]}


def test_prompts_of_both_given_splits_and_contradictions_are_reported(check: Checked, tmp_path: Path) -> None:
    folder = tmp_path / "splits"
    folder.mkdir()
    train = [FORMS["texts"](*row) for row in WANTED] + [
        {"prompt": "Question 0?", "chosen": "No 0.", "rejected": "Yes, please."}
    ]
    valid = [
        {"prompt": "Question 1?", "chosen": "Of course", "rejected": "Never"},
        {"prompt": "New?", "chosen": "Yes", "rejected": "No"},
    ]
    for name, rows in (("train", train), ("validation", valid)):
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    result = check(folder)
    assert "1 validation row has a prompt" in finding(result, "prompt-in-both-splits")["message"]
    assert finding(result, "preference-contradiction")["message"].startswith("2 rows have answers")
    assert "preference-contradiction" not in codes(check([FORMS["texts"](*row) for row in WANTED]))
