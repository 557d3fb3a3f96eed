"""The Python API: `train(...)` and the `Run` that it returns; `run(...)` and `runs()` for earlier ones."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from autotrain_gradio.cli import project
from autotrain_gradio.cli.console import ProgressBar, findings_text
from autotrain_gradio.cli.run_names import find_run
from autotrain_gradio.core.errors import INTERRUPTED, DataError, Finding, StateError, UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.data.catalog import UPLOAD
from autotrain_gradio.python_data import parse_inputs, write_data
from autotrain_gradio.service import Service, wait
from autotrain_gradio.tasks.options import spec_from_options
from autotrain_gradio.tasks.registry import resolve


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
            `{"array", "sampling_rate"}` for audio; otherwise a mapping of all inputs by name. A file with a text in
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


@lru_cache(maxsize=4)
def default_service(settings: Settings, dispatch: bool = True) -> Service:
    """Return this process's service for these settings; it is closed at exit."""
    service = Service(settings, dispatch=dispatch)
    atexit.register(service.close)
    return service


def run_to_end(
    service: Service,
    spec: Mapping[str, Any],
    base: Path,
    bar: ProgressBar,
    *,
    token: str | None = None,
    files: Sequence[Path] = (),
) -> str:
    """Check the data, train, wait, and put the model at `base/<project_name>`; return the run's id.

    files: data that is moved into the run, of a spec whose source are uploaded files.

    Raises:
        UserError: see `train`.
    """
    resolved = resolve(spec, service.tasks)
    project.reserve(base, resolved.spec.project_name)
    token = token or saved_token()
    draft = service.draft(resolved.task.name)
    try:
        if files:
            service.upload(draft, files)
        show_findings(service.check(draft, resolved, token=token, progress=bar.call), bar)
        run = service.start(draft, resolved, token=token)
    except BaseException:
        bar.clear()
        service.delete(draft)
        raise
    finish(service, run, base, bar)
    return run


def show_findings(check: Mapping[str, Any], bar: ProgressBar) -> None:
    """Print the findings of a check.

    Raises:
        DataError: some of them are errors.
    """
    bar.clear()
    if any(f["level"] == "error" for f in check["findings"]):
        raise DataError.from_findings([Finding.from_dict(f) for f in check["findings"]])
    if check["findings"]:
        bar.print(findings_text(check["findings"]))


def finish(
    service: Service, run: str, base: Path, bar: ProgressBar, *, resume: bool = False, token: str | None = None
) -> dict[str, Any]:
    """Follow a run until it has ended, resuming it first if `resume`; place the model; return the last snapshot.

    Raises:
        UserError: the run did not complete.
    """
    name = str((service.snapshot(run) or {})["project_name"])
    if resume:
        project.reserve(base, name)
        service.resume(run, token=token or saved_token())
    snapshot, interrupted = follow(service, run, bar)
    if snapshot["state"] != "completed":
        raise incomplete_error(snapshot, interrupted=interrupted)
    placed = project.place(service.settings.runs / run / "model", base, name, run)
    bar.print(f"The model is in {placed}")
    return snapshot


def follow(service: Service, run: str, bar: ProgressBar) -> tuple[dict[str, Any], bool]:
    """Show a run until it has ended; return its last snapshot, and whether Ctrl-C has stopped it.

    The first Ctrl-C requests a stop; the second raises KeyboardInterrupt, and the run continues to stop.
    """
    stop_requested = False
    while True:
        try:
            snapshot: dict[str, Any] = {}
            for snapshot in wait(service, run):
                bar.training(snapshot)
            bar.clear()
            return snapshot, stop_requested
        except KeyboardInterrupt:
            if stop_requested:
                bar.print("Not waiting any longer: the run continues to stop.")
                raise
            stop_requested = True
            try:
                service.stop(run)
            except StateError:
                continue  # it has ended or is stopping already
            bar.print(
                "Stopping after this step; weights that were trained are saved. Resume later with:\n"
                f"  autotrain-gradio resume {run}\nPress Ctrl-C again to exit without waiting."
            )


def incomplete_error(snapshot: Mapping[str, Any], *, interrupted: bool = False) -> UserError:
    """Return the error for a run that did not complete, with the reason. interrupted: stopped by Ctrl-C."""
    state, reason, error = snapshot["state"], snapshot["reason"] or {}, snapshot["error"] or {}
    resume = f"Resume it with: autotrain-gradio resume {snapshot['id']}"
    if state == "cancelled":
        kept = "its weights are saved" if snapshot["can"]["download"] else "no weights were saved yet"
        return StateError(f"The training was stopped; {kept}.", resume, code=INTERRUPTED if interrupted else "stopped")
    message = error.get("message") or reason.get("message") or f"The training is {state}."
    hint = " ".join(h for h in (error.get("hint") or reason.get("hint"), resume) if h)
    return UserError(message, hint, error.get("where", ""), error.get("code", state))


def saved_token() -> str | None:
    """Return the Hub token of the environment or of `hf auth login`, if there is one."""
    if os.environ.get("HF_TOKEN"):
        return os.environ["HF_TOKEN"]
    from huggingface_hub import get_token

    return get_token()
