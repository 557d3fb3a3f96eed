"""Training by two processes: each row once in an epoch, the metrics on all validation rows, one saved model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from transformers import AutoModelForSeq2SeqLM

from autotrain_gradio.tasks.seq2seq import TASK
from autotrain_gradio.tasks.seq2seq import train as task

SCRIPT = """
import os, sys
from pathlib import Path

import torch.distributed
from autotrain_gradio.worker.training import train

done = train(Path(sys.argv[1]), 1, False)
torch.distributed.destroy_process_group()
sys.exit(0 if done else 1)
"""


def test_two_processes_train_and_evaluate_each_row_once(pair_trial: Callable[..., Any]) -> None:
    assert "distributed" in TASK.can
    made = pair_trial(epochs=2, batch_size=4)
    script = made.directory / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [*command, str(made.directory)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-3000:] + ended.stdout[-3000:]
    assert [e["state"] for e in made.events("state")][-1] == "completed"
    train_rows = 48
    assert max(made.steps()) == 2 * train_rows // (2 * 4)
    values = made.events("result")[-1]["values"]
    assert {"eval_chrf", "eval_loss"} <= set(values)
    report = json.loads((made.directory / "report.json").read_text(encoding="utf-8"))
    assert any("12 validation" in panel.get("note", "") for panel in report)
    model = AutoModelForSeq2SeqLM.from_pretrained(made.directory / "model")
    assert sum(p.numel() for p in model.parameters()) > 1000
    assert task.load(made.directory)([{"text": "red cat sees blue dog"}])[0]["text"] is not None
