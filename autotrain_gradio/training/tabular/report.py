"""Metrics and panels of the search over models of a table, and of the selected model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import in_sentence, in_unit, pluralize
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics, regression_panels
from autotrain_gradio.training.tabular.importance import Importance
from autotrain_gradio.training.tabular.model import THRESHOLD, Predictions, Target
from autotrain_gradio.training.tabular.search import Search, TrialResult

SHOWN = 10
MATRIX_CLASSES = 30
TABLE_CLASSES = 100
MISTAKES = 20
BARS = 30


def leaderboard(search: Search, *, rows: int = SHOWN, live: bool = True) -> Panel:
    """Return the table of the best trials, the best first."""
    score, entries = search.problem.score, search.leaderboard()
    head = ["rank", "model", in_sentence(score.title), "±", "seconds", "settings"]
    cells = [
        [n, e.family.title, round(e.score, 4), round(e.spread, 4), round(e.seconds, 2), settings(e)]
        for n, e in enumerate(entries[:rows], 1)
    ]
    count = len(search.problem.splits)
    way = f"mean and spread over {count} folds" if count > 1 else "on a fifth of the training rows"
    better = "" if score.metric.higher_is_better else " Lower is better."
    baseline = f" Baseline that uses no feature: {score.shown(search.problem.baseline()):.4g}."
    note = f"{score.title}: {way}.{better}{baseline}"
    if search.problem.duplicates:
        note += f" {search.problem.duplicates:,} rows are duplicates; duplicates are in the same fold."
    if len(entries) > rows:
        note += f" {len(entries):,} trials, the {rows} best are shown."
    return panels.table("Leaderboard" + (" so far" if live else ""), head, cells, note=note)


def selection_note(search: Search, validates: bool) -> str:
    """Say how the model was selected among the trials, and what that means for its metrics; empty for one trial.

    validates: the metrics are of the validation split, not of cross-validation on the training split.
    """
    if search.done < 2:
        return ""
    count, score = len(search.problem.splits), in_sentence(search.problem.score.title)
    way = f"the mean {score} over {count} folds" if count > 1 else f"{score} on a fifth"
    selection = f"The model was selected as the best of {search.done:,} trials by {way} of the training rows"
    if validates:
        return f"{selection}; the validation rows had no part in that."
    return f"{selection}, the same rows as these metrics: on new rows, expect slightly worse metrics."


def families(search: Search) -> list[Panel]:
    """Return a table of the best trial of each model family; none where each was tried once, or only one was."""
    entries = search.leaderboard()
    best: dict[str, TrialResult] = {}
    for entry in entries:  # the best come first
        best.setdefault(entry.family.title, entry)
    if len(best) < 2 or len(best) == len(entries):
        return []
    trials = Counter(e.family.title for e in entries)
    head = ["model", f"best {in_sentence(search.problem.score.title)}", "±", "trials"]
    rows = [[title, round(e.score, 4), round(e.spread, 4), trials[title]] for title, e in best.items()]
    return [panels.table("Best trial of each model family", head, rows)]


def settings(entry: TrialResult) -> str:
    """Format the hyperparameters of a trial that differ from the family's defaults."""
    defaults = entry.family.defaults()
    changed = {k.replace("_", " "): v for k, v in entry.settings.items() if v != defaults[k]}
    shown = [f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in changed.items()] or ["defaults"]
    return ", ".join([*shown, *(["balanced"] if entry.balanced and entry.family.weights else [])])


def compute_metrics(predictions: Predictions, targets: Sequence[Target], *, multi_label: bool) -> dict[str, float]:
    """Compute metrics of predictions; of several targets each metric is the mean over those that have it."""
    if multi_label:
        scores = np.column_stack([a[:, 1] for a in predictions])
        return metrics.multi_label(scores, np.column_stack([t.values for t in targets]), THRESHOLD)
    each = [_target_metrics(a, t) for a, t in zip(predictions, targets, strict=True)]
    names = list(dict.fromkeys(n for found in each for n in found))
    return {n: float(np.mean([found[n] for found in each if n in found])) for n in names}


def _target_metrics(prediction: np.ndarray, target: Target) -> dict[str, float]:
    if target.classes is None:
        return metrics.regression(prediction, target.values)
    likely = np.log(np.clip(prediction, 1e-12, 1.0))
    scores = likely[:, 1] - likely[:, 0] if likely.shape[1] == 2 else None
    found = metrics.classification(likely.argmax(axis=1), target.values, likely.shape[1], scores)
    return {**found, "loss": float(-likely[np.arange(len(likely)), target.values].mean())}


def results(
    predictions: Predictions,
    targets: Sequence[Target],
    found: Mapping[str, float],
    names: Sequence[str],
    *,
    declared: Sequence[Metric],
    multi_label: bool,
    measured_on: str,
) -> list[Panel]:
    """Return the panels of the evaluation. names: of the rows. declared: metrics of the task."""
    several = len(targets) > 1
    shown = metrics.formatted(found, declared, one_class=not several)
    note = f"On {measured_on}." + (" Means over the targets." if several and not multi_label else "")
    if not several:
        note += " " + _compare_with_baseline(predictions[0], targets[0])
    drawn = [panels.numbers("Results", shown, note=note)]
    if multi_label:
        scores = np.column_stack([a[:, 1] for a in predictions])
        true, labels = np.column_stack([t.values for t in targets]), [t.name for t in targets]
        rows = metrics.per_label(scores, true, labels, THRESHOLD)
        head = ["label", "threshold", "precision", "recall", "F1", "AUC", "rows"]
        return [*drawn, panels.table("Each label", head, rows[:TABLE_CLASSES])]
    if several:
        each = [_target_metrics(a, t) for a, t in zip(predictions, targets, strict=True)]
        heads = [n for n in found if n in set.intersection(*(set(e) for e in each))]
        rows = [[t.name, *(round(e[n], 4) for n in heads)] for t, e in zip(targets, each, strict=True)]
        titles = [in_sentence(metrics.title(name, declared)) for name in heads]
        drawn.append(panels.table("Each target", ["target", *titles], rows))
    for prediction, target in zip(predictions[:6], targets[:6], strict=True):
        drawn += (
            _regression_panels(prediction, target, several)
            if target.classes is None
            else _classification_panels(prediction, target, several)
        )
    return [*drawn, _mistakes_panel(predictions, targets, names)]


def _compare_with_baseline(prediction: np.ndarray, target: Target) -> str:
    if target.classes is None:
        return metrics.compare_with_mean(prediction, target.values) + (
            f" All {in_unit(target.unit)}." if target.unit else ""
        )
    return metrics.compare_with_majority_class(prediction.argmax(axis=1), target.values, target.classes, "rows")


def _title(text: str, target: Target, several: bool) -> str:
    return f"{text}: {target.name}" if several else text


def _classification_panels(prediction: np.ndarray, target: Target, several: bool) -> list[Panel]:
    names = target.classes or []
    # The logarithm is what the metrics are computed from: probabilities below 1e-12 count as equal.
    predicted = np.log(np.clip(prediction, 1e-12, 1.0)).argmax(axis=1)
    head = ["class", "precision", "recall", "F1", "rows"]
    table = metrics.per_class(predicted, target.values, names)
    note = ""
    if len(table) > TABLE_CLASSES:
        table.sort(key=lambda r: (r[3] is None, r[3] or 0.0))
        note = f"The {TABLE_CLASSES} of {len(table):,} classes with the lowest F1."
    drawn = [panels.table(_title("Each class", target, several), head, table[:TABLE_CLASSES], note=note)]
    if len(names) <= MATRIX_CLASSES:
        title = _title("Confusion matrix", target, several)
        counts = metrics.confusion_matrix(predicted, target.values, len(names))
        return [panels.matrix(title, names, counts.tolist(), rows="true", columns="predicted"), *drawn]
    pairs = metrics.most_frequent_confusions(predicted, target.values, MATRIX_CLASSES)
    rows = [[names[i], names[j], count] for i, j, count in pairs]
    title = _title("Most frequent confusions", target, several)
    return [panels.table(title, ["true", "predicted", "rows"], rows), *drawn]


def _regression_panels(prediction: np.ndarray, target: Target, several: bool) -> list[Panel]:
    about = {"name": target.name if several else "", "unit": target.unit}
    return [
        regression_panels.predicted_against_true(target.values, prediction, **about),
        regression_panels.residuals_against_predicted(target.values, prediction, **about),
    ]


def _mistakes_panel(predictions: Predictions, targets: Sequence[Target], names: Sequence[str]) -> Panel:
    several = len(targets) > 1
    head = ["row", *(["target"] if several else [])]
    found: list[tuple[float, list[Any]]] = []
    if targets[0].classes is None:
        for prediction, target in zip(predictions, targets, strict=True):
            off = np.abs(prediction - target.values)
            spread = float(target.values.std()) or 1.0
            for row in map(int, np.argsort(-off, kind="stable")[:MISTAKES]):
                cells = [
                    _round(target.values[row]),
                    _round(prediction[row]),
                    _round(prediction[row] - target.values[row]),
                ]
                found.append((float(off[row]) / spread, [names[row], *([target.name] if several else []), *cells]))
        columns, title = ["true", "predicted", "difference"], "Largest errors"
        note = ""
    else:
        wrong = 0
        for prediction, target in zip(predictions, targets, strict=True):
            predicted, labels = prediction.argmax(axis=1), target.classes or []
            missed = np.flatnonzero(predicted != target.values)
            wrong += len(missed)
            confidence = prediction[missed, predicted[missed]]
            for row in map(int, missed[np.argsort(-confidence, kind="stable")][:MISTAKES]):
                cells = [
                    labels[target.values[row]],
                    labels[predicted[row]],
                    round(float(prediction[row, predicted[row]]), 3),
                ]
                found.append(
                    (
                        float(prediction[row, predicted[row]]),
                        [names[row], *([target.name] if several else []), *cells],
                    )
                )
        columns, title = ["true", "predicted", "probability"], "Most confident mistakes"
        of = f"of {len(names) * len(targets):,} predictions" if several else f"of {pluralize(len(names), 'row')}"
        note = f"{wrong:,} {of} are wrong." if wrong else f"None {of} is wrong."
    found.sort(key=lambda item: -item[0])
    return panels.table(title, [*head, *columns], [cells for _, cells in found[:MISTAKES]], note=note)


def _round(value: float) -> float:
    return float(f"{float(value):.5g}")


def importances(found: Importance, score: str) -> Panel:
    """Return the panel of the permutation importance of the columns. score: title of the metric."""
    shown = {n: max(0.0, v) for n, v in list(found.columns.items())[:BARS]}
    note = (
        f"Decrease of {in_sentence(score)} when a column's cells are shuffled, on {pluralize(found.rows, 'row')}"
        f"{f', {found.repeats} times' if found.repeats > 1 else ''}. Correlated columns share it."
    )
    if len(found.columns) > BARS:
        note += f" The {BARS} most important of {len(found.columns):,} columns."
    if found.skipped:
        note += f" The time limit was reached before {found.skipped:,} columns."
    values = [float(f"{v:.4g}") for v in shown.values()]
    return panels.bars("Permutation importance", list(shown), {"importance": values}, note=note)
