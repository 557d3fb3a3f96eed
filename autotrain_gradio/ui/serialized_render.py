"""`gr.Blocks` that runs the `gr.render` events of a session one after the other."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import gradio as gr
from fastapi import HTTPException

RELOAD = "The app was started anew since this page was opened, or this part of it was built anew: reload the page."


class KnownFunctions(dict[int, Any]):
    """The event handlers of a session by their ids.

    Those of a `gr.render` exist in the process that rendered it only. Gradio answers an event of another one with
    status 500 and no JSON, which the page shows as "Could not parse server response".
    """

    def __missing__(self, number: int) -> Any:
        raise HTTPException(410, RELOAD)


class SerializedRenderBlocks(gr.Blocks):
    """Blocks in which two renders of one session never run concurrently.

    A render adds its components and events to the session's state, in a thread of its own. Two concurrent ones (a
    second tab is selected before the first is rendered) would give events the same ids, or fail while one reads what
    the other writes.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._locks: weakref.WeakKeyDictionary[Any, asyncio.Lock] = weakref.WeakKeyDictionary()

    def __exit__(self, *exception: Any) -> None:
        # Else each message of later events copies the properties of all that a render has created: see NO_PROGRESS.
        for function in self.fns.values():
            if function.renderable is not None:
                function.show_progress_on = []
        super().__exit__(*exception)
        self.default_config.fns = KnownFunctions(self.default_config.fns)

    async def process_api(self, block_fn: Any, *args: Any, state: Any = None, **more: Any) -> dict[str, Any]:
        """Process an event; a render waits for the session's earlier render."""
        if state is None or not getattr(block_fn, "renderable", None):
            return dict(await super().process_api(block_fn, *args, state=state, **more))
        async with self._locks.setdefault(state, asyncio.Lock()):
            return dict(await super().process_api(block_fn, *args, state=state, **more))
