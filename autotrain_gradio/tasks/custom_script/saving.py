"""The model of a run: the files that a script has written to its output folder. Workers only."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from autotrain_gradio.core.json_files import write_json
from autotrain_gradio.core.text_format import count_with_verb, format_bytes, format_value, join_examples
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training.card import portable

CARD = "README.md"
SETTINGS = "training_params.json"
SHOWN_FILES = 200


def output_files(folder: Path) -> list[tuple[str, int]]:
    """Return `(path, bytes)` of the files below a folder, in order."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return sorted((p.relative_to(folder).as_posix(), p.stat().st_size) for p in files)


def save(run: Reporter, output: Path, summary: Mapping[str, Mapping[str, float]]) -> list[tuple[str, int]]:
    """Move the output to `model/`, with a model card and the settings; return the script's files.

    The earlier model of the run, if there is one, is replaced once the new one is complete.
    """
    partial, earlier = run.directory / "model.partial", run.directory / "model.earlier"
    for folder in (partial, earlier):
        shutil.rmtree(folder, ignore_errors=True)
    _leave_out(run, output)
    files = output_files(output)
    output.rename(partial)
    settings = portable(run.spec.model_dump(mode="json"))
    settings["params"] = {n: v for n, v in run.params.model_dump(mode="json").items() if n != "env"}
    if not (partial / SETTINGS).exists():
        write_json(partial / SETTINGS, settings)
    if not (partial / CARD).exists():
        (partial / CARD).write_text(_card(run, files, summary), encoding="utf-8")
    if run.model.exists():
        run.model.rename(earlier)
    partial.rename(run.model)
    shutil.rmtree(earlier, ignore_errors=True)
    run.artifact("model", run.model)
    return files


def _leave_out(run: Reporter, output: Path) -> None:
    """Remove what cannot be part of a model: sockets, pipes, and links to files elsewhere."""
    removed = []
    root = output.resolve()
    for folder, folders, names in os.walk(output):
        for name in [*folders, *names]:
            path = Path(folder) / name
            mode = path.lstat().st_mode
            outside = stat.S_ISLNK(mode) and (not path.exists() or not path.resolve().is_relative_to(root))
            if stat.S_ISLNK(mode) and not outside and os.path.isabs(os.readlink(path)):
                target = os.path.relpath(path.resolve(), path.parent.resolve())
                path.unlink()
                path.symlink_to(target)  # the folder is moved
            if outside or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
                path.unlink()
                removed.append(path.relative_to(output).as_posix())
    if removed:
        message = (
            f"{count_with_verb(len(removed), 'entry', 'is', 'entries')} no file of the output and not part of the "
        )
        message += f"model (a link to a file elsewhere, a socket or a pipe): {join_examples(removed)}."
        run.note(message, level="warning")


def _card(run: Reporter, files: list[tuple[str, int]], summary: Mapping[str, Mapping[str, float]]) -> str:
    metrics = [[name, format_value(s["last"]), f"{s['step']:g}"] for name, s in summary.items() if "last" in s]
    parts = [
        "---\ntags:\n- autotrain-gradio\n---",
        f"# {run.spec.project_name}",
        "Files that a custom training script has written.",
        "## Files",
        "\n".join(f"- `{path}` ({format_bytes(size)})" for path, size in files[:SHOWN_FILES]) or "None.",
        "## Metrics",
        "\n".join(["| metric | last value | step |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in metrics)])
        if metrics
        else "The script reported no metrics.",
        "## Training",
        f"Arguments: `{run.params.args}`." if run.params.args else "The script ran without arguments.",
    ]
    return "\n\n".join(parts) + "\n"
