"""Embedding models: load one in the format of sentence-transformers or any text encoder, and the tiny model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import AutoModel
from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES as TYPES

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, RETRIEVAL, SECOND, THIRD
from autotrain_gradio.training import distributed, loaded_weights, plausibility, pretrained, text_models
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.safetensors_header import safetensors_header
from autotrain_gradio.training.tiny_tokenizer import TINY_VOCABULARY, tiny_tokenizer

WHAT = "embeddings of texts"
WEIGHTS = "model.safetensors"
OWN_CODE = ("sentence_transformers.", "transformers.")
"""Prefixes of the module classes in `modules.json` that are not custom code."""


def open_model(name: str, *, texts: Iterable[str], seed: int, scratch: Path) -> SentenceTransformer:
    """Return a float32 model on the CPU. A text encoder that is not an embedding model gets mean pooling.

    name: a Hub id, a folder, or `tiny`. texts, scratch: training texts and an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs custom code or a package, or is damaged.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, texts=texts, seed=seed)))
    model = load_model(name, local=False)
    _require_weights(name, model)
    return model


def load_model(name: str, *, local: bool) -> SentenceTransformer:
    """Return a model of a folder or a Hub id in float32 on the CPU. local: nothing is downloaded.

    Raises:
        UserError: it cannot be loaded.
    """
    config = text_models.open_config(name, TYPES, WHAT)
    with pretrained.translated_errors(name):
        _refuse_custom_code(name)
        plausibility.require_weights(name, lambda: count_parameters(AutoModel, config))
        model = SentenceTransformer(
            name, device="cpu", trust_remote_code=False, local_files_only=local, model_kwargs={"dtype": torch.float32}
        )
        transformer_of(model, name)
        # Otherwise its model card would be looked up on the Hub at each checkpoint.
        model.model_card_data.local_files_only = True
    return model


def transformer_of(model: SentenceTransformer, name: str = "the model") -> Any:
    """Return the text encoder inside a model.

    Raises:
        UserError: it has none: its embeddings are static, or of several modalities.
    """
    first = model[0]
    if isinstance(first, Transformer) and model.tokenizer is not None:
        return first.auto_model
    message = f"'{name}' has no text encoder that can be fine-tuned ({type(first).__name__})."
    raise pretrained.ModelError(message, "Choose one of the suggested models.", "model", "model-wrong-task")


def prompts_of(model: SentenceTransformer, format: str) -> dict[str, str]:
    """Return role → the prompt of the model in front of its texts, for models that have prompts.

    Searches have queries and documents. In pairs with a target both texts are compared alike, as queries.
    """
    query, document = (model.prompts.get(name) or "" for name in ("query", "document"))
    found = document if format in RETRIEVAL else query
    return {role: prompt for role, prompt in ((FIRST, query), (SECOND, found), (THIRD, found)) if prompt}


def routes_of(model: SentenceTransformer, format: str) -> dict[str, str]:
    """Return role → route of a model with different modules for queries and documents; else an empty mapping."""
    if not any(isinstance(module, Router) for module in model):
        return {}
    found = "document" if format in RETRIEVAL else "query"
    return {FIRST: "query", SECOND: found, THIRD: found}


def dimension(model: SentenceTransformer) -> int:
    """Return the number of dimensions of the embeddings."""
    found = model.get_embedding_dimension()
    assert found is not None
    return found


def tiny_model(
    folder: Path,
    labels: Iterable[str] = (),
    *,
    texts: Iterable[str] = (),
    seed: int = 42,
    vocabulary: int = TINY_VOCABULARY,
) -> Path:
    """Write a small ModernBERT with random weights and mean pooling, in the format of sentence-transformers.

    labels: not used. texts: on which its tokenizer is trained. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary)
    encoder = Path(folder) / "encoder"
    AutoModel.from_config(text_models.tiny_config(len(tokenizer))).save_pretrained(encoder)
    tokenizer.save_pretrained(encoder)
    transformer = Transformer(str(encoder))
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    saved = Path(folder) / "model"
    SentenceTransformer(modules=[transformer, pooling], device="cpu").save_pretrained(
        str(saved), create_model_card=False
    )
    return saved


def _refuse_custom_code(name: str) -> None:
    """Refuse a model whose `modules.json` names classes of its own repository."""
    folder = Path(name).expanduser()
    path: Any = folder / "modules.json" if folder.is_dir() else try_to_load_from_cache(name, "modules.json")
    if not isinstance(path, Path | str) or not Path(path).is_file():
        return
    modules = json.loads(Path(path).read_text(encoding="utf-8"))
    own = [str(m["type"]) for m in modules if not str(m["type"]).startswith(OWN_CODE)]
    if own:
        message = f"'{name}' needs custom code ({own[0]}), which is not allowed."
        raise pretrained.ModelError(message, "Choose one of the suggested models.", "model", "model-wrong-task")


def _require_weights(name: str, model: SentenceTransformer) -> None:
    """Check that the weights file has most weights of the encoder: the library leaves others random without a word."""
    folder = Path(name).expanduser()
    path: Any = folder / WEIGHTS if folder.is_dir() else try_to_load_from_cache(name, WEIGHTS)
    if not isinstance(path, Path | str) or not Path(path).is_file():
        return  # several files, whose index was checked, or another format
    try:
        header: Mapping[str, Any] = safetensors_header(Path(path))[0]
    except ValueError as error:
        message = f"The weights of '{name}' are damaged: {error}."
        raise pretrained.ModelError(message, "Download or save the model again.", "model", "model-broken") from None
    # In the file of a model with a head, the names have a prefix such as "bert.".
    stored = {".".join(parts[i:]) for parts in (key.split(".") for key in header) for i in range(min(3, len(parts)))}
    sizes = {key: weight.numel() for key, weight in transformer_of(model).named_parameters()}
    loaded, total = sum(n for key, n in sizes.items() if key in stored), sum(sizes.values())
    if loaded < loaded_weights.MIN_LOADED * total:
        message = f"The weights file of '{name}' belongs to another model: it has {loaded:,} of its {total:,} weights."
        raise UserError(message, loaded_weights.AGAIN, "model", "model-broken")
