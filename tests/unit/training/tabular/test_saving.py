"""A table's model on disk: what writing it loads."""

from __future__ import annotations

import subprocess
import sys


def test_saving_does_not_load_torch() -> None:
    code = """
import sys
from autotrain_gradio.training.tabular import saving
saving._skops_io()
assert "torch" not in sys.modules
import torch  # it can still be loaded by who needs it
assert saving._skops_io() is sys.modules["skops.io"] and sys.modules["torch"] is torch
"""
    subprocess.run([sys.executable, "-c", code], check=True)
