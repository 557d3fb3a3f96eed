"""The commands; `cli/main.py` parses the command line and calls these functions."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotrain_gradio.cli.console import ProgressBar, echo, echo_json, findings_text, training_line
from autotrain_gradio.cli.run_names import find_run
from autotrain_gradio.core.errors import SpecError, UserError, did_you_mean
from autotrain_gradio.core.file_errors import unusable_file
from autotrain_gradio.core.inputs import parse_named
from autotrain_gradio.core.panels import render_text
from autotrain_gradio.core.panels.text_table import text_table
from autotrain_gradio.core.registry import NamedRegistry
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.core.verb_results import is_panel
from autotrain_gradio.data.source_resolution import expand_user
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.options import spec_from_options
from autotrain_gradio.tasks.registry import registry

if TYPE_CHECKING:
    from autotrain_gradio.service import Service

PROGRAM = "autotrain-gradio"
RUNS_SHOWN = 100
"""Number of runs that the printed list shows."""
ROW = ("id", "task", "project_name", "model", "state", "created", "finished", "metrics", "best_metric", "path")


class Usage(UserError):
    """The command line is malformed: an unknown flag, a missing argument."""


def _service(*, dispatch: bool = False) -> Service:
    # Only commands that wait for a run dispatch the queue: listing runs must not start any.
    from autotrain_gradio.api.foreground import default_service

    return default_service(Settings.from_env(), dispatch)


def app(args: argparse.Namespace) -> int:
    """Serve the page."""
    from autotrain_gradio.ui.serve import serve

    return serve(args.host, args.port, share=args.share, auth=args.auth)


def tasks(args: argparse.Namespace) -> int:
    """List the tasks."""
    tasks = registry()
    if args.json:
        echo_json(
            [
                {
                    "name": t.name,
                    "title": t.title,
                    "modality": t.modality,
                    "summary": t.summary,
                    "aliases": list(t.all_aliases),
                    "columns": [{"role": c.role, "kind": c.kind.name, "required": c.required} for c in t.columns],
                    "layouts": [layout.name for layout in t.layouts],
                    "metrics": [m.name for m in t.metrics],
                    "models": [m.id for m in t.models],
                    "verbs": [v.name for v in t.public_verbs()],
                    "missing": [f.message for f in t.missing_packages()],
                    "install": t.install_commands(),
                }
                for t in tasks
            ]
        )
    else:
        echo(text_table(["task", "for", "what it does"], [[t.name, t.modality, t.summary] for t in tasks]))
        if missing := [f.to_dict() for t in tasks for f in t.missing_packages()]:
            echo("\n" + findings_text(missing))
    return 0


def _read_spec(name: str) -> tuple[dict[str, Any], str | None]:
    """Parse a YAML file into a spec and its token."""
    try:
        text = expand_user(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        known = [t.name for t in registry()]
        near = did_you_mean(name, known) if "." not in name and "/" not in name else ""
        raise SpecError(
            f"The file '{name}' does not exist.", near or "Name a YAML file, or a task.", code="no-file"
        ) from None
    except UnicodeDecodeError as error:
        raise SpecError(f"'{name}' is not a text in UTF-8: {error}.", "Name a YAML file.", code="no-file") from None
    except (OSError, ValueError) as error:  # a folder, no permission, a name that is too long
        raise unusable_file(error, name, hint="Name a YAML file.", code="no-file") from None
    spec, secrets = _service().parse_yaml(text)
    return spec, secrets.token


def check_file(args: argparse.Namespace) -> int:
    """Check the data of a YAML file."""
    return _with_json_errors(lambda: _check(*_read_spec(args.spec), as_json=args.json), args.json)


def check_options(task: Task, given: dict[str, Any]) -> int:
    """Check the data that the flags specify."""
    as_json = given.pop("json", False)
    return _with_json_errors(lambda: _check(spec_from_options(task, given), None, as_json=as_json), as_json)


def _with_json_errors(work: Callable[[], int], as_json: bool) -> int:
    """Do the work; with --json, print errors as JSON."""
    try:
        return work()
    except UserError as error:
        if not as_json:
            raise
        findings = [f.to_dict() for f in error.findings]
        echo_json({"layout": None, "rows": 0, "columns": [], "findings": findings, "profile": []})
        return 1


def _check(spec: dict[str, Any], token: str | None, *, as_json: bool) -> int:
    from autotrain_gradio.api.foreground import saved_token

    service, bar = _service(), ProgressBar(quiet=as_json)
    draft = service.draft(spec["task"])
    try:
        found = service.check(draft, spec, token=token or saved_token(), progress=bar.call)
    finally:
        bar.clear()
        service.delete(draft)
    failed = any(f["level"] == "error" for f in found["findings"])
    if as_json:
        echo_json({k: v for k, v in found.items() if k not in {"gallery", "key"}})
        return int(failed)
    if found["layout"]:
        echo(f"{found['layout']['title']}: {found['layout']['reason']}")
    shown = {} if registry().get(spec["task"]).files_only else found["mapping"]
    for role, columns in shown.items():
        echo(f"  {role}: {', '.join(columns) if isinstance(columns, list) else columns}")
    if found["splits"]:
        files_only = registry().get(spec["task"]).files_only
        parts = [pluralize(n, "file" if files_only else "row") for n in found["splits"].values()]
        named = [
            part if files_only else f"{part} for {name}" for part, name in zip(parts, found["splits"], strict=True)
        ]
        echo("  " + ", ".join(named))
    for panel in found["profile"]:
        echo("\n" + render_text(panel))
    if found["profile"]:
        echo()
    echo(findings_text(found["findings"]) if found["findings"] else "No problems found.")
    return int(failed)


def train_file(args: argparse.Namespace) -> int:
    """Train with the settings of a YAML file."""
    return _train(*_read_spec(args.spec))


def train_options(task: Task, given: dict[str, Any]) -> int:
    """Train with the settings of the flags."""
    if not given.pop("train", False):
        raise Usage(
            "Nothing was trained: the flag --train is missing.",
            f"Add --train, or look at the data first with '{PROGRAM} check {task.name} …'.",
            code="usage",
        )
    return _train(spec_from_options(task, given), None)


def _train(spec: dict[str, Any], token: str | None) -> int:
    from autotrain_gradio.api.foreground import run_to_end

    service = _service(dispatch=True)
    run = run_to_end(service, spec, Path.cwd(), ProgressBar(), token=token)
    _print_run(service, run)
    return 0


def runs(args: argparse.Namespace) -> int:
    """List the runs."""
    limit = None if args.json else RUNS_SHOWN
    if args.limit is not None:
        limit = args.limit or None
    rows = _service().runs(limit=limit and limit + 1)
    older = len(rows[limit:]) if limit else 0
    rows = rows[:limit]
    if args.json:
        echo_json([{name: row.get(name) for name in ROW} for row in rows])
    elif not rows:
        echo(f"No runs found. Start with: {PROGRAM} app")
    else:
        columns = ["id", "task", "project", "model", "state", "best"]
        best = [r["best_metric"] or {"name": "", "value": None} for r in rows]
        cells = [
            [
                r["id"],
                r["task"],
                r["project_name"],
                r["model"],
                r["state"],
                f"{b['name']} {b['value']:.4g}" if b["name"] else "",
            ]
            for r, b in zip(rows, best, strict=True)
        ]
        echo(text_table(columns, cells))
        if older:
            echo(f"Older runs are not shown: '{PROGRAM} runs --limit 0' lists all.")
    return 0


def show(args: argparse.Namespace) -> int:
    """Show a run."""
    service = _service()
    run = find_run(service, args.run)
    if args.json:
        echo_json({**(service.snapshot(run) or {}), "path": str(service.settings.runs / run)})
    else:
        _print_run(service, run)
    return 0


def _print_run(service: Service, run: str) -> None:
    found = service.snapshot(run) or {}
    origin = f", from {found['model']}" if found["model"] else ""
    echo(f"{found['project_name']}  ({found['task_title']}{origin})")
    echo(f"  id     {run}")
    echo(f"  state  {training_line(found)}")
    echo(f"  path   {service.settings.runs / run}")
    for problem in (found["error"] or found["reason"],):
        if problem:
            echo("\n" + findings_text([{"level": "error", **problem}]))
    if found["metrics"] and not found["report"]:
        echo("\n" + text_table(["metric", "value"], [[n, v] for n, v in sorted(found["metrics"].items())]))
    for panel in found["report"] or []:
        echo("\n" + render_text(panel))


def stop(args: argparse.Namespace) -> int:
    """Stop a run and wait until it has ended."""
    from autotrain_gradio.service import wait

    service, bar = _service(dispatch=True), ProgressBar()
    run = find_run(service, args.run)
    service.stop(run)
    snapshot: dict[str, Any] = {}
    # A worker that does not stop in time is signalled by the dispatcher, which may be this process.
    for snapshot in wait(service, run):
        bar.training(snapshot)
    bar.clear()
    echo(f"{snapshot['title']}. Resume it with: {PROGRAM} resume {run}")
    return 0


def resume(args: argparse.Namespace) -> int:
    """Resume a run and wait until it has ended."""
    from autotrain_gradio.api.foreground import finish

    service = _service(dispatch=True)
    run = find_run(service, args.run)
    finish(service, run, Path.cwd(), ProgressBar(), resume=True)
    _print_run(service, run)
    return 0


def publish(args: argparse.Namespace) -> int:
    """Upload a run's model."""
    service = _service()
    echo(service.publish(find_run(service, args.run)))
    return 0


def call(args: argparse.Namespace) -> int:
    """Call a verb of a run, or list its verbs."""
    service = _service()
    run = find_run(service, args.run)
    verbs = {verb["name"]: verb for verb in service.verbs(run)}
    if not args.verb:
        if args.json:
            echo_json(list(verbs.values()))
        elif verbs:
            rows = [[v["name"], " ".join(i["name"] for i in v["inputs"]), v["help"]] for v in verbs.values()]
            echo(text_table(["verb", "inputs", "what it does"], rows))
        else:
            echo("The task of this run has no verbs.")
        return 0
    task = service.tasks.get(str((service.snapshot(run) or {})["task"]))
    verb = NamedRegistry("verb", task.public_verbs()).get(args.verb)
    context, bar = _context(args.context), ProgressBar(quiet=args.json)
    if args.arguments:
        context |= parse_named(verb.inputs, args.arguments)
    if verb.streams:
        with contextlib.closing(service.stream(run, args.verb, context, progress=bar.call)) as items:
            middle = False  # of a line: consecutive strings are parts of one text
            for item in items:
                bar.clear()
                part = isinstance(item, str) and not args.json
                if part:
                    echo(item, end="")
                else:
                    echo(end="\n" if middle else "")
                    _echo_item(item, args.json)
                middle = part
            echo(end="\n" if middle else "")
    else:
        result = service.call(run, args.verb, context, progress=bar.call)
        bar.clear()
        _echo_item(result, args.json)
    return 0


def _context(text: str | None) -> dict[str, Any]:
    """Parse the value of --context.

    Raises:
        Usage: it is not a JSON object.
    """
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise Usage(f"--context is not JSON: {error}.", 'Write it as --context \'{"name": "value"}\'.') from None
    if not isinstance(found, dict):
        raise Usage(f"--context is not a JSON object: {text}.", 'Write it as --context \'{"name": "value"}\'.')
    return found


def _echo_item(item: Any, as_json: bool) -> None:
    """Print one item of a stream, or a result: a string unchanged, a panel as text, anything else as a line of JSON."""
    if not as_json and is_panel(item):
        echo(render_text(item))
    else:
        echo(item if isinstance(item, str) and not as_json else json.dumps(item, ensure_ascii=False))


def export(args: argparse.Namespace) -> int:
    """Copy a run's model."""
    service = _service()
    folder = service.export(find_run(service, args.run), args.to)
    echo(f"The model is in {folder}")
    return 0
