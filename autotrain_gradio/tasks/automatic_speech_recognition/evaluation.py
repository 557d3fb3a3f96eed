"""Speech recognition: metrics, sample predictions and the report."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soundfile

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.automatic_speech_recognition import TASK, decoding
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recognizer
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics
from autotrain_gradio.training.audio import Speech, sample_by_length
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators.generation import GeneratedTexts
from autotrain_gradio.training.metrics.speech import confusions, error_rate
from autotrain_gradio.training.metrics.speech import speech as speech_metrics

SHOWN = 6
"""Validation utterances whose transcripts are shown at each evaluation."""
WORST = 12
CONFUSED = 30
SPEAKERS = 100
RESULTS = ("wer", "cer", "wer_raw", "cer_raw", "loss")
"""Metrics that the first panel lists; `_counts` has the others."""


def evaluation(run: Reporter, recognizer: Recognizer, speech: Speech | None) -> Evaluation:
    """Return the evaluation of a recognizer on the validation utterances; None: there are none."""
    if speech is None:
        return Evaluation(run, 0, "utterances", declared=TASK.metrics)
    shown = sample_by_length(speech.utterances, SHOWN, run.params.seed)
    return Evaluation(
        run,
        len(speech),
        "utterances",
        make=lambda: SpeechEvaluator(run, recognizer, speech, shown),
        declared=TASK.metrics,
    )


class SpeechEvaluator:
    """The state of one evaluation on the validation utterances: their transcripts.

    shown: rows of the sample predictions.
    """

    def __init__(self, run: Reporter, recognizer: Recognizer, speech: Speech, shown: list[int]) -> None:
        self._run, self._speech, self._shown = run, speech, shown
        self._utterances = speech.utterances
        self._references = [u.reference for u in self._utterances]
        self._generated = GeneratedTexts(
            len(speech), lambda ids: decoding.texts(recognizer.tokenizer, ids, recognizer.family)
        )
        self._metrics: dict[str, float] = {}

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of generated label ids (batch, labels)."""
        self._generated.update(outputs, rows)

    def compute(self) -> dict[str, float]:
        """Return error rates and counts of errors."""
        self._metrics = speech_metrics(self._generated.texts, self._references)
        return dict(self._metrics)

    def sample_panel(self) -> Panel:
        """Show the transcripts of the same few utterances."""
        items = [self._item(row, "samples") for row in self._shown]
        return panels.transcripts("Transcripts of the same validation utterances", items)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the error rates and the loss."""
        listed = {name: values[name] for name in RESULTS if name in values}
        note = (
            f"On {len(self._utterances):,} validation utterances. Case, punctuation and Unicode forms are normalized "
            "first, except for the rates without normalization."
        )
        return panels.numbers("Results", metrics.formatted(listed, declared), note=note)

    def report(self) -> list[Panel]:
        """Return the counts of errors, the worst utterances, the speakers, and the confusions of characters."""
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        return [self._counts(), self._worst(), *self._speakers(), *self._confusions()]

    def _item(self, row: int, folder: str) -> dict[str, Any]:
        one, predicted = self._utterances[row], self._generated.texts[row]
        path = self._run.directory / folder / f"{row}.wav"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, self._speech.wave(row), self._speech.rate, subtype="PCM_16")
        caption = f"{one.seconds:.1f} s" + (f", {one.speaker}" if one.speaker else "")
        return {
            "reference": one.text,
            "prediction": predicted,
            "file": f"{folder}/{path.name}",
            "caption": caption,
            "wer": round(error_rate([predicted], [one.reference]), 4),
            "cer": round(error_rate([predicted], [one.reference], "characters"), 4),
        }

    def _counts(self) -> Panel:
        found, rows = self._metrics, []
        for unit, prefix in (("words", ""), ("characters", "character_")):
            rows.append([unit, *(int(found[prefix + n]) for n in ("substitutions", "deletions", "insertions"))])
            rows[-1].append(int(found[unit]))
        note = "Substituted: another one was recognized; deleted: missed; inserted: not in the reference."
        return panels.table("Errors", ["", "substituted", "deleted", "inserted", "in the references"], rows, note=note)

    def _worst(self) -> Panel:
        texts = self._generated.texts
        rates = [error_rate([t], [u.reference], "characters") for t, u in zip(texts, self._utterances, strict=True)]
        order = sorted(range(len(texts)), key=lambda i: -rates[i])[:WORST]
        wrong = [i for i in order if rates[i] > 0]
        perfect = sum(rate == 0 for rate in rates)
        note = f"{perfect:,} of {len(rates):,} validation utterances have no character error."
        return panels.transcripts("Worst utterances", [self._item(i, "report") for i in wrong], note=note)

    def _speakers(self) -> list[Panel]:
        speakers: dict[str, tuple[list[str], list[str]]] = {}
        for text, one in zip(self._generated.texts, self._utterances, strict=True):
            if one.speaker:
                predicted, references = speakers.setdefault(one.speaker, ([], []))
                predicted.append(text)
                references.append(one.reference)
        if not speakers:
            return []
        rows: list[list[Any]] = []
        for speaker, (predicted, references) in speakers.items():
            rates = (error_rate(predicted, references, unit) for unit in ("words", "characters"))
            rows.append([speaker, *rates, len(predicted)])
        rows.sort(key=lambda row: -row[1])
        rows = [[name, f"{wer:.1%}", f"{cer:.1%}", number] for name, wer, cer, number in rows]
        note = f"The {SPEAKERS} of {len(rows):,} speakers with the highest rate." if len(rows) > SPEAKERS else ""
        return [panels.table("Each speaker", ["speaker", "WER", "CER", "utterances"], rows[:SPEAKERS], note=note)]

    def _confusions(self) -> list[Panel]:
        counts: Counter[tuple[str, str]] = confusions(self._generated.texts, self._references)
        names = {"": "(nothing)", " ": "(space)"}
        rows = [[names.get(a, a), names.get(b, b), n] for (a, b), n in counts.most_common(CONFUSED)]
        title = "Most frequent confusions of characters"
        return [panels.table(title, ["reference", "recognized", "times"], rows)] if rows else []
