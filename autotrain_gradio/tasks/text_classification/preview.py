"""Text classification: the user's own texts as the model will read them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.text_classification.targets import Labels
from autotrain_gradio.tasks.text_classification.tiny import TINY_TOKENS, tiny_tokenizer
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.tokens import POSITIONS, longest, open_tokenizer, tokenize

MEASURED = 20_000
"""Texts whose lengths are measured, at most."""
PIECES = 160
"""Tokens of a text that are shown, at most."""
BARS = 12
BYTES = 4
BOXES = "One box is one token (or several, where only all of them are a character). What is struck out is cut off."


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show how long the texts are, how many of them are cut, and the tokens of a few, as the training sees them.

    Nothing is downloaded for it: the probe of the model has fetched its tokenizer.

    context: `texts`, how many are shown (default 4, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    labels = Labels.of(rows)
    try:
        tokenizer, most = _tokenizer(spec.model, rows["text"])
    except pretrained.ModelError as error:
        # What is wrong with a model is the probe's to say; before it has answered there are no tokens to show.
        reason = f"How {spec.model} splits texts is not known on this machine yet. {error.message}"
        return [panels.numbers("What the training sees", {"texts": len(rows)}, note=reason)]
    limit = min(params.max_seq_length, most or params.max_seq_length)
    chosen = balanced_sample(labels.groups(labels.targets(rows)), min(16, int(context.get("texts", 4))), params.seed)
    shown = [_pieces(tokenizer, rows[row], row, labels, limit) for row in chosen]
    some = np.sort(np.random.default_rng(params.seed).permutation(len(rows))[:MEASURED])
    tokens = tokenize(tokenizer, rows.select(some)["text"], limit)
    assert tokens is not None
    lengths, cut = tokens.full, tokens.truncated
    facts = {
        "median tokens": int(np.median(lengths)),
        "19 of 20 have at most": int(np.quantile(lengths, 0.95, method="higher")),
        "longest": int(lengths.max()),
        "read at most": limit,
        "texts cut": f"{cut:,} ({cut / len(lengths):.1%})",
    }
    notes = [] if len(some) == len(rows) else [f"Measured on {len(some):,} of {len(rows):,} texts, chosen by chance."]
    if limit < params.max_seq_length:
        notes.append(f"The model reads at most {limit:,} tokens, and not {params.max_seq_length:,}.")
    return [
        panels.numbers("Lengths in tokens", facts, note=" ".join(notes)),
        _histogram(lengths, limit),
        panels.tokens("What the training sees", shown, note=BOXES),
    ]


def load_ahead() -> None:
    """Load the tokenizers: only models of the Hub and of folders need them."""
    from transformers import AutoConfig, AutoTokenizer  # noqa: F401


def _tokenizer(model: str, texts: Sequence[str]) -> tuple[Any, int | None]:
    if model == TINY:
        return tiny_tokenizer(text for text in texts), TINY_TOKENS
    from transformers import AutoConfig

    tokenizer = open_tokenizer(model, local=True)
    with pretrained.named(model):
        config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False)
        if config.model_type in POSITIONS:
            return tokenizer, longest(config, tokenizer)
        # The libraries of models load for seconds: only where a model must be made to know.
        from autotrain_gradio.tasks.text_classification.models import limit

        return tokenizer, limit(config, tokenizer)


def _pieces(tokenizer: Any, cells: Mapping[str, Any], row: int, labels: Labels, limit: int) -> dict[str, Any]:
    """Return an item of a panel of tokens: those that are read, and those that are cut off."""
    ids = list(tokenizer(cells["text"], verbose=False)["input_ids"])
    one = tokenize(tokenizer, [cells["text"]], limit)
    assert one is not None
    read = one.ids.tolist()
    same = next((i for i, (a, b) in enumerate(zip(read, ids, strict=False)) if a != b), min(len(read), len(ids)))
    lost = ids[same : same + len(ids) - len(read)]
    target = cells["target"]
    names = [labels.names[i] for i in target] if labels.multi_label else [labels.names[target]]
    return {
        "label": f"row {row + 1}: {', '.join(names) or 'no label'}",
        "read": _words(tokenizer, read[:PIECES]),
        "cut": _words(tokenizer, lost[: max(0, PIECES - len(read))]),
        "more": max(0, len(ids) - PIECES),
        "rtl": _right_to_left(cells["text"]),
    }


def _words(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Return the tokens as a person reads them; those that are only together a character stand together."""
    special = set(tokenizer.all_special_ids)
    found: list[str] = []
    parts: list[str] = []

    def told() -> None:
        if parts:
            text = str(tokenizer.convert_tokens_to_string(parts)).strip()
            found.append(text or " ".join(parts))
            parts.clear()

    for number, name in zip(ids, tokenizer.convert_ids_to_tokens(list(ids)), strict=True):
        if number in special:
            told()
            found.append(str(name))
            continue
        parts.append(str(name))
        # A character has four bytes at most, of which each may be a token.
        if "\ufffd" not in str(tokenizer.convert_tokens_to_string(parts)) or len(parts) >= BYTES:
            told()
    told()
    return found


def _right_to_left(text: str) -> bool:
    """Whether the first letter of a text is of a script that is written from right to left."""
    sides = (unicodedata.bidirectional(sign) for sign in text)
    return next((side for side in sides if side in ("L", "R", "AL")), "L") != "L"


def _histogram(lengths: np.ndarray, limit: int) -> Panel:
    """Count texts by length, in a dozen steps up to the 99th percentile and one beyond."""
    top = int(np.quantile(lengths, 0.99, method="higher"))
    step = next(
        s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10**4, 10**5, 10**9) if s * BARS >= top
    )
    edges = np.arange(0, top + step, step)
    counts = np.histogram(lengths, bins=[*(edges + 1), np.iinfo(np.int64).max])[0]
    names = [f"{low + 1:,} to {low + step:,}" if step > 1 else f"{low + 1:,}" for low in edges[:-1]]
    bins = [*names, f"over {int(edges[-1]):,}"]
    while len(bins) > 1 and counts[-1] == 0:
        bins, counts = bins[:-1], counts[:-1]
    return panels.bars(
        "Texts by length in tokens", bins, {"texts": counts.tolist()}, note=f"The model reads the first {limit:,}."
    )
