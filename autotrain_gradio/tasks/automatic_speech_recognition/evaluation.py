"""Speech recognition: what is measured, shown on the way, and reported at the end."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import Any

import numpy as np
import soundfile

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.automatic_speech_recognition import decoding
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recogniser
from autotrain_gradio.training.audio import Speech, spread_by_length
from autotrain_gradio.training.evaluator import Judge
from autotrain_gradio.training.metrics.speech import confusions, error_rate, speech

SHOWN = 6
"""Validation utterances whose transcripts are shown at each evaluation."""
WORST = 12
CONFUSED = 30
SPEAKERS = 100
TITLES = {
    "wer": "word error rate",
    "cer": "character error rate",
    "wer_raw": "word error rate, as written",
    "cer_raw": "character error rate, as written",
}


class View:
    """The validation utterances, and how labels that a model wrote (utterances, labels) look on them.

    spoken: None where there are none.
    """

    def __init__(self, run: Reporter, made: Recogniser, spoken: Speech | None) -> None:
        self._run, self._made, self._spoken = run, made, spoken
        self._utterances = spoken.utterances if spoken is not None else []
        self._said = [u.said for u in self._utterances]
        self._chosen = spread_by_length(self._utterances, SHOWN, run.params.seed)
        self._latest: tuple[np.ndarray[Any, Any], list[str]] | None = None

    def judge(self) -> Judge:
        """Return the judge that asks this view."""
        return Judge(
            self._run,
            self._spoken,
            "utterances",
            measure=self.measure,
            show=self.sample,
            report=self.report,
            results=lambda found, outputs: self.rates(found),
        )

    def texts(self, labels: np.ndarray[Any, Any]) -> list[str]:
        """Return the transcripts; of the labels that were asked for last they are kept."""
        if self._latest is None or self._latest[0] is not labels:
            self._latest = labels, decoding.texts(self._made.tokenizer, labels, self._made.family)
        return self._latest[1]

    def measure(self, labels: np.ndarray[Any, Any]) -> dict[str, float]:
        """Return the error rates and counts."""
        return speech(self.texts(labels), self._said)

    def sample(self, labels: np.ndarray[Any, Any]) -> Panel:
        """Show the transcripts of the same few utterances."""
        heard = self.texts(labels)
        items = [self._item(place, heard[place], "samples") for place in self._chosen]
        return panels.transcripts("Transcripts of the same validation utterances", items)

    def report(self, labels: np.ndarray[Any, Any]) -> list[Panel]:
        """Return the panels of the results: errors, the worst utterances, speakers, confusions."""
        heard = self.texts(labels)
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        counts = self._counts(self.measure(labels))
        return [counts, self._worst(heard), *self._speakers(heard), *self._confusions(heard)]

    def _item(self, place: int, heard: str, folder: str) -> dict[str, Any]:
        one = self._utterances[place]
        path = self._run.directory / folder / f"{place}.wav"
        if not path.exists():
            assert self._spoken is not None
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, self._spoken.wave(place), self._spoken.rate, subtype="PCM_16")
        caption = f"{one.seconds:.1f} s" + (f", {one.speaker}" if one.speaker else "")
        return {
            "reference": one.text,
            "prediction": heard,
            "file": f"{folder}/{path.name}",
            "caption": caption,
            "wer": round(error_rate([heard], [one.said]), 4),
            "cer": round(error_rate([heard], [one.said], "characters"), 4),
        }

    def rates(self, found: dict[str, float]) -> Panel:
        """Return the panel of the error rates."""
        shown: dict[str, Any] = {title: f"{found[name]:.2%}" for name, title in TITLES.items()}
        if "loss" in found:
            shown["loss"] = round(found["loss"], 4)
        note = (
            f"On {len(self._utterances):,} validation utterances. Case, punctuation and forms of the same character "
            "are made alike first, except for the rates as written."
        )
        return panels.numbers("Results", shown, note=note)

    def _counts(self, found: dict[str, float]) -> Panel:
        rows = []
        for unit, prefix in (("words", ""), ("characters", "character_")):
            rows.append([unit, *(int(found[prefix + n]) for n in ("substitutions", "deletions", "insertions"))])
            rows[-1].append(int(found[unit]))
        note = "Substituted: another was heard; deleted: missed; inserted: heard where nothing was said."
        return panels.table("Errors", ["", "substituted", "deleted", "inserted", "in the references"], rows, note=note)

    def _worst(self, heard: list[str]) -> Panel:
        rates = [error_rate([h], [u.said], "characters") for h, u in zip(heard, self._utterances, strict=True)]
        order = sorted(range(len(heard)), key=lambda i: -rates[i])[:WORST]
        wrong = [i for i in order if rates[i] > 0]
        perfect = sum(rate == 0 for rate in rates)
        note = f"{perfect:,} of {len(rates):,} validation utterances are right to the last character."
        return panels.transcripts("Worst utterances", [self._item(i, heard[i], "report") for i in wrong], note=note)

    def _speakers(self, heard: list[str]) -> list[Panel]:
        said: dict[str, tuple[list[str], list[str]]] = {}
        for text, one in zip(heard, self._utterances, strict=True):
            if one.speaker:
                ours, theirs = said.setdefault(one.speaker, ([], []))
                ours.append(text)
                theirs.append(one.said)
        if not said:
            return []
        rows: list[list[Any]] = []
        for speaker, (ours, theirs) in said.items():
            figures = (error_rate(ours, theirs, unit) for unit in ("words", "characters"))
            rows.append([speaker, *figures, len(ours)])
        rows.sort(key=lambda row: -row[1])
        rows = [[name, f"{wer:.1%}", f"{cer:.1%}", number] for name, wer, cer, number in rows]
        note = f"The {SPEAKERS} of {len(rows):,} speakers with the highest rate." if len(rows) > SPEAKERS else ""
        return [panels.table("Each speaker", ["speaker", "WER", "CER", "utterances"], rows[:SPEAKERS], note=note)]

    def _confusions(self, heard: list[str]) -> list[Panel]:
        counts: Counter[tuple[str, str]] = confusions(heard, self._said)
        names = {"": "(nothing)", " ": "(space)"}
        rows = [[names.get(a, a), names.get(b, b), n] for (a, b), n in counts.most_common(CONFUSED)]
        title = "Most frequent confusions of characters"
        return [panels.table(title, ["said", "heard", "times"], rows)] if rows else []
