"""Text classification: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import DatasetDict
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.text_classification import TASK, few_examples, models
from autotrain_gradio.tasks.text_classification.evaluation import TextView
from autotrain_gradio.tasks.text_classification.models import tiny_model
from autotrain_gradio.tasks.text_classification.preview import preview
from autotrain_gradio.tasks.text_classification.probe import probe
from autotrain_gradio.training import card, distributed, saved, text_models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.class_labels import Labels, thresholds_of
from autotrain_gradio.training.classification_loss import loss_function
from autotrain_gradio.training.evaluators.classifier import best_metric, classifier_evaluation, store_thresholds
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.text import Collate, tokenize_splits
from autotrain_gradio.training.text_prediction import predict_logits, texts_of
from autotrain_gradio.training.tokens import longest
from autotrain_gradio.training.trainer_internals import LengthGroupedTrainer

__all__ = ["load", "preview", "probe", "tiny_model", "train"]


def train(run: Reporter) -> None:
    """Fine-tune a classifier on the run's texts, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    labels = Labels.of(rows["train"])
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(rows["train"]),
        validates="validation" in rows,
        best=TASK.declared_metric(best_metric(params, labels)),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        model, tokenizer, fresh = models.open_model(
            run.spec.model,
            labels.names,
            multi_label=labels.multi_label,
            texts=(text for text in rows["train"]["text"]),
            seed=params.seed,
            scratch=folder,
        )
    most = longest(model.config, tokenizer, model)
    sets = tokenize_splits(run, rows, tokenizer, most, column="text", targets=labels.targets)
    if sets is None:
        return
    if params.freeze_backbone and not params.peft:
        text_models.freeze_backbone(model, fresh)
    choice = few_examples.choose(run, model, tokenizer, sets["train"], labels, args)
    if choice is None:
        return
    fine_tunes, done = choice.method == few_examples.FINE_TUNING, None
    if fine_tunes:
        model = text_models.adapt(run, model, task_type="SEQ_CLS", fresh=fresh)
    else:
        model, done = few_examples.train(run, choice, model, tokenizer, sets["train"], labels, args)
    valid = sets.get("validation")
    evaluations = classifier_evaluation(
        run,
        None if valid is None else valid.targets,
        labels,
        None if valid is None else TextView(rows["validation"]["text"]),
        noun="texts",
        declared=TASK.metrics,
        order=None if valid is None else valid.rows,
    )
    trainer = LengthGroupedTrainer(
        model=model,
        args=args,
        train_dataset=sets["train"],
        eval_dataset=valid,
        data_collator=Collate(tokenizer),
        compute_loss_func=loss_function(params, sets["train"].targets),
        **evaluations.trainer_arguments(),
    )
    done = done or fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    model = text_models.merge_adapters(run, trainer.model)
    note = store_thresholds(model.config, labels, params, evaluations.best, "texts")
    write = saved.writer(model, tokenizer, AutoModelForSequenceClassification, AutoTokenizer, classes=len(labels.names))
    note = " ".join(filter(None, [note, choice.note()]))
    card.save(run, write, model_card(run, rows, labels, found, done, note))
    run.report([*report, *choice.panels()])


def model_card(
    run: Reporter, rows: DatasetDict, labels: Labels, found: Mapping[str, float], done: Fit, note: str
) -> str:
    """Write the model card. note: about the thresholds and the method of few examples."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    names = labels.names
    shown = [*names[:50], f"and {len(names) - 50} more"] if len(names) > 50 else names
    facts = {
        "labels (multi-label)" if labels.multi_label else "classes": ", ".join(shown),
        "training texts": len(rows["train"]),
        "validation texts": validation,
    }
    return card.card(
        run,
        task="text-classification",
        title="Text classifier",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"Your text"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation texts",
        note=" ".join(filter(None, [done.selection_note("texts") if found else "", note])),
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The classifier that a run has trained.

    Inputs: `{"text": str}`. Predictions: `{"label", "scores": {label: probability}, "panels"}`, the most likely first;
    of a multi-label model `{"labels", "scores", "thresholds", "panels"}`, `labels` being those whose score reaches
    their threshold. `note`: the text was truncated.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._tokenizer = saved.load_model(
            directory / "model", AutoModelForSequenceClassification, AutoTokenizer
        )
        config = self._model.config
        self._labels = Labels.of_config(config)
        self._limits = thresholds_of(config, self._labels)

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Classify texts.

        Raises:
            UserError: a text is missing or empty.
        """
        outputs = predict_logits(self._model, self._tokenizer, texts_of(inputs, "text"))
        return [
            self._labels.prediction(self._labels.scores(logits[None])[0], self._limits, note)
            for logits, note in outputs
        ]
