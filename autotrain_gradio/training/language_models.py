"""Causal language models: load one with its tokenizer, add adapters, generate answers, merge; and the tiny model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as FastTokenizer
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
)
from transformers.utils import cached_file

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import adapter_models, distributed, lora, pretrained, quantization, saved, text_models
from autotrain_gradio.training.adapter_models import Adapter
from autotrain_gradio.training.chat_template_families import CHATML
from autotrain_gradio.training.tiny_tokenizer import PAD, UNKNOWN, tiny_tokenizer
from autotrain_gradio.training.tokens import longest, open_tokenizer

WHAT = "fine-tuning language models"
TYPES = {
    kind: name
    for kind, name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.items()
    if kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES and kind not in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
}
"""Decoder models; encoders that can also be built as decoders are not included."""
NO_HEAD = -1
"""Number of outputs of a new head: these models get none."""
TINY_POSITIONS = 512
TINY_VOCABULARY = 2000
TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
PREDICTION_BATCH_SIZE = 8
NO_EOS = (
    "The tokenizer has no EOS token: the model does not learn where a text ends, and generates up to the maximum "
    "length. Conversations end with the token of their chat template."
)


@dataclass
class LanguageModel:
    """A model, its tokenizer, its maximum length in tokens (None: unlimited), and messages for the user.

    merge_reason: why an adapter cannot be saved alone: no folder or Hub id has these weights. Empty: one has.
    """

    model: Any
    tokenizer: Any
    limit: int | None
    notes: list[str] = field(default_factory=list)
    merge_reason: str = ""


def open_language_model(run: Reporter, texts: Iterable[str], scratch: Path) -> LanguageModel:
    """Return a model that is ready for the training, float32 unless it is quantized.

    texts: on which the tokenizer of the tiny model is trained. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged; it has more
            tokens than embeddings; or quantization is not possible here; or it is an adapter without its base model.
    """
    params, name = run.params, run.spec.model
    torch.manual_seed(params.seed)
    adapter = None if name == TINY else adapter_models.find_adapter(name)
    if adapter is not None:
        require_float(adapter, params)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, texts=texts, seed=params.seed)))
    loading = quantization.loading_settings(run)
    model, tokenizer = open_whole(name, adapter, loading=loading)
    if loading:
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=params.gradient_checkpointing)
    found = LanguageModel(model, tokenizer, longest(model.config, tokenizer, model))
    if adapter is not None:
        found.notes.append(adapter.note)
        found.merge_reason = "the model is the sum of another adapter and its base model"
    if tokenizer.eos_token_id is None:
        found.notes.append(NO_EOS)
    set_pad_token(found)
    return found


def open_whole(
    name: str,
    adapter: Adapter | None,
    *,
    loading: Mapping[str, Any] | None = None,
    before_weights: Callable[[str], None] = lambda base: None,
) -> tuple[Any, Any]:
    """Return a float32 model, with its adapter merged into the weights if it is one, and its tokenizer.

    name: Hub id or folder. adapter: that of `adapter_models.find_adapter`. loading: as in
    `text_models.open_text_model`. before_weights: is called with the name of the model whose weights are loaded next,
    which exists.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged; or it is an
            adapter without its base model.
    """
    if adapter is not None:
        adapter_models.require_base(adapter)
    base = adapter.base if adapter else name
    before_weights(base)
    model, tokenizer, missing = text_models.open_text_model(
        AutoModelForCausalLM, base, types=TYPES, what=WHAT, outputs=NO_HEAD, loading=loading
    )
    if missing:
        message = f"The weights file of '{base}' is not one of a language model: it has no weights of {missing[0]}."
        hint = "Classifiers and embedding models have no output layer for tokens: choose the model they were made of."
        raise UserError(message, hint, "model", "model-wrong-task")
    if adapter is not None:
        model, tokenizer = adapter_models.merge_into(model, adapter), open_tokenizer_of(name, adapter)
        text_models.require_embeddings(name, tokenizer, model.get_input_embeddings().num_embeddings)
    return model, tokenizer


def open_tokenizer_of(name: str, adapter: Adapter | None, *, local: bool = False) -> Any:
    """Return the tokenizer of a model, or of an adapter: its own one, if it has one, else that of its base model.

    local: nothing is downloaded.

    Raises:
        UserError: it cannot be loaded.
    """
    if adapter is None:
        return open_tokenizer(name, local=local)
    with pretrained.translated_errors(name):
        own = cached_file(
            name, "tokenizer_config.json", local_files_only=local, _raise_exceptions_for_missing_entries=False
        )
    return open_tokenizer(name if own else adapter.base, local=local)


def require_float(adapter: Adapter, params: Any) -> None:
    """Check that the weights into which an adapter is merged are not to be quantized.

    Raises:
        UserError: they are (`adapter-quantized`).
    """
    if params.peft and params.quantization is not None:
        message = f"The adapter '{adapter.name}' cannot be merged into quantized weights ({params.quantization})."
        hint = "Set quantization to none. Or: " + adapter_models.MERGE
        raise UserError(message, hint, "params.quantization", "adapter-quantized")


def set_pad_token(found: LanguageModel) -> None:
    """Choose a pad token that is not the EOS token, if the tokenizer has another one that texts do not use."""
    tokenizer = found.tokenizer
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id != tokenizer.eos_token_id:
        return
    reserved = [t for t in tokenizer.get_added_vocab() if "pad" in t.lower()]
    other = next(iter(reserved), tokenizer.unk_token)
    if other is not None:
        tokenizer.pad_token = other
        found.notes.append(f"The tokenizer has no pad token of its own: {other} is used.")
    found.model.config.pad_token_id = tokenizer.pad_token_id


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained, as `text_models.open_config`."""
    return tiny_config(TINY_VOCABULARY) if name == TINY else text_models.open_config(name, TYPES, WHAT)


def sequence_limit(most: int | None, params: Any) -> int:
    """Return the maximum length of training sequences in tokens. most: that of the model; None: unlimited."""
    wanted = params.model_max_length if params.block_size < 8 else min(params.block_size, params.model_max_length)
    return min(wanted, most or wanted)


def adapt(run: Reporter, found: LanguageModel) -> Any:
    """Return the model with LoRA adapters, if the parameters ask for them.

    Raises:
        UserError: the model does not have the target modules, or they include its output layer.
    """
    params = run.params
    if not params.peft:
        return found.model
    names = [n.strip() for n in params.target_modules.split(",")]
    output = found.model.get_output_embeddings()
    for name, module in found.model.named_modules():
        if module is output and name.rsplit(".", 1)[-1] in names:
            message = f"LoRA cannot adapt the output layer '{name}': the loss is computed from its weights directly."
            raise UserError(message, f"Remove it, or write '{lora.ALL}'.", lora.WHERE, "no-adapters")
    options = {"use_dora": params.use_dora, "use_rslora": params.use_rslora}
    model = text_models.adapt(run, found.model, task_type="CAUSAL_LM", **options)
    if params.gradient_checkpointing:
        model.enable_input_require_grads()
    return model


def set_generation(model: Any, tokenizer: Any, ends: Iterable[int], max_new_tokens: int) -> None:
    """Set how the model generates: greedily, until one of the end tokens. ends: more of them than the EOS token."""
    old = model.generation_config
    known = old.eos_token_id if isinstance(old.eos_token_id, list) else [old.eos_token_id]
    stops = {i for i in (*known, tokenizer.eos_token_id, *ends) if i is not None and i < len(tokenizer)}
    model.generation_config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=sorted(stops) or None,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=old.bos_token_id,
    )


def load_trained(folder: Path) -> tuple[Any, Any]:
    """Return a saved model, or the base model with a saved adapter, and its tokenizer, as `saved.load_model`."""
    model, tokenizer = saved.load_model(folder, AutoModelForCausalLM, AutoTokenizer)
    # With an adapter, transformers loads the generation config of the base model.
    model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return model, tokenizer


@torch.inference_mode()
def generate(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], *, batch_size: int = PREDICTION_BATCH_SIZE
) -> list[tuple[str, bool]]:
    """Return the generated text of each prompt, and whether it ended at the maximum length. Padded on the left."""
    found = []
    stops = model.generation_config.eos_token_id or []
    ends = set(stops if isinstance(stops, list) else [stops])
    for start in range(0, len(prompts), batch_size):
        part = prompts[start : start + batch_size]
        width = max(map(len, part))
        ids = torch.full((len(part), width), tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(part):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        made = model.generate(input_ids=ids.to(model.device), attention_mask=mask.to(model.device), use_cache=True)
        for row in made[:, width:].tolist():
            length = next((i for i, token in enumerate(row) if token in ends), None)
            text = tokenizer.decode(row if length is None else row[:length], skip_special_tokens=True)
            found.append((text.strip(), length is None))
    return found


def generate_within(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], seconds: float = float("inf")
) -> Iterator[str]:
    """Yield the generated text of each prompt, one by one, until the time is over; the first one always."""
    began = time.monotonic()
    for number, prompt in enumerate(prompts):
        if number and time.monotonic() - began > seconds:
            return
        yield generate(model, tokenizer, [prompt])[0][0]


def tiny_model(folder: Path, labels: Sequence[str] = (), *, texts: Iterable[str] = (), seed: int = 42) -> Path:
    """Write a small Llama with random weights (under a million) and a ChatML tokenizer trained on the texts.

    labels: not used. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_chat_tokenizer(texts)
    LlamaForCausalLM(tiny_config(len(tokenizer), tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def tiny_chat_tokenizer(texts: Iterable[str]) -> Any:
    """Train the tokenizer of the tiny model: byte-level BPE without a BOS token, `<|im_end|>` as EOS, and ChatML."""
    backend = tiny_tokenizer(texts, vocabulary=TINY_VOCABULARY, lowercase=False).backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer = FastTokenizer(
        tokenizer_object=backend,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=TURN_END,
        additional_special_tokens=[TURN_START],
        model_max_length=TINY_POSITIONS,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def tiny_config(vocabulary: int, tokenizer: Any = None) -> LlamaConfig:
    """Return the configuration of the tiny model."""
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=TINY_POSITIONS,
        tie_word_embeddings=True,
        initializer_range=0.05,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id if tokenizer else None,
        pad_token_id=tokenizer.pad_token_id if tokenizer else None,
    )
