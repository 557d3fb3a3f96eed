"""Merge a LoRA adapter of a language model into its base model, and save the whole model with its tokenizer."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelCard, ModelCardData
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils import cached_file

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.training import adapter_models, language_models, loaded_weights, pretrained, text_models
from autotrain_gradio.training.adapter_models import Adapter
from autotrain_gradio.training.safetensors_header import safetensors_header

DTYPES = {"auto": "auto", "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
"""Names of dtypes in which the result is saved → argument of `from_pretrained`; auto: that of the base model."""
PROMPT = "The quick brown fox jumps over the lazy dog. 1 + 2 = 3."
"""Text on which the merged model is compared with the base model and its adapter."""
MAX_DIFFERENCE = {torch.float32: 0.01, torch.float16: 0.1, torch.bfloat16: 0.5}
"""Largest difference that rounding may cause, relative to the standard deviation of the logits. Measured with the tiny
model and random adapters of the ranks 4 to 64: 0.000004, 0.006 and 0.05; more layers round more often. Without the
adapter it was 0.6 to 5."""
CAUSAL = ("CAUSAL_LM", "None", "")
FROM, TO, BASE = "--adapter-path", "--output-folder", "--base-model-path"


@dataclass(frozen=True)
class Merged:
    """Result of a merge.

    difference: largest difference of a logit of the saved model from the one of base model and adapter, relative to
        their standard deviation. embeddings: number of rows of the embedding. notes: messages for the user.
    """

    base: str
    dtype: str
    difference: float
    embeddings: int
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


def merge(
    name: str,
    folder: Path,
    *,
    base: str = "",
    dtype: str = "auto",
    multiple: int | None = None,
    progress: Callable[[str, float], None] = lambda message, fraction: None,
) -> Merged:
    """Merge an adapter into its base model, and save model, tokenizer, generation config and a card into a folder.

    The saved model is loaded again and compared with the base model with its adapter.

    name: folder or Hub id of the adapter. folder: empty, or does not exist. base: folder or Hub id of the base model;
    empty: the one that the adapter names. dtype: of `DTYPES`. multiple: the number of embeddings is increased to a
    multiple of it.

    Raises:
        UserError: it is not a LoRA adapter of a causal language model, its base model is missing, quantized or of
            other sizes; or the result differs from base model and adapter.
    """
    folder = folder.expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"'{folder}' exists and is not an empty folder.", "Name another one.", TO, "target-exists")
    adapter = adapter_models.find_adapter(name, base=base)
    if adapter is None:
        message = f"'{name}' is not an adapter: it has no adapter_config.json, or a whole model beside it."
        raise UserError(message, "Choose the folder or repository that PEFT has saved.", FROM, "not-an-adapter")
    _require_causal(name)
    progress("Loading the base model", 0.05)
    model = _open_base(adapter, DTYPES[dtype])
    tokenizer = language_models.open_tokenizer_of(name, adapter)
    notes = _resize_as_trained(model, adapter)
    progress("Merging the adapter", 0.4)
    merged, expected = _merge(model, adapter, tokenizer)
    notes += _resize(merged, len(tokenizer), multiple)
    _set_generation(merged, name)
    progress("Saving the model", 0.6)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        merged.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        (partial / "README.md").write_text(_card(adapter), encoding="utf-8")
        kind, embeddings = merged.dtype, merged.get_input_embeddings().num_embeddings
        del model, merged  # memory for one model is enough
        gc.collect()
        progress("Verifying the saved model", 0.75)
        difference = _verify(partial, tokenizer, expected, kind)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if folder.exists():
        folder.rmdir()
    partial.rename(folder)
    return Merged(adapter.base, str(kind).removeprefix("torch."), difference, embeddings, notes)


def _require_causal(name: str) -> None:
    with pretrained.translated_errors(name):
        config = json.loads(Path(str(cached_file(name, adapter_models.ADAPTER_CONFIG))).read_text(encoding="utf-8"))
    if str(config.get("task_type") or "") not in CAUSAL:
        message = f"'{name}' is an adapter for {config['task_type']}, not for a causal language model (CAUSAL_LM)."
        hint = (
            "Merge it in Python: load its base model with the auto class of that task, then PeftModel.from_pretrained "
        )
        raise UserError(message, hint + "and merge_and_unload.", FROM, "model-wrong-task")


def _open_base(adapter: Adapter, dtype: Any) -> Any:
    adapter_models.require_base(adapter)
    config = text_models.open_config(adapter.base, language_models.TYPES, language_models.WHAT)
    if getattr(config, "quantization_config", None) is not None:
        message = f"The base model '{adapter.base}' is quantized: an adapter cannot be merged into its weights."
        hint = f"Name the model from which it was quantized with {BASE}."
        raise UserError(message, hint, BASE, "adapter-quantized")
    with pretrained.translated_errors(adapter.base):
        model, info = AutoModelForCausalLM.from_pretrained(
            adapter.base, dtype=dtype, output_loading_info=True, trust_remote_code=False
        )
    loaded_weights.require_match(adapter.base, model, info, outputs=language_models.NO_HEAD)
    if info["missing_keys"]:
        missing = min(map(str, info["missing_keys"]))
        message = f"The weights file of '{adapter.base}' is not one of a language model: it lacks {missing}."
        raise UserError(message, "Choose the model on which the adapter was trained.", BASE, "model-wrong-task")
    return model.eval()


def _resize_as_trained(model: Any, adapter: Adapter) -> list[str]:
    """Give the embedding the size of the one that the adapter has saved, if it has one: tokens were added to it."""
    with pretrained.translated_errors(adapter.name):
        file = cached_file(adapter.name, "adapter_model.safetensors", _raise_exceptions_for_missing_entries=False)
        tensors = safetensors_header(Path(file))[0] if file else {}
    embedding = model.get_input_embeddings()
    name = next(n for n, module in model.named_modules() if module is embedding)
    saved = next((t["shape"][0] for key, t in tensors.items() if key.endswith(f".{name}.weight")), None)
    if saved is None or saved == embedding.num_embeddings:
        return []
    model.resize_token_embeddings(saved, mean_resizing=False)
    return [f"The adapter has its own embedding, of {saved:,} tokens in place of {embedding.num_embeddings:,}."]


@torch.inference_mode()
def _logits(model: Any, tokenizer: Any) -> torch.Tensor:
    """Return the logits of a text (length, tokens of the tokenizer) in float32."""
    ids = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    return model(input_ids=ids).logits[0, :, : len(tokenizer)].float()


def _merge(model: Any, adapter: Adapter, tokenizer: Any) -> tuple[Any, torch.Tensor]:
    """Return the merged model, and the logits before the merge."""
    from peft import PeftModel

    with pretrained.translated_errors(adapter.name):
        adapted = PeftModel.from_pretrained(model, adapter.name).eval()
        expected = _logits(adapted, tokenizer)
        if not bool(expected.isfinite().all()):
            message = f"The model '{adapter.base}' with the adapter '{adapter.name}' computes NaN or infinite values."
            hint = (
                "The adapter is damaged, its training has diverged, or the dtype has too small a range: try bfloat16."
            )
            raise UserError(message, hint, FROM, "weights-not-finite")
        return adapted.merge_and_unload(), expected


def _resize(model: Any, tokens: int, multiple: int | None) -> list[str]:
    """Increase the number of embeddings to that of the tokens, and to a multiple; never reduce it."""
    embeddings = model.get_input_embeddings().num_embeddings
    notes = []
    if tokens > embeddings:
        new = f"{tokens - embeddings:,} of {tokens:,} tokens"
        notes.append(f"Neither the base model nor the adapter has embeddings for {new}: they are untrained.")
    if tokens > embeddings or multiple and embeddings % multiple:
        model.resize_token_embeddings(max(tokens, embeddings), pad_to_multiple_of=multiple)
    return notes


def _set_generation(model: Any, name: str) -> None:
    """Use the generation config of the adapter, if it has one: its EOS tokens are those of the training."""
    with pretrained.translated_errors(name):
        if cached_file(name, "generation_config.json", _raise_exceptions_for_missing_entries=False):
            model.generation_config = GenerationConfig.from_pretrained(name)


def _verify(folder: Path, tokenizer: Any, expected: torch.Tensor, dtype: torch.dtype) -> float:
    """Load the saved model with the public loaders; return the largest relative difference of its logits.

    Raises:
        UserError: weights are missing, or the logits differ by more than rounding.
    """
    saved, info = AutoModelForCausalLM.from_pretrained(
        folder, output_loading_info=True, dtype="auto", local_files_only=True, trust_remote_code=False
    )
    AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    problem = ", ".join(sorted(map(str, {*info["missing_keys"], *info["unexpected_keys"]}))[:5])
    found = _logits(saved.eval(), tokenizer)[:, : expected.shape[1]]
    difference = float((found - expected[:, : found.shape[1]]).abs().max() / expected.std().clamp_min(1e-6))
    if not problem and (saved.dtype != dtype or not difference <= MAX_DIFFERENCE.get(dtype, 0.5)):
        problem = f"its logits differ by {difference:.3g} of their standard deviation"
    if problem:
        message = f"The merged model differs from the base model with its adapter: {problem}."
        raise UserError(message, "Try --dtype float32, and report it if that fails too.", TO, "model-incomplete")
    return difference


def _card(adapter: Adapter) -> str:
    local = [Path(n).expanduser().is_dir() for n in (adapter.base, adapter.name)]
    base, name = (
        Path(n).name if is_local else n for n, is_local in zip((adapter.base, adapter.name), local, strict=True)
    )
    front = ModelCardData(
        base_model=None if local[0] else base,
        base_model_relation=None if local[0] else "finetune",
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["text-generation", "autotrain-gradio"],
    )
    text = f"The LoRA adapter {name}, merged into its base model {base}."
    return str(ModelCard(f"---\n{front.to_yaml()}\n---\n\n# {name}, merged\n\n{text}\n"))
