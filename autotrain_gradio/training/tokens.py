"""Tokenization: load a model's tokenizer, find the maximum sequence length, tokenize and truncate texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.training import pretrained
from autotrain_gradio.training.pretrained import ModelError

CHUNK = 1000
"""Batch size of the tokenization."""
FILES = ("*token*", "*vocab*", "*spiece*", "*.model", "*.tiktoken", "tekken.json", "processor_config.json")
"""Patterns of the names of tokenizer files."""
FAR = 1_000_000
"""A `model_max_length` from which it means no limit."""

POSITIONS = {
    **dict.fromkeys(("albert", "bert", "distilbert", "electra", "modernbert"), "from the first"),
    **dict.fromkeys(("camembert", "roberta", "xlm-roberta"), "behind padding"),
}
"""Model type → which position embeddings are used; other types must be instantiated to find out."""


def open_tokenizer(name: str, *, local: bool = False) -> Any:
    """Return a model's tokenizer, a fast one if available; custom code is not run.

    local: nothing is downloaded.

    Raises:
        UserError: it cannot be loaded; the message says why.
    """
    from transformers import AutoTokenizer  # its import takes seconds, and the tiny model does not need it

    folder = Path(name).expanduser()
    if folder.is_dir() and not any(next(folder.glob(pattern), None) for pattern in FILES):
        message = f"The folder '{name}' has no tokenizer: there is no tokenizer.json."
        hint = "Save the tokenizer of the model there: AutoTokenizer.from_pretrained(…).save_pretrained(folder)."
        raise ModelError(message, hint, "model", "model-broken")
    with pretrained.translated_errors(name):
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, local_files_only=local)
        if not isinstance(getattr(tokenizer, "pad_token_id", None), int):
            # Causal language models have none; the attention mask hides it, so any token works.
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
        return tokenizer


def longest(config: Any, tokenizer: Any, model: Any = None) -> int | None:
    """Return the maximum sequence length of a model in tokens; None: unlimited.

    model: the model, or one on the meta device, whose position embeddings are inspected; not needed for the types in
    `POSITIONS`. With a padding index, positions start after it (RoBERTa: 514 embeddings, 512 positions).
    """
    limits = [int(tokenizer.model_max_length)] if tokenizer.model_max_length < FAR else []
    named = [getattr(config, n, None) for n in ("max_position_embeddings", "n_positions", "max_sequence_length")]
    behind = POSITIONS.get(getattr(config, "model_type", "")) == "behind padding"
    reserved = config.pad_token_id + 1 if behind and config.pad_token_id is not None else 0
    limits += [n - reserved for n in named if isinstance(n, int) and n > 0]
    for place, module in model.named_modules() if model is not None else ():
        if place.endswith("position_embeddings") and hasattr(module, "num_embeddings"):
            rows, padding = module.num_embeddings, module.padding_idx
            limits.append(rows if padding is None else rows - padding - 1)
    return min(limits, default=None)


@dataclass(frozen=True)
class Tokens:
    """Tokenized texts.

    ids: of all texts, concatenated, int32. starts: offset of each text, and the end (texts + 1). types: the token type
    ids, if any is not 0. full: number of tokens of each text before truncation (texts,).
    """

    ids: np.ndarray
    starts: np.ndarray
    types: np.ndarray | None
    full: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each text after truncation (texts,)."""
        return np.diff(self.starts)

    @property
    def truncated(self) -> int:
        """Number of truncated texts."""
        return int((self.full > self.lengths).sum())


def tokenize(
    tokenizer: Any, texts: Sequence[str], limit: int, *, should_continue: Callable[[int], bool] = lambda done: True
) -> Tokens | None:
    """Tokenize texts with special tokens, truncated to `limit` tokens as the tokenizer itself would.

    should_continue: called after each batch with the number of tokenized texts; False cancels, and None is returned.
    """
    before, after = _frame(tokenizer)
    left = tokenizer.truncation_side == "left"
    sequences: list[np.ndarray] = []
    kinds: list[np.ndarray] = []
    full: list[int] = []

    def truncate(ids: Sequence[int]) -> np.ndarray:
        if len(ids) > limit and left:
            ids = [*ids[:before], *ids[len(ids) - (limit - before) :]]
        elif len(ids) > limit:
            ids = [*ids[: limit - after], *ids[len(ids) - after :]]
        return np.asarray(ids, dtype=np.int32)

    for start in range(0, len(texts), CHUNK):
        # Tokenizers tokenize the whole text before truncation anyway, so its length costs nothing.
        made = tokenizer(list(texts[start : start + CHUNK]), return_attention_mask=False, verbose=False)
        for row, ids in enumerate(made["input_ids"]):
            full.append(len(ids))
            # A text without any token still needs one.
            sequences.append(truncate(ids or [tokenizer.pad_token_id]))
            if "token_type_ids" in made:
                kinds.append(truncate(made["token_type_ids"][row] or [0]))
        if not should_continue(len(full)):
            return None
    starts = np.concatenate([[0], np.cumsum([len(s) for s in sequences], dtype=np.int64)]).astype(np.int64)
    ids = np.concatenate(sequences) if sequences else np.empty(0, dtype=np.int32)
    types = np.concatenate(kinds) if kinds else None
    return Tokens(ids, starts, types if types is not None and types.any() else None, np.asarray(full, dtype=np.int64))


def _frame(tokenizer: Any) -> tuple[int, int]:
    """Return the number of special tokens before and after a text."""
    for probe in ("a", "the", "1"):
        bare = list(tokenizer(probe, add_special_tokens=False)["input_ids"])
        dressed = list(tokenizer(probe)["input_ids"])
        for start in range(len(dressed) - len(bare) + 1):
            if bare and dressed[start : start + len(bare)] == bare:
                return start, len(dressed) - start - len(bare)
    raise ModelError(
        f"The tokenizer of the model ({type(tokenizer).__name__}) adds special tokens in an unsupported way.",
        "Choose another model.",
        "model",
        "model-wrong-task",
    )
