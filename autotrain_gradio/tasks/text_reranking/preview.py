"""Text reranking: preview of the pairs that are trained on, mined ones included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.tasks.text_reranking.pairs import RELEVANT, Pairs, training_pairs
from autotrain_gradio.tasks.text_reranking.tiny import tiny_pair_tokenizer
from autotrain_gradio.training import pretrained, text_preview
from autotrain_gradio.training.text_preview import load_ahead

__all__ = ["load_ahead", "preview"]

SHOWN = 4
"""Default number of displayed queries."""
CHARACTERS = 240


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show the pairs of a few queries, and the lengths of the pairs.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed queries (default 4, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)
    pairs = training_pairs(rows, params.negatives)
    queries = list(dict.fromkeys(pairs.queries))
    count = min(16, int(context.get("texts", SHOWN)))
    chosen = set(np.random.default_rng(params.seed).permutation(len(queries))[:count].tolist())
    wanted = {queries[i] for i in chosen}
    chosen_pairs = [p for p in zip(pairs.queries, pairs.passages, pairs.relevance, strict=True) if p[0] in wanted]
    chosen_pairs.sort(key=lambda pair: (pair[0], -pair[2]))
    shown = [[_short(q), _short(p), "right" if r >= RELEVANT else "wrong", round(r, 2)] for q, p, r in chosen_pairs]
    positives = sum(r >= RELEVANT for r in pairs.relevance)
    facts = {"queries": len(queries), "right passages": positives, "wrong passages": len(pairs) - positives}
    found = [
        panels.numbers("Training pairs", {**facts, "of these mined": pairs.mined}),
        panels.table("Pairs of a few queries", ["query", "passage", "", "relevance"], shown, id="pairs"),
    ]
    try:
        tokenizer, most = text_preview.preview_tokenizer(spec.model, (), "AutoModelForSequenceClassification")
    except pretrained.ModelError as error:
        return [*found, *text_preview.not_downloaded(spec.model, len(pairs), error)]
    if spec.model == TINY:
        tokenizer = tiny_pair_tokenizer([*pairs.queries, *pairs.passages])
    some = text_preview.measured_rows(len(pairs), params.seed).tolist()
    part = Pairs([pairs.queries[i] for i in some], [pairs.passages[i] for i in some])
    lengths = tokenizer(part.queries, part.passages, verbose=False, return_attention_mask=False)["input_ids"]
    limit = min(params.max_seq_length, most or params.max_seq_length)
    measured = np.array([len(ids) for ids in lengths])
    wanted_length, noun = params.max_seq_length, "pairs"
    return [*found, *text_preview.length_panels(measured, limit, wanted=wanted_length, rows=len(pairs), noun=noun)]


def _short(text: str) -> str:
    return truncate(" ".join(text[: 4 * CHARACTERS].split()), CHARACTERS)
