"""Evaluation by two processes: rank 0 computes the metrics, of each row once, and writes; both select by them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, os, sys
from pathlib import Path

sys.path[:0] = json.loads(sys.argv[2])
import torch
from test_evaluator import Linear, PointEvaluator, Points, reporter
from transformers import Trainer, TrainingArguments

from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators.classes import reduce_logits
from autotrain_gradio.training.fit import fit

folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
made = reporter(folder / f"made-{rank}", batch_size=4, epochs=2)
run = Reporter(folder / "run", made.spec, made.params, rank=rank)


class Sampled(PointEvaluator):
    def update(self, outputs, targets, rows):
        super().update(outputs, targets, rows)
        (folder / f"fed-{rank}").touch()

    def sample_panel(self):
        (folder / f"sample-{rank}").touch()


rows = Points(21, 2)  # batches of 8: 5 rows in the last one, filled up to 8
best = Metric("accuracy", "Accuracy")
evaluation = Evaluation(run, 21, "points", make=lambda: Sampled(rows.targets), reduce=reduce_logits, declared=[best])
trainer = Trainer(
    model=Linear(),
    args=arguments(run.params, TrainingArguments, run, train_rows=40, validates=True, best=best),
    train_dataset=Points(40, 1),
    eval_dataset=rows,
    **evaluation.trainer_arguments(),
)
assert trainer.args.world_size == 2
values, report = evaluation.finish(trainer, fit(trainer, run, evaluation))
logits = trainer.model(torch.tensor(rows.points)).logits
found = {
    "values": values,
    "panels": len(report),
    "predicted": evaluation.best.predictions.predicted.tolist() if evaluation.best else None,
    "expected": logits.argmax(1).tolist(),
    "accuracy": (logits.argmax(1).numpy() == rows.targets).mean().item(),
}
(folder / f"{rank}.json").write_text(json.dumps(found))
torch.distributed.destroy_process_group()
"""


def test_two_processes_evaluate_each_row_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "spec.json").write_text("{}")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    here = Path(__file__).parent
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    paths = json.dumps([str(here), str(here.parents[2])])
    ended = subprocess.run(
        [*command, str(tmp_path), paths], env=environment, capture_output=True, text=True, timeout=180
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first["values"] == second["values"], "all ranks choose the same checkpoint"
    assert first["predicted"] == first["expected"] and len(first["predicted"]) == 21
    assert first["values"]["accuracy"] == pytest.approx(first["accuracy"])
    assert (first["panels"], second["panels"]) == (2 + 1, 0)
    for name in ("sample", "fed"):
        assert (tmp_path / f"{name}-0").exists() and not (tmp_path / f"{name}-1").exists()
