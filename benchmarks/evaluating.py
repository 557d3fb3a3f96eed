"""Peak memory and time of an evaluation without the model, compared with storing the logits of all rows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

from autotrain_gradio.core.text_format import MIB
from benchmarks.rows import Row, peak_memory

ROWS, CLASSES, BATCH = 200_000, 1_000, 500
TEXTS, TOKENS, VOCABULARY, TEXT_BATCH = 80, 64, 150_000, 4


def _evaluate(evaluation: Any, reduce: Any, logits: Any, labels: Any) -> dict[str, float]:
    """Reduce each batch and pass it to `compute_metrics`, as a Trainer does."""
    found: dict[str, float] = {}
    for start in range(0, len(labels), len(logits)):
        batch = labels[start : start + len(logits)]
        reduced = reduce(logits, batch)
        last = start + len(batch) == len(labels)
        found = evaluation.compute_metrics(SimpleNamespace(predictions=reduced, label_ids=batch), compute_result=last)
    return found


def _case(name: str) -> dict[str, float]:
    """Run one case in this process; return seconds and bytes of memory, without the inputs and one batch of logits."""
    import torch

    from autotrain_gradio.training.evaluator import Evaluation
    from autotrain_gradio.training.evaluators import classes, labels, tokens

    torch.manual_seed(0)
    run: Any = SimpleNamespace()
    # Lazy imports must not count as memory of the evaluation.
    import sklearn.metrics  # noqa: F401

    import autotrain_gradio.training.metrics.modules  # noqa: F401

    if name == "tokens":
        logits: Any = torch.randn(TEXT_BATCH, TOKENS, VOCABULARY)
        targets = torch.randint(0, VOCABULARY, (TEXTS, TOKENS))
        evaluation = Evaluation(run, TEXTS, "texts", make=tokens.TokenEvaluator, declared=[])
        reduce = tokens.reduce_logits
    else:
        logits = torch.randn(BATCH, CLASSES)
        names = [f"class {i}" for i in range(CLASSES)]
        if name == "classes":
            targets = torch.randint(0, CLASSES, (ROWS,))
            make: Any = lambda: _Adapter(classes.ClassPredictions(targets.numpy(), names, "rows"))  # noqa: E731
            reduce = classes.reduce_logits
        else:
            logits -= 3
            targets = torch.zeros((ROWS, CLASSES), dtype=torch.int8)
            targets.scatter_(1, torch.randint(0, CLASSES, (ROWS, 3)), 1)
            groups = torch.randint(0, 1000, (ROWS,)).numpy()
            make = lambda: _Adapter(  # noqa: E731
                labels.LabelPredictions(groups, names, "rows", threshold=0.5, tune=True, seed=0)
            )
            reduce = labels.reduce_logits
        evaluation = Evaluation(run, ROWS, "rows", make=make, declared=[])
    before, began = peak_memory(), time.perf_counter()
    found = _evaluate(evaluation, reduce, logits, targets)
    assert found
    return {"seconds": time.perf_counter() - began, "bytes": float(peak_memory() - before)}


class _Adapter:
    """Adapts the predictions of an evaluation to the evaluator protocol."""

    def __init__(self, predictions: Any) -> None:
        self.update, self.compute = predictions.update, predictions.metrics


def measure() -> list[Row]:
    """Measure each case in a process of its own."""
    cases = {
        "classes": (f"evaluating {ROWS:,} rows × {CLASSES:,} classes", 4 * ROWS * CLASSES),
        "labels": (f"evaluating {ROWS:,} rows × {CLASSES:,} labels, thresholds tuned", 4 * ROWS * CLASSES),
        "tokens": (f"evaluating {TEXTS} × {TOKENS} tokens, vocabulary {VOCABULARY:,}", 4 * TEXTS * TOKENS * VOCABULARY),
    }
    rows = []
    for name, (title, whole) in cases.items():
        command = [sys.executable, "-m", "benchmarks.evaluating", name]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        ours = f"{found['bytes'] / MIB:.0f} MiB, {found['seconds']:.1f} s"
        target = 0.5 if name == "labels" else 0.1
        rows.append(Row(f"{title}: memory", ours, f"{whole / MIB:,.0f} MiB of logits", found["bytes"] / whole, target))
    return rows


if __name__ == "__main__":
    print(json.dumps(_case(sys.argv[1])))
