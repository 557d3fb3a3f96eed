"""Tables of judged answers: what they become, and what is reported about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import DUPLICATES, JUDGEMENTS, PATH, SAVED_DATASET
from autotrain_gradio.data.kinds.conversation import messages_of
from autotrain_gradio.data.kinds.preferences import balancing_weights
from autotrain_gradio.tasks.preferences import JUDGED_FORMATS, JUDGED_TABLE
from tests.unit.data.conftest import codes, errors, finding

Checked = Callable[..., dict[str, Any]]


@pytest.fixture
def check(draft: Path, tmp_path: Path) -> Checked:
    """Return a function that checks rows written as JSON lines."""

    def run(rows: list[Any], **given: Any) -> dict[str, Any]:
        path = tmp_path / "judged.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in rows))
        request = data.Request(
            title="Judged answers",
            spec=DataSpec(source="path", path=str(path), **given),
            columns=tuple({c.role: c for f in JUDGED_FORMATS for c in f.columns}.values()),
            formats=JUDGED_FORMATS,
            sources=(PATH,),
            layouts=(SAVED_DATASET, JUDGED_TABLE),
            checks=(JUDGEMENTS, DUPLICATES),
        )
        return {**data.check(draft, request)}

    return run


def rows(judgements: list[Any], name: str = "label") -> list[dict[str, Any]]:
    return [{"prompt": f"Question {i}?", "completion": f"Answer {i}", name: j} for i, j in enumerate(judgements)]


@pytest.mark.parametrize(
    ("judgements", "good"),
    [
        ([True, False] * 4, 4),
        (["👍", "👎", "👍", "👎"] * 2, 4),
        (["yes", "no", "yes", "yes"] * 2, 6),
        ([1, 2, 4, 5] * 2, 4),
        ([1, -1] * 4, 4),
    ],
)
def test_judgements_become_two_classes(check: Checked, draft: Path, judgements: list[Any], good: int) -> None:
    result = check(rows(judgements, "rating"))
    assert not errors(result) and result["mapping"]["label"] == ["rating"]
    found = [row for split in data.load(draft).values() for row in split]
    assert sum(row["label"] for row in found) == good
    feature = data.load(draft)["train"].features["label"]
    assert feature.names == ["bad", "good"]
    for row in found:
        number = messages_of(row["prompt"])[0]["content"].split()[1].rstrip("?")
        assert messages_of(row["completion"]) == [{"role": "assistant", "content": f"Answer {number}"}]
    assert "good: " in finding(result, "judgement-form")["message"]
    for panel in (*result["profile"], *result["gallery"]):
        assert render_html(panel) and render_text(panel)


def test_conversations_with_a_judged_last_answer(check: Checked, draft: Path) -> None:
    talk = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    made = [
        {
            "messages": [*talk, {"role": "user", "content": f"More {i}"}, {"role": "assistant", "content": "Yes"}],
            "label": i % 2 == 0,
        }
        for i in range(8)
    ]
    result = check(made)
    assert not errors(result) and result["format"]["name"] == "judged"
    row = data.load(draft)["train"][0]
    assert len(messages_of(row["prompt"])) == 3 and messages_of(row["completion"])[0]["content"] == "Yes"


def test_unclear_judgements_and_contradictions_are_counted(check: Checked) -> None:
    made = rows([1, 2, 3, 5, None, 4, 1, 5])
    made += [{"prompt": "Same?", "completion": "Yes", "label": 5}, {"prompt": "Same?", "completion": "Yes", "label": 1}]
    result = check(made)
    assert {d["code"]: d["count"] for d in result["dropped"]} == {"judgement-unclear": 2}
    assert "row 3: '3'" in finding(result, "judgement-unclear")["message"]
    assert finding(result, "judgement-contradiction")["message"].startswith("2 rows have an answer")


def test_the_balance_is_reported_with_weights(check: Checked) -> None:
    uneven = finding(check(rows([True] * 3 + [False] * 9)), "judgements-uneven")["message"]
    assert "3 good answers and 9 bad ones" in uneven and "desirable_weight 3, undesirable_weight 1" in uneven
    assert "judgements-uneven" not in codes(check(rows([True, False] * 5)))
    assert "needs both" in finding(check(rows([True] * 8)), "judgements-of-one-kind")["message"]
    assert balancing_weights(10, 40) == (4.0, 1.0) and balancing_weights(40, 10) == (1.0, 4.0)
    assert balancing_weights(0, 5) == (1.0, 1.0)
