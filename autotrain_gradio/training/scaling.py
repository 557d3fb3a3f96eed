"""Standardization of numeric targets: a model is trained on scaled targets, and saved with outputs in their units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each target of the training split, float64 (targets,)."""

    means: np.ndarray
    deviations: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Scaling:
        """Compute the scaling of values (rows, targets); the deviation of constant values is taken as 1."""
        deviations = values.std(axis=0)
        return cls(values.mean(axis=0), np.where(deviations > 0, deviations, 1.0))

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Return standardized values (rows, targets), float32: mean 0, standard deviation 1."""
        return ((values - self.means) / self.deviations).astype(np.float32)

    def unscale(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (rows, targets) in the units of the targets, float64."""
        return outputs.astype(np.float64) * self.deviations + self.means

    def fold_into(self, layer: torch.nn.Linear) -> np.ndarray | None:
        """Change the layer that computes standardized outputs so that its outputs are in the units of the targets.

        Returns the offsets (targets,) that must be added to its outputs: those of a layer without bias; else None.
        """
        with torch.no_grad():
            weight = layer.weight.double() * torch.as_tensor(self.deviations, device=layer.weight.device)[:, None]
            layer.weight.copy_(weight)
            if layer.bias is None:
                return self.means
            layer.bias.copy_(torch.as_tensor(self.unscale(layer.bias.cpu().double().numpy())))
        return None
