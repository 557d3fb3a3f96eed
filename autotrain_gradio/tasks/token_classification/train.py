"""Token classification: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, DatasetDict
from transformers import AutoModelForTokenClassification, AutoTokenizer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import format_count, pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.token_classification import TASK, models
from autotrain_gradio.tasks.token_classification.batches import CollateTags, TaggedWindows
from autotrain_gradio.tasks.token_classification.entities_panel import entities_panel
from autotrain_gradio.tasks.token_classification.evaluation import evaluation, reduce_logits, span
from autotrain_gradio.tasks.token_classification.labels import Entity, TagLabels, merge_windows
from autotrain_gradio.tasks.token_classification.loss import loss_function
from autotrain_gradio.tasks.token_classification.models import tiny_model
from autotrain_gradio.tasks.token_classification.preview import preview
from autotrain_gradio.tasks.token_classification.probe import probe
from autotrain_gradio.tasks.token_classification.windows import (
    make_windows,
    window_sizes,
    word_labels,
)
from autotrain_gradio.tasks.token_classification.words import WORD_PATTERN
from autotrain_gradio.training import card, distributed, saved, text_models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.text import set_length
from autotrain_gradio.training.text_prediction import texts_of
from autotrain_gradio.training.tokens import longest
from autotrain_gradio.training.trainer_internals import LengthGroupedTrainer

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

PREDICTION_BATCH_SIZE = 32
"""Batch size of predictions, in windows."""
WORDS, OVERLAP = "word_pattern", "window_overlap"
"""Keys of the model's config.json: the pattern of words, and the overlap of the windows of long texts in tokens."""


def train(run: Reporter) -> None:
    """Fine-tune a token classifier on the run's texts, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    labels = labels_of(rows["train"])
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        model, tokenizer, fresh = models.open_model(
            run.spec.model, labels.names, texts=rows["train"]["text"], seed=params.seed, scratch=folder
        )
    sets = read_windows(run, rows, labels, tokenizer, longest(model.config, tokenizer, model))
    if sets is None:
        return
    setattr(model.config, WORDS, WORD_PATTERN)
    setattr(model.config, OVERLAP, window_sizes(tokenizer, tokenizer.model_max_length, params.window_overlap)[1])
    model = text_models.adapt(run, model, task_type="TOKEN_CLS", fresh=fresh)
    valid = sets.get("validation")
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(sets["train"]),
        validates=valid is not None,
        best=TASK.declared_metric(params.metric_for_best_model),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    part = rows["validation"] if valid is not None else rows["train"].select([])
    evaluations = evaluation(run, part["text"][:], part["entities"][:], valid, labels)
    trainer = LengthGroupedTrainer(
        model=model,
        args=args,
        train_dataset=sets["train"],
        eval_dataset=valid,
        data_collator=CollateTags(tokenizer),
        compute_loss_func=loss_function(params.label_smoothing),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    model = text_models.merge_adapters(run, trainer.model)
    write = saved.writer(model, tokenizer, AutoModelForTokenClassification, AutoTokenizer, classes=len(labels.names))
    card.save(run, write, model_card(run, rows, labels, found, done))
    run.report(report)


def labels_of(rows: Dataset) -> TagLabels:
    """Return the labels that the training rows have.

    Raises:
        DataError: there is no entity.
    """
    types = {s["label"] for spans in rows["entities"] for s in spans}
    if not types:
        raise DataError("There is no entity to learn.", "Annotate texts.", "data", "no-entities")
    return TagLabels.of_types(types)


def read_windows(
    run: Reporter, rows: DatasetDict, labels: TagLabels, tokenizer: Any, most: int | None
) -> dict[str, TaggedWindows] | None:
    """Return the windows of each split with their labels; None if stopped.

    most: maximum sequence length of the model, to which `max_seq_length` is limited. The length is saved in the
    tokenizer, so that prediction makes the same windows.
    """
    limit, overlap = window_sizes(tokenizer, set_length(run, tokenizer, most), run.params.window_overlap)
    if overlap < run.params.window_overlap:
        run.note(f"Windows of {limit:,} tokens can overlap by half: window_overlap is lowered to {overlap:,}.")
    total, before, sets = sum(len(part) for part in rows.values()), 0, {}
    for name, part in rows.items():

        def should_continue(done: int, before: int = before) -> bool:
            run.state("preparing", f"Tokenizing texts: {before + done:,} of {total:,}")
            return not run.stop_requested()

        windows = make_windows(tokenizer, part["text"][:], limit, overlap, should_continue=should_continue)
        if windows is None:
            return None
        what = "training" if name == "train" else "validation"
        long = int((windows.counts > 1).sum())
        if long:
            text = f"{{n}} {{is}} longer than {limit:,} tokens and {{was}} split into overlapping windows."
            run.note(format_count(text, long, f"{what} text"))
        tags, lost = word_labels(windows, part["entities"][:], labels)
        if lost:
            message = (
                f"{pluralize(lost, f'{what} entity', f'{what} entities')} cannot be predicted exactly: the tokenizer"
            )
            message += " joins their first word with the one before, or has no token for it."
            run.note(message, hint="If there are many, choose another model (cased, multilingual).", level="warning")
        sets[str(name)] = TaggedWindows(windows, tags, by_length=name == "validation")
        before += len(part)
    return sets


def model_card(run: Reporter, rows: DatasetDict, labels: TagLabels, found: Mapping[str, float], done: Fit) -> str:
    """Write the model card."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    types = labels.types
    shown = [*types[:50], f"and {len(types) - 50} more"] if len(types) > 50 else types
    facts = {"entity types": ", ".join(shown), "training texts": len(rows["train"]), "validation texts": validation}
    return card.card(
        run,
        task="token-classification",
        title="Token classifier",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"Your text"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation texts",
        note=done.selection_note("texts") if found else "",
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The token classifier that a run has trained.

    Inputs: `{"text": str}`. Predictions: `{"entities": [{"label", "start", "end", "text", "score"}], "panels"}`: start
    and end are offsets into the text, in characters; score is the mean probability of the words. Long texts are
    predicted in windows, whose entities are merged.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._tokenizer = saved.load_model(
            directory / "model", AutoModelForTokenClassification, AutoTokenizer
        )
        config = self._model.config
        self._labels = TagLabels(tuple(config.id2label[i] for i in range(config.num_labels)))
        self._pattern, self._overlap = getattr(config, WORDS), getattr(config, OVERLAP)
        self._collate = CollateTags(self._tokenizer)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Find the entities of texts.

        Raises:
            UserError: a text is missing or empty.
        """
        texts = texts_of(inputs, "text")
        windows = make_windows(
            self._tokenizer,
            texts,
            int(self._tokenizer.model_max_length),
            self._overlap,
            word_pattern=self._pattern,
        )
        assert windows is not None
        found: list[list[list[Entity]]] = [[] for _ in texts]
        order = windows.lengths.argsort(kind="stable")[::-1]
        entities: dict[int, list[Entity]] = {}
        for start in range(0, len(order), PREDICTION_BATCH_SIZE):
            part = order[start : start + PREDICTION_BATCH_SIZE].tolist()
            batch = self._collate([windows.item(window) for window in part])
            outputs = self._model(**{k: v.to(self._model.device) for k, v in batch.items()})
            tags, scores = (values.cpu().numpy() for values in reduce_logits(outputs.logits, outputs.logits))
            for row, window in enumerate(part):
                words = windows.words(window)
                places, borders = windows.places[words], windows.borders[words]
                entities[window] = self._labels.entities(
                    tags[row][places], scores[row][places], borders, windows.joined[words]
                )
        for window, text_number in enumerate(windows.text.tolist()):
            found[text_number].append(entities[window])
        return [self._prediction(text, merge_windows(parts)) for text, parts in zip(texts, found, strict=True)]

    def _prediction(self, text: str, found: Sequence[Entity]) -> dict[str, Any]:
        entities = [
            {"label": e.label, "start": e.start, "end": e.end, "text": text[e.start : e.end], "score": e.score}
            for e in found
        ]
        item = {"text": text, "lines": [{"spans": [span(e) for e in found]}]}
        note = "" if found else "No entity was found."
        return {"entities": entities, "panels": [entities_panel("Entities", [item], note=note)]}
