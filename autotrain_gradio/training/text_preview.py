"""Previews of tokenized texts: their tokenizer without downloads, lengths, and readable tokens; torch is not needed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.tiny_tokenizer import TINY_TOKENS, tiny_tokenizer
from autotrain_gradio.training.tokens import POSITIONS, longest, open_tokenizer, tokenize

MEASURED = 20_000
"""Maximum number of texts whose lengths are measured."""
BARS = 12
BYTES = 4
BREAKS = str.maketrans({"\n": "⏎", "\r": "␍", "\t": "⇥"})
"""Signs for whitespace that would not be seen."""


def load_ahead() -> None:
    """Import the tokenizers, which only models of the Hub and of folders need."""
    from transformers import AutoConfig, AutoTokenizer  # noqa: F401


def preview_tokenizer(model: str, texts: Iterable[str], auto: str) -> tuple[Any, int | None]:
    """Return the tokenizer of a model and its maximum sequence length (None: unlimited); nothing is downloaded.

    texts: on which that of the tiny model is trained. auto: name of the auto class in transformers that builds the
    model.

    Raises:
        UserError: it is not downloaded yet, or cannot be loaded.
    """
    if model == TINY:
        return tiny_tokenizer(texts), TINY_TOKENS
    from transformers import AutoConfig

    tokenizer = open_tokenizer(model, local=True)
    with pretrained.translated_errors(model):
        config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False)
        if config.model_type in POSITIONS:
            return tokenizer, longest(config, tokenizer)
        # Importing the models takes seconds: only if the model must be instantiated.
        import transformers

        from autotrain_gradio.training.text_models import limit

        return tokenizer, limit(getattr(transformers, auto), config, tokenizer)


def not_downloaded(model: str, rows: int, error: pretrained.ModelError) -> list[Panel]:
    """Return the preview of a model whose tokenizer is not downloaded yet, or cannot be loaded from its folder.

    Errors of the model are reported by the probe, which also downloads the tokenizer.
    """
    local = Path(model).expanduser().is_dir()
    reason = error.message if local else f"The tokenizer of {model} is not downloaded yet. {error.message}"
    return [panels.numbers("Tokenized texts", {"texts": rows}, note=reason)]


def measured_rows(rows: int, seed: int) -> np.ndarray:
    """Return the sorted row numbers of a random sample of at most `MEASURED` rows."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MEASURED])


def length_panels(
    lengths: np.ndarray, limit: int, *, wanted: int, rows: int, noun: str = "texts", title: str = ""
) -> list[Panel]:
    """Return facts about lengths in tokens (texts,), and their histogram.

    limit: length that the texts are truncated to. wanted: length that the user has set. rows: number of rows, of which
    the lengths may be a sample. noun: name of the texts in the plural. title: of the facts.
    """
    truncated = int((lengths > limit).sum())
    facts = {
        "median tokens": int(np.median(lengths)),
        "95th percentile": int(np.quantile(lengths, 0.95, method="higher")),
        "longest": int(lengths.max()),
        "maximum sequence length": limit,
        f"truncated {noun}": f"{truncated:,} ({truncated / len(lengths):.1%})",
    }
    notes = [] if len(lengths) == rows else [f"Measured on {len(lengths):,} of {rows:,} {noun}, a random sample."]
    if limit < wanted:
        notes.append(f"The model supports at most {limit:,} tokens, not {wanted:,}.")
    return [
        panels.numbers(title or "Text lengths in tokens", facts, note=" ".join(notes)),
        length_histogram(lengths, limit, noun=noun),
    ]


def split_tokens(tokenizer: Any, text: str, limit: int, maximum: int) -> dict[str, Any]:
    """Return the keys `read`, `cut` and `more` of an item of a token panel: used, truncated and hidden tokens.

    maximum: number of displayed tokens.
    """
    ids = list(tokenizer(text, verbose=False)["input_ids"])
    one = tokenize(tokenizer, [text], limit)
    assert one is not None
    read = one.ids.tolist()
    same = next((i for i, (a, b) in enumerate(zip(read, ids, strict=False)) if a != b), min(len(read), len(ids)))
    lost = ids[same : same + len(ids) - len(read)]
    return {
        "read": readable_tokens(tokenizer, read[:maximum]),
        "cut": readable_tokens(tokenizer, lost[: max(0, maximum - len(read))]),
        "more": max(0, len(ids) - maximum),
        "rtl": right_to_left(text),
    }


def readable_tokens(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Return the tokens as readable text; byte tokens of the same character are joined."""
    special = set(tokenizer.all_special_ids)
    found: list[str] = []
    parts: list[str] = []

    def flush() -> None:
        if parts:
            text = str(tokenizer.convert_tokens_to_string(parts))
            text = text.strip(" ").translate(BREAKS) or "␣" * len(text)
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


def right_to_left(text: str) -> bool:
    """Whether the first letter of a text is of a script that is written from right to left."""
    sides = (unicodedata.bidirectional(sign) for sign in text)
    return next((side for side in sides if side in ("L", "R", "AL")), "L") != "L"


def length_histogram(lengths: np.ndarray, limit: int, *, noun: str = "texts") -> Panel:
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
        f"{noun.capitalize()} by length in tokens",
        bins,
        {noun: counts.tolist()},
        note=f"The model uses the first {limit:,} tokens.",
    )
