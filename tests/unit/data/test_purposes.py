"""What a column is for decides about it: not the names of its role and its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import DUPLICATES, PATH, TABLE
from autotrain_gradio.data.declarations import Column, Kind, Purpose
from tests.unit.data.conftest import codes, finding, plant

KINDS = "autotrain_gradio.data.kinds."
SENTENCE = Kind("sentence", "sentence", KINDS + "text", texts=True)
VERDICT = Kind("verdict", "verdict", KINDS + "label", classes=True)
TEAM = Kind("team", "team", KINDS + "group")


def column(role: str, kind: Kind, purpose: Purpose, *, required: bool = True) -> Column:
    return Column(role, role.title(), kind, purpose=purpose, required=required)


PAIR = (
    column("premise", SENTENCE, "input"),
    column("hypothesis", SENTENCE, "input"),
    column("verdict", VERDICT, "target"),
    column("team", TEAM, "group", required=False),
    column("hint", VERDICT, "input", required=False),
)


def check(draft: Path, rows: list[tuple[str, ...]], header: str, **given: object) -> dict[str, object]:
    lines = "\n".join(",".join(row) for row in rows)
    plant(draft.parent / "in", {"t.csv": f"{header}\n{lines}\n"})
    spec = DataSpec.model_validate({"source": "path", "path": str(draft.parent / "in" / "t.csv"), **given})
    return {**data.check(draft, data.Request("Pairs", spec, PAIR, (PATH,), (TABLE,), (DUPLICATES,)))}


def test_a_purpose_is_declared_and_never_inferred() -> None:
    with pytest.raises(TypeError, match="purpose"):
        Column("text", "Text", SENTENCE)  # type: ignore[call-arg]


def test_duplicate_examples_are_equal_in_all_inputs(draft: Path) -> None:
    rows = [("It rains.", f"The street number {i} is wet.", "yes" if i % 2 else "no") for i in range(20)]
    result = check(draft, rows, "premise,hypothesis,verdict")
    assert "duplicates" not in codes(result) and not codes(result, "error")
    result = check(draft, [*rows, *rows[:3]], "premise,hypothesis,verdict")
    assert "example" in finding(result, "duplicates")["message"]


def test_groups_are_kept_together_by_purpose(draft: Path) -> None:
    rows = [(f"Premise {i}.", f"Hypothesis {i}.", "yes" if i % 2 else "no", f"team {i % 8}") for i in range(40)]
    result = check(draft, rows, "premise,hypothesis,verdict,team")
    assert "by whole groups of 'team'" in str(result["split_how"])
    saved = data.load(draft)
    assert not set(saved["train"]["team"]) & set(saved["validation"]["team"])


def test_a_target_is_not_an_input_whatever_its_kind(draft: Path) -> None:
    rows = [(f"Premise {i}.", f"Hypothesis {i}.", "yes" if i % 2 else "no") for i in range(20)]
    columns = {"verdict": "verdict", "hint": "verdict"}
    result = check(draft, rows, "premise,hypothesis,verdict", columns=columns)
    assert finding(result, "column-twice-used")["where"] == "data.columns.hint"


def test_rows_are_balanced_by_the_target_and_not_by_an_input_of_classes(draft: Path) -> None:
    rows = [(f"Premise {i}.", f"Hypothesis {i}.", "yes" if i % 2 else "no", f"h{i % 4}") for i in range(40)]
    result = check(draft, rows, "premise,hypothesis,verdict,hint")
    assert [row["name"] for row in result["labels"]] == ["no", "yes"]  # type: ignore[attr-defined]
