"""Text to text: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import DatasetDict
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.seq2seq import T5_TYPES, TASK, models
from autotrain_gradio.tasks.seq2seq.evaluation import evaluation
from autotrain_gradio.tasks.seq2seq.language_codes import iso_code
from autotrain_gradio.tasks.seq2seq.models import Generator, tiny_model
from autotrain_gradio.tasks.seq2seq.pairs import (
    Collate,
    Pairs,
    evaluation_order,
    tokenize_sources,
    tokenize_targets,
)
from autotrain_gradio.tasks.seq2seq.preview import preview
from autotrain_gradio.tasks.seq2seq.probe import is_nllb, probe
from autotrain_gradio.tasks.seq2seq.trainer import GenerationBudget, TextTrainer, generate, loss_function
from autotrain_gradio.training import card, distributed, quantization, saved, text_models
from autotrain_gradio.training.arguments import arguments, device
from autotrain_gradio.training.evaluators.generation import decode_with
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.text_prediction import texts_of

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

PREDICTION_BATCH_SIZE = 16
LICENSE = "NLLB's license (CC-BY-NC 4.0) forbids commercial use of this model, too."


def train(run: Reporter) -> None:
    """Fine-tune an encoder-decoder model on the run's pairs, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded or does not know a language, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        texts, targets = (rows["train"][name][:] for name in ("text", "target"))
        generator = models.open_generator(
            run.spec.model, params, texts, targets, folder, loading=quantization.loading_settings(run)
        )
    for note in generator.notes:
        run.note(note)
    params = without_fp16(run, generator.model.config.model_type)
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(rows["train"]),
        validates="validation" in rows,
        best=TASK.declared_metric(params.metric_for_best_model),
        remove_unused_columns=False,
        label_names=["labels"],
        gradient_checkpointing=params.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if params.gradient_checkpointing else None,
    )
    sets = tokenize_pairs(run, rows, generator)
    if sets is None:
        return
    model = text_models.adapt(run, generator.model, task_type="SEQ_2_SEQ_LM")
    if params.peft and params.gradient_checkpointing:
        model.enable_input_require_grads()
    valid = sets.get("validation")
    validation = rows["validation"] if valid is not None else None
    texts, targets = ([] if validation is None else validation[name][:] for name in ("text", "target"))
    evaluations = evaluation(run, generator, texts, targets, valid)
    trainer = TextTrainer(
        budget=GenerationBudget(params.generation_seconds, run.checkpoints),
        model=model,
        args=args,
        train_dataset=sets["train"],
        eval_dataset=valid,
        data_collator=Collate(generator.tokenizer, generator.model),
        compute_loss_func=loss_function(params.label_smoothing),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    model = text_models.merge_adapters(run, trainer.model)
    write = saved.writer(model, generator.tokenizer, AutoModelForSeq2SeqLM, AutoTokenizer)
    card.save(run, write, model_card(run, rows, generator, found, done))
    run.report(report)


def without_fp16(run: Reporter, model_type: str) -> Any:
    """Return the parameters without fp16 for T5, which overflows in it: bf16 where the GPU has it, else float32."""
    params = run.params
    if params.mixed_precision != "fp16" or model_type not in T5_TYPES or device() == "cpu":
        return params
    other = "bf16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False) else None
    message = f"T5 overflows in fp16: the training uses {other or 'float32'} instead."
    run.note(message, level="warning", hint="Set mixed_precision to bf16, or to none.")
    return params.model_copy(update={"mixed_precision": other})


def tokenize_pairs(run: Reporter, rows: DatasetDict, generator: Generator) -> dict[str, Pairs] | None:
    """Return the tokenized pairs of each split; None if stopped.

    The maximum source length is saved in the tokenizer, so that prediction truncates as training does.
    """
    params, tokenizer = run.params, generator.tokenizer
    limits = (models.source_length(generator, params), models.target_length(generator, params))
    for limit, name in zip(limits, ("max_seq_length", "max_target_length"), strict=True):
        if limit < getattr(params, name):
            run.note(f"The model supports at most {limit:,} tokens: {name} is lowered to that.", level="warning")
    tokenizer.model_max_length = limits[0]
    total, before, sets = 2 * sum(len(part) for part in rows.values()), 0, {}
    for name, part in rows.items():

        def should_continue(done: int) -> bool:
            run.state("preparing", f"Tokenizing texts: {before + done:,} of {total:,}")  # noqa: B023 - called at once
            return not run.stop_requested()

        sources = tokenize_sources(
            tokenizer, part["text"], params.source_prefix, limits[0], should_continue=should_continue
        )
        before += len(part)
        targets = tokenize_targets(tokenizer, part["target"], limits[1], should_continue=should_continue)
        before += len(part)
        if sources is None or targets is None:
            return None
        what = "training" if name == "train" else "validation"
        sides = (
            ("source", sources, limits[0], "max_seq_length", generator.source_limit),
            ("target", targets, limits[1], "max_target_length", generator.target_limit),
        )
        for side, tokens, limit, setting, most in sides:
            if tokens.truncated:
                run.note(
                    f"{pluralize(tokens.truncated, f'{what} {side} text')} ({tokens.truncated / len(part):.1%}) were "
                    f"truncated to {limit:,} tokens; the longest has {int(tokens.full.max()):,}.",
                    hint="" if limit == most else f"A higher {setting} truncates fewer texts.",
                    level="warning" if side == "target" else "info",
                )
        order = evaluation_order(sources, params.batch_size, params.seed) if name == "validation" else None
        sets[str(name)] = Pairs(sources, targets, order)
    return sets


def model_card(run: Reporter, rows: DatasetDict, generator: Generator, found: Mapping[str, float], done: Fit) -> str:
    """Write the model card."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    facts: dict[str, Any] = {"training rows": len(rows["train"]), "validation rows": validation}
    if generator.source_language:
        facts["source language"] = generator.source_language
    if generator.target_language:
        facts["target language"] = generator.target_language
    source, target = (iso_code(name or "") for name in (generator.source_language, generator.target_language))
    # The Hub has removed the tag text2text-generation, and lists such models under text-generation.
    tag = "translation" if source and target and source != target else "text-generation"
    notes = [done.selection_note("rows") if found else "", LICENSE if is_nllb(run.spec.model) else ""]
    return card.card(
        run,
        task=tag,
        title="Model that generates a text from a text",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"Your text"'),
        data={**facts, "steps": f"{done.steps} of {done.planned}"},
        metrics=found,
        measured_on=f"{validation} validation rows",
        note=" ".join(filter(None, notes)),
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The model that a run has trained.

    Inputs: `{"text": str}`. Predictions: `{"text": str, "panels"}`. `note`: the source was truncated, or the generated
    text was ended at the maximum length.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._tokenizer = saved.load_model(directory / "model", AutoModelForSeq2SeqLM, AutoTokenizer)
        self._prefix = str(getattr(self._model.config, "source_prefix", "") or "")
        self._collate = Collate(self._tokenizer, self._model)
        self._decode = decode_with(self._tokenizer)
        self._longest = int(self._model.generation_config.max_new_tokens)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Generate a text from each text.

        Raises:
            UserError: a text is missing or empty.
        """
        texts = texts_of(inputs, "text")
        limit = int(self._tokenizer.model_max_length)
        tokens = tokenize_sources(self._tokenizer, texts, self._prefix, limit)
        assert tokens is not None
        found: list[dict[str, Any]] = [{} for _ in texts]
        # Texts of similar length need little padding.
        order = [int(i) for i in tokens.lengths.argsort(kind="stable")]
        for start in range(0, len(texts), PREDICTION_BATCH_SIZE):
            rows = order[start : start + PREDICTION_BATCH_SIZE]
            items = [{"input_ids": tokens.ids[tokens.starts[i] : tokens.starts[i + 1]]} for i in rows]
            batch = {k: v.to(self._model.device) for k, v in self._collate(items).items()}
            ids = generate(self._model, batch["input_ids"], batch["attention_mask"]).cpu().numpy()
            ended = (ids[:, 1:] != self._tokenizer.pad_token_id).sum(axis=1) >= self._longest
            for i, text, cut in zip(rows, self._decode(ids), ended, strict=True):
                notes = []
                if tokens.full[i] > limit:
                    notes.append(f"The text has {tokens.full[i]:,} tokens and was truncated to the first {limit:,}.")
                if cut:
                    notes.append(f"The generated text was ended at {self._longest:,} tokens (max_target_length).")
                note = " ".join(notes)
                found[i] = {"text": text, **({"note": note} if note else {})}
                found[i]["panels"] = [panels.text_block("Generated text", text, note=note)]
        return found
