"""Pretrained models of texts: load one with a new head, freeze its backbone, and the configuration of a tiny one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from transformers import AutoConfig, ModernBertConfig

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import loaded_weights, lora, plausibility, pretrained
from autotrain_gradio.training.meta_device import count_parameters, meta_model
from autotrain_gradio.training.tiny_tokenizer import TINY_TOKENS, TINY_VOCABULARY
from autotrain_gradio.training.tokens import longest, open_tokenizer


def open_text_model(
    auto: Any,
    name: str,
    *,
    types: Mapping[str, Any],
    what: str,
    outputs: int,
    change_config: Callable[[Any], None] = lambda config: None,
    loading: Mapping[str, Any] | None = None,
) -> tuple[Any, Any, list[str]]:
    """Return a float32 model with a new head, its tokenizer, and the names of modules with new weights.

    auto: the auto class that builds the model. name: a Hub id or a folder. types, what: as in `open_config`.
    outputs: number of outputs of the new head. change_config: sets the labels and whatever else the head needs.
    loading: more arguments of `from_pretrained`, such as `quantization.loading_settings`.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    config = open_config(name, types, what)
    tokenizer = open_tokenizer(name)
    with pretrained.translated_errors(name):
        change_config(config)
        config.pad_token_id = tokenizer.pad_token_id
        plausibility.require_weights(name, lambda: count_parameters(auto, config))
        # Train in float32 even if the weights are saved in 16 bits; mixed precision is a separate setting.
        model, info = auto.from_pretrained(
            name,
            config=config,
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
            output_loading_info=True,
            **(loading or {}),
        )
    loaded_weights.require_match(name, model, info, outputs=outputs)
    require_embeddings(name, tokenizer, model.get_input_embeddings().num_embeddings)
    missing = [*info["missing_keys"], *(key[0] for key in info["mismatched_keys"])]
    return model, tokenizer, sorted({key.rpartition(".")[0] for key in missing})


def require_embeddings(name: str, tokenizer: Any, embeddings: int) -> None:
    """Check that a model has an embedding for each token. More embeddings than tokens are usual.

    Raises:
        ModelError: it has not (`model-broken`).
    """
    if len(tokenizer) > embeddings:
        message = (
            f"The tokenizer of '{name}' has {len(tokenizer):,} tokens, but the model only {embeddings:,} embeddings."
        )
        hint = "Choose another one, or load it, call model.resize_token_embeddings(len(tokenizer)), and save it again."
        raise pretrained.ModelError(message, hint, "model", "model-broken")


def open_config(name: str, types: Mapping[str, Any], what: str) -> Any:
    """Return the configuration of a model that can be trained for a task.

    types: supported model types: the keys of the auto class's mapping. what: the task, for the message.

    Raises:
        UserError: it does not exist, is gated, of another task, or needs a package.
    """
    pretrained.require_type(pretrained.fetch_config(name), name, types, what)
    with pretrained.translated_errors(name):
        return AutoConfig.from_pretrained(name, trust_remote_code=False)


def limit(auto: Any, config: Any, tokenizer: Any) -> int | None:
    """Return the maximum sequence length of a model with this configuration, without allocating weights."""
    return longest(config, tokenizer, meta_model(auto, config))


def tiny_config(vocabulary: int = TINY_VOCABULARY, **changes: Any) -> ModernBertConfig:
    """Return the configuration of a small ModernBERT (under a million weights); changes: further settings of it."""
    return ModernBertConfig(
        vocab_size=vocabulary,
        hidden_size=96,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TINY_TOKENS,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        bos_token_id=2,
        eos_token_id=3,
        embedding_dropout=0.1,
        initializer_range=0.1,
        reference_compile=False,
        **changes,
    )


def set_labels(config: Any, labels: Iterable[str]) -> None:
    """Store the names of the classes in a configuration."""
    names = list(labels)
    config.num_labels = len(names)
    config.id2label = dict(enumerate(names))
    config.label2id = {name: i for i, name in enumerate(names)}


def adapt(run: Reporter, model: Any, *, task_type: str, fresh: Iterable[str] | None = None, **options: Any) -> Any:
    """Return the model with the weights trainable that the run's parameters name, and report them.

    With `peft` these are LoRA adapters, with `freeze_backbone` the head; else all. task_type: PEFT's task type.
    fresh: names of modules with new weights, which are trained with the head in any case; None: the model has no head.
    options: more settings of LoRA, as in `lora.adapt`.

    Raises:
        UserError: the head of the model cannot be identified, or it does not have the target modules of LoRA.
    """
    params = run.params
    freezes = getattr(params, "freeze_backbone", False)
    if params.peft:
        kept = [] if fresh is None else head_of(model, fresh)
        model = lora.adapt(model, params, task_type=task_type, modules_to_save=kept, **options)
        run.note("LoRA: {:,} of {:,} parameters are trainable.".format(*lora.trainable(model)))
        if freezes:
            run.note("freeze_backbone has no effect with LoRA, which freezes the backbone anyway.", level="warning")
    elif freezes:
        freeze_backbone(model, fresh or ())
    return model


def merge_adapters(run: Reporter, model: Any) -> Any:
    """Return a trained model without adapters: those that `adapt` added are merged into it, and that is reported."""
    if not lora.is_adapted(model):
        return model
    run.note("The adapters were merged into the model, which is loaded without PEFT.")
    return lora.merge(model)


def head_of(model: Any, fresh: Iterable[str]) -> list[str]:
    """Return the names of modules that are trained when the backbone is frozen: the head, and modules with new weights.

    Raises:
        UserError: the head of the model cannot be identified.
    """
    body = model.base_model
    last = (
        []
        if body is model
        else [n for n, m in model.named_children() if m is not body and next(m.parameters(), None) is not None]
    )
    if not last:
        message = f"The head of {type(model).__name__} cannot be identified."
        raise UserError(message, "Switch freeze_backbone and peft off.", "params", "no-head")
    return last + [f for f in fresh if not any(f == n or f.startswith(n + ".") for n in last)]


def freeze_backbone(model: Any, fresh: Iterable[str]) -> None:
    """Freeze all weights except the head and new weights.

    Raises:
        UserError: the head of the model cannot be identified.
    """
    trained = head_of(model, fresh)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(name.startswith(place + ".") for place in trained))


def last_linear(model: Any, outputs: int) -> tuple[str, torch.nn.Linear]:
    """Return name and module of the linear layer that computes the logits (batch, outputs) of a model with a head.

    Raises:
        UserError: the model has no such layer after its backbone.
    """
    body = getattr(model, model.base_model_prefix, None)
    inside = set(body.modules()) if isinstance(body, torch.nn.Module) else set()
    for name, module in reversed(list(model.named_modules())):
        if isinstance(module, torch.nn.Linear) and module.out_features == outputs and module not in inside:
            return name, module
    message = f"The layer of {type(model).__name__} that computes its outputs cannot be identified."
    raise UserError(message, "Choose another model.", "model", "no-head")
