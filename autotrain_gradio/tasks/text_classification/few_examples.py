"""Training with few examples, as SetFit (Tunstall et al. 2022): embeddings with a logistic regression as head.

Three methods are compared by cross-validation on the training split: the embeddings of the pretrained model; those
after contrastive fine-tuning, which moves texts of one class together; and ordinary fine-tuning. Whatever is chosen,
the saved model is an ordinary one: see `training.mean_pooling`.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import KFold, StratifiedKFold
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.text_classification import FEW
from autotrain_gradio.tasks.text_classification.logistic_head import LogisticHead
from autotrain_gradio.training import mean_pooling, metrics
from autotrain_gradio.training.arguments import device_count
from autotrain_gradio.training.class_labels import Labels
from autotrain_gradio.training.classification_loss import loss_function
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.label_sets import LabelSets
from autotrain_gradio.training.text import Collate, Texts
from autotrain_gradio.training.text_models import last_linear
from autotrain_gradio.training.trainer_internals import LengthGroupedTrainer

EMBEDDINGS, CONTRASTIVE, FINE_TUNING = "embeddings", "contrastive", "fine-tuning"
TITLES = {
    EMBEDDINGS: "embeddings with logistic regression",
    CONTRASTIVE: "contrastive fine-tuning, then logistic regression",
    FINE_TUNING: "fine-tuning",
}
"""Method → its name in messages."""
METHOD = "few_examples"
"""Key of the model's config.json with the method, for its readers and for checkpoints."""
FOLDS = 4
BATCH_SIZE = 32
EPOCHS = 10
LR = 5e-5
STEPS = (20, 200)
"""Least and most steps of the contrastive fine-tuning, for fewer and for more rows than `EPOCHS` suits."""


@dataclass(frozen=True)
class Choice:
    """The method of a training. scores: compared method → score of each fold. metric: what the scores are."""

    method: str
    scores: dict[str, list[float]] = field(default_factory=dict)
    metric: str = ""

    def note(self) -> str:
        """Say which method was chosen, and by which scores; empty if none were compared."""
        if not self.scores:
            return ""
        each = ", ".join(f"{TITLES[method]} {np.mean(values):.3f}" for method, values in self.scores.items())
        folds = len(self.scores[self.method])
        return (
            f"Few examples: {TITLES[self.method]} was chosen by cross-validation on the training texts "
            f"({self.metric}, mean of {folds} folds: {each})."
        )

    def panels(self) -> list[Panel]:
        """Return the table of the compared methods; no panel if none were compared."""
        if not self.scores:
            return []
        rows = [
            [
                TITLES[method] + (" (chosen)" if method == self.method else ""),
                round(float(np.mean(values)), 4),
                round(float(np.std(values)), 4),
            ]
            for method, values in self.scores.items()
        ]
        note = "Cross-validation on the training texts. The validation texts had no part in the choice."
        return [panels.table("Few examples: methods compared", ["method", self.metric, "±"], rows, note=note)]


class EmbeddingModel:
    """A copy of a sequence classification model whose outputs are features: mean-pooled embeddings.

    module: the copy, without its last layer, which `finish` adds.
    """

    def __init__(self, model: Any, outputs: int, tokenizer: Any) -> None:
        self.module = mean_pooling.with_mean_pooling(model)
        self._collate = Collate(tokenizer)
        self._outputs = outputs
        self._head, layer = last_linear(self.module, outputs)
        self._features = layer.in_features
        self.module.set_submodule(self._head, torch.nn.Identity())

    @torch.inference_mode()
    def features(self, texts: Texts) -> np.ndarray:
        """Return the features of all texts (texts, features), float64, in the order of the rows of `texts`."""
        self.module.eval()
        return compute_logits(self.module, texts, self._collate)

    def finish(self, head: LogisticHead) -> Any:
        """Add a last layer; return the complete model."""
        layer = torch.nn.Linear(self._features, self._outputs).to(self.module.device)
        with torch.no_grad():
            layer.weight.copy_(torch.as_tensor(head.weight))
            layer.bias.copy_(torch.as_tensor(head.bias))
        self.module.set_submodule(self._head, layer)
        self.module.requires_grad_(True)
        return self.module


@torch.inference_mode()
def compute_logits(model: Any, texts: Texts, collate: Collate) -> np.ndarray:
    """Return the outputs of a model for all texts (texts, outputs), float64."""
    found = []
    for start in range(0, len(texts), BATCH_SIZE):
        batch = collate([texts[i] for i in range(start, min(start + BATCH_SIZE, len(texts)))])
        inputs = {name: values.to(model.device) for name, values in batch.items() if name != "labels"}
        found.append(model(**inputs).logits.cpu().double().numpy())
    return np.concatenate(found)


def contrastive_loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    """Return the squared difference between cosine similarity and label similarity, mean over all pairs of a batch.

    The similarity of two classes is 1 or 0, that of two sets of labels their Jaccard index (1 if both are empty).
    """
    features = torch.nn.functional.normalize(outputs.logits.float(), dim=-1)
    if labels.dim() == 1:
        wanted = (labels[:, None] == labels[None, :]).float()
    else:
        common = labels @ labels.T
        either = labels.sum(1)[:, None] + labels.sum(1)[None, :] - common
        wanted = torch.where(either > 0, common / either.clamp(min=1), 1.0)
    pairs = torch.triu(torch.ones_like(wanted, dtype=torch.bool), diagonal=1)
    if not pairs.any():
        return 0.0 * features.sum()
    return torch.nn.functional.mse_loss((features @ features.T)[pairs], wanted[pairs])


def choose(run: Reporter, model: Any, tokenizer: Any, texts: Texts, labels: Labels, args: Any) -> Choice | None:
    """Choose the method of a training; None if stopped. A resumed training continues with its method.

    model: with a new head; it is not changed. texts: the training split. args: of the fine-tuning.

    Raises:
        UserError: `few_examples` is on, and the model or the machine does not support it.
    """
    if run.resume_from is not None:
        return Choice(method_of(run.resume_from))
    candidates = methods(run, model, len(texts))
    if len(candidates) == 1:
        return Choice(candidates[0])
    metric = "micro F1" if labels.multi_label else "accuracy"
    splits = list(folds(dense(texts), run.params.seed))
    if not splits:
        run.note(f"Few examples: too few texts to compare methods: {TITLES[candidates[0]]} is used.")
        return Choice(candidates[0])
    scores: dict[str, list[float]] = {method: [] for method in candidates}
    comparison = _Comparison(run, model, tokenizer, texts, labels, args)
    for method in candidates:
        for number, (train, test) in enumerate(splits, 1):
            run.state("preparing", f"Few examples: {TITLES[method]}, fold {number} of {len(splits)}")
            logits = comparison.logits(method, train, test)
            if logits is None:
                return None
            scores[method].append(score(logits, dense(texts)[test], labels))
    best = max(candidates, key=lambda method: np.mean(scores[method]))  # of equal ones the first, the cheapest
    choice = Choice(best, scores, metric)
    run.note(choice.note())
    return choice


def methods(run: Reporter, model: Any, rows: int) -> list[str]:
    """Return the methods that are compared, the cheapest first.

    Raises:
        UserError: `few_examples` is on, and the model or the machine does not support it.
    """
    params = run.params
    automatic = params.few_examples == "auto"
    if params.few_examples == "off" or (automatic and (rows >= FEW or run.spec.model == TINY or params.peft)):
        return [FINE_TUNING]
    kind = model.config.model_type
    refused = ""
    if kind not in mean_pooling.TYPES:
        refused = f"models of the type {kind} (but those of {join_examples(sorted(mean_pooling.TYPES), limit=10)})"
    elif device_count() > 1:
        refused = "trainings on several GPUs or in several processes"
    if refused and automatic:
        run.note(
            f"Few examples: methods are not compared, which is not supported for {refused}. The model is fine-tuned."
        )
        return [FINE_TUNING]
    if refused:
        hint = "Set few_examples to off, or choose another model." if kind not in mean_pooling.TYPES else ""
        message = f"few_examples does not support {refused}."
        raise UserError(message, hint or "Set few_examples to off.", "params.few_examples", "few-examples-unsupported")
    found = [EMBEDDINGS] if params.freeze_backbone or params.peft else [EMBEDDINGS, CONTRASTIVE]
    return [*found, FINE_TUNING] if automatic else found


def method_of(checkpoint: Path) -> str:
    """Return the method of the training that wrote a checkpoint."""
    config = checkpoint / "config.json"
    found = json.loads(config.read_text(encoding="utf-8")).get(METHOD) if config.is_file() else None
    return str(found or FINE_TUNING)


def dense(texts: Texts) -> np.ndarray:
    """Return the classes of texts int64 (texts,), or 0 and 1 for each label float32 (texts, labels)."""
    if isinstance(texts.targets, LabelSets):
        return np.stack([texts.targets[row] for row in texts.rows])
    found: np.ndarray = texts.targets[texts.rows]
    return found


def folds(targets: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield training and test rows of each fold, stratified by class; nothing if there are too few rows."""
    if targets.ndim > 1:
        if len(targets) >= 2 * FOLDS:
            yield from KFold(FOLDS, shuffle=True, random_state=seed).split(targets)
        return
    counts = np.unique(targets, return_counts=True)[1]
    # A class with fewer rows than folds is missing in some of them.
    count = min(FOLDS, int(np.median(counts)))
    if count < 2 or len(counts) < 2:
        return
    rare = np.isin(targets, np.unique(targets)[counts < count])
    order = np.random.default_rng(seed).permutation(np.flatnonzero(rare))
    for number, (train, test) in enumerate(
        StratifiedKFold(count, shuffle=True, random_state=seed).split(targets[~rare], targets[~rare])
    ):
        common = np.flatnonzero(~rare)
        mine = np.arange(len(order)) % count == number
        yield np.concatenate([common[train], order[~mine]]), np.concatenate([common[test], order[mine]])


def score(logits: np.ndarray, targets: np.ndarray, labels: Labels) -> float:
    """Return the accuracy of classes, or the micro F1 of labels at a threshold of 0.5."""
    if not labels.multi_label:
        return float((logits.argmax(axis=1) == targets).mean())
    predicted = logits > 0
    right = float((predicted & (targets > 0)).sum())
    return 2 * right / max(1.0, float(predicted.sum() + targets.sum()))


class _Comparison:
    """Trains each method on the rows of a fold."""

    def __init__(self, run: Reporter, model: Any, tokenizer: Any, texts: Texts, labels: Labels, args: Any) -> None:
        self._run, self._model, self._texts, self._labels, self._args = run, model, texts, labels, args
        self._tokenizer, self._collate = tokenizer, Collate(tokenizer)
        self._embedding = EmbeddingModel(model, len(labels.names), tokenizer)
        self._features: np.ndarray | None = None

    def logits(self, method: str, train: np.ndarray, test: np.ndarray) -> np.ndarray | None:
        """Train on the rows `train`, and return the logits of the rows `test`; None if stopped."""
        if self._run.stop_requested():
            return None
        if method == FINE_TUNING:
            model = copy.deepcopy(self._model)
            loss = loss_function(self._run.params, self._texts.targets)
            if not self._train(LengthGroupedTrainer, model, self._texts.select(train), self._args, loss):
                return None
            return compute_logits(model.eval(), self._texts.select(test), self._collate)
        if method == CONTRASTIVE:
            embedding = EmbeddingModel(self._model, len(self._labels.names), self._tokenizer)
            part = self._texts.select(train)
            args = contrastive_arguments(self._args, len(part))
            if not self._train(Trainer, embedding.module, part, args, contrastive_loss):
                return None
            features = embedding.features(self._texts)
        else:
            if self._features is None:
                self._features = self._embedding.features(self._texts)
            features = self._features
        return fitted_head(self._run, features[train], dense(self._texts)[train], self._labels).logits(features[test])

    def _train(self, kind: type[Trainer], model: Any, texts: Texts, args: Any, loss: Any) -> bool:
        """Train without evaluations and checkpoints; return whether it was not stopped."""
        quiet = changed(
            args,
            eval_strategy=IntervalStrategy.NO,
            save_strategy=SaveStrategy.NO,
            logging_strategy=IntervalStrategy.NO,
            logging_first_step=False,
            load_best_model_at_end=False,
            metric_for_best_model=None,
            report_to=[],
        )
        trainer = kind(
            model=model,
            args=quiet,
            train_dataset=texts,
            data_collator=self._collate,
            compute_loss_func=loss,
            callbacks=[_StopCallback(self._run)],
        )
        trainer.train()
        return not self._run.stopping


class _StopCallback(TrainerCallback):
    def __init__(self, run: Reporter) -> None:
        self._run = run

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_training_stop = self._run.stop_requested()


def changed(args: TrainingArguments, **changes: Any) -> TrainingArguments:
    """Return a copy of training arguments with other values."""
    found = copy.copy(args)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def contrastive_arguments(args: TrainingArguments, rows: int) -> TrainingArguments:
    """Return the arguments of the contrastive fine-tuning: large batches, as each pair of a batch is an example."""
    per_epoch, (least, most) = math.ceil(rows / BATCH_SIZE), STEPS
    epochs = max(EPOCHS, math.ceil(least / per_epoch))
    return changed(
        args,
        num_train_epochs=max(1, min(epochs, most // per_epoch)),
        per_device_train_batch_size=BATCH_SIZE,
        gradient_accumulation_steps=1,
        learning_rate=LR,
        warmup_steps=0.1,
        eval_strategy=IntervalStrategy.NO,
        save_strategy=SaveStrategy.NO,
        load_best_model_at_end=False,
        metric_for_best_model=None,
    )


def fitted_head(run: Reporter, features: np.ndarray, targets: np.ndarray, labels: Labels) -> LogisticHead:
    """Fit the classification head to the features of texts."""
    balanced = run.params.class_weights == "balanced"
    return LogisticHead.fit(features, targets, len(labels.names), balanced=balanced, seed=run.params.seed)


def train(
    run: Reporter, choice: Choice, model: Any, tokenizer: Any, texts: Texts, labels: Labels, args: Any
) -> tuple[Any, Fit]:
    """Train by a method other than fine-tuning; return the complete model, and what was done.

    The contrastive fine-tuning writes checkpoints, is stopped and resumed as any training.
    """
    began = time.monotonic()
    embedding = EmbeddingModel(model, len(labels.names), tokenizer)
    setattr(embedding.module.config, METHOD, choice.method)
    done = None
    if choice.method == CONTRASTIVE:
        trainer = Trainer(
            model=embedding.module,
            args=contrastive_arguments(args, len(texts)),
            train_dataset=texts,
            data_collator=Collate(tokenizer),
            compute_loss_func=contrastive_loss,
        )
        done = fit(trainer, run)
    run.state("running", "Fitting the logistic regression")
    features, targets = embedding.features(texts), dense(texts)
    head = fitted_head(run, features, targets, labels)
    model = embedding.finish(head)
    if done is None:
        seconds, loss = time.monotonic() - began, _loss(head.logits(features), targets)
        done = Fit(0, 0, 0.0, False, False, None, None, 0, loss, seconds)
    return model, done


def _loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean log loss."""
    if targets.ndim > 1:
        return float(np.mean(np.logaddexp(0, logits) - logits * targets))
    chosen = metrics.softmax(logits)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())
