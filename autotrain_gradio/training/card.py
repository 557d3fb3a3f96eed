"""The folder of the trained model: weights, processor, model card and training parameters."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.runs.record import write_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import distributed

MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
"""Characters with a meaning in Markdown; an underscore only next to a character that is not a letter or digit."""


def save(run: Reporter, write: Callable[[Path], None], card: str) -> None:
    """Write `model/` completely, or leave it unchanged.

    write: saves model and processor into the given folder, and verifies that they can be loaded.
    """
    if distributed.rank() > 0:
        return  # rank 0 saves for all
    partial = run.directory / "model.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        write(partial)
        (partial / "training_args.bin").unlink(missing_ok=True)  # a pickle, which is unsafe to load
        (partial / "README.md").write_text(card, encoding="utf-8")
        settings = portable(run.spec.model_dump(mode="json"))
        settings["params"] = run.params.model_dump(mode="json")
        write_json(partial / "training_params.json", settings)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    earlier = run.directory / "model.earlier"
    shutil.rmtree(earlier, ignore_errors=True)
    if run.model.exists():
        run.model.rename(earlier)
    partial.rename(run.model)
    shutil.rmtree(earlier, ignore_errors=True)
    run.artifact("model", run.model)


def portable(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec with local folders reduced to their names, so that a published model reveals no paths."""
    for section, key in ((spec, "model"), (spec["data"], "path")):
        if Path(section[key]).is_absolute():
            section[key] = Path(section[key]).name
    return spec


def card(
    run: Reporter,
    *,
    task: str,
    title: str,
    library: str,
    usage: str,
    data: Mapping[str, Any],
    metrics: Mapping[str, float],
    measured_on: str,
    origin: str = "",
    disclosure: str = "",
    note: str = "",
) -> str:
    """Write a model card: data, parameters, metrics and usage.

    task: the Hub's pipeline tag. metrics: name → value on the validation rows; empty: the model was not evaluated.
    usage: a code block, see `usage_code`, perhaps with text and other blocks below. note: text below the metrics.
    """
    spec, name = run.spec, run.spec.project_name
    results = [
        EvalResult(task_type=task, dataset_type="custom", dataset_name=measured_on, metric_type=k, metric_value=v)
        for k, v in metrics.items()
    ]
    base = spec.model if not origin and spec.model != TINY and not Path(spec.model).is_absolute() else None
    front = ModelCardData(
        base_model=base,
        library_name=library,
        pipeline_tag=task,
        tags=[task, "autotrain-gradio"],
        model_name=name if results else None,
        eval_results=results or None,
    )
    start = (
        "a small randomly initialized model"
        if spec.model == TINY
        else Path(spec.model).name
        if base is None
        else spec.model
    )
    measured = _table(("metric", "value"), {k: f"{v:.4f}" for k, v in metrics.items()})
    no_metrics = "No metrics were computed, because the data has no validation split or the training was stopped early."
    changed = run.params.model_dump(mode="json")
    parts = [
        f"---\n{front.to_yaml()}\n---",
        f"# {name}",
        f"{title}: {origin}." if origin else f"{title}, fine-tuned from {start}.",
        "## Results",
        f"On {measured_on}:\n\n{measured}" if metrics else no_metrics,
        *([note] if note else []),
        "## Use",
        usage.strip(),
        "## Data",
        _table(("", ""), {k: str(v) for k, v in data.items()}),
        *(["## Information about the data in the files", disclosure] if disclosure else []),
        "## Training",
        _table(("parameter", "value"), {k: str(v) for k, v in changed.items()}),
    ]
    text = "\n\n".join(parts) + "\n"
    return str(ModelCard(text))


def usage_code(loader_example: str, model: str, value: str) -> str:
    """Return a task's `loader_example` as a code block that can be run: for a model, with an example of an input.

    model: path or Hub id. value: the input as a Python expression, such as `"photo.jpg"`.
    """
    code = loader_example.strip()
    lines = code.splitlines()
    imports = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    end = imports[-1].end_lineno if imports else 0
    given = [f'model = "{model}"', f"value = {value}"]
    rest = "\n".join(lines[end:]).strip()
    return "\n".join(["```python", *lines[:end], "", *given, "", rest, "print(answer)", "```"])


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {_cell(k)} | {_cell(v)} |" for k, v in rows.items()]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Escape text for a table cell: nothing in it is interpreted as Markdown, HTML or a formula."""
    marked = MARKUP.sub(lambda found: "\\" + found[0], " ".join(text.split()))
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
