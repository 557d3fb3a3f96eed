"""The command line, generated from the registry: every task is a command, every setting a flag."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from autotrain_gradio import __version__
from autotrain_gradio.cli import commands, predict, serve, tools
from autotrain_gradio.cli.commands import PROGRAM, Usage
from autotrain_gradio.cli.console import echo, echo_error
from autotrain_gradio.core.errors import INTERRUPTED, NotFound, UserError, did_you_mean
from autotrain_gradio.core.file_errors import unusable_file
from autotrain_gradio.core.spec import VARIANTS, variant_of
from autotrain_gradio.core.termination import INTERRUPTED_STATUS, exit_on_sigterm
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.options import Option, options
from autotrain_gradio.tasks.registry import Registry, registry

COMMANDS = (
    *("app", "tasks", "check", "train", "runs", "show", "stop", "resume", "predict", "call", "serve", "export"),
    *("publish", "tools"),
)
TOKEN_HINT = "Set the environment variable HF_TOKEN, or run 'hf auth login' once."


class Parser(argparse.ArgumentParser):
    """A parser whose errors are raised, not printed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        raise Usage(message[:1].upper() + message[1:] + ".", f"See '{self.prog} --help'.", code="usage")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0 success, 1 error, 2 invalid usage, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale without a character that is printed
            stream.reconfigure(errors="backslashreplace")
    given = [_dashed(a) for a in (sys.argv[1:] if argv is None else argv)]
    rename: dict[str, str] = {}
    try:
        if any(a == "--token" or a.startswith("--token=") for a in given):
            raise Usage(
                "A token is not accepted on a command line, which other users can read.",
                TOKEN_HINT,
                "--token",
            )
        _require_utf8(given)
        call = parse(given, registry(), rename)
        with exit_on_sigterm():
            return call()
    except Usage as error:
        echo_error(error)
        return 2
    except UserError as error:
        echo_error(error, rename)
        return INTERRUPTED_STATUS if error.code == INTERRUPTED else 1
    except KeyboardInterrupt:
        echo("Interrupted.", error=True)
        return INTERRUPTED_STATUS
    except BrokenPipeError:
        # The reader of the output has exited, as in `… | head`.
        sys.stdout = None
        return 1
    except OSError as error:
        if error.filename is None:
            raise  # not about a file that a user has named
        echo_error(unusable_file(error))
        return 1


def _require_utf8(argv: Sequence[str]) -> None:
    """Raise Usage for an argument with bytes that are not text in the locale's encoding: no file could record it."""
    for argument in argv:
        if any("\ud800" <= c <= "\udfff" for c in argument):
            shown = argument.encode("utf-8", "backslashreplace").decode()
            hint = "Rename the file, or set LC_ALL=C.UTF-8 if it is the locale that is wrong."
            raise Usage(f"An argument is not UTF-8: '{shown}'.", hint, code="not-utf8")


def parse(argv: list[str], tasks: Registry, rename: dict[str, str] | None = None) -> Callable[[], int]:
    """Parse a command; return a function that runs it and returns the exit status.

    rename: is filled with location in the spec → flag, for messages.

    Raises:
        Usage: the command is unknown or its arguments are invalid.
        SystemExit: after `--help` or `--version`.
    """
    if not argv:
        build(tasks).print_help()
        return lambda: 2
    word, rest = argv[0], argv[1:]
    if not word.startswith("-") and word not in COMMANDS:
        word, rest = _variant(word, rest, tasks)
        task = _task_named(word, tasks)
        if task is None:
            raise Usage(f"Unknown command '{word}'.", did_you_mean(word, [*COMMANDS, *(t.name for t in tasks)]))
        format = tasks.format_of(word)
        return _parse_task(task, format, rest, f"{PROGRAM} {task.name}", rename, commands.train_options, train=True)
    if word == "check" and rest and not rest[0].startswith("-"):
        name, flags = _variant(rest[0], rest[1:], tasks)
        if task := _task_named(name, tasks):
            program, format = f"{PROGRAM} check {task.name}", tasks.format_of(name)
            return _parse_task(task, format, flags, program, rename, commands.check_options, train=False)
    parser = build(tasks)
    args, left = parser.parse_known_args(argv)
    if left:
        known = command_parsers(parser)
        command = known.get(" ".join(argv[:2])) or known[word]
        flags = [f for a in command._actions for f in a.option_strings]
        raise _unknown(left[0], flags)
    return lambda: int(args.call(args))


def build(tasks: Registry) -> Parser:
    """Build the parser of all commands; those of the tasks are listed here and parsed by `task_parser`."""
    width = max(len(t.name) for t in tasks) if len(tasks) else 0
    listed = "\n".join(f"  {t.name.ljust(width)}  {t.summary}" for t in tasks)
    parser = Parser(
        prog=PROGRAM,
        description="Turn your own data into a fine-tuned model.",
        epilog=f"tasks, each a command with its own flags ({PROGRAM} TASK --help):\n{listed}",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    found = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    def add(name: str, call: Callable[[argparse.Namespace], int], text: str) -> Parser:
        command: Parser = found.add_parser(name, help=text, description=text)
        command.set_defaults(call=call)
        return command

    app = add("app", commands.app, "Serve the page.")
    app.add_argument("--host", metavar="ADDRESS", help="address to listen on (default 127.0.0.1; on a Space 0.0.0.0)")
    app.add_argument("--port", metavar="N", type=int, help="port to listen on (default 7860)")
    app.add_argument("--share", action="store_true", help="make a public link, protected by a password")
    auth = "require this user and password; AUTOTRAIN_GRADIO_AUTH keeps them out of the list of processes"
    app.add_argument("--auth", metavar="USER:PASSWORD", help=auth)
    _json(add("tasks", commands.tasks, "List the tasks."))
    check = add("check", commands.check_file, "Check the data; exit status 1 if it has errors.")
    check.add_argument(
        "spec", metavar="SPEC", help=f"a YAML file, or a task and its flags: {PROGRAM} check TASK --help"
    )
    _json(check)
    train = add("train", commands.train_file, "Train in the foreground; exit status 0 only if the run completed.")
    train.add_argument("spec", metavar="SPEC.yaml", help="a YAML file of this project or of AutoTrain")
    runs = add("runs", commands.runs, "List the runs, newest first.")
    _json(runs)
    help_ = f"maximum number of runs; 0: all; default: {commands.RUNS_SHOWN}, with --json all"
    runs.add_argument("--limit", type=_count, metavar="N", help=help_)
    run_help = "a run: its id, a unique prefix of it, or a project name (its newest run)"
    for name, call, text in (
        ("show", commands.show, "Show a run: its state, metrics and report."),
        ("stop", commands.stop, "Stop a run after its current step; its weights are saved."),
        ("resume", commands.resume, "Continue a stopped, failed or interrupted run from its last checkpoint."),
        ("predict", predict.run, "Apply a run's model to new inputs."),
        ("call", commands.call, "Call a verb of a run's task; streamed items are printed as they arrive."),
        ("serve", serve.run, "Serve a run's language model with OpenAI's API, for local use."),
        ("export", commands.export, "Copy a run's model into a folder."),
        (
            "publish",
            commands.publish,
            "Upload a run's model to the Hub, with the token of HF_TOKEN or 'hf auth login'.",
        ),
    ):
        command = add(name, call, text)
        command.add_argument("run", metavar="RUN", help=run_help)
        if name == "predict":
            predict.add_arguments(command)
        if name == "serve":
            serve.add_arguments(command)
        if name == "call":
            command.add_argument("verb", metavar="VERB", nargs="?", help="name of a verb (default: list them)")
            arguments = "values of its inputs as NAME=VALUE; a single input can be given without its name"
            command.add_argument("arguments", metavar="ARGUMENT", nargs="*", help=arguments)
            command.add_argument("--context", metavar="JSON", help="arguments of the verb, as a JSON object")
        if name == "export":
            command.add_argument("--to", metavar="FOLDER", required=True, help="an empty folder, or a new one")
        if name in {"show", "predict", "call"}:
            _json(command)
    text = "Merge adapters, and convert LoRA weights for other programs."
    tools.add_commands(found.add_parser("tools", help=text, description=text), Parser)
    return parser


def command_parsers(parser: Parser) -> dict[str, Parser]:
    """Return command → its parser; a command of commands has theirs too, as `tools merge-llm-adapter`."""
    found = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                found[name] = command
                found |= {f"{name} {below}": one for below, one in command_parsers(command).items()}
    return found


def task_parser(task: Task, prog: str, *, train: bool) -> Parser:
    """Build the parser of a task's flags, one for each field of the spec; flags that are not given stay unset."""
    usage = f"{prog} [options]{' --train' if train else ''}"
    parser = Parser(prog=prog, usage=usage, description=task.summary, argument_default=argparse.SUPPRESS)
    if train:
        parser.add_argument("--train", action="store_true", help="start the training (required)")
    else:
        _json(parser)
    groups: dict[str, Any] = {}
    for option in options(task):
        if option.kind == "mapping":
            continue  # mappings have no flag; they are set in the YAML
        group = groups.setdefault(option.group, parser.add_argument_group(option.group))
        text = option.help.replace("%", "%%")
        if option.kind == "boolean":
            text += f" (default: {'yes' if option.default else 'no'})"
            group.add_argument(*option.flags, action=argparse.BooleanOptionalAction, help=text)
            continue
        if option.default not in (None, ""):
            text += f" (default: {option.default})"
        metavar = "|".join(option.choices) or {"integer": "N", "number": "X"}.get(option.kind, "TEXT")
        many: dict[str, Any] = {"nargs": "+"} if option.many else {}
        group.add_argument(*option.flags, metavar=metavar, help=text, **many)
    return parser


def _parse_task(
    task: Task,
    format: str,
    argv: list[str],
    prog: str,
    rename: dict[str, str] | None,
    call: Callable[[Task, dict[str, Any]], int],
    *,
    train: bool,
) -> Callable[[], int]:
    parser = task_parser(task, prog, train=train)
    args, left = parser.parse_known_args(argv)
    if left:
        raise _unknown(left[0], [f for a in parser._actions for f in a.option_strings])
    if rename is not None:
        rename.update({o.where: o.flags[0] for o in options(task)})
    by_name = {o.name: o for o in options(task)}
    given = {n: _none(by_name[n], v) if n in by_name else v for n, v in vars(args).items()}
    if format:
        given.setdefault("format", format)
    return lambda: call(task, given)


def _unknown(argument: str, flags: Sequence[str]) -> Usage:
    if not argument.startswith("-"):
        return Usage(f"'{argument}' is an unexpected argument.", "Quote texts that contain spaces.", code="usage")
    name = argument.split("=")[0]
    return Usage(f"Unknown flag '{name}'.", did_you_mean(name, flags), code="unknown-setting")


def _none(option: Option, value: Any) -> Any:
    """Convert `none` to None for settings that may be None."""
    empty = option.optional and isinstance(value, str) and value.lower() in {"none", "null"}
    return None if empty and value.lower() not in option.choices else value


def _dashed(argument: str) -> str:
    """Normalize `--data_path=a_b` to `--data-path=a_b`: AutoTrain accepts both."""
    if not argument.startswith("--") or " " in argument.partition("=")[0]:
        return argument  # with a space it is a value, such as the arguments of a script
    name, equals, value = argument.partition("=")
    return name.replace("_", "-") + equals + value


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", default=False, help="print JSON")


def _count(text: str) -> int:
    """Parse a number of items, from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is below 0")
    return number


def _variant(word: str, argv: list[str], tasks: Registry) -> tuple[str, list[str]]:
    """Return the task that AutoTrain's flags `--trainer` and `--task` select, as in `llm --trainer sft`, and the rest.

    Tasks with an option of that name keep the flag.
    """
    task = _task_named(word, tasks)
    own = {flag for option in options(task) for flag in option.flags} if task else set()
    for name in VARIANTS:
        flag = f"--{name}"
        if flag in own:
            continue
        parser = Parser(add_help=False)
        parser.add_argument(flag, dest="variant")
        found, left = parser.parse_known_args(argv)
        if found.variant:
            word, argv = variant_of(word, found.variant), left
    return word, argv


def _task_named(name: str, tasks: Registry) -> Task | None:
    try:
        return tasks.get(name)
    except NotFound:
        return None
