"""Tabs that are built one after the other for each visitor."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import gradio as gr


class SteadyBlocks(gr.Blocks):
    """Blocks in which two renders of one visitor never run at once.

    A render adds its components and events to what the visitor's session holds, in a thread of its own. Two at once
    (somebody who opens a second tab before the first is there) would give events the same numbers, or fail while one
    reads what the other writes.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._at_work: weakref.WeakKeyDictionary[Any, asyncio.Lock] = weakref.WeakKeyDictionary()

    async def process_api(self, block_fn: Any, *args: Any, state: Any = None, **more: Any) -> dict[str, Any]:
        """Answer an event; one that renders waits for the visitor's render before it."""
        if state is None or not getattr(block_fn, "renderable", None):
            return dict(await super().process_api(block_fn, *args, state=state, **more))
        async with self._at_work.setdefault(state, asyncio.Lock()):
            return dict(await super().process_api(block_fn, *args, state=state, **more))
