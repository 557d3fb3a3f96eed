"""The command `predict`: apply a run's model to arguments and files."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio.cli import commands
from autotrain_gradio.cli.commands import Usage
from autotrain_gradio.cli.console import echo, echo_json
from autotrain_gradio.cli.run_names import find_run
from autotrain_gradio.core.csv_files import write_csv
from autotrain_gradio.core.inputs import ROWS_OF, parse_arguments, parse_literals
from autotrain_gradio.core.panels import RenderContext, render_text
from autotrain_gradio.core.panels.text_table import text_table
from autotrain_gradio.core.predictions import Prediction, as_table, summary
from autotrain_gradio.core.text_format import pluralize, truncate

INPUT_CHARACTERS = 60
"""Characters of an input that the printed table shows."""

CLASS_NAMES = ("label", "labels")
"""Last word of the columns that hold names of classes, which are written as they are."""

Given = list[tuple[str, Prediction]]
"""Pairs (argument, prediction), in the order of the predictions."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predict` besides the run."""
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="a file, a text, or a table with an input in each row; NAME=VALUE for several inputs or columns",
    )
    parser.add_argument(
        "--text", metavar="TEXT", action="append", default=[], help="a text, even if it looks like a file name"
    )
    parser.add_argument("--output", "--to", metavar="FILE", help="write the predictions to this CSV file")


def run(args: argparse.Namespace) -> int:
    """Apply a run's model and print its predictions, or write them to a file."""
    if not args.inputs and not args.text:
        raise Usage("No input was given.", "Give an INPUT or --text.", code="usage")
    if args.output and not Path(args.output).absolute().parent.is_dir():
        folder = Path(args.output).absolute().parent
        raise Usage(f"The folder '{folder}' does not exist.", "Create it, or name another --output.", code="no-folder")
    service = commands._service()
    name = find_run(service, args.run)
    task = service.tasks.get(str((service.snapshot(name) or {})["task"]))
    given = parse_arguments(task.inputs, args.inputs) if args.inputs else []
    given += parse_literals(task.inputs, args.text) if args.text else []
    predictions = _with_inputs(given, service.predict(name, [row for _, row in given]))
    _warn(predictions)
    written = [p for _, p in predictions if "file" in p]
    if written:
        _place_files(predictions, args.output)
    elif args.output:
        _write(predictions, Path(args.output))
    if args.json:
        echo_json([{"input": text, **prediction} for text, prediction in predictions])
    elif args.output and not written:
        echo(f"{pluralize(len(predictions), 'prediction')} in {args.output}")
    elif len(predictions) == 1:
        for panel in predictions[0][1]["panels"]:
            echo(render_text(panel, RenderContext()))
    else:
        rows = [[_shortened(text), summary(prediction)] for text, prediction in predictions]
        echo(text_table(["input", "prediction"], rows))
    return 0


def _with_inputs(given: Sequence[tuple[str, Mapping[str, Any]]], predictions: Sequence[Prediction]) -> Given:
    """Pair predictions with their arguments; predictions of rows of a file contain their input."""
    rest = iter(text for text, row in given if ROWS_OF not in row)
    return [(", ".join(map(str, p["input"].values())) if "row" in p else next(rest), p) for p in predictions]


def _warn(predictions: Given) -> None:
    for _, prediction in predictions:
        for warning in prediction.get("warnings", []):
            echo(f"warning: {warning}", error=True)


def _place_files(predictions: Given, output: str | None) -> None:
    """Copy prediction files from the run to the output path, and replace the path in the predictions.

    Raises:
        Usage: the output file exists, or --output is given for several files.
    """
    files = [(text, p) for text, p in predictions if "file" in p]
    if output and len(predictions) != 1:
        raise Usage("--output accepts the predictions of one table only.", "Give one file.", code="usage")
    for text, prediction in files:
        target = Path(output or f"{Path(text).stem}-predictions.csv")
        if target.exists() and not output:
            raise Usage(f"'{target}' exists.", "Name another file with --output.", code="target-exists")
        shutil.copyfile(prediction["file"], target)
        for panel in prediction["panels"]:
            if panel.get("file") == prediction["file"]:
                panel["file"] = str(target)
        prediction["file"] = str(target)


def _write(predictions: Given, target: Path) -> None:
    """Write a CSV file of inputs and raw values."""
    columns, rows = as_table(predictions)
    write_csv(target, columns, rows, unchanged=[name for name in columns if name.split()[-1] in CLASS_NAMES])


def _shortened(text: str) -> str:
    return truncate(" ".join(text.split()), INPUT_CHARACTERS)
