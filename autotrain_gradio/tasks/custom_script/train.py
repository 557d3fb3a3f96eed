"""Custom script: copy the project, make its environment, run it, and keep its output. Workers only."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import Forbidden, UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.settings import Settings, is_shared
from autotrain_gradio.core.text_format import format_bytes, pluralize
from autotrain_gradio.data.files.archives import allow_disk
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.data.pipeline.materialize import root_of
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import MAX_REPORTED_CHARTS
from autotrain_gradio.tasks.custom_script import TASK, packages, saving
from autotrain_gradio.tasks.custom_script.code_panel import code_lines
from autotrain_gradio.tasks.custom_script.environment import script_environment
from autotrain_gradio.tasks.custom_script.metric_charts import charts_of
from autotrain_gradio.tasks.custom_script.preview import preview
from autotrain_gradio.tasks.custom_script.project import OUTPUT, REQUIREMENTS, Project, asked_script, find_project
from autotrain_gradio.tasks.custom_script.requirements_file import parse_requirements
from autotrain_gradio.tasks.custom_script.script_arguments import split_arguments
from autotrain_gradio.tasks.custom_script.script_metrics import MetricRecorder, parse_line
from autotrain_gradio.tasks.custom_script.script_output import OutputLog, failure_of
from autotrain_gradio.tasks.custom_script.script_process import Ended, run_process

__all__ = ["preview", "train"]

GRACE_SECONDS = 30.0
"""Time that a script has to end after SIGTERM; never more than the app waits for a run that is stopped."""
REPORT_LINES = 40


def train(run: Reporter) -> None:
    """Run the script of the project; its files in `output/` become the model.

    Raises:
        Forbidden: this is a shared page.
        UserError: a package cannot be installed, or the script fails.
    """
    if is_shared(os.environ):
        raise Forbidden(f"{TASK.title} is not available on a shared page.", code="task-refused")
    params, work = run.params, run.directory / "work"
    run.state("preparing", "Copying the files of the script")
    previous = _previous_output(run, work)
    project, folder = _copy(run, work)
    output = folder / OUTPUT
    try:
        python = packages.prepare(
            run.directory.parent.parent,
            folder,
            app_packages=params.app_packages,
            environ=os.environ,
            stop=run.stop_requested,
            write=_write,
            report=lambda text: run.state("preparing", text),
        )
    except packages.Stopped:
        return
    variables = {
        "AUTOTRAIN_OUTPUT_DIR": str(output),
        "AUTOTRAIN_DATA_DIR": str(folder),
        "AUTOTRAIN_ATTEMPT": str(run.attempt),
        "AUTOTRAIN_PROJECT_NAME": run.spec.project_name,
        "AUTOTRAIN_SEED": str(params.seed),
        **({"AUTOTRAIN_PREVIOUS_OUTPUT": str(previous)} if previous else {}),
    }
    env, secrets = script_environment(params, os.environ, python=python, variables=variables)
    command = [str(python), project.script, *split_arguments(params.args)]
    run.state("running", f"Running {project.script}")
    log, metrics = OutputLog(_write, secrets=secrets), MetricRecorder(run)

    def read(chunk: bytes) -> None:
        for line in log.feed(chunk):
            metrics.line(line)

    grace = min(GRACE_SECONDS, Settings.from_env().limits.stop_grace_seconds)
    ended = run_process(command, folder=folder, env=env, output=read, stop=run.stop_requested, grace=grace)
    for line in log.close():
        metrics.line(line)
    metrics.close()
    _notes(run, project, ended, log)
    finished = ended.code == 0 or ended.stopped
    files = saving.output_files(output) if output.is_dir() else []
    if finished and (files or ended.code == 0):
        output.mkdir(exist_ok=True)  # the script may have removed it
        files = saving.save(run, output, metrics.summary)
    if finished and not files and not ended.stopped:
        message = f"{project.script} wrote no files to {OUTPUT}/: the model of this run has only a card."
        run.note(message, level="warning", hint="Save what is worth keeping in $AUTOTRAIN_OUTPUT_DIR.")
    run.report(_report(metrics, files, log, finished=finished))
    if not finished:
        raise _failure(run, project, folder, ended, log)


def _write(content: bytes) -> None:
    """Append to the run's log."""
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), content)


def _previous_output(run: Reporter, work: Path) -> Path | None:
    """Return the folder with the output of the earlier attempt that this one resumes; None if there is none."""
    kept, output = work / "previous_output", work / "script" / OUTPUT
    if run.attempt == 1:
        return None
    if saving.output_files(output) if output.is_dir() else []:
        shutil.rmtree(kept, ignore_errors=True)
        output.rename(kept)  # of an attempt that has failed
    elif run.model.is_dir():
        shutil.rmtree(kept, ignore_errors=True)
        return run.model
    return kept if kept.is_dir() else None


def _copy(run: Reporter, work: Path) -> tuple[Project, Path]:
    """Copy the project, so that the user's files are unchanged; return it and the folder of the copy.

    Raises:
        DataError: the disk is too small.
    """
    manifest = read_json(run.directory / "data" / "manifest.json")
    root = root_of(run.directory, manifest["root"])
    paths = data.load(run.directory)["train"]["project_file"]
    only = paths[0] if len(paths) == 1 else None
    project = find_project(paths, asked=asked_script(run.spec.data.options), only=only)
    assert project is not None, "the check has found it"
    folder = work / "script"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    allow_disk(folder, sum((root / path).stat().st_size for path in paths), "project")
    for path in paths:
        target = folder / str(project.inside(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, target)
        target.chmod(target.stat().st_mode | 0o200)  # a file of the cache of the Hub may be read-only
    (folder / OUTPUT).mkdir(exist_ok=True)
    return project, folder


def _notes(run: Reporter, project: Project, ended: Ended, log: OutputLog) -> None:
    if ended.left:
        message = f"{project.script} left {pluralize(ended.left, 'process', 'processes')} running, now killed."
        run.note(message, level="warning", hint="Wait for them in the script, if their work matters.")
    if ended.killed:
        run.note(f"{project.script} did not end after SIGTERM, and was killed.", level="warning")
    if log.dropped:
        message = f"The script printed {format_bytes(log.total)}; {format_bytes(log.dropped)} are not in the log."
        run.note(message, level="warning", hint="Print less, or write it to a file in the output folder.")


def _failure(run: Reporter, project: Project, folder: Path, ended: Ended, log: OutputLog) -> UserError:
    """Return the error for a script that failed: its exit status, and the last line and place of its traceback."""
    error, place = failure_of(list(log.last))
    if ended.code < 0:
        name = signal.Signals(-ended.code).name if -ended.code in set(signal.Signals) else f"signal {-ended.code}"
        message = f"{project.script} was killed ({name})."
        memory = "Most likely the machine's memory ran out. Use smaller batches or less data."
        hint = memory if -ended.code == signal.SIGKILL else "The log has its output."
        return UserError(message, hint, project.script, "script-killed")
    message = f"{project.script} exited with status {ended.code}{f': {error}' if error else '.'}"
    file = folder / REQUIREMENTS
    required = parse_requirements(lambda p: (folder / p).read_bytes() if (folder / p).is_file() else None, file.name)
    hint = packages.missing_module(error, required, app_packages=run.params.app_packages)
    if not hint:
        last = next((line for line in reversed(log.last) if line.strip()), "")
        said = f"Last line of its output: '{last[:300]}'. " if last and not error else ""
        hint = f"{said}The log has the whole output."
    return UserError(message, hint, place or project.script, "script-failed")


def _report(metrics: MetricRecorder, files: list[tuple[str, int]], log: OutputLog, *, finished: bool) -> list[Panel]:
    """Return the results: last values of the metrics, files of the output, last lines of the log."""
    found: list[Panel] = []
    rows = [
        [name, s["last"], s["lowest"], s["highest"], int(s["step"])]
        for name, s in metrics.summary.items()
        if "last" in s
    ]
    if rows:
        columns = ["Metric", "Last", "Lowest", "Highest", "Step"]
        charts = len(charts_of(metrics.summary))
        note = (
            f"Charts show the first {MAX_REPORTED_CHARTS} of {charts} metrics." if charts > MAX_REPORTED_CHARTS else ""
        )
        found.append(panels.table("Metrics", columns, rows, note=note, id="script-metrics"))
    if files:
        shown = [[path, format_bytes(size)] for path, size in files[: saving.SHOWN_FILES]]
        note = f"{pluralize(len(files), 'file')}, {format_bytes(sum(size for _, size in files))} in all. "
        note += "The page downloads them as a zip, and the command 'export' copies them."
        found.append(panels.table("Files in the output", ["File", "Size"], shown, note=note, id="script-files"))
    if log.last:
        lines = [line for line in log.last if parse_line(line.encode()) is None][-REPORT_LINES:]
        note = "Without lines of metrics and progress; the whole output is in the log."
        found.append(code_lines("Last lines of the output", lines, end=True, note=note, id="script-output"))
    return found
