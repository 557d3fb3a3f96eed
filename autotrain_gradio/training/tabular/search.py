"""Hyperparameter search: each family once with its defaults, then Optuna's TPE sampler; all trials cross-validated.

Optuna's study is the checkpoint: a journal in the run's folder, from which a later attempt resumes.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import psutil
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import in_sentence
from autotrain_gradio.data.values.content_ids import by_chance, of_columns
from autotrain_gradio.training.tabular import model, prepare
from autotrain_gradio.training.tabular.families import BY_NAME, Choice, Family
from autotrain_gradio.training.tabular.model import Predictions, Target
from autotrain_gradio.training.tabular.scoring import Score, baseline_predictions

JOURNAL = "search.journal"
BALANCED = "balanced"
FAMILY = "family"
FIT_FAILED = "unable"
CACHE_SHARE = 0.3
"""Share of the free memory in which transformed folds are cached; others are transformed again for each trial."""

CACHE_BYTES = 2**28
"""Size up to which the predictions of the best trial are cached; larger ones are computed again at the end."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass
class Problem:
    """The data and the score of the search.

    balance: class weights: `none`, `balanced`, or `auto` (both are tried). splits: training and validation row numbers
    of each fold. duplicates: number of duplicate rows; those of equal content are in the same fold.
    """

    frame: pd.DataFrame
    kinds: Mapping[str, str]
    targets: list[Target]
    score: Score
    params: Any
    jobs: int
    balance: str = "none"
    splits: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    duplicates: int = 0
    _cache: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.splits:
            content = content_ids(self.frame)
            self.duplicates = int((content >= 0).sum())
            self.splits = list(make_splits(self.targets, self.params.folds, self.params.seed, content))
        self._budget = int(psutil.virtual_memory().available * CACHE_SHARE)

    def fold(self, style: prepare.Style, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the transformed training and validation rows of a fold.

        They are cached for all trials; the transformer is fitted on the training rows only.
        """
        key = (style, number)
        if key not in self._cache:
            train, validation = self.splits[number]
            known = self.frame.iloc[train]
            transformer = prepare.make_transformer(known, self.kinds, self.params, style)
            with ignore_warnings():
                ready = prepare.transform(transformer, known, fit=True)
                pair = ready, prepare.transform(transformer, self.frame.iloc[validation])
            size = sum(p.nbytes for p in pair)
            if size > self._budget:
                return pair
            self._budget -= size
            self._cache[key] = pair
        return self._cache[key]

    def targets_of(self, number: int) -> tuple[list[Target], list[Target]]:
        """Return the training and validation targets of a fold."""
        train, validation = self.splits[number]
        return [t.take(train) for t in self.targets], [t.take(validation) for t in self.targets]

    def baseline(self) -> float:
        """Return the score of a baseline that uses no feature; higher is better."""
        found = [
            self.score(baseline_predictions(a, b), b) for a, b in (self.targets_of(i) for i in range(len(self.splits)))
        ]
        return float(np.mean(found))


def content_ids(frame: pd.DataFrame) -> np.ndarray:
    """Return an id of the content of each row (rows,), equal for duplicates; -1: the row has no duplicate.

    In a table with few distinct rows equal rows do not count as duplicates: see `data.values.content_ids.by_chance`.
    """
    columns = [pd.factorize(frame[name])[0] for name in frame.columns]
    content: np.ndarray = of_columns(columns)
    return np.full(len(frame), -1, dtype=np.int64) if by_chance(content, columns) else content


def make_splits(
    targets: Sequence[Target], wanted: int | None, seed: int, content: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the training and validation rows of each fold, stratified for a single target with classes.

    Duplicates are always in the same fold.

    wanted: number of folds; None: 5 up to 5,000 rows, 3 up to 50,000, and beyond that a single hold-out of one fifth.
    content: see `content_ids`.
    """
    rows = len(content)
    count = wanted or (5 if rows <= 5_000 else 3 if rows <= 50_000 else 1)
    if (content < 0).all():
        yield from _folds(targets, count, seed)
        return
    # Only the first row of each content is split; its duplicates follow it.
    alone = content < 0
    _, first, member = np.unique(
        np.where(alone, np.arange(rows), rows + content), return_index=True, return_inverse=True
    )
    for _, validation in _folds([t.take(first) for t in targets], count, seed):
        evaluated = np.isin(member.reshape(-1), validation)
        yield np.flatnonzero(~evaluated), np.flatnonzero(evaluated)


def _folds(targets: Sequence[Target], count: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows, first = len(targets[0].values), targets[0]
    sizes = np.unique(first.values, return_counts=True)[1] if first.classes is not None else np.zeros(1, dtype=np.int64)
    stratify = first.classes is not None and len(targets) == 1
    features = np.zeros(rows)
    if count == 1:
        # Each class must have a row on both sides.
        once: Any = StratifiedShuffleSplit if stratify and sizes.min() > 1 and len(sizes) <= rows // 5 else ShuffleSplit
        yield from once(1, test_size=0.2, random_state=seed).split(features, first.values)
        return
    count = min(count, rows)
    if stratify and int(sizes.max()) >= count:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # rare classes are not in every fold: the check warns
            yield from StratifiedKFold(count, shuffle=True, random_state=seed).split(features, first.values)
    else:
        yield from KFold(count, shuffle=True, random_state=seed).split(features)


@dataclass(frozen=True)
class TrialResult:
    """A finished trial. score: mean over the folds, in the usual sign of the metric; spread: its standard deviation."""

    number: int
    family: Family
    settings: dict[str, Any]
    balanced: bool
    score: float
    spread: float
    seconds: float


class Search:
    """A search that can be stopped between two fits, and resumed.

    stop: polled between two fits. on_trial: called after each finished trial. failed: called with a family that could
    not be fitted, and the exception.
    """

    def __init__(
        self,
        problem: Problem,
        families: Sequence[Family],
        folder: Path,
        *,
        resume: bool,
        stop: Callable[[], bool],
        on_trial: Callable[[Search], None],
        failed: Callable[[Family, Exception], None],
    ) -> None:
        self.problem, self.families = problem, list(families)
        self._stop, self._on_trial, self._failed = stop, on_trial, failed
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / JOURNAL
        if not resume:
            path.unlink(missing_ok=True)
        storage = JournalStorage(JournalFileBackend(str(path)))
        self.study = optuna.create_study(
            storage=storage, study_name="search", load_if_exists=True, direction="maximize"
        )
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING, TrialState.WAITING)):
            self.study.tell(trial.number, state=TrialState.FAIL)  # interrupted: it is replaced by a new trial
        # With the same seed in each attempt the sampler would repeat the draws of the first one.
        seed = problem.params.seed + len(self.study.trials)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.sampler = optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=max(5, len(families)), multivariate=True, group=True
            )
        self._predictions: tuple[int, list[Predictions]] = (-1, [])
        self.began = time.monotonic()
        self.before = sum(t.user_attrs.get("seconds", 0.0) for t in self.study.trials)

    @property
    def seconds(self) -> float:
        """Duration of the search so far in seconds, earlier attempts included."""
        return self.before + time.monotonic() - self.began

    @property
    def done(self) -> int:
        """Number of finished trials."""
        return len(self._finished())

    def leaderboard(self) -> list[TrialResult]:
        """Return the finished trials, the best first; ties in order of their numbers."""
        found = sorted(self._finished(), key=lambda t: (-float(t.value or 0.0), t.number))
        return [self._entry(t) for t in found]

    def run(self) -> None:
        """Search until the number of trials or the time limit is reached, or a stop is requested.

        The time limit ends a trial between two folds. The first trial always finishes: without one there is no model.

        Raises:
            UserError: no model family could be fitted to the rows.
        """
        params = self.problem.params
        # An interrupted trial does not count: the defaults of its family are still to be tried.
        tried = {
            t.params.get(FAMILY)
            for t in self.study.trials
            if t.state == TrialState.COMPLETE or FIT_FAILED in t.user_attrs
        }
        first = [f for f in self.families if f.name not in tried]
        failed_families: set[str] = set()
        while self.done < params.num_trials and not self._stop():
            if self.done and self.seconds >= params.time_limit:
                break
            if first:
                self.study.enqueue_trial(self._first_settings(first.pop(0)))
            trial = self.study.ask()
            family, settings, balanced = self._suggest(trial)
            if family.name in failed_families:
                self.study.tell(trial, state=TrialState.FAIL)
                continue
            begin = time.monotonic()
            try:
                evaluated = self._cross_validate(family, settings, balanced)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                self._failed(family, error)
                failed_families.add(family.name)
                trial.set_user_attr(FIT_FAILED, True)
                self.study.tell(trial, state=TrialState.FAIL)
                if failed_families >= {f.name for f in self.families} and not self.done:
                    raise UserError(
                        "No model family could be fitted to these rows.",
                        f"Error of the last one: {str(error).splitlines()[0][:300]}",
                        code="no-model-fitted",
                    ) from error
                if failed_families >= {f.name for f in self.families}:
                    break
                continue
            seconds = time.monotonic() - begin
            if evaluated is None:  # interrupted: a score on some folds cannot be compared with one on all
                self.study.tell(trial, state=TrialState.FAIL)
                break
            scores, predictions = evaluated
            trial.set_user_attr("spread", float(np.std(scores)))
            trial.set_user_attr("seconds", seconds)
            self.study.tell(trial, float(np.mean(scores)))
            if self.leaderboard()[0].number == trial.number:
                self._predictions = (trial.number, predictions)
            self._on_trial(self)

    def _finished(self) -> list[FrozenTrial]:
        return list(self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))

    def _entry(self, trial: FrozenTrial) -> TrialResult:
        family = BY_NAME[trial.params[FAMILY]]
        prefix = f"{family.name}."
        settings = {k.removeprefix(prefix): v for k, v in trial.params.items() if k.startswith(prefix)}
        balanced = bool(trial.params.get(BALANCED, self.problem.balance == "balanced"))
        score = self.problem.score.shown(float(trial.value or 0.0))
        return TrialResult(
            trial.number, family, settings, balanced, score, trial.user_attrs["spread"], trial.user_attrs["seconds"]
        )

    def _first_settings(self, family: Family) -> dict[str, Any]:
        found = {FAMILY: family.name, **{f"{family.name}.{k}": v for k, v in family.defaults().items()}}
        return {**found, BALANCED: True} if self.problem.balance == "auto" else found

    def _suggest(self, trial: optuna.Trial) -> tuple[Family, dict[str, Any], bool]:
        family = BY_NAME[trial.suggest_categorical(FAMILY, [f.name for f in self.families])]
        settings: dict[str, Any] = {}
        for item in family.space:
            name = f"{family.name}.{item.name}"
            if isinstance(item, Choice):
                settings[item.name] = trial.suggest_categorical(name, item.values)
            elif item.integer:
                settings[item.name] = trial.suggest_int(name, int(item.low), int(item.high), log=item.log)
            else:
                settings[item.name] = trial.suggest_float(name, item.low, item.high, log=item.log)
        balanced = self.problem.balance == "balanced"
        if self.problem.balance == "auto":
            balanced = trial.suggest_categorical(BALANCED, [True, False])
        return family, settings, balanced

    def _cross_validate(
        self, family: Family, settings: Mapping[str, Any], balanced: bool
    ) -> tuple[list[float], list[Predictions]] | None:
        """Return scores and predictions of the folds (no predictions if too large to cache); None: interrupted."""
        problem, scores, cached, size = self.problem, list[float](), list[Predictions](), 0
        for number in range(len(problem.splits)):
            if self._stop() or (self.done and self.seconds >= problem.params.time_limit):
                return None
            predictions = self._fold(family, settings, balanced, number)
            score = problem.score(predictions, problem.targets_of(number)[1])
            if not np.isfinite(score):
                raise ValueError(f"its {in_sentence(problem.score.title)} is not a finite number")
            scores.append(score)
            size += sum(p.nbytes for p in predictions)
            cached = [*cached, predictions] if size <= CACHE_BYTES else []
        return scores, cached

    def _fold(self, family: Family, settings: Mapping[str, Any], balanced: bool, number: int) -> Predictions:
        """Fit on the training rows of a fold, and predict its validation rows."""
        problem = self.problem
        train, validation = problem.fold(family.style, number)
        targets = problem.targets_of(number)[0]
        with ignore_warnings():
            seed, jobs = problem.params.seed, problem.jobs
            return model.fit(family, settings, train, targets, balanced=balanced, seed=seed, jobs=jobs).predict(
                validation
            )

    def out_of_fold(self, entry: TrialResult) -> tuple[np.ndarray, Predictions] | None:
        """Return the row numbers, in order, and their out-of-fold predictions: by models not trained on the row.

        Those of the best trial are cached; those of an earlier attempt's trial are computed again. None: a stop was
        requested meanwhile.
        """
        problem = self.problem
        number, parts = self._predictions
        if number != entry.number or not parts:
            parts = []
            for fold in range(len(problem.splits)):
                if self._stop():
                    return None
                parts.append(self._fold(entry.family, entry.settings, entry.balanced, fold))
        rows = np.concatenate([validation for _, validation in problem.splits])
        order = np.argsort(rows, kind="stable")
        predictions = [np.concatenate([p[k] for p in parts])[order] for k in range(len(problem.targets))]
        return rows[order], predictions


class ignore_warnings(warnings.catch_warnings):  # noqa: N801 - used as a function
    """Suppress warnings of the libraries, such as that a solver did not converge, which shows in its score."""

    def __enter__(self) -> Any:
        found = super().__enter__()
        warnings.simplefilter("ignore")
        return found
