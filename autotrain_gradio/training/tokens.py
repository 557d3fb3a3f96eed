"""Texts as tokens: the tokenizer of a model, how much it reads, and texts cut to that; without the models' classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotrain_gradio.training import pretrained
from autotrain_gradio.training.pretrained import ModelError

CHUNK = 1000
"""Texts that are tokenized at a time."""
FAR = 1_000_000
"""A tokenizer that allows so many tokens names no limit."""

POSITIONS = {
    **dict.fromkeys(("albert", "bert", "distilbert", "electra", "modernbert"), "from the first"),
    **dict.fromkeys(("camembert", "roberta", "xlm-roberta"), "behind padding"),
}
"""Type of model → which rows of its table of positions are read; of other types a model must be made to know."""


def open_tokenizer(name: str, *, local: bool = False) -> Any:
    """Return a model's tokenizer, fast where there is one; code that a model brings is not run.

    local: nothing is fetched.

    Raises:
        UserError: it cannot be loaded; the message says why.
    """
    from transformers import AutoTokenizer  # it loads for seconds, and the tiny model needs none

    with pretrained.named(name):
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, local_files_only=local)
        if not isinstance(getattr(tokenizer, "pad_token_id", None), int):
            # Models that were made to go on writing have none; the mask hides it, so any token will do.
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
        return tokenizer


def longest(config: Any, tokenizer: Any, model: Any = None) -> int | None:
    """Return how many tokens a model can read at once; None where nothing limits them.

    model: the model itself, or one without weights: the table of its positions says it best. Types in `POSITIONS` need
    none. In tables with a row for padding the positions begin behind that row (RoBERTa: 514 rows, 512 positions).
    """
    limits = [int(tokenizer.model_max_length)] if tokenizer.model_max_length < FAR else []
    named = [getattr(config, n, None) for n in ("max_position_embeddings", "n_positions", "max_sequence_length")]
    behind = POSITIONS.get(getattr(config, "model_type", "")) == "behind padding"
    kept = config.pad_token_id + 1 if behind and config.pad_token_id is not None else 0
    limits += [n - kept for n in named if isinstance(n, int) and n > 0]
    for place, module in model.named_modules() if model is not None else ():
        if place.endswith("position_embeddings") and hasattr(module, "num_embeddings"):
            rows, padding = module.num_embeddings, module.padding_idx
            limits.append(rows if padding is None else rows - padding - 1)
    return min(limits, default=None)


@dataclass(frozen=True)
class Tokens:
    """Tokenised texts.

    ids: of all texts one behind the other, int32. starts: where each begins, and the end (texts + 1). types: the
    segment of each token, where the tokenizer sets any but 0. full: tokens that each text has uncut (texts,).
    """

    ids: np.ndarray
    starts: np.ndarray
    types: np.ndarray | None
    full: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text as the model reads it (texts,)."""
        return np.diff(self.starts)

    @property
    def cut(self) -> int:
        """How many texts were cut."""
        return int((self.full > self.lengths).sum())


def tokenize(
    tokenizer: Any, texts: Sequence[str], limit: int, *, should_continue: Callable[[int], bool] = lambda done: True
) -> Tokens | None:
    """Tokenise texts with the model's special tokens, each cut to `limit` tokens as the tokenizer itself would.

    should_continue: called now and then with the number of texts that are done; False ends it, and None is returned.
    """
    before, after = _frame(tokenizer)
    left = tokenizer.truncation_side == "left"
    pieces: list[np.ndarray] = []
    kinds: list[np.ndarray] = []
    full: list[int] = []

    def cut(ids: Sequence[int]) -> np.ndarray:
        if len(ids) > limit and left:
            ids = [*ids[:before], *ids[len(ids) - (limit - before) :]]
        elif len(ids) > limit:
            ids = [*ids[: limit - after], *ids[len(ids) - after :]]
        return np.asarray(ids, dtype=np.int32)

    for start in range(0, len(texts), CHUNK):
        # Tokenizers split the whole text anyway, before they cut it: so its length is known at no cost.
        made = tokenizer(list(texts[start : start + CHUNK]), return_attention_mask=False, verbose=False)
        for row, ids in enumerate(made["input_ids"]):
            full.append(len(ids))
            # A text of which the tokenizer knows nothing still needs a place to read at.
            pieces.append(cut(ids or [tokenizer.pad_token_id]))
            if "token_type_ids" in made:
                kinds.append(cut(made["token_type_ids"][row] or [0]))
        if not should_continue(len(full)):
            return None
    starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces], dtype=np.int64)]).astype(np.int64)
    ids = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int32)
    types = np.concatenate(kinds) if kinds else None
    return Tokens(ids, starts, types if types is not None and types.any() else None, np.asarray(full, dtype=np.int64))


def _frame(tokenizer: Any) -> tuple[int, int]:
    """Return how many special tokens stand before and behind a text."""
    for probe in ("a", "the", "1"):
        bare = list(tokenizer(probe, add_special_tokens=False)["input_ids"])
        dressed = list(tokenizer(probe)["input_ids"])
        for start in range(len(dressed) - len(bare) + 1):
            if bare and dressed[start : start + len(bare)] == bare:
                return start, len(dressed) - start - len(bare)
    raise ModelError(
        f"The tokenizer of the model ({type(tokenizer).__name__}) changes texts in a way that is not known here.",
        "Choose another model.",
        "model",
        "model-wrong-task",
    )
