"""Pairs and triplets of texts: texts that equal each other, duplicates, and texts shared by training and validation.

Rows that share a text, directly or through other rows, are kept in the same split: a query whose answer was seen in the
training would make the score too good.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import format_count, join_examples, pluralize
from autotrain_gradio.data.catalog import GROUP
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows
from autotrain_gradio.data.values.content_ids import of_texts

SHARED = "shared text"
"""Name of the groups of rows with a common text, in the description of the split."""
DISTINCT = 0.1
"""Share of distinct positives below which most batches would hold one of them twice."""
EQUAL_SCORE = 0.9
"""Lowest similarity of a text with itself that is not reported."""
SHOWN = 5


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Compare the texts of each row, and the rows with each other. Runs before the split.

    The columns of texts are, in their order, a query or anchor, its positive and perhaps its negative; with another
    target, two texts that are compared.
    """
    roles = [role for role in rows.cells if role in rows.columns and rows.columns[role].kind.texts]
    if len(roles) < 2:
        return
    ids = text_ids(rows, roles)
    target = next((role for role in rows.having("target") if role not in roles), None)
    if target is not None:
        yield from _identical_with_score(rows, ids, rows.cells[target])
    else:
        yield from _identical(rows, ids)
        yield from _few_positives(rows, ids, roles[1])
    yield from _duplicates(rows, ids, None if target is None else rows.cells[target])
    yield from _in_both_splits(rows, ids)
    if not rows.validation.any():
        _keep_together(rows, ids, request.spec.valid_fraction)


def text_ids(rows: Rows, roles: list[str]) -> np.ndarray:
    """Return the number of each text (roles, rows), equal for texts that differ only by case and spaces."""
    chunks = [chunk for role in roles for chunk in rows.cells[role].values.cast(pa.string()).chunks]
    ids = np.asarray(of_texts(pa.chunked_array(chunks, pa.string())))
    alone = ids < 0  # a text that occurs once
    ids[alone] = ids.max(initial=-1) + 1 + np.arange(np.count_nonzero(alone))
    return ids.reshape(len(roles), len(rows))


def _identical(rows: Rows, ids: np.ndarray) -> Iterator[Finding]:
    """Skip pairs of a text with itself, and triplets whose negative is one of the other two."""
    for other, code, text in (
        (1, "positive-equals-anchor", "{n} {has} the same text as anchor and positive"),
        (2, "negative-equals-other", "{n} {has} a negative that is also the anchor or the positive"),
    ):
        if other >= len(ids):
            continue
        same = np.flatnonzero(rows.needed & (ids[other] == ids[:other]).any(axis=0))
        rows.drop(same, code)
        hint = "They teach nothing. Correct them if they are mistakes."
        yield from rows.findings("warning", code, text + " and {was} skipped", same, hint)


def _identical_with_score(rows: Rows, ids: np.ndarray, target: Cells) -> Iterator[Finding]:
    """Report pairs of a text with itself whose similarity is low."""
    if target.names is None:
        values = target.values.to_numpy(zero_copy_only=False)
        wrong = np.flatnonzero(rows.needed & (ids[0] == ids[1]) & (values < EQUAL_SCORE))
        text, hint = "{n} {has} two equal texts with a similarity below 90%", "Correct the similarities."
        yield from rows.findings("warning", "equal-texts-low-score", text, wrong, hint)


def _few_positives(rows: Rows, ids: np.ndarray, role: str) -> Iterator[Finding]:
    """Report that few texts are the positive of most rows: a batch holds each of them once."""
    used = rows.indices()
    distinct = len(np.unique(ids[1][used]))
    if used.size and distinct < DISTINCT * len(used):
        title = rows.columns[role].title.lower()
        message = f"{pluralize(len(used), 'row')} have only {pluralize(distinct, 'different text')} as the {title}."
        hint = (
            "The negatives of a row are the texts of other rows: a few different ones teach little. If the texts are "
            "names of classes, text classification fits better."
        )
        yield Finding("warning", "few-positives", message, hint, f"data.columns.{role}")


def _duplicates(rows: Rows, ids: np.ndarray, target: Cells | None) -> Iterator[Finding]:
    """Report rows with the same texts, in any order for a pair with a target, and with different targets."""
    used = rows.indices()
    key = np.sort(ids[:, used], axis=0) if target is not None else ids[:, used]
    content = pd.DataFrame(key.T).groupby(list(range(len(ids))), sort=False).ngroup().to_numpy()
    table = pd.DataFrame({"content": content, "row": used})
    table = table[table.content.duplicated(keep=False)]
    if table.empty:
        return
    if target is not None:
        values = target.labels.signatures(table.row.to_numpy()) if target.names is not None else None
        table["target"] = values if values is not None else target.values.to_numpy(zero_copy_only=False)[table.row]
        groups = table.groupby("content", sort=False)
        mixed = groups.target.nunique()
        mixed = mixed.index[mixed > 1]
        if len(mixed):
            what = "scores" if values is None else "relations"
            shown = [_places(rows, table.row[table.content == c].tolist()) for c in mixed[:SHOWN]]
            text = f"{{n}} {{occurs}} more than once with different {what}"
            message = f"{format_count(text, len(mixed), 'pair')}: {join_examples(shown, len(mixed))}."
            hint = "Correct them: a model cannot learn both."
            yield Finding("warning", "same-pair-other-target", message, hint, str(rows.locations[table.row.iloc[0]]))
    contents = table.content.unique()
    shown = [_places(rows, table.row[table.content == c].tolist()) for c in contents[:SHOWN]]
    count = len(table) - len(contents)
    message = f"{pluralize(count, 'duplicate row')}: {join_examples(shown, len(contents))}."
    yield Finding("info", "duplicates", message)


def _places(rows: Rows, group: list[int]) -> str:
    """Return the locations of the first rows of a group: "pairs.csv, rows 3 = 7"."""
    places = [rows.locations[i].rpartition(", row ") for i in group[:3]]
    if len({file for file, _, _ in places}) == 1 and places[0][0]:
        return f"{places[0][0]}, rows " + " = ".join(number for _, _, number in places)
    return " = ".join(str(rows.locations[i]) for i in group[:3])


def _in_both_splits(rows: Rows, ids: np.ndarray) -> Iterator[Finding]:
    """Report validation rows whose texts the given training split has too."""
    train, valid = rows.indices("train"), rows.indices("validation")
    if not len(valid):
        return
    trained = {tuple(row) for row in ids[:, train].T.tolist()}
    again = np.array([row for row in valid.tolist() if tuple(ids[:, row].tolist()) in trained], dtype=np.int64)
    text = "{n} {is} also in the training split, so that the results look better than they are"
    hint = "Remove them from one of the two."
    yield from rows.findings("warning", "same-in-train-and-validation", text, again, hint, noun="validation row")
    known = valid[np.isin(ids[0][valid], ids[0][train]) & ~np.isin(valid, again)]
    text = "{n} {has} a first text that the training split has too"
    yield from rows.findings("info", "query-in-both-splits", text, known, noun="validation row")


def _keep_together(rows: Rows, ids: np.ndarray, fraction: float) -> None:
    """Declare groups of rows that share a text, unless one of them has too many rows to be split off.

    Then only rows with the same first text stay together.
    """
    used = rows.indices()
    if not len(used):
        return
    texts = ids[: min(2, len(ids)), used]
    numbers = np.unique(texts, return_inverse=True)[1].reshape(texts.shape)
    size = int(numbers.max()) + 1
    graph = coo_array((np.ones(len(used), dtype=np.int8), (numbers[0], numbers[1])), shape=(size, size))
    group = connected_components(graph, directed=False)[1][numbers[0]]
    counts = np.bincount(group)
    if counts.max() > max(2, (1 - fraction) / 2 * len(used)):
        group = numbers[0]
        counts = np.bincount(group)
    whole = np.full(len(rows), -1, dtype=np.int64)
    whole[used] = np.where(counts[group] > 1, group, -1)
    column = Column(SHARED, "Shared text", GROUP, "Rows with a common text.", purpose="group", required=False)
    rows.columns[SHARED] = column
    rows.cells[SHARED] = Cells([None] * len(rows), {}, {"digest": whole}, stored=False)
