"""Runs in the foreground, for the command line and Python: check, train, wait, and place the model."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from autotrain_gradio.cli import project
from autotrain_gradio.cli.console import ProgressBar, findings_text
from autotrain_gradio.core.errors import INTERRUPTED, DataError, Finding, StateError, UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service, wait
from autotrain_gradio.tasks.registry import resolve


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
    if price := service.price(resolved):
        bar.print(price)
    draft = service.draft(resolved.task.name)
    try:
        if files:
            service.upload(draft, files)
        service.prestart(draft, resolved, token=token)
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
