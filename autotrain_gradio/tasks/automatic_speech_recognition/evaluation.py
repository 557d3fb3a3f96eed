"""Speech recognition: what is measured, shown on the way, and reported at the end."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import Any

import soundfile

from autotrain_gradio import panels
from autotrain_gradio.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.automatic_speech_recognition import decoding
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recogniser
from autotrain_gradio.training.audio import Speech, spread_by_length
from autotrain_gradio.training.fit import Fit
from autotrain_gradio.training.metrics.speech import confusions, error_rate, speech

SHOWN = 6
"""Validation utterances whose transcripts are shown at each evaluation."""
WORST = 20
CONFUSED = 30
SPEAKERS = 100
TITLES = {
    "wer": "word error rate",
    "cer": "character error rate",
    "wer_raw": "word error rate, as written",
    "cer_raw": "character error rate, as written",
}


class Judge:
    """Measures each evaluation, shows its transcripts of the same utterances, and reports on the kept weights."""

    def __init__(self, run: Reporter, made: Recogniser, spoken: Speech | None) -> None:
        self._run, self._made, self._spoken = run, made, spoken
        self._utterances = spoken.utterances if spoken is not None else []
        self._latest: list[str] | None = None
        self._by_step: dict[int, list[str]] = {}
        self._chosen = spread_by_length(self._utterances, SHOWN, run.params.seed)

    def compute_metrics(self, prediction: Any) -> dict[str, float]:
        """Measure an evaluation of the Trainer."""
        self._latest = decoding.texts(self._made.tokenizer, prediction.predictions, self._made.family)
        return speech(self._latest, [u.said for u in self._utterances])

    def show(self, step: int, best_step: int | None) -> None:
        """Record the transcripts of the evaluation that was just made at a step.

        best_step: the best one before it; its transcripts are kept, and those of this one.
        """
        if self._latest is None:
            return
        self._by_step = {k: v for k, v in self._by_step.items() if k == best_step}
        self._by_step[step] = self._latest
        items = [self._item(place, self._latest[place], "samples") for place in self._chosen]
        self._run.sample(step, panels.transcripts("Transcripts of the same validation utterances", items))

    def conclude(self, trainer: Any, done: Fit, remarks: list[str]) -> tuple[dict[str, float], list[Panel]]:
        """Judge the weights that are kept; return their figures and the report.

        remarks: what was left out of the data. Where nothing was measured the report says so.
        """
        rest = [self._training(done)]
        if remarks:
            rest.append(panels.table("What was left out", ["rows"], [[r] for r in remarks]))
        if self._spoken is None:
            text = "No utterances were kept for validation, so nothing was measured. Try the model on new audio."
            return {}, [panels.markdown(text, title="Results"), *rest]
        step = done.best_step if done.best_step is not None else done.steps
        heard, loss = self._by_step.get(step), _loss_at(trainer, step)
        if heard is None and done.stopped:
            text = "The training was stopped before these weights were measured. Resume it, or try the model."
            return {}, [panels.markdown(text, title="Results"), *rest]
        if heard is None:
            self._run.state("running", "Measuring on the validation utterances")
            output = trainer.predict(self._spoken)
            heard, loss = self._latest, float(output.metrics["test_loss"])
            assert heard is not None  # compute_metrics has just set it
        found = speech(heard, [u.said for u in self._utterances])
        if loss is not None:
            found["loss"] = loss
        self._run.result(**{f"eval_{name}": value for name, value in found.items()})
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        report = [
            self._rates(found),
            self._counts(found),
            self._worst(heard),
            *self._speakers(heard),
            *self._confusions(heard),
            *rest,
        ]
        return found, report

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
            "wer": round(error_rate(heard, one.said), 4),
            "cer": round(error_rate(heard, one.said, "characters"), 4),
        }

    def _rates(self, found: dict[str, float]) -> Panel:
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
        rates = [error_rate(h, u.said, "characters") for h, u in zip(heard, self._utterances, strict=True)]
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
            figures = speech(ours, theirs)
            rows.append([speaker, round(figures["wer"], 4), round(figures["cer"], 4), len(ours)])
        rows.sort(key=lambda row: -row[1])
        note = f"The {SPEAKERS} of {len(rows):,} speakers with the highest rate." if len(rows) > SPEAKERS else ""
        return [panels.table("Each speaker", ["speaker", "WER", "CER", "utterances"], rows[:SPEAKERS], note=note)]

    def _confusions(self, heard: list[str]) -> list[Panel]:
        counts: Counter[tuple[str, str]] = confusions(heard, [u.said for u in self._utterances])
        names = {"": "(nothing)", " ": "(space)"}
        rows = [[names.get(a, a), names.get(b, b), n] for (a, b), n in counts.most_common(CONFUSED)]
        title = "Most frequent confusions of characters"
        return [panels.table(title, ["said", "heard", "times"], rows)] if rows else []

    def _training(self, done: Fit) -> Panel:
        facts: dict[str, Any] = {
            "training loss": round(done.train_loss, 4),
            "steps": f"{done.steps:,} of {done.planned:,}",
            "epochs": round(done.epochs, 2),
            "minutes": round(done.seconds / 60, 1),
        }
        notes = []
        if done.best_step is not None and done.best_value is not None:
            name = self._run.params.metric_for_best_model
            facts["weights of step"] = f"{done.best_step:,}"
            notes.append(f"The weights kept are those with the best validation {name}: {done.best_value:.4f}.")
        if done.stopped:
            notes.append("It was stopped.")
        elif done.early:
            notes.append("It ended early: the validation figures did not improve any more.")
        return panels.numbers("Training", facts, note=" ".join(notes))


def _loss_at(trainer: Any, step: int) -> float | None:
    entries = (
        e["eval_loss"] for e in reversed(trainer.state.log_history) if e.get("step") == step and "eval_loss" in e
    )
    return next(entries, None)
