"""Token classification: metrics of entities, sample predictions, and the report with mistakes by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.token_classification import TASK
from autotrain_gradio.tasks.token_classification.batches import TaggedWindows
from autotrain_gradio.tasks.token_classification.entities_panel import entities_panel
from autotrain_gradio.tasks.token_classification.labels import Entity, TagLabels, merge_windows
from autotrain_gradio.tasks.token_classification.windows import IGNORED
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators.classes import first_output
from autotrain_gradio.training.sample_selection import balanced_sample

SHOWN = 6
"""Validation texts whose predictions are shown at each evaluation."""
EXAMPLES = 12
"""Maximum number of examples of each kind of mistake."""
MISSED, SPURIOUS, TYPE, BORDER, BOTH = "missed", "spurious", "wrong type", "wrong border", "wrong border and type"
KINDS = {
    MISSED: "annotated, and nothing is predicted there",
    SPURIOUS: "predicted, and nothing is annotated there",
    TYPE: "the same words with another type",
    BORDER: "the right type, with more or fewer words",
    BOTH: "other words and another type",
}
"""Kind of a mistake → its meaning. A mistake that concerns an annotated and a predicted entity counts once."""

Gold = Sequence[Mapping[str, Any]]
"""The annotated entities of a text: `start`, `end`, `label`."""


def reduce_logits(logits: Any, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Reduce logits (batch, tokens, labels) to the predicted label and its probability (batch, tokens)."""
    probability, predicted = first_output(logits).float().softmax(dim=-1).max(dim=-1)
    return predicted.to(torch.int16), probability


def evaluation(
    run: Reporter, texts: Sequence[str], gold: Sequence[Gold], rows: TaggedWindows | None, labels: TagLabels
) -> Evaluation:
    """Return the evaluation on the validation texts.

    texts, gold: the validation texts and their entities; rows: their windows; None: there is no validation split.
    """
    if rows is None:
        return Evaluation(run, 0, "texts", declared=TASK.metrics)
    tagged = np.array([len(spans) > 0 for spans in gold])
    shown = balanced_sample(np.zeros(int(tagged.sum()) or len(texts)), SHOWN, run.params.seed)
    if tagged.any():
        shown = np.flatnonzero(tagged)[shown].tolist()
    return Evaluation(
        run,
        len(rows),
        "texts",
        make=lambda: EntityEvaluator(texts, gold, rows, labels, shown),
        reduce=reduce_logits,
        order=rows.rows,
        declared=TASK.metrics,
    )


def kind_of_mistakes(gold: Gold, predicted: Sequence[Entity]) -> list[tuple[str, int | None, int | None]]:
    """Return (kind, index of the annotated entity, index of the predicted one) of each mistake in a text.

    An annotated entity that is not predicted exactly belongs to the first predicted one that overlaps it, is not right,
    and belongs to none yet; one with the same words is preferred, then one of the same type.
    """
    right = {(g["start"], g["end"], g["label"]) for g in gold} & {(p.start, p.end, p.label) for p in predicted}
    left = [i for i, p in enumerate(predicted) if (p.start, p.end, p.label) not in right]
    found: list[tuple[str, int | None, int | None]] = []
    for n, g in enumerate(gold):
        if (g["start"], g["end"], g["label"]) in right:
            continue
        over = [i for i in left if predicted[i].start < g["end"] and g["start"] < predicted[i].end]
        if not over:
            found.append((MISSED, n, None))
            continue
        same = {i: (predicted[i].start, predicted[i].end) == (g["start"], g["end"]) for i in over}
        best = min(over, key=lambda i: (not same[i], predicted[i].label != g["label"]))
        left.remove(best)
        kind = TYPE if same[best] else BORDER if predicted[best].label == g["label"] else BOTH
        found.append((kind, n, best))
    return found + [(SPURIOUS, None, i) for i in left]


class EntityCounts:
    """Entities by type: annotated, predicted and right; `begun`: predicted with a label B- (strict mode)."""

    def __init__(self) -> None:
        self.gold, self.predicted, self.right = Counter[str](), Counter[str](), Counter[str]()
        self.begun, self.begun_right = Counter[str](), Counter[str]()

    def add(self, gold: Gold, predicted: Sequence[Entity]) -> None:
        """Count the entities of a text."""
        true = {(g["start"], g["end"], g["label"]) for g in gold}
        self.gold.update(label for _, _, label in true)
        for entity in predicted:
            right = (entity.start, entity.end, entity.label) in true
            self.predicted[entity.label] += 1
            self.right[entity.label] += right
            self.begun[entity.label] += entity.begun
            self.begun_right[entity.label] += entity.begun and right

    def metrics(self) -> dict[str, float]:
        """Return precision, recall and F1 over all entities, as seqeval computes them; strict, and macro, too."""
        precision, recall, f1 = _scores(self.right.total(), self.predicted.total(), self.gold.total())
        types = self.gold.keys() | {name for name, count in self.predicted.items() if count}
        each = [_scores(self.right[n], self.predicted[n], self.gold[n])[2] for n in types]
        strict = _scores(self.begun_right.total(), self.begun.total(), self.gold.total())
        return {
            "f1": f1,
            "precision": precision,
            "recall": recall,
            "f1_strict": strict[2],
            "precision_strict": strict[0],
            "recall_strict": strict[1],
            "f1_macro": float(np.mean(each)) if each else 0.0,
        }

    def rows(self) -> list[list[Any]]:
        """Return type, precision, recall, F1, strict F1, and the number of annotated and predicted entities."""
        types = sorted(self.gold.keys() | self.predicted.keys(), key=lambda n: (-self.gold[n], n))
        found = []
        for name in types:
            scores = _scores(self.right[name], self.predicted[name], self.gold[name])
            strict = _scores(self.begun_right[name], self.begun[name], self.gold[name])[2]
            shown = [round(value, 4) for value in (*scores, strict)]
            found.append([name, *shown, self.gold[name], self.predicted[name]])
        return found


def _scores(right: int, predicted: int, gold: int) -> tuple[float, float, float]:
    """Return precision, recall and F1; 0 where one is undefined."""
    precision, recall = right / predicted if predicted else 0.0, right / gold if gold else 0.0
    return precision, recall, 2 * right / (predicted + gold) if predicted + gold else 0.0


class EntityEvaluator:
    """The state of one evaluation. Windows are merged as soon as all of a text are there; only counts are kept.

    shown: rows of the sample predictions.
    """

    def __init__(
        self, texts: Sequence[str], gold: Sequence[Gold], rows: TaggedWindows, labels: TagLabels, shown: Sequence[int]
    ) -> None:
        self._texts, self._gold, self._windows, self._labels = texts, gold, rows.windows, labels
        self._missing = rows.windows.counts
        self._first = np.searchsorted(rows.windows.text, np.arange(len(self._missing)))
        self._partial: dict[int, dict[int, list[Entity]]] = {}
        self._counts = EntityCounts()
        self._tokens = self._right_tokens = 0
        self._mistakes = Counter[str]()
        self._examples: dict[str, list[tuple[float, int, dict[str, Any]]]] = {kind: [] for kind in KINDS}
        self._shown: dict[int, list[Entity]] = dict.fromkeys(shown, [])

    def update(self, outputs: tuple[np.ndarray, np.ndarray], targets: np.ndarray, rows: np.ndarray) -> None:
        """Add a batch of outputs of `reduce_logits`; rows: numbers of windows."""
        scored = targets != IGNORED
        self._tokens += int(scored.sum())
        self._right_tokens += int((outputs[0][scored] == targets[scored]).sum())
        for tags, scores, window in zip(*outputs, rows.tolist(), strict=True):
            words = self._windows.words(window)
            places, borders = self._windows.places[words], self._windows.borders[words]
            text = int(self._windows.text[window])
            found = self._labels.entities(tags[places], scores[places], borders, self._windows.joined[words])
            self._partial.setdefault(text, {})[window] = found
            self._missing[text] -= 1
            if not self._missing[text]:
                parts = self._partial.pop(text)
                self._add(text, merge_windows([parts[w] for w in sorted(parts)]))

    def _add(self, text: int, predicted: list[Entity]) -> None:
        gold = self._gold[text]
        self._counts.add(gold, predicted)
        if text in self._shown:
            self._shown[text] = predicted
        for kind, true, guess in kind_of_mistakes(gold, predicted):
            self._mistakes[kind] += 1
            score = 0.0 if guess is None else predicted[guess].score
            self._examples[kind].append((-score, text, self._example(text, gold, true, predicted, guess)))
            if len(self._examples[kind]) > 4 * EXAMPLES:
                self._examples[kind] = sorted(self._examples[kind], key=lambda e: e[:2])[:EXAMPLES]

    def _example(
        self, text: int, gold: Gold, true: int | None, predicted: Sequence[Entity], guess: int | None
    ) -> dict[str, Any]:
        annotated = [] if true is None else [dict(gold[true])]
        guessed = [] if guess is None else [span(predicted[guess], wrong=True)]
        lines = [{"title": "annotated", "spans": annotated}, {"title": "predicted", "spans": guessed}]
        return {"text": self._texts[text], "lines": lines, "caption": f"validation text {text + 1:,}"}

    def compute(self) -> dict[str, float]:
        """Return the metrics of `EntityCounts`, and the token accuracy."""
        return {**self._counts.metrics(), "accuracy": self._right_tokens / max(1, self._tokens)}

    def sample_panel(self) -> Panel:
        """Show annotated and predicted entities of the same few texts."""
        items = []
        for row, predicted in self._shown.items():
            true = {(g["start"], g["end"], g["label"]) for g in self._gold[row]}
            spans = [span(p, wrong=(p.start, p.end, p.label) not in true) for p in predicted]
            lines = [{"title": "annotated", "spans": list(self._gold[row])}, {"title": "predicted", "spans": spans}]
            items.append({"text": self._texts[row], "lines": lines})
        note = "Dashed: predicted, and not annotated so."
        panel = entities_panel("Predictions on the same validation texts", items, id="samples", note=note)
        return {**panel, "examples": {"text": [self._texts[row] for row in self._shown]}}

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        counts = self._counts
        note = (
            f"{counts.gold.total():,} entities are annotated in {pluralize(len(self._texts), 'validation text')}, "
            f"{counts.predicted.total():,} were predicted, {counts.right.total():,} of them right (type, first and "
            "last word)."
        )
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def report(self) -> list[Panel]:
        """Return the metrics of each type, the mistakes by kind, and examples of each kind."""
        head = ["type", "precision", "recall", "F1", "F1 (strict)", "annotated", "predicted"]
        kinds = [[kind, self._mistakes[kind], meaning] for kind, meaning in KINDS.items()]
        found = [
            panels.table("Each entity type", head, self._counts.rows()),
            panels.table("Mistakes by kind", ["mistake", "entities", "meaning"], kinds),
        ]
        for kind, examples in self._examples.items():
            chosen = sorted(examples, key=lambda e: e[:2])[:EXAMPLES]
            if chosen:
                count = self._mistakes[kind]
                which = "first" if kind == MISSED else "most confident"
                note = f"The {len(chosen)} {which} of {count:,}." if count > len(chosen) else ""
                found.append(entities_panel(kind.capitalize(), [item for _, _, item in chosen], note=note))
        return found


def span(entity: Entity, *, wrong: bool = False) -> dict[str, Any]:
    """Return a predicted entity as a panel shows it."""
    return {"start": entity.start, "end": entity.end, "label": entity.label, "score": entity.score, "wrong": wrong}
