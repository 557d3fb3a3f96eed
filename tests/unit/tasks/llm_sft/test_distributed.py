"""Training by two processes: each row once in an epoch, the metrics on all validation rows, one saved model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from autotrain_gradio import data
from autotrain_gradio.tasks.llm_sft import TASK
from autotrain_gradio.tasks.llm_sft import train as task
from autotrain_gradio.training import language_models
from tests.contract.headlines.perplexity import measure_model
from tests.unit.tasks.llm_sft.conftest import chats

SCRIPT = """
import sys
from pathlib import Path

import torch.distributed
from autotrain_gradio.worker.training import train

done = train(Path(sys.argv[1]), 1, False)
torch.distributed.destroy_process_group()
sys.exit(0 if done else 1)
"""


def train_by_two(made: Any) -> None:
    """Train a run by two processes on the CPU."""
    script = made.directory / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [*command, str(made.directory)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, f"{made.events('error')}\n{ended.stderr[-3000:]}{ended.stdout[-3000:]}"
    assert [e["state"] for e in made.events("state")][-1] == "completed"


def losses(made: Any) -> list[float]:
    return [e["values"]["loss"] for e in made.events("metric") if "loss" in e["values"]]


@pytest.mark.parametrize("peft", [True, pytest.param(False, marks=pytest.mark.long)])
def test_two_processes_train_and_evaluate_each_row_once(
    chat_trial: Callable[..., Any], tmp_path: Path, peft: bool
) -> None:
    assert "distributed" in TASK.can
    folder = language_models.tiny_model(tmp_path / "model", texts=[json.dumps(row) for row in chats(20)])
    settings = {"model": str(folder), "logging_steps": 1, "peft": peft, "lora_dropout": 0.0, "epochs": 1}
    # With weights that do not change, the losses of an epoch have the same mean however the rows are spread.
    two = chat_trial(run="two", batch_size=2, lr=1e-12, **settings)
    train_by_two(two)
    one = chat_trial(run="one", batch_size=4, lr=1e-12, **settings)
    task.train(one.reporter())
    assert len(losses(two)) == len(losses(one)) == 5
    result, wanted = (made.events("result")[-1]["values"] for made in (two, one))
    assert result == pytest.approx(wanted, rel=1e-4)
    report = json.loads((two.directory / "report.json").read_text(encoding="utf-8"))
    assert "4 validation sequences" in report[0]["note"]
    assert len(two.events("sample")) == len(two.events("checkpoint")) == 1


@pytest.mark.long
def test_two_processes_learn_what_one_does(chat_trial: Callable[..., Any]) -> None:
    made = chat_trial(batch_size=2, epochs=8, logging_steps=1)
    train_by_two(made)
    assert max(made.steps()) == 8 * 20 // (2 * 2)
    curve = losses(made)
    assert np.mean(curve[-5:]) < 0.5 * np.mean(curve[:5])
    values = made.events("result")[-1]["values"]
    assert measure_model(data.load(made.directory), made.directory / "model") == pytest.approx(
        values["eval_perplexity"], rel=1e-3
    )
    assert len(AutoTokenizer.from_pretrained(made.directory / "model")) > 10
