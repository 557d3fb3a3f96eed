"""The library `evaluate`, loaded without torch where nobody has loaded transformers.

It imports the pipelines of transformers, and with them torch, for its evaluators alone, which no metric needs; where
transformers is not installed it does without. That saves a table's training seconds and 270 MB.
"""

from __future__ import annotations

from autotrain_gradio.training.import_blocking import blocked_import

with blocked_import("transformers"):
    import evaluate

__all__ = ["evaluate"]
