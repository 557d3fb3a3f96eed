"""The model card of a tabular model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autotrain_gradio.core.text_format import in_sentence, in_unit, pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import card
from autotrain_gradio.training.tabular import frame, report, search

MAX_SHOWN_COLUMNS = 40
"""Number of columns up to which the usage example lists them."""


def describe(
    run: Reporter,
    form: frame.Form,
    best: search.TrialResult,
    found: search.Search,
    metrics: Mapping[str, float],
    rows: Mapping[str, int],
    evaluated: str,
    disclosed: str,
    example: str,
) -> str:
    """Return the model card of the best model.

    evaluated: on what the metrics were measured. disclosed: see `disclosure.describe`. example: see `usage`.
    """
    facts = {
        "columns": ", ".join(
            f"{f.name} ({f.kind}{f', {in_unit(f.unit)}' if f.unit else ''})" for f in form.features[:50]
        ),
        "targets": ", ".join(
            f"{t['name']} ({in_unit(t['unit'])})" if t["unit"] else t["name"] for t in form.targets[:20]
        ),
        "training rows": rows["train"],
        "validation rows": rows.get("validation", 0),
        "model": best.family.title,
        "settings": ", ".join(f"{k} {v:.6g}" if isinstance(v, float) else f"{k} {v}" for k, v in best.settings.items()),
        f"cross-validated {in_sentence(found.problem.score.title)}": f"{best.score:.4f} ± {best.spread:.4f}",
        "trials": found.done,
    }
    return card.card(
        run,
        task=f"tabular-{form.problem_type}",
        title=f"Tabular {form.problem_type} model",
        library="sklearn",
        usage=example,
        data=facts,
        metrics=metrics,
        measured_on=evaluated,
        origin=f"{best.family.title}, the best of {pluralize(found.done, 'trial')}",
        note=report.selection_note(found, "validation" in rows) if metrics else "",
        disclosure=disclosed,
    )


def usage(name: str, form: frame.Form, loader_example: Callable[[str], str]) -> str:
    """Return example code that predicts a row, and a table, of typical values.

    Cells of columns that may hold personal data are missing in it.
    """
    cells = [f"    {f.name!r}: {f.example!r},{f'  # {in_unit(f.unit)}' if f.unit else ''}" for f in form.features]
    row = "\n".join(["{", *cells, "}"])
    if len(cells) > MAX_SHOWN_COLUMNS or "```" in row:  # "```" would end the code block
        row = "{feature.name: feature.example for feature in Predictor(model).form.features}"
    classes = "labels" if form.multi_label else "targets" if len(form.targets) > 1 else "label"
    answer = "values" if form.problem_type == "regression" else classes
    table = (
        "```python",
        "import csv",
        "",
        'with open("new_rows.csv", "w", encoding="utf-8", newline="") as file:',
        "    table = csv.DictWriter(file, value)",
        "    table.writeheader()",
        "    table.writerow(value)",
        'print(Predictor(model)([{"table": "new_rows.csv"}])[0]["file"])  # a table with the predictions',
        "```",
    )
    one = card.usage_code(loader_example(answer), f"./{name}", row)
    return f"{one}\n\nThe same for a file of rows:\n\n" + "\n".join(table)
