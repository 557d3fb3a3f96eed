"""`gr.Blocks` whose requests and event inputs are checked before Gradio and the handlers see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import Forbidden
from autotrain_gradio.ui.request_guard import GuardRules, RequestGuard
from autotrain_gradio.ui.serialized_render import SerializedRenderBlocks

Check = Callable[[Any], Any]
"""Returns the value of a component as the handlers expect it; a client may have sent anything."""


class GuardedBlocks(SerializedRenderBlocks):
    """Blocks for a page that others can reach.

    rules: for HTTP requests; can be replaced until the page is served.
    checks: component → check of its value. Files are checked in the inputs of every event.
    """

    def __init__(self, *args: Any, rules: GuardRules, **settings: Any) -> None:
        self.rules = rules
        self.checks: Mapping[Any, Check] = {}
        super().__init__(*args, **settings)

    @property
    def app(self) -> Any:
        """The FastAPI app, which Gradio creates."""
        return self._app

    @app.setter
    def app(self, app: Any) -> None:
        # Added last, so it is the outermost: Gradio's own middleware would answer preflights of any origin.
        app.add_middleware(RequestGuard, rules=lambda: self.rules)
        self._app = app

    async def process_api(self, block_fn: Any, *args: Any, state: Any = None, **more: Any) -> dict[str, Any]:
        """Process an event, if each file in its inputs is an upload of the session.

        Raises:
            gr.Error: one is not.
        """
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        if not more.get("explicit_call"):
            given, *args_left = args or (more.pop("inputs"),)
            args = (self._checked(function, given, str(more.get("session_hash") or "")), *args_left)
        try:
            return await super().process_api(function, *args, state=state, **more)
        finally:
            for component in function.inputs:
                if state is not None and getattr(component, "type", None) == "password":
                    forget_value(state, component)

    def _checked(self, function: Any, inputs: Any, session: str) -> Any:
        if not isinstance(inputs, list):
            raise gr.Error("The inputs of an event must be a list.", print_exception=False)
        checked = list(inputs)
        for number, (component, value) in enumerate(zip(function.inputs, inputs, strict=False)):
            if getattr(component, "stateful", False):
                continue  # held by the server; what a client sends for it is not used
            check = next((c for known, c in self.checks.items() if known._id == component._id), None)
            if check is not None:
                checked[number] = check(value)
                continue
            try:
                self.rules.uploads.claim_all(value, session)
            except Forbidden as error:
                raise gr.Error(str(error), print_exception=False) from None
        return checked


def forget_value(state: Any, component: Any) -> None:
    """Remove the value of a password field from a session, which keeps the inputs of every event for an hour.

    The browser sends it again with the next event that needs it. A private method of Gradio 6.31: nothing else changes
    what a session keeps.
    """
    state._update_value_in_config(component._id, "")
