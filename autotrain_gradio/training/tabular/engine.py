"""Training of a tabular model: read the splits, search, fit the best model, evaluate it, save it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.checks.table_rows import LEAST
from autotrain_gradio.data.locations import Locations
from autotrain_gradio.data.rows import PLACE
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import card
from autotrain_gradio.training.tabular import (
    disclosure,
    families,
    frame,
    model,
    model_card,
    prepare,
    report,
    saving,
    scoring,
    search,
)
from autotrain_gradio.training.tabular.importance import importance
from autotrain_gradio.training.tabular.model import Predictions, Target

TARGET = "target"
SINGLE_THREAD_CELLS = 50_000
"""Cells below which one thread is faster than several."""


@dataclass(frozen=True)
class Rows:
    """One split: features, targets, and the name of each row."""

    frame: pd.DataFrame
    targets: list[Target]
    names: Sequence[str]


def train(
    run: Reporter,
    problem_type: families.ProblemType,
    declared: Sequence[Metric],
    loader_example: Callable[[str], str],
) -> None:
    """Search for the best model of the run's training rows, fit and save it.

    When the run is stopped or the time limit is reached, the best model so far is saved. Equal settings, rows and seed
    give an equal model, unless the time limit ends the search.

    declared: metrics of the task, those that only select the model included. loader_example: key of a prediction → the
    code of the model card that prints it for a row.
    """
    rows = data.load(run.directory)
    manifest = read_object(run.directory / "data" / "manifest.json") or {}
    kinds = kinds_of(run.directory, rows["train"])
    parts = {name: read_split(part, kinds, manifest) for name, part in rows.items()}
    columns = _columns(rows["train"])
    multi_label = len(columns) == 1 and isinstance(rows["train"].features[columns[0]], datasets.List)
    if len(parts["train"].names) < LEAST:
        count = len(parts["train"].names)
        message = f"The training split has {pluralize(count, 'row')}: too few to compare models."
        raise UserError(message, "Add rows.", code="too-few-rows")
    if run.params.log != "none":
        message = f"The experiment tracker '{run.params.log}' is not supported for tabular models and is ignored."
        run.note(message, level="warning", hint="The curves and the leaderboard are on the page of the run.")
    problem = _problem(run, parts, kinds, declared)
    with threadpool_limits(problem.jobs):
        found = _search(run, problem, problem_type)
        if found.done:
            readings, units = (manifest.get(key) or {} for key in ("readings", "units"))
            features = frame.describe(problem.frame, kinds, readings, units)
            form = frame.Form(features, _describe_targets(problem.targets), problem_type, multi_label)
            form = replace(form, others=_other_columns(manifest, kinds), sheet=str(manifest.get("sheet") or ""))
            _keep_best(run, found, form, parts, declared, loader_example)
        else:
            run.note("The run was stopped before the first trial finished, so no model was saved.", level="warning")


def _keep_best(
    run: Reporter,
    found: search.Search,
    form: frame.Form,
    parts: Mapping[str, Rows],
    declared: Sequence[Metric],
    loader_example: Callable[[str], str],
) -> None:
    """Fit the best model on all training rows, evaluate it, save it, and report.

    After a stop request only the fit is finished: nothing else that takes long is started.
    """
    problem, best = found.problem, found.leaderboard()[0]
    train, validation = parts["train"], parts.get("validation")
    board = report.leaderboard(found, rows=100, live=False)
    run.report([board])  # in case the process is killed during the fit
    run.state("running", f"Fitting the best model on all training rows: {best.family.title}")
    saved_model = _fit(run, problem, best)
    evaluated = _evaluate_saved_model(run, found, best, saved_model, train, validation)
    metrics = (
        report.compute_metrics(evaluated.predictions, evaluated.targets, multi_label=form.multi_label)
        if evaluated
        else {}
    )
    if metrics:
        run.result(**{f"eval_{name}": value for name, value in metrics.items()})
    run.state("running", "Saving the model")

    def write(folder: Path) -> None:
        saving.save(saved_model, folder)
        form.write(folder)

    disclosed = disclosure.describe(saved_model, form, best.family)
    on = evaluated.on if evaluated else ""
    example = model_card.usage(run.spec.project_name, form, loader_example)
    rows = {name: len(part.names) for name, part in parts.items()}
    card.save(run, write, model_card.describe(run, form, best, found, metrics, rows, on, disclosed, example))
    report_panels = [board]
    if evaluated is None:
        run.note(
            "The run was stopped before the model was evaluated, so there is only its cross-validation score.",
            level="warning",
            hint="Resume the run to compute the other metrics.",
        )
    else:
        shown = report.results(
            evaluated.predictions,
            evaluated.targets,
            metrics,
            evaluated.names,
            declared=declared,
            multi_label=form.multi_label,
            measured_on=evaluated.on,
        )
        shown[0]["note"] = " ".join(
            filter(None, [shown[0]["note"], report.selection_note(found, validation is not None)])
        )
        report_panels = [shown[0], board, *report.families(found), *shown[1:]]
    run.report(report_panels)
    if not run.stop_requested():
        report_panels.insert(2, _importance(run, problem, saved_model, validation or train))
        run.report(report_panels)


def kinds_of(directory: Path, part: datasets.Dataset) -> dict[str, str]:
    """Return feature column → kind, as detected by the check or set by the user."""
    manifest = read_object(directory / "data" / "manifest.json") or {}
    declared = manifest.get("features") or {}
    return {name: declared.get(name, kind) for name, kind in frame.kinds_of(part).items()}


def read_split(part: datasets.Dataset, kinds: Mapping[str, str], manifest: Mapping[str, Any]) -> Rows:
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
    """Return the name of each row: its id, else its file (if there are several) and row number."""
    places: Sequence[str] = [f"{part.split or 'row'} {n}" for n in range(1, len(part) + 1)]
    if PLACE in part.column_names:
        places = Locations(manifest["places"], part.with_format("numpy")[PLACE][:])
    if "id" not in part.column_names:
        return places
    return [str(i) if i not in (None, "") else places[n] for n, i in enumerate(part["id"][:])]


def _columns(part: datasets.Dataset) -> list[str]:
    return [c for c in part.column_names if c == TARGET or c.startswith(f"{TARGET}:")]


def _problem(
    run: Reporter, parts: Mapping[str, Rows], kinds: Mapping[str, str], declared: Sequence[Metric]
) -> search.Problem:
    params, is_imbalanced, rows = run.params, False, parts["train"]
    if rows.targets[0].classes is not None:
        for target in rows.targets:
            if len(np.unique(target.values)) < 2:
                run.note(f"All training rows have the same '{target.name}': it cannot be learned.", level="warning")
        is_imbalanced = any(scoring.is_imbalanced(t) for t in rows.targets)
    score = scoring.choose(params.scoring, rows.targets, declared)
    chosen_weights = getattr(params, "class_weights", "none")
    balance = chosen_weights if chosen_weights != "auto" else "auto" if is_imbalanced else "none"
    if score.name == "rmsle" and any((t.values < 0).any() for part in parts.values() for t in part.targets):
        raise UserError(
            "RMSLE is undefined for negative targets, and there are some.",
            "Choose another model selection metric.",
            "params.scoring",
            "negative-targets",
        )
    return search.Problem(rows.frame, kinds, rows.targets, score, params, threads(rows.frame.size), balance)


def threads(cells: int) -> int:
    """Return the number of threads of an estimator for a number of cells; on few cells several threads are slower.

    It is the same for the whole run, because the floating-point sums of XGBoost depend on it.
    """
    return 1 if cells < SINGLE_THREAD_CELLS else int(joblib.cpu_count())


def _search(run: Reporter, problem: search.Problem, problem_type: families.ProblemType) -> search.Search:
    params = run.params
    chosen = families.select(run.spec.model, problem_type, len(problem.frame))
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
            f"{family.title} could not be fitted to these rows and was excluded.",
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
        seconds, trials = pluralize(params.time_limit, "second"), pluralize(found.done, "trial")
        run.note(f"The time limit of {seconds} was reached after {trials}.")
    return found


def _fit(run: Reporter, problem: search.Problem, best: search.TrialResult) -> saving.SavedModel:
    transformer = prepare.make_transformer(problem.frame, problem.kinds, run.params, best.family.style)
    with search.ignore_warnings():
        ready = prepare.transform(transformer, problem.frame, fit=True)
        fitted = model.fit(
            best.family,
            best.settings,
            ready,
            problem.targets,
            balanced=best.balanced,
            seed=run.params.seed,
            jobs=problem.jobs,
        )
    return saving.SavedModel(transformer, fitted)


@dataclass(frozen=True)
class Evaluated:
    """Predictions to be evaluated. on: description of the rows. names: of the rows."""

    on: str
    predictions: Predictions
    targets: list[Target]
    names: Sequence[str]


def _evaluate_saved_model(
    run: Reporter,
    found: search.Search,
    best: search.TrialResult,
    saved_model: saving.SavedModel,
    train: Rows,
    validation: Rows | None,
) -> Evaluated | None:
    """Predict the validation rows; without any, the training rows by cross-validation.

    None: a stop was requested, and cross-validation would take long.
    """
    if validation is not None:
        run.state("running", "Evaluating on the validation rows")
        with search.ignore_warnings():
            predictions = saved_model.fitted.predict(prepare.transform(saved_model.transformer, validation.frame))
        return Evaluated(
            pluralize(len(validation.names), "validation row"), predictions, validation.targets, validation.names
        )
    run.state("running", "Evaluating by cross-validation")
    known = found.out_of_fold(best)
    if known is None:
        return None
    rows, predictions = known
    words = f"{len(rows):,} training rows by cross-validation"
    return Evaluated(words, predictions, [t.take(rows) for t in train.targets], [train.names[i] for i in rows])


def _importance(run: Reporter, problem: search.Problem, saved_model: saving.SavedModel, rows: Rows) -> Any:
    run.state("running", "Computing permutation importance")
    with search.ignore_warnings():
        found = importance(
            saved_model, rows.frame, rows.targets, problem.score, seed=run.params.seed, stop=run.stop_requested
        )
    return report.importances(found, problem.score.title)


def _other_columns(manifest: Mapping[str, Any], kinds: Mapping[str, str]) -> list[str]:
    """Return the columns of the training data that are not features."""
    mapped = manifest.get("columns") or {}
    names = [
        *(manifest.get("features") or {}),
        *(n for of in mapped.values() for n in ([of] if isinstance(of, str) else of)),
    ]
    return [n for n in dict.fromkeys(names) if kinds.get(n, "ignore") in ("id", "ignore")]


def _describe_targets(targets: Sequence[Target]) -> list[dict[str, Any]]:
    return [{"name": t.name, "labels": t.classes, "unit": t.unit} for t in targets]
