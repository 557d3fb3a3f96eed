"""Extractive question answering: metrics, sample predictions and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.extractive_question_answering import TASK, squad_metrics
from autotrain_gradio.tasks.extractive_question_answering.answers_panel import answers_panel
from autotrain_gradio.tasks.extractive_question_answering.errors import KINDS, OTHER, RIGHT, error_kind, question_word
from autotrain_gradio.tasks.extractive_question_answering.spans import RowSpans
from autotrain_gradio.tasks.extractive_question_answering.window_dataset import WindowDataset
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.sample_selection import balanced_sample

SHOWN = 6
"""Validation questions whose predictions are shown at each evaluation."""
MISTAKES = 12
EXAMPLE_CHARACTERS = 4000
"""Characters of a context up to which it is offered for trying the model."""
CURVE = 40
"""Points of the curve of F1 by threshold."""


def evaluation(
    run: Reporter, rows: Dataset | None, windows: WindowDataset | None, *, most: int, may_refuse: bool
) -> Evaluation:
    """Return the evaluation on the validation questions.

    rows, windows: the validation split, and its windows; None: there is none. most: longest answer in tokens.
    may_refuse: whether the model may answer "no answer".
    """
    if rows is None or windows is None:
        return Evaluation(run, 0, "questions", declared=TASK.metrics)
    return Evaluation(
        run,
        len(windows),
        "questions",
        make=lambda: AnswerEvaluator(run, rows, windows, most=most, may_refuse=may_refuse),
        reduce=start_and_end,
        order=windows.order,
        declared=TASK.metrics,
    )


def start_and_end(outputs: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of start and end positions in float32, without other outputs of the model."""
    start, end = outputs[:2]
    return start.float(), end.float()


class AnswerEvaluator:
    """The state of one evaluation: the best span of each question. threshold: set by `compute`."""

    def __init__(self, run: Reporter, rows: Dataset, windows: WindowDataset, *, most: int, may_refuse: bool) -> None:
        self._run, self._windows, self._may_refuse = run, windows.windows, may_refuse
        self._questions, self._contexts = list(rows["question"]), list(rows["context"])
        self._gold: list[Mapping[str, Sequence[Any]]] = list(rows["answers"])
        self._spans = RowSpans(self._contexts, most)
        self.threshold: float | None = run.params.null_threshold if may_refuse else None
        self._crossed: float | None = None

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `start_and_end`. rows: the windows."""
        for window, start, end in zip(rows.tolist(), *outputs, strict=True):
            self._spans.add(self._windows, window, start, end)

    def compute(self) -> dict[str, float]:
        """Return exact match and F1 as SQuAD defines them, and those of questions with and without an answer."""
        gold = [g["text"] for g in self._gold]
        texts = [self._spans.text(row) for row in range(len(gold))]
        nothing = ~np.isfinite(self._spans.score)
        texts = ["" if none else text for text, none in zip(texts, nothing, strict=True)]
        self._answerable = np.array([squad_metrics.gold_answers(g) != [""] for g in gold])
        self._answered = {
            name: np.array([score(text, g) for text, g in zip(texts, gold, strict=True)])
            for name, score in (("qa_f1", squad_metrics.f1), ("exact_match", squad_metrics.exact_match))
        }
        self._tune()
        refused = self._spans.refused(self.threshold)
        found: dict[str, float] = {}
        for name, answered in self._answered.items():
            scores = np.where(refused, ~self._answerable, answered)
            found[name] = float(scores.mean())
            if self._answerable.any() and not self._answerable.all():
                short = name.removeprefix("qa_")
                found[f"has_answer_{short}"] = float(scores[self._answerable].mean())
        if not self._answerable.all():
            found["no_answer_accuracy"] = float(refused[~self._answerable].mean())
        return found

    def _tune(self) -> None:
        """Tune the threshold of "no answer" for the best F1, if both kinds of questions are there."""
        both = self._answerable.any() and not self._answerable.all()
        if not (self._may_refuse and self._run.params.tune_null_threshold and both):
            return
        difference, answered = self._spans.difference, self._answered["qa_f1"]
        refused = (~self._answerable).astype(float)
        self.threshold = squad_metrics.best_threshold(difference, answered, refused)
        # Cross-fitted: each half by a threshold that was tuned on the other one.
        half = np.random.default_rng(self._run.params.seed).permutation(len(difference)) % 2 == 0
        scores = np.zeros(len(difference))
        for mine in (half, ~half):
            if mine.any() and (~mine).any():
                limit = squad_metrics.best_threshold(difference[~mine], answered[~mine], refused[~mine])
                scores[mine] = np.where(difference[mine] > limit, refused[mine], answered[mine])
        self._crossed = float(scores.mean())

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few questions."""
        shown = balanced_sample(self._answerable.astype(int), SHOWN, self._run.params.seed)
        short = [row for row in shown if len(self._contexts[row]) <= EXAMPLE_CHARACTERS]
        values = {"question": self._questions, "context": self._contexts}
        examples = {name: [texts[row] for row in short] for name, texts in values.items()}
        title = "Predictions on the same validation questions"
        return answers_panel(title, [self._item(row) for row in shown], id="samples", examples=examples)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with the F1 of never answering."""
        notes = [f"On {pluralize(len(self._gold), 'validation question')}, by the definitions of SQuAD."]
        without = int((~self._answerable).sum())
        if without:
            notes.append(f"{without / len(self._gold):.1%} have no answer: 'no answer' for all would have that F1.")
        notes.append(threshold_note(self.threshold, self._crossed))
        return panels.numbers("Results", metrics.formatted(values, declared), note=" ".join(filter(None, notes)))

    def report(self) -> list[Panel]:
        """Return the errors by kind, the metrics by question word, the curve of the threshold, and the mistakes."""
        refused = self._spans.refused(self.threshold)
        kinds = [self._kind(row, none) for row, none in enumerate(refused.tolist())]
        counts = {name: kinds.count(name) for name in KINDS}
        shown = {name: count for name, count in counts.items() if count}
        found = [
            panels.bars(
                "Errors by kind",
                list(shown),
                {"questions": list(shown.values())},
                unit="questions",
                note="; ".join(f"{name}: {KINDS[name]}" for name in shown) + ".",
                id="errors",
            ),
            self._by_question_word(refused),
        ]
        if self._may_refuse and self._answerable.any() and not self._answerable.all():
            found.append(self._threshold_curve())
        return [*found, self._mistakes(kinds, refused)]

    def _kind(self, row: int, refused: bool) -> str:
        gold = self._gold[row]
        span = None if refused else (int(self._spans.starts[row]), int(self._spans.ends[row]))
        return error_kind(self._spans.text(row), span, list(zip(gold["text"], gold["answer_start"], strict=True)))

    def _scores(self, name: str, refused: np.ndarray) -> np.ndarray:
        return np.where(refused, ~self._answerable, self._answered[name])

    def _by_question_word(self, refused: np.ndarray) -> Panel:
        words = np.array([question_word(question) for question in self._questions])
        f1, exact = (self._scores(name, refused) for name in ("qa_f1", "exact_match"))
        names = sorted(set(words), key=lambda word: (word == OTHER, -int((words == word).sum())))
        rows = []
        for name in names:
            mine = words == name
            rows.append([name, int(mine.sum()), round(float(f1[mine].mean()), 4), round(float(exact[mine].mean()), 4)])
        return panels.table("By question word", ["question word", "questions", "F1", "exact match"], rows)

    def _threshold_curve(self) -> Panel:
        """Draw the F1 by the share of questions that are refused."""
        order = np.argsort(self._spans.difference, kind="stable")
        gain = (self._answered["qa_f1"] - ~self._answerable)[order]
        total = (float((~self._answerable).sum()) + np.concatenate([[0.0], np.cumsum(gain)])) / len(order)
        kept = np.unique(np.linspace(0, len(order), CURVE).round().astype(int))
        points = [(round(1 - int(k) / len(order), 4), round(float(total[k]), 4)) for k in kept[::-1]]
        mine = float(self._spans.refused(self.threshold).mean())
        return panels.lines(
            "F1 by the share of questions that are refused",
            {"F1": points},
            x="share answered with 'no answer'",
            note=f"The threshold refuses {mine:.1%} of the validation questions.",
            id="threshold-curve",
        )

    def _mistakes(self, kinds: Sequence[str], refused: np.ndarray) -> Panel:
        """Show the most confident mistakes of each kind in turn."""
        answer, none = self._spans.probabilities(may_refuse=self._may_refuse)
        confidence = np.where(refused, none, answer)
        wrong: dict[str, list[int]] = {}
        for row in np.argsort(-confidence, kind="stable").tolist():
            if kinds[row] != RIGHT:
                wrong.setdefault(kinds[row], []).append(row)
        turns = sorted((place, row) for rows in wrong.values() for place, row in enumerate(rows))
        count = sum(map(len, wrong.values()))
        items = [self._item(row, f"{kinds[row]}: {KINDS[kinds[row]]}") for _, row in turns[:MISTAKES]]
        note = "" if count else "There is none."
        if count > MISTAKES:
            note = f"{MISTAKES} of {count:,}: the most confident of each kind."
        return answers_panel("Most confident mistakes", items, note=note, id="mistakes")

    def _item(self, row: int, caption: str = "") -> dict[str, Any]:
        """Return an item of a panel of answers."""
        refused = bool(self._spans.refused(self.threshold)[row])
        answer, none = (p[row] for p in self._spans.probabilities(may_refuse=self._may_refuse))
        gold = self._gold[row]
        pairs = zip(gold["answer_start"], gold["text"], strict=True)
        right = squad_metrics.exact_match("" if refused else self._spans.text(row), gold["text"])
        return {
            "question": self._questions[row],
            "context": self._contexts[row],
            "gold": [[start, start + len(text)] for start, text in pairs],
            "gold_text": list(dict.fromkeys(gold["text"])),
            "predicted": None if refused else [int(self._spans.starts[row]), int(self._spans.ends[row])],
            "answer": "" if refused else self._spans.text(row),
            "score": round(float(none if refused else answer), 4),
            "caption": caption or ("✓" if right else "✗"),
        }


def threshold_note(threshold: float | None, crossed: float | None) -> str:
    """Describe when "no answer" is predicted. crossed: the cross-fitted F1, if the threshold was tuned."""
    if threshold is None:
        return "All training questions have an answer, so the model always gives one."
    text = f"'No answer' is predicted if its score exceeds that of the best answer by more than {threshold:.3g}."
    if crossed is None:
        return text
    return (
        f"{text} This threshold was tuned for the best F1 on these same questions. With thresholds tuned on one half "
        f"of them and applied to the other, the F1 is {crossed:.1%}."
    )
