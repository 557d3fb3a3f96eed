"""Previews of the rows of language models: lengths, and tokens with the trained ones marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.training import adapter_models, language_models, text_preview
from autotrain_gradio.training.chat_templates import TemplateFailure, TokenizedRow
from autotrain_gradio.training.token_rows import as_dataset, limit_lengths, pack

MAX_TOKENS = 240
"""Maximum number of displayed tokens of a row."""
NOTE = (
    "Each box is a token. The loss is computed on the marked tokens only; the others are the context. Struck-out "
    "tokens are above the maximum length."
)
UNTRAINED = "none of the tokens is trained"


def open_tokenizer_of(model: str, texts: Callable[[], Iterable[str]]) -> tuple[Any, int | None]:
    """Return the tokenizer of a model and its maximum length in tokens; nothing is downloaded.

    texts: gives the texts on which that of the tiny model is trained.

    Raises:
        ModelError: it is not downloaded yet, or cannot be loaded.
    """
    if model == TINY:
        return language_models.tiny_chat_tokenizer(texts()), language_models.TINY_POSITIONS
    adapter = adapter_models.find_adapter(model, local=True)
    if adapter is None:
        return text_preview.preview_tokenizer(model, (), "AutoModelForCausalLM")
    most = text_preview.preview_tokenizer(adapter.base, (), "AutoModelForCausalLM")[1]
    return language_models.open_tokenizer_of(model, adapter, local=True), most


def row_panels(
    tokenizer: Any,
    rows: Iterable[TokenizedRow | TemplateFailure],
    params: Any,
    most: int | None,
    count: int,
    context: Mapping[str, Any],
    *,
    note: str = "",
) -> list[Panel]:
    """Return the lengths of the rows, what happens to the longer ones, and the tokens of a few.

    most: maximum length of the model in tokens. count: number of training rows, of which `rows` may be a sample.
    """
    made: list[TokenizedRow] = []
    failed: dict[int, TemplateFailure] = {}
    for number, row in enumerate(rows):
        if isinstance(row, TemplateFailure):
            failed[number] = row
        else:
            made.append(row)
    notes = [note]
    if failed:
        number, error = next(iter(failed.items()))
        where = join_examples([str(n + 1) for n in failed])
        notes.append(f"{count_with_verb(len(failed), 'row', 'will')} be skipped ({where}): {error.message}")
    if not made:
        return [panels.numbers("Row lengths in tokens", {"rows": count}, note=" ".join(filter(None, notes)))]
    limit, wanted = language_models.sequence_limit(most, params), language_models.sequence_limit(None, params)
    if limit < wanted:
        notes.append(f"The model supports at most {limit:,} tokens, not {wanted:,}.")
    if len(made) + len(failed) < count:
        notes.append(f"Measured on {len(made) + len(failed):,} of {count:,} rows, a random sample.")
    sequences, _, counts = limit_lengths(made, limit, params.too_long)
    trained_on = len(sequences)
    if getattr(params, "packing", False) and sequences:
        trained_on = len(pack(as_dataset(sequences), limit))
        notes.append(f"Packing: {pluralize(len(sequences), 'row')} in {pluralize(trained_on, 'sequence')}.")
    lengths = np.asarray(counts.lengths)
    if longer := counts.message():
        notes.append(longer)
    if counts.untrained:
        skipped = count_with_verb(counts.untrained, "row", "will")
        notes.append(f"{skipped} be skipped: no token is left that the loss is computed on.")
    begin = tokenizer.bos_token_id
    doubled = sum(begin is not None and row.ids[:2].tolist() == [begin, begin] for row in made)
    if doubled:
        notes.append(f"{pluralize(doubled, 'row')} begin with two BOS tokens: the chat template adds one too many.")
    trained = sum(int(row.trained.sum()) for row in made)
    facts = panels.numbers(
        "Row lengths in tokens",
        {
            "median tokens": int(np.median(lengths)),
            "95th percentile": int(np.quantile(lengths, 0.95, method="higher")),
            "longest": int(lengths.max()),
            "maximum sequence length": limit,
            "rows above it": f"{counts.longer:,} ({counts.longer / len(lengths):.1%})",
        },
        note=" ".join(filter(None, notes)),
    )
    facts["longest_example"] = min(int(lengths.max()), limit)
    facts["examples_per_row"] = trained_on / (len(made) + len(failed))
    histogram = {**text_preview.length_histogram(lengths, limit, noun="rows"), "note": ""}
    share = panels.numbers(
        "Trained tokens",
        {"tokens": int(lengths.sum()), "trained tokens": trained, "share": f"{trained / max(1, lengths.sum()):.1%}"},
        note="The loss is computed on the trained tokens.",
    )
    shown = min(16, int(context.get("texts", 3)))
    picked = np.sort(np.random.default_rng(params.seed).permutation(len(made))[:shown]).tolist()
    items = [_item(tokenizer, made[i], i, limit, params.too_long) for i in picked]
    return [facts, histogram, share, panels.tokens("Rendered rows", items, note=NOTE)]


def _item(tokenizer: Any, row: TokenizedRow, number: int, limit: int, action: str) -> dict[str, Any]:
    """Return a row for the token panel: its tokens, whether each is trained, and those above the maximum length."""
    size = len(row.ids)
    kept = slice(0, size)
    if size > limit and action != "chunk":
        kept = slice(size - limit, size) if action == "truncate_left" else slice(0, 0 if action == "drop" else limit)
    shown = row.part(kept)
    lost = np.concatenate([row.ids[: kept.start], row.ids[kept.stop :]])
    label = f"row {number + 1}: {pluralize(size, 'token')}, {int(row.trained.sum()):,} trained"
    return token_item(tokenizer, shown, lost, label if shown.trained.any() else f"{label}; {UNTRAINED}")


def token_item(tokenizer: Any, row: TokenizedRow, lost: np.ndarray, label: str) -> dict[str, Any]:
    """Return a row for the token panel: its first tokens, whether each is trained, and lost ones. lost: token ids."""
    read, marks = [], []
    trained = row.trained[:MAX_TOKENS].tolist()
    start = 0
    while start < len(trained):
        end = start
        while end < len(trained) and trained[end] == trained[start]:
            end += 1
        texts = text_preview.readable_tokens(tokenizer, row.ids[start:end].tolist())
        read += texts
        marks += [trained[start]] * len(texts)
        start = end
    room = max(0, MAX_TOKENS - len(trained))
    return {
        "label": label,
        "read": read,
        "marked": marks,
        "cut": text_preview.readable_tokens(tokenizer, lost[:room].tolist()),
        "more": max(0, len(row.ids) + len(lost) - len(trained) - min(room, len(lost))),
    }
