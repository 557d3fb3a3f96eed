"""Audio classification: training and prediction. Workers only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import DatasetDict
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.media.audio_files import header, read_audio, seconds_of
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.audio_classification import TASK, models
from autotrain_gradio.tasks.audio_classification.clips import Clips, length_notes
from autotrain_gradio.tasks.audio_classification.evaluation import clip_item
from autotrain_gradio.tasks.audio_classification.models import Classifier
from autotrain_gradio.tasks.audio_classification.preview import preview
from autotrain_gradio.tasks.audio_classification.probe import probe
from autotrain_gradio.tasks.audio_classification.tiny import tiny_model
from autotrain_gradio.tasks.audio_classification.trainer import ClipTrainer
from autotrain_gradio.tasks.audio_classification.windows import WINDOW, clip_logits, window_starts
from autotrain_gradio.training import card, saved
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.audio import Wave
from autotrain_gradio.training.class_labels import Labels, thresholds_of
from autotrain_gradio.training.classification_loss import loss_function
from autotrain_gradio.training.evaluators.classifier import best_metric, classifier_evaluation, store_thresholds
from autotrain_gradio.training.evaluators.gallery_view import GalleryView
from autotrain_gradio.training.fit import Fit, fit

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

PREDICTION_BATCH_SIZE = 8
"""Clips, and windows of clips, that a prediction processes at once."""


def train(run: Reporter) -> None:
    """Fine-tune a classifier on the run's clips, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    labels = Labels.of(rows["train"], "clips")
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(rows["train"]),
        validates="validation" in rows,
        best=TASK.declared_metric(best_metric(params, labels)),
        remove_unused_columns=False,
        label_names=["labels"],
        gradient_checkpointing=params.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if params.gradient_checkpointing else None,
    )
    run.state("preparing", "Loading the model")
    with tempfile.TemporaryDirectory() as folder:
        classifier = models.open_classifier(run.spec.model, labels, params, Path(folder))
    models.freeze(classifier.model, params)
    train_set, valid_set = read_clips(run, rows, labels, classifier)
    if run.stop_requested():
        return
    evaluations = classifier_evaluation(
        run,
        None if valid_set is None else valid_set.targets,
        labels,
        None if valid_set is None else GalleryView(run, partial(clip_item, run, valid_set), "clips"),
        noun="clips",
        declared=TASK.metrics,
        order=None if valid_set is None else valid_set.rows,
    )
    trainer = ClipTrainer(
        multi_label=labels.multi_label,
        model=classifier.model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=classifier.collator(params.batch_size),
        compute_loss_func=loss_function(params, train_set.targets),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    note = store_thresholds(trainer.model.config, labels, params, evaluations.best, "clips")
    write = saved.writer(
        trainer.model,
        classifier.extractor,
        AutoModelForAudioClassification,
        AutoFeatureExtractor,
        classes=len(labels.names),
    )
    card.save(run, write, model_card(run, train_set, valid_set, labels, found, done, note))
    run.report(report)


def read_clips(run: Reporter, rows: DatasetDict, labels: Labels, classifier: Classifier) -> tuple[Clips, Clips | None]:
    """Return the training clips and the validation clips, if any; report how many are longer than an input."""
    params, sets = run.params, {}
    for note in classifier.notes:
        run.note(note)
    for name in ("train", "validation"):
        if name not in rows:
            continue
        sets[name] = Clips(
            rows[name],
            labels.targets(rows[name]),
            rate=classifier.rate,
            window=classifier.window,
            training=name == "train",
            noise=params.noise,
            speed=params.speed_perturbation,
            seed=params.seed,
        )
        for note in length_notes(sets[name].seconds, classifier.window, "training" if name == "train" else name):
            run.note(note)
    return sets["train"], sets.get("validation")


def model_card(
    run: Reporter,
    train_set: Clips,
    valid_set: Clips | None,
    labels: Labels,
    found: Mapping[str, float],
    done: Fit,
    note: str,
) -> str:
    """Write the model card. note: about the thresholds."""
    validation = 0 if valid_set is None else len(valid_set)
    names = labels.names
    shown = [*names[:50], f"and {len(names) - 50} more"] if len(names) > 50 else names
    facts = {
        "labels (multi-label)" if labels.multi_label else "classes": ", ".join(shown),
        "training clips": len(train_set),
        "minutes of training audio": f"{train_set.seconds.sum() / 60:.1f}",
        "validation clips": validation,
        "sampling rate (Hz)": train_set.rate,
        "maximum length of an input (s)": f"{train_set.window:.4g}",
    }
    return card.card(
        run,
        task="audio-classification",
        title="Audio classifier",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"clip.wav"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation clips",
        note=" ".join(filter(None, [done.selection_note("clips") if found else "", note])),
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The classifier that a run has trained.

    Inputs: `{"audio": path}`. Predictions: `{"label", "scores": {label: probability}, "panels"}`, the most likely
    first; of a multi-label model `{"labels", "scores", "thresholds", "panels"}`, `labels` being those whose score
    reaches their threshold. `note`: the scores are the mean of several windows.
    """

    def __init__(self, directory: Path) -> None:
        self._model, extractor = saved.load_model(
            directory / "model", AutoModelForAudioClassification, AutoFeatureExtractor
        )
        config = self._model.config
        self._labels = Labels.of_config(config)
        self._limits = thresholds_of(config, self._labels)
        self._rate, self._window = int(extractor.sampling_rate), float(getattr(config, WINDOW))
        self._collator = Classifier(self._model, extractor, self._window).collator(PREDICTION_BATCH_SIZE)

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Classify audio files.

        Raises:
            UserError: there is none, or it cannot be read.
        """
        paths = [str(given.get("audio") or "") for given in inputs]
        for path in paths:
            if not path or not Path(path).is_file():
                message = "No audio was given, or the file does not exist."
                raise UserError(message, "Give an audio file, or record one.", path, "no-audio")
        size = PREDICTION_BATCH_SIZE
        batches = (paths[start : start + size] for start in range(0, len(paths), size))
        return [found for batch in batches for found in self._classify(batch)]

    @torch.inference_mode()
    def _classify(self, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
        clips, lengths = zip(*(self._read(path) for path in paths), strict=True)
        batch = self._collator.windows(clips)
        device = self._model.device
        batch["chunks"] = [{k: v.to(device) for k, v in chunk.items()} for chunk in batch["chunks"]]
        logits = clip_logits(self._model, batch, multi_label=self._labels.multi_label)
        scores = self._labels.scores(logits.cpu().numpy())
        for one, windows, seconds in zip(scores, clips, lengths, strict=True):
            note = ""
            if len(windows) > 1:
                note = f"Mean scores of {pluralize(len(windows), 'window')} of {self._window:.4g} s; the clip has "
                note += f"{seconds:.1f} s."
            yield self._labels.prediction(one, self._limits, note)

    def _read(self, path: str) -> tuple[list[Wave], float]:
        """Return the windows of a file, each (samples,), and its length in seconds."""
        known = header(path).seconds
        seconds = seconds_of(path) if known is None else known
        length, cell = round(self._window * self._rate), {"path": path, "bytes": None}
        starts = window_starts(round(seconds * self._rate), length)
        if len(starts) == 1:
            windows = [read_audio(cell, 0.0, self._window, self._rate)]
        else:
            times = [start / self._rate for start in starts]
            windows = [read_audio(cell, time, time + self._window, self._rate) for time in times]
        if not all(len(window) for window in windows):
            message = "The audio file has no samples."
            raise UserError(message, "Record or export it again.", path, "audio-zero")
        return windows, seconds
