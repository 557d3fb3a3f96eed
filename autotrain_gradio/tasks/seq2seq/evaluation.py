"""Text to text: metrics, sample predictions and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize, truncate
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.seq2seq import TASK
from autotrain_gradio.tasks.seq2seq.models import Generator
from autotrain_gradio.tasks.seq2seq.pairs import Pairs
from autotrain_gradio.tasks.seq2seq.text_metrics import ROUGE_NOTE, TextMetrics, repeats
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators.generation import IGNORED, GeneratedTexts, decode_with

SHOWN = 6
"""Validation rows whose generated texts are shown at each evaluation."""
WORST = 12
CHARACTERS = 600
"""Maximum number of displayed characters of a text."""
SHORT, LONG = 0.5, 2.0
"""Ratio of the lengths of generated text and reference below and above which a text counts as too short or long."""


def evaluation(
    run: Reporter, generator: Generator, texts: Sequence[str], targets: Sequence[str], pairs: Pairs | None
) -> Evaluation:
    """Return the evaluation on the validation rows. pairs: the same, tokenized; None: there is no validation split."""
    if pairs is None:
        return Evaluation(run, 0, "rows", declared=TASK.metrics)
    # The first rows of the evaluation are generated in any case.
    shown = sorted(pairs.rows[: min(len(pairs), run.params.batch_size)].tolist())[:SHOWN]
    return Evaluation(
        run,
        len(pairs),
        "rows",
        make=lambda: TextEvaluator(generator, texts, targets, shown),
        order=pairs.rows,
        declared=TASK.metrics,
    )


class TextEvaluator:
    """The state of one evaluation on generated texts. shown: rows of the sample predictions."""

    def __init__(
        self, generator: Generator, texts: Sequence[str], targets: Sequence[str], shown: Sequence[int]
    ) -> None:
        self._texts, self._targets, self._shown = texts, targets, shown
        self._found = GeneratedTexts(len(targets), decode_with(generator.tokenizer))
        self._special = set(generator.tokenizer.all_special_ids) | {IGNORED}
        self._tokens = np.zeros(len(targets), dtype=np.int32)
        self._generated = np.zeros(len(targets), dtype=bool)
        self._metrics = TextMetrics(generator.target_language)

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of generated token ids (batch, tokens); rows that are `IGNORED` throughout were not generated."""
        done = (outputs != IGNORED).any(axis=1)
        if done.any():
            self._found.update(outputs[done], rows[done])
            self._tokens[rows[done]] = (~np.isin(outputs[done], list(self._special))).sum(axis=1)
            self._generated[rows[done]] = True

    def compute(self) -> dict[str, float]:
        """Return chrF, BLEU, ROUGE and the mean length of the generated texts."""
        rows = self._rows()
        found = self._metrics.compute([self._found.texts[i] for i in rows], [self._targets[i] for i in rows])
        return {**found, "gen_len": float(self._tokens[rows].mean())}

    def sample_panel(self) -> Panel:
        """Show the generated texts of the same few rows beside their references."""
        rows = [row for row in self._shown if self._generated[row]]
        panel = panels.transcripts("Generated texts of the same validation rows", self._items(rows))
        return {**panel, "examples": {TASK.inputs[0].name: [self._texts[row] for row in rows]}}

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with the signatures that say how they were computed."""
        rows, every = len(self._rows()), len(self._targets)
        note = f"On {pluralize(every, 'validation row')}."
        if rows < every:
            note = (
                f"Texts were generated for {rows:,} of {pluralize(every, 'validation row')}, a random sample: as many "
                "as the first evaluation generated in generation_seconds. The loss is of all rows."
            )
        note = " ".join([note, *(f"{signature}." for signature in self._metrics.signatures), ROUGE_NOTE])
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def report(self) -> list[Panel]:
        """Return kinds of errors, the worst rows, and examples across the whole range."""
        rows = self._rows().tolist()
        texts, references = [self._found.texts[i] for i in rows], [self._targets[i] for i in rows]
        scores = self._metrics.row_scores(texts, references)
        order = np.argsort(scores, kind="stable")
        wrong = [int(i) for i in order if texts[i] != references[i].strip()][:WORST]
        exact = sum(text == reference.strip() for text, reference in zip(texts, references, strict=True))
        note = f"By chrF. {exact:,} of {pluralize(len(rows), 'generated text')} equal their reference exactly."
        worst = self._items([rows[i] for i in wrong], [scores[i] for i in wrong])
        return [
            self._kinds(rows),
            _histogram(np.asarray(scores)),
            panels.transcripts("Worst rows", worst, note=note),
        ]

    def _rows(self) -> np.ndarray:
        return np.flatnonzero(self._generated)

    def _items(self, rows: Sequence[int], scores: Sequence[float] = ()) -> list[dict[str, Any]]:
        scores = scores or self._metrics.row_scores(
            [self._found.texts[i] for i in rows], [self._targets[i] for i in rows]
        )
        return [
            {
                "reference": truncate(self._targets[row], CHARACTERS),
                "prediction": truncate(self._found.texts[row], CHARACTERS),
                "caption": f"chrF {score:.0f} · source: {truncate(' '.join(self._texts[row].split()), CHARACTERS)}",
            }
            for row, score in zip(rows, scores, strict=True)
        ]

    def _kinds(self, rows: Sequence[int]) -> Panel:
        """Count texts that are wrong in a typical way."""
        found: dict[str, list[int]] = {name: [] for name in KINDS}
        for row in rows:
            text, target = self._found.texts[row].strip(), self._targets[row].strip()
            ratio = len(text) / max(1, len(target))
            found["empty"] += [row] if not text else []
            found["copy of the source"] += [row] if text and text == self._texts[row].strip() != target else []
            found["repeats itself"] += [row] if repeats(text) and not repeats(target) else []
            found["less than half as long as the reference"] += [row] if text and ratio < SHORT else []
            found["more than twice as long as the reference"] += [row] if ratio > LONG else []
        ratios = [len(self._found.texts[row]) / max(1, len(self._targets[row])) for row in rows]
        shown = [
            [
                kind,
                len(of_kind),
                f"{len(of_kind) / max(1, len(rows)):.1%}",
                truncate(" ".join(self._texts[of_kind[0]].split()), 120) if of_kind else "",
                truncate(" ".join(self._found.texts[of_kind[0]].split()), 120) if of_kind else "",
            ]
            for kind, of_kind in found.items()
        ]
        note = (
            f"In the median, a generated text has {float(np.median(ratios)):.2f} times the characters of its reference."
        )
        return panels.table(
            "Kinds of errors", ["generated text", "rows", "share", "first source", "its text"], shown, note=note
        )


KINDS = (
    "empty",
    "copy of the source",
    "repeats itself",
    "less than half as long as the reference",
    "more than twice as long as the reference",
)


def _histogram(scores: np.ndarray) -> Panel:
    """Return the histogram of the chrF of the rows."""
    counts = np.histogram(np.clip(scores, 0, 100), bins=np.arange(0, 101, 10))[0]
    names = [f"{low} to {low + 10}" for low in range(0, 100, 10)]
    return panels.bars("chrF of the rows", names, {"rows": counts.tolist()}, note="100: equal to the reference.")
