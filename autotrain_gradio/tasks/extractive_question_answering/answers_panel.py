"""The panel kind `answers`: questions with their contexts, in which gold answers and predictions are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.folded_list import folded_list
from autotrain_gradio.core.panels.text_table import cell_text, more_lines

AROUND = 120
"""Characters of a context that are shown before and after the answers."""
CHARACTERS = 900
"""Characters of a context up to which all of it is shown."""
NO_ANSWER = "(no answer)"
GOLD, PREDICTED, BOTH = "gold", "predicted", "both"
TAGS = {GOLD: ("[-", "-]"), PREDICTED: ("{+", "+}"), BOTH: ("[", "]")}
"""Signs around the marked parts in text: as wdiff marks the two sides."""
CLASSES = {GOLD: "at-swap", PREDICTED: "at-extra", BOTH: "at-right"}
TITLES = {GOLD: "true answer", PREDICTED: "predicted", BOTH: "true and predicted"}
Span = Sequence[int]
"""Begin and end, in characters of the context."""


def answers_panel(
    title: str,
    items: Sequence[Mapping[str, Any]],
    *,
    note: str = "",
    id: str = "",
    examples: Mapping[str, Sequence[str]] | None = None,
) -> Panel:
    """Return questions and their marked contexts; contexts are shortened here, so that a panel stays small.

    items: each has `question` and `context`, and may have `gold` (spans), `gold_text` (texts; none: the question has no
    answer), `predicted` (a span, or None for "no answer"), `answer` (the predicted text; absent: nothing was
    predicted), `score` and `caption` (a short line). examples: as in `panels.table`.
    """
    fields: dict[str, Any] = {"items": [_short(item) for item in items]}
    if examples:
        fields["examples"] = {name: list(values) for name, values in examples.items()}
    return new_panel("answers", title, id=id, note=note, **fields)


def _short(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item whose context is a list of `[text, mark]`, shortened between the marked parts."""
    kept = {k: item[k] for k in ("question", "gold_text", "answer", "score", "caption") if k in item}
    predicted = item.get("predicted")
    return {**kept, "parts": marked_parts(item["context"], item.get("gold") or [], predicted)}


def marked_parts(context: str, gold: Sequence[Span], predicted: Span | None) -> list[list[str]]:
    """Return the context as a list of `[text, mark]`; mark: `gold`, `predicted`, `both`, or empty."""
    spans = [*gold, *([predicted] if predicted is not None else [])]
    edges = sorted({0, len(context), *(min(max(e, 0), len(context)) for span in spans for e in span)})
    parts = []
    for begin, end in zip(edges, edges[1:], strict=False):
        in_gold = any(b <= begin and end <= e for b, e in gold)
        in_predicted = predicted is not None and predicted[0] <= begin and end <= predicted[1]
        mark = BOTH if in_gold and in_predicted else GOLD if in_gold else PREDICTED if in_predicted else ""
        parts.append([context[begin:end], mark])
    if len(context) <= CHARACTERS:
        return parts
    last = len(parts) - 1
    return [[text if mark else _cut(text, first=n == 0, last=n == last), mark] for n, (text, mark) in enumerate(parts)]


def _cut(text: str, *, first: bool, last: bool) -> str:
    """Return an unmarked part with its ends next to marked parts only."""
    if first and last:
        return text[:CHARACTERS] + " …"
    if first:
        return text if len(text) <= AROUND else "… " + text[-AROUND:]
    if last:
        return text if len(text) <= AROUND else text[:AROUND] + " …"
    return text if len(text) <= 2 * AROUND else f"{text[:AROUND]} … {text[-AROUND:]}"


def html(panel: Panel, context: RenderContext) -> str:
    """Return a list of questions, each with its answers and the marked context."""
    used = [m for m in TITLES if any(mark == m for item in panel["items"] for _, mark in item["parts"])]
    marks = " ".join(_part(TITLES[mark], mark) for mark in used) if any("answer" in i for i in panel["items"]) else ""
    legend = f"<p class='at-note at-context at-differences'>Marked: {marks}</p>" if marks else ""
    return legend + folded_list("at-transcripts at-answers", [_item(item) for item in panel["items"]])


def _item(item: Mapping[str, Any]) -> str:
    pairs = [("Question", escape(str(item["question"])))]
    if "answer" in item:
        pairs.append(("Predicted", _answer(item)))
    if "gold_text" in item:
        pairs.append(("True" if "answer" in item else "Answer", _listed(item["gold_text"])))
    rows = "".join(f"<dt>{name}</dt><dd dir='auto'>{value}</dd>" for name, value in pairs)
    parts = "".join(_part(text, mark) for text, mark in item["parts"])
    caption = f"<p class='at-detail'><bdi>{escape(str(item['caption']))}</bdi></p>" if item.get("caption") else ""
    return f"<li><dl>{rows}</dl><p class='at-context' dir='auto'>{parts}</p>{caption}</li>"


def _answer(item: Mapping[str, Any]) -> str:
    text = f"<b>{escape(item['answer'])}</b>" if item["answer"] else f"<span class='at-quiet'>{NO_ANSWER}</span>"
    score = item.get("score")
    return text if score is None else f"{text} <span class='at-quiet'>{float(score):.2f}</span>"


def _listed(texts: Sequence[str]) -> str:
    return escape(" | ".join(texts)) if texts else f"<span class='at-quiet'>{NO_ANSWER}</span>"


def _part(text: str, mark: str) -> str:
    if not mark:
        return escape(text)
    return f"<mark class='{CLASSES[mark]}' title='{TITLES[mark]}'>{escape(text)}</mark>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return a few lines for each question; in contexts `[-true-]`, `{+predicted+}`, and `[both]`."""
    lines = []
    for item in panel["items"][: context.rows]:
        lines.append(f"  {cell_text(item['question'])}")
        if "answer" in item:
            score = "" if item.get("score") is None else f" ({float(item['score']):.2f})"
            lines.append(f"    predicted: {cell_text(item['answer']) or NO_ANSWER}{score}")
        if "gold_text" in item:
            name = "true" if "answer" in item else "answer"
            lines.append(f"    {name}: {cell_text(' | '.join(item['gold_text'])) or NO_ANSWER}")
        marked = "".join(_tagged(part, mark) if mark else part for part, mark in item["parts"])
        lines.append(f"    {cell_text(marked)}")
        if item.get("caption"):
            lines.append(f"    {cell_text(item['caption'])}")
    return "\n".join(lines) + more_lines(len(panel["items"]), context.rows)


def _tagged(text: str, mark: str) -> str:
    before, after = TAGS[mark]
    return f"{before}{text}{after}"
