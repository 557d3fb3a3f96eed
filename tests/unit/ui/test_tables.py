"""Rows of tables in the page and on the command line: forms, the table of kinds, points, and what is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.cli.console import training_line
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import render_all_html, render_text
from autotrain_gradio.core.spec import RunSpec, from_yaml
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.runs.snapshot import SnapshotBuilder
from autotrain_gradio.tasks.registry import registry, resolve
from autotrain_gradio.ui import check_view, column_kinds, models, run_html

NASTY = '"><script>alert(1)</script>'


def test_invalid_changes_of_column_kinds_are_ignored() -> None:
    check = {
        "columns": [
            {"name": "target", "kind": "label"},
            {
                "name": NASTY,
                "feature": "number",
                "guessed": True,
                "missing": 3,
                "distinct": 9,
                "examples": ["1", NASTY],
            },
            {"name": "zip", "feature": "id", "guessed": False, "missing": 0, "distinct": 90, "examples": []},
        ]
    }
    columns = column_kinds.feature_columns(check)
    assert [c["name"] for c in columns] == [NASTY, "zip"]
    rows = column_kinds.table_rows(columns)
    assert rows[0][:4] == [NASTY, "Number", "9", "3"] and rows[1][1].endswith("set by you")
    assert column_kinds.table_rows([]) == []
    change = column_kinds.change_kinds
    assert change({"other": "text"}, ["zip", NASTY], "category") == {
        "other": "text",
        "zip": "category",
        NASTY: "category",
    }
    assert change(None, [], "text") is None and change(None, None, "text") is None
    assert change(None, ["zip"], "boat") is None and change(None, ["zip"], None) is None


def test_the_table_of_kinds_replaces_the_panel_of_columns() -> None:
    overview = panels.table(
        "Columns",
        ["Column", "Kind", "Missing", "Different", "Values"],
        [["size", "number", "0", 9, "1 to 3, median 2"]],
    )
    column = {"feature": "number", "guessed": True, "missing": 0, "distinct": 9, "examples": ["2"]}
    check = {
        "columns": [{"name": "size", **column}, {"name": "nr", **column, "feature": "id"}, {"name": "b", **column}],
        "profile": [overview, panels.table("Left out", ["Reason", "Rows"], [["empty", 3]])],
        "layout": {},
    }
    seen = check_view.view(registry().get("tabular"), "draft", check)
    values = [row[-1] for row in column_kinds.table_rows(seen.features)]
    assert values == ["1 to 3, median 2", "2", "2"], "examples, where nothing more is known"
    assert "Left out" in seen.profile and "median" not in seen.profile


def test_the_row_counts_of_a_check_are_shown_once_at_the_top() -> None:
    counts = {"Rows": 90, "Training": 72, "Validation": 18, "Left out": 3, "Megabytes": 1.5}
    check = {
        "profile": [panels.numbers("Overview", counts), panels.table("Other", ["a"], [[1]])],
        "rows": 93,
        "layout": {},
    }
    seen = check_view.view(registry().get("tabular"), "draft", check)
    assert [f">{n}</dd>" in seen.summary for n in ("93", "72", "18", "3", "1.5")] == [True] * 5
    assert "Other" in seen.profile and "Megabytes" not in seen.profile


def test_one_row_is_singular() -> None:
    panel = panels.bars("Classes", ["a", "b"], {"train": [1, 0], "validation": [0, 2]}, unit="rows")
    drawn, text = render_all_html([panel]), render_text(panel)
    assert "1 row<" in drawn and "2 rows<" in drawn
    assert " 1 + 0 row\n" in text and " 0 + 2 rows" in text
    assert panels.unit_for({"unit": "min"}, 1) == "min" and panels.unit_for({}, 1) == ""


def test_scatter_panels_are_rendered_as_html_and_text() -> None:
    panel = panels.scatter("Fit", [(1, 1.5), (2, 1.9), (3, 3.2)], x="<true>", y="predicted", line="diagonal")
    drawn = render_all_html([panel])
    assert drawn.count("<circle") == 3 and "stroke-dasharray" in drawn and "&lt;true&gt;" in drawn
    text = render_text(panel)
    assert "predicted" in text and "correlation 0.956" in text
    empty = panels.scatter("Nothing", [], x="a", y="b")
    assert "No points" in render_all_html([empty]) and "No points" in render_text(empty)
    assert "<circle" in render_all_html([panels.scatter("One", [(5, 5)], x="a", y="b", line="zero")])
    with pytest.raises(ValueError, match="no line"):
        panels.scatter("x", [], x="a", y="b", line="curve")


def test_progress_of_a_search_is_counted_in_trials(tmp_path: Path) -> None:
    run = Run(tmp_path)
    spec = {"task": "tabular-regression", "data": {"path": "flats", "source": "sample"}}
    (tmp_path / "draft.json").write_text('{"task": "tabular-regression", "owner": "local", "created": 0, "spec": {}}')
    run.freeze(resolve(spec).complete())
    lines = [f'{{"v": 1, "time": 1, "kind": "{kind}", "attempt": 1}}\n' for kind in ("queued", "started")]
    (tmp_path / "control.jsonl").write_text("".join(lines))
    reporter = Reporter(tmp_path, RunSpec(task="tabular-regression"), None)
    reporter.state("running", "Comparing models")
    reporter.progress(3, 30, 0, 0, unit="trial", left=100)
    reporter.close()
    found = SnapshotBuilder(run).snapshot(lambda *_: {"alive": True})
    assert found["progress"]["unit"] == "trial" and 90 < found["progress"]["eta_seconds"] <= 100
    assert "trial 3 of 30" in training_line(found) and "epoch" not in training_line(found)
    line = run_html.render_progress(found)
    assert "Trial 3 of 30" in line and "left" in line and "poch" not in line
    assert "best model is saved" in run_html.render_progress({**found, "state": "stopping"})


def test_autotrain_settings_are_accepted() -> None:
    text = """
task: tabular_multi_class_classification
base_model: xgboost
project_name: wines
data: {path: wine, train_split: train, column_mapping: {id_column: nr, target_columns: [kind, grade]}}
params: {categorical_imputer: most_frequent, numerical_imputer: median, numeric_scaler: robust, num_trials: 5,
  time_limit: 60, seed: 1}
"""
    found = resolve(from_yaml(text)[0])
    assert (found.task.name, found.spec.model) == ("tabular-classification", "xgboost")
    assert found.spec.data.columns == {"id": "nr", "target": ["kind", "grade"]}
    assert found.params.numeric_scaler == "robust" and found.params.num_trials == 5
    empty = resolve({"task": "tabular-regression", "params": {"numerical_imputer": None, "numeric_scaler": None}})
    assert empty.params.numerical_imputer == "auto" and empty.spec.model == "auto"
    assert resolve({"task": "tabular", "model": "auto,knn"}).spec.model == "auto"


def test_the_model_step_lists_model_families() -> None:
    task = registry().get("tabular-regression")
    offered = models.choices(task, folders=True)
    assert [v for _, v in offered][0] == "auto" and offered[-1][1] == models.OTHER
    assert any(text.startswith("Ridge regression (ridge)") for text, _ in offered)
    assert not any("Hub" in text or "Tiny" in text or "M parameters" in text for text, _ in offered)


def test_units_are_shown_beside_the_columns() -> None:
    column = {"name": "size", "feature": "number", "guessed": True, "missing": 0, "distinct": 9, "examples": ["2 m²"]}
    assert column_kinds.table_rows([{**column, "unit": "m²"}])[0][1] == "Number, in m²"
    assert column_kinds.table_rows([column])[0][1] == "Number"
