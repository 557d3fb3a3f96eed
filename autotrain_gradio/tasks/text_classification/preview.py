"""Text classification: preview of the tokenized texts."""

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
from autotrain_gradio.tasks.text_classification.targets import Labels, groups
from autotrain_gradio.tasks.text_classification.tiny import TINY_TOKENS, tiny_tokenizer
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.tokens import POSITIONS, longest, open_tokenizer, tokenize

MEASURED = 20_000
"""Maximum number of texts whose lengths are measured."""
MAX_TOKENS = 160
"""Maximum number of displayed tokens of a text."""
BARS = 12
BYTES = 4
TOKENS_NOTE = "Each box is a token (or several that form one character). Struck-out tokens are truncated."


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show the lengths of the texts, how many are truncated, and the tokens of a few.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed texts (default 4, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    labels = Labels.of(rows)
    try:
        tokenizer, most = _tokenizer(spec.model, rows["text"])
    except pretrained.ModelError as error:
        # Errors of the model are reported by the probe, which also downloads the tokenizer.
        reason = f"The tokenizer of {spec.model} is not downloaded yet. {error.message}"
        return [panels.numbers("Tokenized texts", {"texts": len(rows)}, note=reason)]
    limit = min(params.max_seq_length, most or params.max_seq_length)
    chosen = balanced_sample(groups(labels.targets(rows)), min(16, int(context.get("texts", 4))), params.seed)
    shown = [_token_item(tokenizer, rows[row], row, labels, limit) for row in chosen]
    some = np.sort(np.random.default_rng(params.seed).permutation(len(rows))[:MEASURED])
    tokens = tokenize(tokenizer, rows.select(some)["text"], limit)
    assert tokens is not None
    lengths, truncated = tokens.full, tokens.truncated
    facts = {
        "median tokens": int(np.median(lengths)),
        "95th percentile": int(np.quantile(lengths, 0.95, method="higher")),
        "longest": int(lengths.max()),
        "maximum sequence length": limit,
        "truncated texts": f"{truncated:,} ({truncated / len(lengths):.1%})",
    }
    notes = [] if len(some) == len(rows) else [f"Measured on {len(some):,} of {len(rows):,} texts, a random sample."]
    if limit < params.max_seq_length:
        notes.append(f"The model supports at most {limit:,} tokens, not {params.max_seq_length:,}.")
    return [
        panels.numbers("Text lengths in tokens", facts, note=" ".join(notes)),
        _histogram(lengths, limit),
        panels.tokens("Tokenized texts", shown, note=TOKENS_NOTE),
    ]


def load_ahead() -> None:
    """Import the tokenizers, which only models of the Hub and of folders need."""
    from transformers import AutoConfig, AutoTokenizer  # noqa: F401


def _tokenizer(model: str, texts: Sequence[str]) -> tuple[Any, int | None]:
    if model == TINY:
        return tiny_tokenizer(text for text in texts), TINY_TOKENS
    from transformers import AutoConfig

    tokenizer = open_tokenizer(model, local=True)
    with pretrained.translated_errors(model):
        config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False)
        if config.model_type in POSITIONS:
            return tokenizer, longest(config, tokenizer)
        # Importing the models takes seconds: only if the model must be instantiated.
        from autotrain_gradio.tasks.text_classification.models import limit

        return tokenizer, limit(config, tokenizer)


def _token_item(tokenizer: Any, cells: Mapping[str, Any], row: int, labels: Labels, limit: int) -> dict[str, Any]:
    """Return an item of a token panel: the tokens that are used, and those that are truncated."""
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
        "read": _readable_tokens(tokenizer, read[:MAX_TOKENS]),
        "cut": _readable_tokens(tokenizer, lost[: max(0, MAX_TOKENS - len(read))]),
        "more": max(0, len(ids) - MAX_TOKENS),
        "rtl": _right_to_left(cells["text"]),
    }


def _readable_tokens(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Return the tokens as readable text; byte tokens of the same character are joined."""
    special = set(tokenizer.all_special_ids)
    found: list[str] = []
    parts: list[str] = []

    def flush() -> None:
        if parts:
            text = str(tokenizer.convert_tokens_to_string(parts)).strip()
            found.append(text or " ".join(parts))
            parts.clear()

    for number, name in zip(ids, tokenizer.convert_ids_to_tokens(list(ids)), strict=True):
        if number in special:
            flush()
            found.append(str(name))
            continue
        parts.append(str(name))
        # A character has at most four bytes, each of which may be a token.
        if "\ufffd" not in str(tokenizer.convert_tokens_to_string(parts)) or len(parts) >= BYTES:
            flush()
    flush()
    return found


def _right_to_left(text: str) -> bool:
    """Whether the first letter of a text is of a script that is written from right to left."""
    sides = (unicodedata.bidirectional(sign) for sign in text)
    return next((side for side in sides if side in ("L", "R", "AL")), "L") != "L"


def _histogram(lengths: np.ndarray, limit: int) -> Panel:
    """Return the histogram of lengths, in a dozen bins up to the 99th percentile and one beyond."""
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
        "Texts by length in tokens",
        bins,
        {"texts": counts.tolist()},
        note=f"The model uses the first {limit:,} tokens.",
    )
