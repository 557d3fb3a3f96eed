"""Import of the library `evaluate` without torch, unless transformers is loaded already.

It imports the pipelines of transformers, and with them torch, only for its evaluators, which no metric needs; they are
optional. That saves seconds and 270 MB in the training of a tabular model.
"""

from __future__ import annotations

from autotrain_gradio.training.import_blocking import blocked_import

with blocked_import("transformers"):
    import evaluate

__all__ = ["evaluate"]
