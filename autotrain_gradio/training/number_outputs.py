"""Models whose outputs are numbers in the units of their targets: the scaling in their weights and configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training.number_targets import Targets
from autotrain_gradio.training.scaling import Scaling
from autotrain_gradio.training.text_models import last_linear

OFFSETS, UNITS = "target_offsets", "target_units"
"""Keys of the model's config.json: target → what must be added to its output (of a last layer without bias), and
target → unit."""
MEANS, DEVIATIONS = "target_means", "target_deviations"
"""Keys of config.json: target → mean and standard deviation of the training split."""
COMPARED = 4
"""Rows on which the outputs of the model with folded scaling are compared with those before."""


@dataclass(frozen=True)
class NumberHead:
    """The outputs of a trained model. names: of the targets. units: name → unit. offsets: to add to them (targets,)."""

    names: tuple[str, ...]
    units: Mapping[str, str]
    offsets: np.ndarray

    @classmethod
    def of_config(cls, config: Any) -> NumberHead:
        """Return the outputs that the config of a model describes."""
        names = tuple(config.id2label[i] for i in range(config.num_labels))
        offsets = getattr(config, OFFSETS, None) or {}
        return cls(names, getattr(config, UNITS, None) or {}, np.asarray([offsets.get(name, 0.0) for name in names]))

    def prediction(self, outputs: np.ndarray, note: str = "") -> dict[str, Any]:
        """Return the answer for the outputs (targets,) of a row: `values`, perhaps `units` and `note`, and `panels`."""
        values = {name: float(n) for name, n in zip(self.names, outputs + self.offsets, strict=True)}
        more = {**({"units": dict(self.units)} if self.units else {}), **({"note": note} if note else {})}
        return {"values": values, **more, "panels": [panels.numbers("Prediction", values, units=self.units, note=note)]}


def best_metric(run: Reporter, validation: np.ndarray | None, declared: Callable[[str], Metric], rows: str) -> Metric:
    """Return the metric that selects the checkpoint: the loss where the chosen one is undefined.

    validation: the numbers (rows, targets) of the validation split, if there is one. declared: returns the metric of
    a name. rows: what they are, as "texts".
    """
    name = run.params.metric_for_best_model
    if name in {"r2", "spearman"} and validation is not None and (validation == validation[:1]).all():
        run.note(
            f"All validation {rows} have the same target, so {declared(name).title} is undefined: "
            "the best checkpoint is selected by the loss.",
            level="warning",
        )
        name = "loss"
    return declared(name)


@torch.inference_mode()
def fold_scaling(model: Any, targets: Targets, scaling: Scaling, batch: Mapping[str, torch.Tensor]) -> None:
    """Change the model so that its outputs are in the units of the targets, and describe them in its config.

    batch: the model's inputs for a few rows, without their targets.

    Raises:
        RuntimeError: the outputs for the batch are not those of before, in other units.
    """
    model.eval()
    inputs = {k: v.to(model.device) for k, v in batch.items()}
    before = scaling.unscale(model(**inputs).logits.float().cpu().numpy())
    offsets = scaling.fold_into(last_linear(model, len(targets.names))[1])
    after = model(**inputs).logits.cpu().double().numpy() + (0.0 if offsets is None else offsets)
    if not np.allclose(after, before, rtol=1e-4, atol=1e-3 * float(scaling.deviations.min())):
        raise RuntimeError(f"the scaling of the targets was not folded into {type(model).__name__} correctly")

    def named(numbers: np.ndarray) -> dict[str, float]:
        return {name: float(n) for name, n in zip(targets.names, numbers, strict=True)}

    setattr(model.config, MEANS, named(scaling.means))
    setattr(model.config, DEVIATIONS, named(scaling.deviations))
    setattr(model.config, UNITS, dict(targets.units))
    if offsets is not None:
        setattr(model.config, OFFSETS, named(offsets))


def about_targets(targets: Targets, scaling: Scaling) -> list[str]:
    """Describe each target for the model card: name, unit, mean and standard deviation."""
    return [
        f"{name}{f' ({targets.units[name]})' if name in targets.units else ''}: mean {mean:.5g}, "
        f"standard deviation {deviation:.5g}"
        for name, mean, deviation in zip(targets.names, scaling.means, scaling.deviations, strict=True)
    ]
