"""Folders of a retrieval benchmark (BEIR) as triplets, where queries have judged texts that do not answer them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import format_count
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import beir
from autotrain_gradio.data.layouts.beir import recognize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables

__all__ = ["read", "recognize"]

Row = tuple[str, str, str | None, int]
"""Query, positive, negative and location number."""


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each positive and each negative: `query`, `positive` and `negative`.

    Scores above 0 are those of positives. Where a query has no negative, no row has one.
    """
    raw = beir.read(tree, request, draft, progress)
    if not any("score" in table.column_names for table in raw.splits.values()):
        return raw
    found = {split: _triplets(table) for split, table in raw.splits.items()}
    found_none = sum(none for _, _, none in found.values())
    rows = [row for part, _, _ in found.values() for row in part]
    lacking = {row[0] for row in rows if row[2] is None}
    negatives = sum(count for _, count, _ in found.values())
    if lacking and negatives:
        text = f"{{n}} {{has}} no judged text with the score 0, so that the {negatives:,} of the others are not used."
        message = format_count(text, len(lacking), "query", "queries")
        raw.findings.append(
            Finding("info", "negatives-not-used", message, "Judge wrong texts of all queries, or none.")
        )
    if found_none:
        message = format_count(
            "{n} {has} no judged text with a score above 0 and {was} skipped.", found_none, "query", "queries"
        )
        raw.findings.append(Finding("warning", "query-without-positive", message, "Judge a text that answers each."))
    return replace(
        raw, splits={split: _table(part, with_negatives=not lacking) for split, (part, _, _) in found.items()}
    )


def _triplets(table: pa.Table) -> tuple[list[Row], int, int]:
    """Return rows with all positives and negatives of a query, the number of negatives, and of lost queries."""
    by_query: dict[str, tuple[list[tuple[str, int]], list[str]]] = {}
    columns = (table[name].to_pylist() for name in ("query", "passage", "score", LOCATION))
    for query, passage, score, location in zip(*columns, strict=True):
        positives, negatives = by_query.setdefault(query, ([], []))
        if float(score) > 0:
            positives.append((passage, location))
        else:
            negatives.append(passage)
    rows: list[Row] = []
    for query, (positives, negatives) in by_query.items():
        for k in range(max(len(positives), len(negatives)) if positives else 0):
            positive, location = positives[k % len(positives)]
            rows.append((query, positive, negatives[k % len(negatives)] if negatives else None, location))
    judged = by_query.values()
    return rows, sum(len(negatives) for _, negatives in judged), sum(not positives for positives, _ in judged)


def _table(rows: list[Row], *, with_negatives: bool) -> pa.Table:
    chosen = rows if with_negatives else list(dict.fromkeys((q, p, None, at) for q, p, _, at in rows))
    columns = {
        "query": pa.array([row[0] for row in chosen], pa.string()),
        "positive": pa.array([row[1] for row in chosen], pa.string()),
        LOCATION: pa.array([row[3] for row in chosen], pa.int64()),
    }
    if with_negatives:
        columns["negative"] = pa.array([row[2] for row in chosen], pa.string())
    return pa.table(columns)
