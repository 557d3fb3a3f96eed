"""The private members of the Trainer: they are as expected in the installed version, and used in one module only."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import transformers
from transformers import Trainer
from trl import DPOTrainer, GRPOTrainer

import autotrain_gradio
from autotrain_gradio.training import trainer_internals

PRIVATE = (
    "_save_checkpoint",
    "_load_best_model",
    "_prepare_inputs",
    "_get_train_sampler",
    "_issue_warnings_after_load",
    "_determine_best_metric",
)


def test_the_private_members_exist_in_the_installed_version() -> None:
    assert transformers.__version__.startswith(trainer_internals.VERSION)
    parameters = {name: list(inspect.signature(getattr(Trainer, name)).parameters) for name in PRIVATE}
    assert parameters == {
        "_save_checkpoint": ["self", "model", "trial"],
        "_load_best_model": ["self"],
        "_prepare_inputs": ["self", "inputs"],
        "_get_train_sampler": ["self", "train_dataset"],
        "_issue_warnings_after_load": ["self", "load_result"],
        "_determine_best_metric": ["self", "metrics", "trial"],
    }
    assert "self._train_batch_size" in inspect.getsource(Trainer)
    assert "self._n_gpu" in inspect.getsource(transformers.TrainingArguments)


def test_the_sampler_of_groups_replaces_that_of_trl() -> None:
    assert list(inspect.signature(GRPOTrainer._get_train_sampler).parameters) == ["self", "dataset"]
    source = inspect.getsource(GRPOTrainer.get_train_dataloader)
    assert "sampler_fn=self._get_train_sampler" in source
    # The batches that the sampler repeats are those that the trainer asks for.
    assert "self._train_batch_size * self.args.steps_per_generation" in source


def test_the_private_members_of_trl_exist_in_the_installed_version() -> None:
    for name in ("_prepare_dataset", "_precompute_ref_logps"):
        parameters = list(inspect.signature(getattr(DPOTrainer, name)).parameters)
        assert parameters[:2] == ["self", "dataset"]
        assert f"self.{name}(" in inspect.getsource(DPOTrainer.__init__)


def test_no_other_module_uses_private_members_of_a_trainer() -> None:
    private = {name for name in dir(Trainer) if name.startswith("_") and not name.startswith("__")}
    private |= {*PRIVATE, "_train_batch_size"}
    found, package = [], Path(autotrain_gradio.__file__).parent
    for file in [*package.glob("training/**/*.py"), *package.glob("tasks/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", "") or getattr(node, "name", "")
            if name in private and file.name != "trainer_internals.py":
                found.append(f"{file.relative_to(package)}: {name}")
    assert found == []
