"""The command `tools`: merge an adapter, convert LoRA weights. Flags as in AutoTrain."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotrain_gradio.cli import commands
from autotrain_gradio.cli.commands import Usage
from autotrain_gradio.cli.console import ProgressBar, echo
from autotrain_gradio.cli.run_names import find_run
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.tasks.tools import TOOLS

DTYPES = ("auto", "float32", "float16", "bfloat16")
COMPONENTS = {"unet": "UNet", "text_encoder": "text encoder", "text_encoder_2": "second text encoder"}


def add_commands(parser: argparse.ArgumentParser, parser_class: type[argparse.ArgumentParser]) -> None:
    """Add a command for each tool."""
    listed = "one of the tools below"
    found = parser.add_subparsers(
        title="commands", metavar="TOOL", required=True, parser_class=parser_class, help=listed
    )

    def add(name: str, call: Callable[[argparse.Namespace], int], *aliases: str) -> argparse.ArgumentParser:
        text = TOOLS.get(name).help
        command: argparse.ArgumentParser = found.add_parser(name, help=text, description=text, aliases=list(aliases))
        command.set_defaults(call=call)
        return command

    merge = add("merge-llm-adapter", merge_llm_adapter)
    where = "adapter: a folder, a run (id, prefix or project name), or a Hub id"
    merge.add_argument("--adapter-path", metavar="ADAPTER", required=True, help=where)
    merge.add_argument(
        "--base-model-path", metavar="MODEL", default="", help="base model: a folder or Hub id (default: as it names)"
    )
    merge.add_argument("--output-folder", metavar="FOLDER", help="save the model here; an empty folder, or a new one")
    pad = "increase the number of embeddings to a multiple of N, which some hardware prefers"
    merge.add_argument("--pad-to-multiple-of", metavar="N", type=_positive, help=pad)
    dtype = "dtype of the saved weights (default: auto, that of the base model)"
    merge.add_argument("--dtype", metavar="|".join(DTYPES), choices=DTYPES, default="auto", help=dtype)
    push = "upload the model to the Hub, to a private repository, with the token of HF_TOKEN or 'hf auth login'"
    merge.add_argument("--push-to-hub", action="store_true", help=push)
    repository = "repository to upload to: NAME or OWNER/NAME (default: name of the adapter with '-merged')"
    merge.add_argument("--repo-id", metavar="NAME", default="", help=repository)
    convert = add("convert-to-kohya", convert_to_kohya, "convert_to_kohya")
    source = "safetensors file of LoRA weights, or the folder that diffusers or PEFT has saved"
    convert.add_argument("--input-path", metavar="FILE", required=True, help=source)
    convert.add_argument("--output-path", metavar="FILE", required=True, help="new safetensors file")


def merge_llm_adapter(args: argparse.Namespace) -> int:
    """Merge an adapter; save or upload the result, or both."""
    if not args.output_folder and not args.push_to_hub:
        raise Usage("Nothing would be saved.", "Give --output-folder, --push-to-hub or both.", code="usage")
    if args.repo_id and not args.push_to_hub:
        raise Usage("--repo-id is for --push-to-hub only.", "Add --push-to-hub.", "--repo-id", "usage")
    adapter, name = _adapter(args.adapter_path)
    with tempfile.TemporaryDirectory(prefix="autotrain-gradio-") as scratch:
        folder = Path(args.output_folder).expanduser().absolute() if args.output_folder else Path(scratch, "merged")
        done = _run(
            "merge-llm-adapter",
            {
                "adapter": adapter,
                "base": _folder(args.base_model_path),
                "folder": str(folder),
                "temporary": not args.output_folder,
                "dtype": args.dtype,
                "multiple": args.pad_to_multiple_of,
                "repository": (args.repo_id or f"{name}-merged") if args.push_to_hub else "",
            },
        )
    for note in done["notes"]:
        echo(f"note: {note}", error=True)
    echo(f"{name} was merged into {done['base']} ({done['dtype']}, {done['embeddings']:,} embeddings).")
    echo(
        f"Largest difference of a logit from base model and adapter: {done['difference']:.2g} of their standard "
        "deviation."
    )
    if done["folder"]:
        echo(f"The model is in {done['folder']}")
    if done["address"]:
        echo(f"The model is at {done['address']}")
    return 0


def convert_to_kohya(args: argparse.Namespace) -> int:
    """Convert LoRA weights."""
    paths = {"input": args.input_path, "output": args.output_path}
    done = _run("convert-to-kohya", {k: str(Path(v).expanduser().absolute()) for k, v in paths.items()})
    layers = ", ".join(f"{pluralize(n, 'layer')} of the {COMPONENTS[c]}" for c, n in done["layers"].items())
    echo(f"{done['file']}: {layers}; {'SDXL' if done['sdxl'] else 'Stable Diffusion 1 or 2'}.")
    if done["assumed"]:
        count = pluralize(done["assumed"], "layer")
        echo(f"note: no alpha is known for {count}: it was set to the rank, as diffusers assumes.", error=True)
    return 0


def _run(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from autotrain_gradio.service.tools import run_tool

    bar = ProgressBar()
    try:
        found: dict[str, Any] = run_tool(name, arguments, limits=Settings.from_env().limits, progress=bar.call)
    finally:
        bar.clear()
    return found


def _adapter(given: str) -> tuple[str, str]:
    """Return the folder or Hub id of an adapter, and its name: a folder, else a Hub id, else a run."""
    folder = Path(given).expanduser()
    if folder.is_dir():
        return str(folder.absolute()), folder.absolute().name
    if "/" in given:
        return given, given.rpartition("/")[2]
    service = commands._service()
    run = find_run(service, given)
    return str(service.model_folder(run)), str((service.snapshot(run) or {})["project_name"])


def _folder(given: str) -> str:
    """Return the absolute path of an existing folder; a Hub id unchanged."""
    folder = Path(given).expanduser()
    return str(folder.absolute()) if given and folder.is_dir() else given


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is below 1")
    return number
