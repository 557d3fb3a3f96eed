"""Previews of preferences: lengths, and the tokens of both answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.training import chat_template_support, language_models, language_preview, text_preview
from autotrain_gradio.training.chat_templates import TemplateFailure, TokenizedRow, choose_template
from autotrain_gradio.training.preference_rows import Pair, PairLimits, PairTokenizer, limit_pairs
from autotrain_gradio.training.preference_run import conversations_of, texts_of
from autotrain_gradio.training.pretrained import ModelError

NOTE = (
    "Each box is a token. The log-probabilities of the marked tokens are compared; the others are the prompt. "
    "Truncated tokens are not shown."
)


def preview_pairs(spec: RunSpec, params: Any, draft: Path, context: Mapping[str, Any]) -> list[Panel]:
    """Show how long the rows are, what becomes of those above the maximum lengths, and the tokens of a few.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed rows (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
        UserError: the chat template cannot be used.
    """
    rows = data.load(draft)["train"]
    try:
        tokenizer, most = language_preview.open_tokenizer_of(spec.model, lambda: texts_of(rows))
    except ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    template = choose_template(tokenizer, params.chat_template)
    measured = rows.select(text_preview.measured_rows(len(rows), params.seed))
    made: list[Pair] = []
    failed: dict[int, TemplateFailure] = {}
    for number, row in enumerate(PairTokenizer(tokenizer, template).pairs(measured)):
        if isinstance(row, TemplateFailure):
            failed[number] = row
        else:
            made.append(row)
    notes = [template.note, chat_template_support.dropped_note(tokenizer, template, conversations_of(measured))]
    if failed:
        first = next(iter(failed.values()))
        where = join_examples([str(n + 1) for n in failed])
        notes.append(f"{count_with_verb(len(failed), 'row', 'will')} be skipped ({where}): {first.message}")
    if not made:
        return [panels.numbers("Row lengths in tokens", {"rows": len(rows)}, note=" ".join(filter(None, notes)))]
    limit, wanted = language_models.sequence_limit(most, params), language_models.sequence_limit(None, params)
    if limit < wanted:
        notes.append(f"The model supports at most {limit:,} tokens, not {wanted:,}.")
    if len(measured) < len(rows):
        notes.append(f"Measured on {len(measured):,} of {len(rows):,} rows, a random sample.")
    limits = PairLimits.of(params, limit)
    kept, _, counts = limit_pairs(made, limits)
    notes.append(counts.message())
    if counts.untrained:
        skipped = count_with_verb(counts.untrained, "row", "will")
        notes.append(f"{skipped} be skipped: the answers do not differ any more when they are truncated.")
    lengths = np.asarray(counts.lengths)
    facts = panels.numbers(
        "Row lengths in tokens",
        {
            "median tokens": int(np.median(lengths)),
            "95th percentile": int(np.quantile(lengths, 0.95, method="higher")),
            "longest": int(lengths.max()),
            "maximum sequence length": limit,
            "rows above a maximum": f"{counts.longer:,} ({counts.longer / len(lengths):.1%})",
            "median tokens of a prompt": int(np.median([len(pair.prompt) for pair in made])),
        },
        note=" ".join(filter(None, notes)),
    )
    facts["longest_example"] = min(int(lengths.max()), limit)
    facts["examples_per_row"] = len(kept) / len(measured)
    histogram = {**text_preview.length_histogram(lengths, limit, noun="rows"), "note": ""}
    shown = min(16, int(context.get("texts", 3)))
    picked = np.sort(np.random.default_rng(params.seed).permutation(len(made))[:shown]).tolist()
    items = [item for i in picked for item in _items(tokenizer, made[i], limits, i)]
    return [facts, histogram, panels.tokens("Rendered rows", items, note=NOTE)]


def _items(tokenizer: Any, pair: Pair, limits: PairLimits, number: int) -> list[dict[str, Any]]:
    """Return both answers of a row for the token panel, after the prompt and as they are trained on."""
    kept = limits.apply(pair)
    end = "" if kept is not None else "; the row is skipped"
    pair = kept if kept is not None else pair
    found = []
    for name, answer in (("preferred", pair.chosen), ("rejected", pair.rejected)):
        ids = np.concatenate([pair.prompt, answer])
        row = TokenizedRow(ids, np.arange(len(ids)) >= len(pair.prompt))
        label = f"row {number + 1}, {name} answer: {pluralize(len(answer), 'token')} after {len(pair.prompt):,}{end}"
        found.append(language_preview.token_item(tokenizer, row, ids[:0], label))
    return found
