"""Reward models: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl import RewardConfig

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.data.kinds.conversation import stored
from autotrain_gradio.data.kinds.preferences import NO_PROMPT, parse_answer
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_reward import TASK
from autotrain_gradio.tasks.llm_reward.models import TYPES, WHAT, open_reward_model, tiny_model
from autotrain_gradio.tasks.llm_reward.preview import preview
from autotrain_gradio.training import card, distributed, language_models, language_probe, saved, text_models
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.chat_template_support import use_template
from autotrain_gradio.training.chat_templates import ChatTemplate
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.language_memory import Workload
from autotrain_gradio.training.language_run import NOUN, Prepared, report_notes
from autotrain_gradio.training.language_trainer import trl_arguments, try_longest_batch
from autotrain_gradio.training.preference_evaluation import PairResults
from autotrain_gradio.training.preference_rows import CollatePairs, PairTokenizer
from autotrain_gradio.training.preference_run import as_texts, conversations_of, texts_of, tokenize_pairs
from autotrain_gradio.training.preference_trainer import RewardModelTrainer
from autotrain_gradio.training.tokens import longest

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

EXAMPLE = """\
{
    "prompt": '[{"role": "user", "content": "Hello"}]',
    "chosen": '[{"role": "assistant", "content": "Hello, how can I help you?"}]',
}"""
BATCH = 8


def train(run: Reporter) -> None:
    """Train a reward model on the run's preferences, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, no row can be trained on, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        found, fresh = open_reward_model(run, texts_of(rows["train"]), folder)
    report_notes(run, found)
    tokenizer = found.tokenizer
    pairs = PairTokenizer(tokenizer, use_template(run, tokenizer, conversations_of(rows["train"])))
    limit = language_models.sequence_limit(found.limit, params)
    splits = {}
    for name, part in rows.items():
        split = tokenize_pairs(run, str(name), pairs, part, limit)
        if split is None:
            return
        splits[str(name)] = split
    train_rows, valid, validation = splits["train"], splits.get("validation"), rows.get("validation")
    options = {"use_dora": params.use_dora, "use_rslora": params.use_rslora}
    model = text_models.adapt(run, found.model, task_type="SEQ_CLS", fresh=fresh, **options)
    if not getattr(model, "is_quantized", False):
        model.to(device())
    args = trl_arguments(
        run,
        RewardConfig,
        train_rows=len(train_rows.sequences),
        validates=valid is not None,
        best=TASK.declared_metric("loss"),
        center_rewards_coefficient=params.center_rewards_coefficient,
        max_length=None,  # the rows are limited in length already, as the preview shows them
    )
    trainer = RewardModelTrainer(
        model=model,
        args=args,
        train_dataset=train_rows.sequences,
        eval_dataset=valid.sequences if valid else None,
        data_collator=CollatePairs(tokenizer.pad_token_id, completion_mask=False),
        processing_class=tokenizer,
    )

    def results(values: dict[str, float]) -> PairResults:
        assert valid is not None

        def describe(row: int) -> list[str]:
            return as_texts(validation[valid.rows[row]])

        return PairResults(values, trainer.latest, None, describe, noun=NOUN, input_name=TASK.inputs[0].name)

    count = len(valid.sequences) if valid else 0
    evaluations = Evaluation(run, count, NOUN, from_metrics=results, declared=TASK.metrics)
    try_longest_batch(run, trainer, lambda model, batch: model(**batch).logits.sum())
    done = fit(trainer, run, evaluations)
    values, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    prepared = Prepared(found, splits, [], limit, usage=TASK.loader_example, title="Reward model")
    save(run, prepared, trainer.model, values, done)
    run.report(report)


def save(run: Reporter, prepared: Prepared, model: Any, values: Mapping[str, float], done: Fit) -> None:
    """Write the model without adapters, its tokenizer, chat template and card.

    Raises:
        UserError: the saved model differs from the trained one.
    """
    tokenizer = prepared.found.tokenizer
    if padding := run.params.padding:
        tokenizer.padding_side = tokenizer.init_kwargs["padding_side"] = padding
    model = text_models.merge_adapters(run, model)
    train_rows, valid = prepared.splits["train"], prepared.splits.get("validation")
    count = len(valid.sequences) if valid else 0
    text = card.card(
        run,
        task="text-classification",
        title=prepared.title,
        library="transformers",
        usage=card.usage_code(prepared.usage, f"./{run.spec.project_name}", EXAMPLE),
        data={
            "training pairs": len(train_rows.sequences),
            "validation pairs": count,
            "maximum length in tokens": prepared.limit,
            "steps": f"{done.steps} of {done.planned}",
        },
        metrics=values,
        measured_on=f"{count} validation pairs",
        note=done.selection_note(NOUN) if values else "",
    )
    write = saved.writer(model, tokenizer, AutoModelForSequenceClassification, AutoTokenizer, classes=1)
    card.save(run, write, text)


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model as `language_probe.probe`, and whether it can have a head of one output."""
    if spec.model != TINY:
        try:
            text_models.open_config(spec.model, TYPES, WHAT)
        except UserError as error:
            facts = {"task": None, "parameters": None, "input_size": None, "labels": None}
            return {**facts, "findings": [f.to_dict() for f in error.findings]}
    work = Workload(sequences_per_row=2, output_layer=False)
    return language_probe.probe(spec, params, context, work=work, new_head=True)


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The reward model that a run has trained.

    Inputs: `{"prompt": str, "chosen": str, "rejected": str}`: a message or a conversation as JSON, and one or two
    answers to it. Predictions: `{"reward": float, "panels"}`; with two answers also `other_reward` and `margin`, the
    difference. Only differences of rewards have a meaning.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._tokenizer = saved.load_model(
            directory / "model", AutoModelForSequenceClassification, AutoTokenizer
        )
        template = self._tokenizer.chat_template
        self._pairs = PairTokenizer(self._tokenizer, ChatTemplate(template, template, False))
        self._limit = longest(self._model.config, self._tokenizer, self._model)

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Score each answer.

        Raises:
            UserError: a prompt or an answer is missing, cannot be parsed, or is longer than the model supports.
        """
        names = [[name for name in ("chosen", "rejected") if name == "chosen" or given.get(name)] for given in inputs]
        rows = [self._ids(given, name) for given, wanted in zip(inputs, names, strict=True) for name in wanted]
        scores = iter(self._scores(rows))
        found = []
        for wanted in names:
            rewards = [next(scores) for _ in wanted]
            answer = {"reward": rewards[0]}
            shown: dict[str, Any] = {"reward of the answer": round(rewards[0], 4)}
            note = "Only differences between rewards have a meaning."
            if len(rewards) == 2:
                answer |= {"other_reward": rewards[1], "margin": rewards[0] - rewards[1]}
                shown |= {"reward of the other answer": round(rewards[1], 4), "margin": round(answer["margin"], 4)}
                better = "The first answer is" if answer["margin"] > 0 else "The other answer is"
                note = f"{better} preferred." if answer["margin"] else "Both answers are equally good."
            found.append({**answer, "panels": [panels.numbers("Rewards", shown, note=note)]})
        return found

    def _ids(self, given: Mapping[str, Any], name: str) -> np.ndarray:
        """Return the token ids of a prompt with an answer."""
        parsed = parse_answer(given.get("prompt") or "", given.get(name) or "")
        if parsed.problem:
            missing = parsed.problem == NO_PROMPT
            what, where = ("message", "prompt") if missing else ("answer", name)
            hint = 'Enter a text, or messages as JSON: [{"role": "user", "content": "…"}].'
            raise UserError(f"The {what} is empty, or cannot be parsed.", hint, where, parsed.problem)
        row = {"prompt": stored(parsed.prompt), name: stored(parsed.chosen)}
        ids = self._pairs.answer(row, name).ids
        if self._limit is not None and len(ids) > self._limit:
            message = f"The message with its answer has {len(ids):,} tokens; the model supports {self._limit:,}."
            raise UserError(message, "Shorten it.", name, "prompt-too-long")
        return ids

    @torch.inference_mode()
    def _scores(self, rows: Sequence[np.ndarray]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            width = max(map(len, part))
            ids = torch.full((len(part), width), self._tokenizer.pad_token_id)
            mask = torch.zeros_like(ids)
            for number, row in enumerate(part):
                ids[number, : len(row)], mask[number, : len(row)] = torch.from_numpy(row.astype(np.int64)), 1
            inputs = {"input_ids": ids.to(self._model.device), "attention_mask": mask.to(self._model.device)}
            found += self._model(**inputs).logits[:, 0].float().cpu().tolist()
        return found
