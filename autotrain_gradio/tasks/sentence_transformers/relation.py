"""Cells that name the relation of two texts: classes, which are recognized by the name of their column only."""

from __future__ import annotations

from autotrain_gradio.data.kinds.label import inspect, profile

__all__ = ["inspect", "profile"]
