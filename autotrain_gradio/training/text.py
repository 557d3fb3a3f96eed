"""Texts as a training sees them: tokenised once, in batches of like length, padded no further than the batch needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, Trainer

from autotrain_gradio.training import pretrained
from autotrain_gradio.training.lengths import LengthSampler
from autotrain_gradio.training.pretrained import ModelError

CHUNK = 1000
"""Texts that are tokenised at a time."""
FAR = 1_000_000
"""A tokenizer that allows so many tokens names no limit."""


def open_tokenizer(name: str, *, local: bool = False) -> Any:
    """Return a model's tokenizer, fast where there is one; code that a model brings is not run.

    local: nothing is fetched.

    Raises:
        UserError: it cannot be loaded; the message says why.
    """
    with pretrained.named(name):
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, local_files_only=local)
        if not isinstance(getattr(tokenizer, "pad_token_id", None), int):
            # Models that were made to go on writing have none; the mask hides it, so any token will do.
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
        return tokenizer


def longest(config: Any, tokenizer: Any, model: Any = None) -> int | None:
    """Return how many tokens a model can read at once; None where nothing limits them.

    model: the model itself, or one without weights: the table of its positions says it best. In tables with a row for
    padding the positions begin behind that row (RoBERTa: 514 rows, 512 positions).
    """
    limits = [int(tokenizer.model_max_length)] if tokenizer.model_max_length < FAR else []
    named = [getattr(config, n, None) for n in ("max_position_embeddings", "n_positions", "max_sequence_length")]
    limits += [n for n in named if isinstance(n, int) and n > 0]
    for place, module in model.named_modules() if model is not None else ():
        if isinstance(module, torch.nn.Embedding) and place.endswith("position_embeddings"):
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


def tokenise(
    tokenizer: Any, texts: Sequence[str], limit: int, *, go_on: Callable[[int], bool] = lambda done: True
) -> Tokens | None:
    """Tokenise texts with the model's special tokens, each cut to `limit` tokens as the tokenizer itself would.

    go_on: called now and then with the number of texts that are done; False ends it, and None is returned.
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
        if not go_on(len(full)):
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


class Texts(torch.utils.data.Dataset[dict[str, Any]]):
    """Tokenised texts and their targets; an item is `{"input_ids", "labels"}`, and `token_type_ids` where needed.

    targets: classes int64 (texts,), or 0 and 1 for each label, float32 (texts, labels).
    by_length: the rows stand in the order of their lengths, the longest first, so that they can be read through in
        batches of like length. `rows` says which text each is.
    """

    def __init__(self, tokens: Tokens, targets: np.ndarray, *, by_length: bool = False) -> None:
        if len(tokens.full) != len(targets):
            raise ValueError(f"{len(tokens.full)} texts for {len(targets)} targets")
        self.tokens, self.targets = tokens, targets
        lengths = tokens.lengths
        self.rows = np.argsort(-lengths, kind="stable") if by_length else np.arange(len(lengths))
        self.lengths = lengths[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        part = slice(self.tokens.starts[row], self.tokens.starts[row + 1])
        item = {"input_ids": self.tokens.ids[part], "labels": self.targets[row]}
        if self.tokens.types is not None:
            item["token_type_ids"] = self.tokens.types[part]
        return item

    def restored(self, values: np.ndarray) -> np.ndarray:
        """Return values of the items, one a row, in the order of the texts."""
        found = np.empty_like(values)
        found[self.rows] = values
        return found


class Collate:
    """Makes a batch of items of `Texts`, padded to its longest on the tokenizer's side.

    `input_ids`, `attention_mask` (and `token_type_ids`): int64 (batch, tokens). `labels`: as the targets are.
    On a GPU the length is rounded up to a multiple of 8, which its matrix units like.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._pad = int(tokenizer.pad_token_id)
        self._type = int(getattr(tokenizer, "pad_token_type_id", 0) or 0)
        self._left = tokenizer.padding_side == "left"
        self._step = 8 if torch.cuda.is_available() else 1

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(i["input_ids"]) for i in items)
        width = -(-width // self._step) * self._step
        ids = np.full((len(items), width), self._pad, dtype=np.int64)
        mask = np.zeros((len(items), width), dtype=np.int64)
        types = np.full((len(items), width), self._type, dtype=np.int64) if "token_type_ids" in items[0] else None
        for row, item in enumerate(items):
            size = len(item["input_ids"])
            part = slice(width - size, width) if self._left else slice(size)
            ids[row, part] = item["input_ids"]
            mask[row, part] = 1
            if types is not None:
                types[row, part] = item["token_type_ids"]
        batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if types is not None:
            batch["token_type_ids"] = torch.from_numpy(types)
        if "labels" in items[0]:
            batch["labels"] = torch.from_numpy(np.stack([i["labels"] for i in items]))
        return batch


class TextTrainer(Trainer):
    """A Trainer whose training rows come in batches of like length.

    Its own `train_sampling_strategy` draws a new order when a run is resumed in the middle of an epoch, and shuffles
    the validation rows too.
    """

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int]:
        rows = train_dataset if train_dataset is not None else self.train_dataset
        return LengthSampler(rows.lengths, self._train_batch_size, seed=self.args.seed)
