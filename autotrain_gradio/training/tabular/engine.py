"""The training of a table's model, of either task: read, search, fit the best one, measure, save."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import in_unit
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.checks.table_rows import LEAST
from autotrain_gradio.data.rows import PLACE, Locations
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import card
from autotrain_gradio.training.tabular import (
    disclosure,
    families,
    frame,
    model,
    prepare,
    report,
    saving,
    scoring,
    search,
)
from autotrain_gradio.training.tabular.importance import importance
from autotrain_gradio.training.tabular.model import Answers, Target

TARGET = "target"
WRITTEN_OUT = 40
"""Columns up to which a card shows a row as it is."""
SMALL = 50_000
"""Cells below which one thread is quicker than several."""


@dataclass(frozen=True)
class Rows:
    """One split: features, targets, and the name of each row."""

    frame: pd.DataFrame
    targets: list[Target]
    names: Sequence[str]


def train(run: Reporter, task: families.Task) -> None:
    """Find and keep the best model for the run's rows.

    What was found when it is stopped, or when the time is used up, is kept. Equal settings, rows and seed give an equal
    model, as long as the time limit does not end the search.
    """
    rows = data.load(run.directory)
    manifest = read_object(run.directory / "data" / "manifest.json") or {}
    kinds = kinds_of(run.directory, rows["train"])
    parts = {name: read(part, kinds, manifest) for name, part in rows.items()}
    columns = _columns(rows["train"])
    multi_label = len(columns) == 1 and isinstance(rows["train"].features[columns[0]], datasets.List)
    if len(parts["train"].names) < LEAST:
        count = len(parts["train"].names)
        message = (
            f"There {'is' if count == 1 else 'are'} {pluralize(count, 'training row')}: too few to compare models."
        )
        raise UserError(message, "Add rows.", code="too-few-rows")
    if run.params.log != "none":
        message = f"A search over models of tables does not report to {run.params.log}."
        run.note(message, level="warning", hint="Its curves and its leaderboard are here, on the run's page.")
    problem = _problem(run, parts, kinds)
    with threadpool_limits(problem.jobs):
        found = _search(run, problem, task)
        if found.done:
            readings, units = (manifest.get(key) or {} for key in ("readings", "units"))
            features = frame.describe(problem.frame, kinds, readings, units)
            form = frame.Form(features, _told(problem.targets), task, multi_label)
            _keep_best(run, found, form, parts)
        else:
            run.note("It was stopped before the first model was measured: there is none to keep.", level="warning")


def _keep_best(run: Reporter, found: search.Search, form: frame.Form, parts: Mapping[str, Rows]) -> None:
    """Fit the best one on all training rows, measure it, save it, and report.

    Whoever stops it waits for the fit only: nothing else that takes long is begun.
    """
    problem, best = found.problem, found.leaderboard()[0]
    train, validation = parts["train"], parts.get("validation")
    board = report.leaderboard(found, rows=100, live=False)
    run.report([board])  # in case that the fit takes longer than a stop has patience
    run.state("running", f"Training the best one on all rows: {best.family.title}")
    kept = _fit(run, problem, best)
    measured = _measure(run, found, best, kept, train, validation)
    figures = report.figures(measured.answers, measured.targets, multi_label=form.multi_label) if measured else {}
    if figures:
        run.result(**{f"eval_{name}": value for name, value in figures.items()})
    run.state("running", "Saving the model")

    def write(folder: Path) -> None:
        saving.save(kept, folder)
        form.write(folder)

    told = disclosure.describe(kept, form, best.family)
    on = measured.on if measured else ""
    card.save(run, write, _card(run, form, best, found, figures, parts, on, told))
    drawn = [board]
    if measured is None:
        run.note(
            "It was stopped before the model was measured row by row: there is its score in cross-validation only.",
            level="warning",
            hint="Resume it to have the other figures, too.",
        )
    else:
        shown = report.results(
            measured.answers,
            measured.targets,
            figures,
            measured.names,
            multi_label=form.multi_label,
            measured_on=measured.on,
        )
        shown[0]["note"] = " ".join(
            filter(None, [shown[0]["note"], report.selection_note(found, validation is not None)])
        )
        drawn = [shown[0], board, *report.families(found), *shown[1:]]
    run.report(drawn)
    if not run.stop_requested():
        drawn.insert(2, _importance(run, problem, kept, validation or train))
        run.report(drawn)


def kinds_of(directory: Path, part: datasets.Dataset) -> dict[str, str]:
    """Return column → kind, of the columns that are learnt from, as the check has found or the user has said."""
    manifest = read_object(directory / "data" / "manifest.json") or {}
    told = manifest.get("features") or {}
    return {name: told.get(name, kind) for name, kind in frame.kinds_of(part).items()}


def read(part: datasets.Dataset, kinds: Mapping[str, str], manifest: Mapping[str, Any]) -> Rows:
    """Read a split into memory; a column of several labels becomes a target for each of them."""
    units = manifest.get("units") or {}
    of_role = manifest.get("columns") or {}
    targets: list[Target] = []
    columns = _columns(part)
    for column in columns:
        name, feature = column.partition(":")[2] or column, part.features[column]
        values = part.with_format("arrow")[column]
        cells = values.combine_chunks() if hasattr(values, "combine_chunks") else part.data.table.column(column)
        if isinstance(feature, datasets.List):
            names = feature.feature.names
            there = np.zeros((len(part), len(names)), dtype=np.int64)
            for row, labels in enumerate(cells.to_pylist()):
                there[row, labels or []] = 1
            alone = len(columns) == 1
            targets += [Target(n if alone else f"{name}: {n}", there[:, k], ["no", "yes"]) for k, n in enumerate(names)]
        elif isinstance(feature, datasets.ClassLabel):
            targets.append(Target(name, np.asarray(cells.to_pylist(), dtype=np.int64), list(feature.names)))
        else:
            unit = units.get((of_role.get(column) or [name])[0], "")
            targets.append(Target(name, np.asarray(cells.to_pylist(), dtype=np.float64), unit=unit))
    return Rows(frame.frame_of(part, kinds), targets, _names(part, manifest))


def _names(part: datasets.Dataset, manifest: Mapping[str, Any]) -> Sequence[str]:
    """Return what each row is called: by its id, else by the file, where there are several, and its row there."""
    places: Sequence[str] = [f"{part.split or 'row'} {n}" for n in range(1, len(part) + 1)]
    if PLACE in part.column_names:
        places = Locations(manifest["places"], part.with_format("numpy")[PLACE][:])
    if "id" not in part.column_names:
        return places
    return [str(i) if i not in (None, "") else places[n] for n, i in enumerate(part["id"][:])]


def _columns(part: datasets.Dataset) -> list[str]:
    return [c for c in part.column_names if c == TARGET or c.startswith(f"{TARGET}:")]


def _problem(run: Reporter, parts: Mapping[str, Rows], kinds: Mapping[str, str]) -> search.Problem:
    params, uneven, rows = run.params, False, parts["train"]
    if rows.targets[0].classes is not None:
        for target in rows.targets:
            if len(np.unique(target.values)) < 2:
                run.note(
                    f"All training rows have the same '{target.name}': nothing can be learnt there.", level="warning"
                )
        uneven = any(scoring.uneven(t) for t in rows.targets)
    score = scoring.choose(params.scoring, rows.targets)
    asked = getattr(params, "class_weights", "none")
    balance = asked if asked != "auto" else "auto" if uneven else "none"
    if score.name == "rmsle" and any((t.values < 0).any() for part in parts.values() for t in part.targets):
        raise UserError(
            "The targets hold negative numbers, of which RMSLE knows no logarithm.",
            "Choose another figure to compare by.",
            "params.scoring",
            "negative-targets",
        )
    return search.Problem(rows.frame, kinds, rows.targets, score, params, threads(rows.frame.size), balance)


def threads(cells: int) -> int:
    """Return how many threads an estimator may use on so many cells: on few they would only wait for each other.

    The number stays the same for the whole run, whatever else the machine does: sums of XGBoost depend on it.
    """
    return 1 if cells < SMALL else int(joblib.cpu_count())


def _search(run: Reporter, problem: search.Problem, task: families.Task) -> search.Search:
    params = run.params
    chosen = families.select(run.spec.model, task, len(problem.frame))
    folder = run.checkpoints / "search"

    def on_trial(found: search.Search) -> None:
        board, done = found.leaderboard(), found.done
        latest = max(board, key=lambda e: e.number)
        sys.stdout.write(
            f"trial {done}: {latest.family.name} {problem.score.name} {latest.score:.5g} ± {latest.spread:.2g}, "
            f"{latest.seconds:.2f} s ({report.settings(latest)})\n"
        )
        run.metric(done, 0, trial_score=latest.score, eval_cv_score=board[0].score, trial_seconds=latest.seconds)
        run.sample(done, report.leaderboard(found))
        run.checkpoint(done, folder, best=latest is board[0])
        left = max(0.0, params.time_limit - found.seconds)
        run.progress(done, params.num_trials, 0, 0, unit="trial", left=left)

    def failed(family: families.Family, error: Exception) -> None:
        text = str(error).strip().splitlines()
        run.note(
            f"{family.title} cannot be fitted to these rows and was excluded.",
            level="warning",
            hint=(text or [""])[0][:300],
        )

    found = search.Search(
        problem,
        chosen,
        folder,
        resume=run.resume_from is not None,
        stop=run.stop_requested,
        on_trial=on_trial,
        failed=failed,
    )
    run.state("running", "Comparing models")
    left = max(0.0, params.time_limit - found.seconds)
    run.progress(found.done, params.num_trials, 0, 0, unit="trial", left=left)
    found.run()
    if found.seconds >= params.time_limit and found.done < params.num_trials and not run.stopping:
        run.note(f"The time of {params.time_limit:,} seconds was used up after {pluralize(found.done, 'trial')}.")
    return found


def _fit(run: Reporter, problem: search.Problem, best: search.Entry) -> saving.Saved:
    transformer = prepare.preparation(problem.frame, problem.kinds, run.params, best.family.style)
    with search.quiet():
        ready = prepare.prepared(transformer, problem.frame, fit=True)
        fitted = model.fit(
            best.family,
            best.settings,
            ready,
            problem.targets,
            balanced=best.balanced,
            seed=run.params.seed,
            jobs=problem.jobs,
        )
    return saving.Saved(transformer, fitted)


@dataclass(frozen=True)
class Measured:
    """Predictions to be evaluated. on: which rows, in words; names: of the rows."""

    on: str
    answers: Answers
    targets: list[Target]
    names: Sequence[str]


def _measure(
    run: Reporter, found: search.Search, best: search.Entry, kept: saving.Saved, learn: Rows, validation: Rows | None
) -> Measured | None:
    """Answer for the validation rows; without any, for the training rows by cross-validation.

    None: it was stopped, and this would take long.
    """
    if validation is not None:
        run.state("running", "Measuring on the validation rows")
        with search.quiet():
            answers = kept.fitted.predict(prepare.prepared(kept.transformer, validation.frame))
        return Measured(
            pluralize(len(validation.names), "validation row"), answers, validation.targets, validation.names
        )
    run.state("running", "Evaluating by cross-validation")
    known = found.out_of_fold(best)
    if known is None:
        return None
    rows, answers = known
    words = f"{len(rows):,} training rows, each by a model that had not seen it"
    return Measured(words, answers, [t.take(rows) for t in learn.targets], [learn.names[i] for i in rows])


def _importance(run: Reporter, problem: search.Problem, kept: saving.Saved, rows: Rows) -> Any:
    run.state("running", "Asking which columns matter")
    with search.quiet():
        found = importance(kept, rows.frame, rows.targets, problem.score, seed=run.params.seed, stop=run.stop_requested)
    return report.importances(found, problem.score.title)


def _told(targets: Sequence[Target]) -> list[dict[str, Any]]:
    return [{"name": t.name, "labels": t.classes, "unit": t.unit} for t in targets]


def _card(
    run: Reporter,
    form: frame.Form,
    best: search.Entry,
    found: search.Search,
    figures: Mapping[str, float],
    parts: Mapping[str, Rows],
    measured: str,
    told: str,
) -> str:
    facts = {
        "columns": ", ".join(
            f"{f.name} ({f.kind}{f', {in_unit(f.unit)}' if f.unit else ''})" for f in form.features[:50]
        ),
        "targets": ", ".join(
            f"{t['name']} ({in_unit(t['unit'])})" if t["unit"] else t["name"] for t in form.targets[:20]
        ),
        "training rows": len(parts["train"].names),
        "validation rows": len(parts["validation"].names) if "validation" in parts else 0,
        "model": best.family.title,
        "settings": ", ".join(f"{k} {v:.6g}" if isinstance(v, float) else f"{k} {v}" for k, v in best.settings.items()),
        f"cross-validated {found.problem.score.title}": f"{best.score:.4f} ± {best.spread:.4f}",
        "trials": found.done,
    }
    return card.card(
        run,
        task=f"tabular-{form.task}",
        title=f"A model of tables ({form.task})",
        library="sklearn",
        usage=_usage(run.spec.project_name, form),
        data=facts,
        metrics=figures,
        measured_on=measured,
        origin=f"{best.family.title}, the best of {pluralize(found.done, 'trial')}",
        note=report.selection_note(found, "validation" in parts) if figures else "",
        disclosure=told,
    )


def _usage(name: str, form: frame.Form) -> str:
    """Return code that asks the model about a row and about a table; both are made in it, of typical values.

    Of columns whose cells may be data of people there are none: there the cell is missing.
    """
    cells = [f"    {f.name!r}: {f.example!r},{f'  # {in_unit(f.unit)}' if f.unit else ''}" for f in form.features]
    row = "\n".join(["row = {", *cells, "}"])
    if len(cells) > WRITTEN_OUT or "```" in row:  # which would end the code
        row = "row = {feature.name: feature.example for feature in model.form.features}"
    return "\n".join(
        (
            "import csv\n",
            "from autotrain_gradio.training.tabular.predictor import Predictor\n",
            f'model = Predictor("./{name}")',
            row,
            'print(model([{"row": row}]))\n',
            'with open("new_rows.csv", "w", encoding="utf-8", newline="") as file:',
            "    table = csv.DictWriter(file, row)",
            "    table.writeheader()",
            "    table.writerow(row)",
            'print(model([{"table": "new_rows.csv"}]))  # writes new_rows-predictions.csv',
        )
    )
