"""The Python API: `train(...)` and the `Run` that it returns; `run(...)` and `list_runs()` for earlier ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotrain_gradio.api.foreground import default_service, finish, run_to_end
from autotrain_gradio.api.python_data import parse_inputs, write_data
from autotrain_gradio.cli.console import ProgressBar
from autotrain_gradio.cli.run_names import find_run
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.data.catalog import UPLOAD
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.options import spec_from_options


class Run:
    """A training run. Its attributes are read from the run's files on each access."""

    def __init__(self, service: Service, id: str) -> None:
        self._service = service
        self.id = id

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.state}>"

    def snapshot(self) -> dict[str, Any]:
        """Return the state, metrics and results of the run, as plain data (docs/architecture.md)."""
        return self._service.snapshot(self.id) or {}

    @property
    def state(self) -> str:
        """`queued preparing running stopping completed failed cancelled` or `interrupted`."""
        return str(self.snapshot()["state"])

    @property
    def metrics(self) -> dict[str, float]:
        """Latest value of each metric; metrics of the validation split have the prefix `eval_`."""
        return dict(self.snapshot()["metrics"])

    @property
    def path(self) -> Path:
        """The run's folder: events, log, checkpoints, and the model in the subfolder `model`."""
        return self._service.settings.runs / self.id

    def predict(self, *inputs: Any) -> list[dict[str, Any]]:
        """Apply the model: one prediction for each input, in their order; `prediction["panels"]` shows it.

        inputs: for a task with one input its value: a text, a file's path, an image of Pillow, an array of pixels, or
            `{"array", "sampling_rate"}` for audio; otherwise, or with settings of the prediction such as a threshold, a
            mapping of all inputs by name. A file with a text in
            each row (CSV, TSV, JSON, JSON Lines, Parquet, Excel, TXT) gives one prediction for each row;
            `{"text": …}` is never interpreted as a path. For a table: a row as a mapping or a Series, or the path of a
            file of rows, whose prediction is `{"file": a CSV with the predictions}`. A DataFrame, a list or a Dataset
            gives one prediction for each row or item. Cells may be scalars of NumPy and pandas, dates, and None or NaN.

        `prediction["warnings"]` is there if a cell is remarkable: an unknown category, a value far outside the
        training data, a column that is not used.

        Raises:
            UserError: the run has no model yet, or an input is invalid.
        """
        task = self._service.tasks.get(str(self.snapshot()["task"]))
        with tempfile.TemporaryDirectory(prefix="autotrain-gradio-") as folder:
            return self._service.predict(self.id, parse_inputs(task.inputs, inputs, Path(folder)))

    def call(self, verb: str, **context: Any) -> Any:
        """Call a verb of the run's task and return its result; of a streaming verb, the list of its items.

        Raises:
            UserError: the task has no such verb, or the verb raised it.
        """
        return self._service.call(self.id, verb, context)

    def stream(self, verb: str, **context: Any) -> Iterator[Any]:
        """Call a streaming verb and return its items as they arrive; closing the iterator cancels it."""
        return self._service.stream(self.id, verb, context)

    def stop(self) -> None:
        """Request a stop after the current step; the weights are saved."""
        self._service.stop(self.id)

    def resume(self, *, token: str | None = None, progress: bool = True) -> Run:
        """Continue a stopped, failed or interrupted run from its last checkpoint, and wait until it has ended."""
        finish(self._service, self.id, Path.cwd(), ProgressBar(quiet=not progress), resume=True, token=token)
        return self

    def export(self, folder: str | Path) -> Path:
        """Copy the model into a folder that is empty or does not exist; return the folder."""
        return self._service.export(self.id, folder)


def train(task: str, *, data: Any = None, token: str | None = None, progress: bool = True, **settings: Any) -> Run:
    """Train a model, wait until the run has ended, and return it.

    data: the rows, in place of `data_path`: a DataFrame, a Dataset or DatasetDict of the library datasets, a list of
        dicts, a dict of columns, or a dict of these by split (`{"train": …, "validation": …}`). Types are kept; images
        are those of Pillow, arrays of pixels, or paths; audio is `{"array", "sampling_rate"}` or a path. It is stored
        in the run as Parquet, like an upload.
    settings: the options of the command line with underscores: `model`, `data_path`, `project_name`,
        `<role>_column`, `train_split` …, and the task's parameters (docs/tasks).
    token: access token of the Hugging Face Hub; default: HF_TOKEN or the login of `hf auth login`.
    progress: show a progress bar on stderr.

    The model is in `run.path / "model"` and in `./<project_name>`. Ctrl-C stops after the current step and
    saves the weights.

    Raises:
        UserError: a setting or the data is invalid, or the run did not complete. A run that was started stays in
            the list and can be resumed.
    """
    service = default_service(Settings.from_env())
    declared = service.tasks.get(task)
    if format := service.tasks.format_of(task):
        settings.setdefault("format", format)
    spec, bar = spec_from_options(declared, settings), ProgressBar(quiet=not progress)
    if data is None:
        return Run(service, run_to_end(service, spec, Path.cwd(), bar, token=token))
    if spec.get("data", {}).get("path"):
        raise UserError("The data is given twice.", "Give either data or data_path.", "data_path", "data-twice")
    suffixes = sorted({suffix for column in declared.columns for suffix in column.kind.suffixes})
    with tempfile.TemporaryDirectory(prefix="autotrain-gradio-") as folder:
        files = write_data(data, Path(folder), suffixes)
        spec["data"] = {**spec.get("data", {}), "source": UPLOAD.name, "path": files[0].name}
        return Run(service, run_to_end(service, spec, Path.cwd(), bar, token=token, files=files))


def run(id: str) -> Run:
    """Return a run: by its id, a unique prefix of it, or its project name (the newest run of that name).

    Raises:
        NotFound: no run matches, or the prefix matches several.
    """
    service = default_service(Settings.from_env())
    return Run(service, find_run(service, id))


def list_runs() -> list[Run]:
    """Return all runs, the newest first; also called as `autotrain_gradio.runs()`."""
    service = default_service(Settings.from_env())
    return [Run(service, str(row["id"])) for row in service.runs()]
