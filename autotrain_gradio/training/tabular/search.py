"""The search: every family once with its defaults, then better settings by Optuna's TPE, all cross-validated.

Optuna's study is the checkpoint: a journal in the run's folder, from which a later attempt goes on.
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
from autotrain_gradio.data.values.content_ids import by_chance, of_columns
from autotrain_gradio.training.tabular import model, prepare
from autotrain_gradio.training.tabular.families import BY_NAME, Choice, Family
from autotrain_gradio.training.tabular.model import Answers, Target
from autotrain_gradio.training.tabular.scoring import Score, guess

JOURNAL = "search.journal"
BALANCED = "balanced"
FAMILY = "family"
UNABLE = "unable"
MEMORY_SHARE = 0.3
"""Share of the free memory that prepared folds may take; beyond it they are prepared anew for each trial."""

KEPT_BYTES = 2**28
"""Size of the answers of the best trial up to which they are kept; larger ones are worked out again at the end."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass
class Problem:
    """The problem of the search: rows, targets, and the score.

    balance: whether rare classes weigh more: `none`, `balanced`, or `auto` (both are tried). parts: training and
    validation rows of each fold. copies: duplicate rows, which are in the same fold.
    """

    frame: pd.DataFrame
    kinds: Mapping[str, str]
    targets: list[Target]
    score: Score
    params: Any
    jobs: int
    balance: str = "none"
    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    copies: int = 0
    _kept: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.parts:
            content = contents(self.frame)
            self.copies = int((content >= 0).sum())
            self.parts = list(folds(self.targets, self.params.folds, self.params.seed, content))
        self._budget = int(psutil.virtual_memory().available * MEMORY_SHARE)

    def fold(self, style: prepare.Style, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the prepared training and validation rows of a fold.

        They are prepared once for all trials; the transformer is fitted on the training rows only.
        """
        key = (style, number)
        if key not in self._kept:
            train, validation = self.parts[number]
            known = self.frame.iloc[train]
            transformer = prepare.preparation(known, self.kinds, self.params, style)
            with quiet():
                ready = prepare.prepared(transformer, known, fit=True)
                pair = ready, prepare.prepared(transformer, self.frame.iloc[validation])
            size = sum(p.nbytes for p in pair)
            if size > self._budget:
                return pair
            self._budget -= size
            self._kept[key] = pair
        return self._kept[key]

    def targets_of(self, number: int) -> tuple[list[Target], list[Target]]:
        """Return the training and validation targets of a fold."""
        train, validation = self.parts[number]
        return [t.take(train) for t in self.targets], [t.take(validation) for t in self.targets]

    def baseline(self) -> float:
        """Return the score of guessing without looking at any column; higher is better."""
        found = [self.score(guess(a, b), b) for a, b in (self.targets_of(i) for i in range(len(self.parts)))]
        return float(np.mean(found))


def contents(frame: pd.DataFrame) -> np.ndarray:
    """Return per row the number of its content, the same for rows that are equal in all columns; -1: of its own.

    Rows of a table that has few different ones are all of their own: see `data.contents.by_chance`.
    """
    columns = [pd.factorize(frame[name])[0] for name in frame.columns]
    content: np.ndarray = of_columns(columns)
    return np.full(len(frame), -1, dtype=np.int64) if by_chance(content, columns) else content


def folds(
    targets: Sequence[Target], wanted: int | None, seed: int, content: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut the rows into folds: of one target with classes, each class evenly. Rows of one content are never parted.

    wanted: None: 5 up to 5,000 rows, 3 up to 50,000, and beyond that one fifth of the rows is kept aside, once.
    content: see `contents`.
    """
    rows = len(content)
    count = wanted or (5 if rows <= 5_000 else 3 if rows <= 50_000 else 1)
    if (content < 0).all():
        yield from _folds(targets, count, seed)
        return
    # The first row of each content is drawn, and the others go where it goes.
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
    even = first.classes is not None and len(targets) == 1
    nothing = np.zeros(rows)
    if count == 1:
        # Each class must have a row on both sides.
        once: Any = StratifiedShuffleSplit if even and sizes.min() > 1 and len(sizes) <= rows // 5 else ShuffleSplit
        yield from once(1, test_size=0.2, random_state=seed).split(nothing, first.values)
        return
    count = min(count, rows)
    if even and int(sizes.max()) >= count:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a rare class cannot be in every fold: the check tells of it
            yield from StratifiedKFold(count, shuffle=True, random_state=seed).split(nothing, first.values)
    else:
        yield from KFold(count, shuffle=True, random_state=seed).split(nothing)


@dataclass(frozen=True)
class Entry:
    """A line of the leaderboard. score: as people know it, the mean over the folds; spread: its standard deviation."""

    number: int
    family: Family
    settings: dict[str, Any]
    balanced: bool
    score: float
    spread: float
    seconds: float


class Search:
    """A search that can be ended at any moment, and continued.

    stop: asked between two fits. on_trial: called after each finished trial. failed: called with a family and
    what it could not do.
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
            self.study.tell(trial.number, state=TrialState.FAIL)  # cut off: its place is taken by a new one
        # The sampler is made anew for each attempt: with the same seed it would repeat what it drew in the first.
        seed = problem.params.seed + len(self.study.trials)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.sampler = optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=max(5, len(families)), multivariate=True, group=True
            )
        self._answers: tuple[int, list[Answers]] = (-1, [])
        self.began = time.monotonic()
        self.before = sum(t.user_attrs.get("seconds", 0.0) for t in self.study.trials)

    @property
    def seconds(self) -> float:
        """Seconds that the search took up to now, earlier attempts included."""
        return self.before + time.monotonic() - self.began

    @property
    def done(self) -> int:
        """Trials that were finished."""
        return len(self._finished())

    def leaderboard(self) -> list[Entry]:
        """Return the finished trials, the best first; of equal ones the earlier."""
        found = sorted(self._finished(), key=lambda t: (-float(t.value or 0.0), t.number))
        return [self._entry(t) for t in found]

    def run(self) -> None:
        """Search until the trials or the time are used up, or until asked to stop.

        The time limit ends a trial between two folds; the first trial is finished whatever it says, since without one
        there is no model.

        Raises:
            UserError: no model family could be fitted to the rows.
        """
        params = self.problem.params
        # A trial that was cut off tells nothing of its family: its defaults are still to be tried.
        tried = {
            t.params.get(FAMILY) for t in self.study.trials if t.state == TrialState.COMPLETE or UNABLE in t.user_attrs
        }
        first = [f for f in self.families if f.name not in tried]
        hopeless: set[str] = set()
        while self.done < params.num_trials and not self._stop():
            if self.done and self.seconds >= params.time_limit:
                break
            if first:
                self.study.enqueue_trial(self._first_settings(first.pop(0)))
            trial = self.study.ask()
            family, settings, balanced = self._suggest(trial)
            if family.name in hopeless:
                self.study.tell(trial, state=TrialState.FAIL)
                continue
            begin = time.monotonic()
            try:
                evaluated = self._cross_validate(family, settings, balanced)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                self._failed(family, error)
                hopeless.add(family.name)
                trial.set_user_attr(UNABLE, True)
                self.study.tell(trial, state=TrialState.FAIL)
                if hopeless >= {f.name for f in self.families} and not self.done:
                    raise UserError(
                        "No model family could be fitted to these rows.",
                        f"The last one said: {str(error).splitlines()[0][:300]}",
                        code="nothing-learnt",
                    ) from error
                if hopeless >= {f.name for f in self.families}:
                    break
                continue
            seconds = time.monotonic() - begin
            if evaluated is None:  # it was interrupted: a part of the folds cannot be compared with all of them
                self.study.tell(trial, state=TrialState.FAIL)
                break
            scores, answers = evaluated
            trial.set_user_attr("spread", float(np.std(scores)))
            trial.set_user_attr("seconds", seconds)
            self.study.tell(trial, float(np.mean(scores)))
            if self.leaderboard()[0].number == trial.number:
                self._answers = (trial.number, answers)
            self._on_trial(self)

    def _finished(self) -> list[FrozenTrial]:
        return list(self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))

    def _entry(self, trial: FrozenTrial) -> Entry:
        family = BY_NAME[trial.params[FAMILY]]
        prefix = f"{family.name}."
        settings = {k.removeprefix(prefix): v for k, v in trial.params.items() if k.startswith(prefix)}
        balanced = bool(trial.params.get(BALANCED, self.problem.balance == "balanced"))
        score = self.problem.score.shown(float(trial.value or 0.0))
        return Entry(
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
            elif item.whole:
                settings[item.name] = trial.suggest_int(name, int(item.low), int(item.high), log=item.log)
            else:
                settings[item.name] = trial.suggest_float(name, item.low, item.high, log=item.log)
        balanced = self.problem.balance == "balanced"
        if self.problem.balance == "auto":
            balanced = trial.suggest_categorical(BALANCED, [True, False])
        return family, settings, balanced

    def _cross_validate(
        self, family: Family, settings: Mapping[str, Any], balanced: bool
    ) -> tuple[list[float], list[Answers]] | None:
        """Return the score of each fold, and the answers (none where they are too large); None when it was cut off."""
        problem, scores, kept, size = self.problem, list[float](), list[Answers](), 0
        for number in range(len(problem.parts)):
            if self._stop() or (self.done and self.seconds >= problem.params.time_limit):
                return None
            answers = self._fold(family, settings, balanced, number)
            score = problem.score(answers, problem.targets_of(number)[1])
            if not np.isfinite(score):
                raise ValueError(f"its {problem.score.title} is no number")
            scores.append(score)
            size += sum(a.nbytes for a in answers)
            kept = [*kept, answers] if size <= KEPT_BYTES else []
        return scores, kept

    def _fold(self, family: Family, settings: Mapping[str, Any], balanced: bool, number: int) -> Answers:
        """Fit on the training rows of a fold, and predict its validation rows."""
        problem = self.problem
        train, validation = problem.fold(family.style, number)
        targets = problem.targets_of(number)[0]
        with quiet():
            seed, jobs = problem.params.seed, problem.jobs
            return model.fit(family, settings, train, targets, balanced=balanced, seed=seed, jobs=jobs).predict(
                validation
            )

    def out_of_fold(self, entry: Entry) -> tuple[np.ndarray, Answers] | None:
        """Answer for each training row by a model that has not seen it; return the rows, in order, and the answers.

        Those of the best trial are known from the search. Of another attempt's they are worked out again: None when
        asked to stop meanwhile.
        """
        problem = self.problem
        number, parts = self._answers
        if number != entry.number or not parts:
            parts = []
            for fold in range(len(problem.parts)):
                if self._stop():
                    return None
                parts.append(self._fold(entry.family, entry.settings, entry.balanced, fold))
        rows = np.concatenate([validation for _, validation in problem.parts])
        order = np.argsort(rows, kind="stable")
        answers = [np.concatenate([p[k] for p in parts])[order] for k in range(len(problem.targets))]
        return rows[order], answers


class quiet(warnings.catch_warnings):  # noqa: N801 - used as a function
    """Keep the libraries' remarks out of the log: that a solver did not converge shows in its score."""

    def __enter__(self) -> Any:
        found = super().__enter__()
        warnings.simplefilter("ignore")
        return found
