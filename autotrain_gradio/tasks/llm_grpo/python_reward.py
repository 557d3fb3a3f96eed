"""A reward function in a Python file of the person at the machine. It is never run for visitors of a shared page."""

from __future__ import annotations

import importlib.util
import inspect
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import Forbidden, SpecError, UserError
from autotrain_gradio.core.settings import is_shared
from autotrain_gradio.tasks.llm_grpo.rewards import Batch, Score

FUNCTION = "reward"
WHERE = "params.reward_file"
MODULE = "autotrain_gradio_reward_file"
SIGNATURE = f"def {FUNCTION}(prompts, completions, **columns):"
RETURNS = "It must return a list with a number, or None, for each completion."


def load_function(path: str, environ: Mapping[str, str] | None = None) -> PythonReward:
    """Import a file and return its function `reward`.

    Raises:
        Forbidden: this worker serves a shared page.
        SpecError: the file does not exist, cannot be imported, or has no such function.
    """
    if is_shared(os.environ if environ is None else environ):
        # The service refuses it before: this is the second barrier.
        raise Forbidden("Python files are not run on a shared page.", "", WHERE, "folder-refused")
    file = Path(path)
    if not file.is_file():
        raise SpecError(f"There is no file {path}.", "Enter the path of a Python file.", WHERE, "reward-file-missing")
    spec = importlib.util.spec_from_file_location(MODULE, file)
    if spec is None or spec.loader is None:
        raise SpecError(
            f"{file.name} is not a Python file.", "Its name must end with .py.", WHERE, "reward-file-invalid"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module  # as dataclasses and pickle need it
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # modules beside it
    try:
        # Not by the loader, which would write the folder __pycache__ beside the file.
        exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        message = f"{file.name} cannot be imported: {describe(error, file)}."
        raise SpecError(
            message, "Correct the file; the log has the traceback.", WHERE, "reward-file-invalid"
        ) from error
    function = getattr(module, FUNCTION, None)
    if not callable(function) or inspect.iscoroutinefunction(function):
        message = f"{file.name} has no function '{FUNCTION}'."
        raise SpecError(message, f"Define it: {SIGNATURE}", WHERE, "reward-file-invalid")
    return PythonReward(function, file)


def describe(error: BaseException, file: Path) -> str:
    """Return type, text and the line of the user's file of an exception."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    if isinstance(error, SyntaxError) and error.filename == str(file):
        lines = [error.lineno]
    text = " ".join(str(error).split())[:200].rstrip(".")
    place = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{place}"


class PythonReward:
    """The user's function as a reward function.

    It is called with `prompts` (lists of messages), `completions` (texts), and as keywords `answer` (reference answers
    or None) and the additional columns by their names, each a list with an item for each completion.
    """

    def __init__(self, function: Callable[..., Any], file: Path) -> None:
        self._function, self._file = function, file

    def __call__(self, batch: Batch) -> list[Score]:
        """Return the reward of each completion.

        Raises:
            UserError: the function raises an exception, or returns anything but a number or None for each completion.
        """
        columns = {**{name: list(values) for name, values in batch.extra.items()}, "answer": list(batch.answers)}
        prompts = [[dict(message) for message in prompt] for prompt in batch.prompts]
        try:
            found = self._function(prompts=prompts, completions=list(batch.completions), **columns)
        except Exception as error:
            message = f"The reward function of {self._file.name} failed: {describe(error, self._file)}."
            hint = f"Correct the file. The function is called as {SIGNATURE}"
            raise UserError(message, hint, WHERE, "reward-failed") from error
        return self._checked(found, len(batch))

    def _checked(self, found: Any, count: int) -> list[Score]:
        values = found.tolist() if hasattr(found, "tolist") else found
        if not isinstance(values, list | tuple) or len(values) != count:
            what = f"{len(values)} rewards" if isinstance(values, list | tuple) else type(found).__name__
            message = f"The reward function of {self._file.name} returned {what} for {count} completions."
            raise UserError(message, RETURNS, WHERE, "reward-failed")
        scores: list[Score] = []
        for value in values:
            value = value.item() if hasattr(value, "item") else value
            if value is None:
                scores.append(None)
            elif isinstance(value, bool | int | float) and math.isfinite(value):
                scores.append(float(value))
            else:
                message = f"The reward function of {self._file.name} returned {value!r:.80} for a completion."
                raise UserError(message, RETURNS, WHERE, "reward-failed")
        return scores
