"""Generate docs/cli.md and docs/tasks/*.md from the declarations: `python -m autotrain_gradio.cli.docs [--check]`."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import Any

import yaml

from autotrain_gradio.cli.commands import PROGRAM
from autotrain_gradio.cli.console import echo
from autotrain_gradio.cli.main import build, command_parsers
from autotrain_gradio.core.inputs import is_alternative
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.core.text_format import in_sentence
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.tasks import views
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.options import Option, options
from autotrain_gradio.tasks.registry import Registry, registry

ROOT = Path(__file__).resolve().parents[2] / "docs"
NOTICE = "<!-- Generated from the declarations by `make generate`: do not edit. -->\n\n"


def pages(tasks: Registry) -> dict[str, str]:
    """Return all generated pages: path relative to docs/ → text."""
    found = {f"tasks/{task.name}.md": task_page(task, tasks) for task in tasks}
    found["tasks/README.md"] = index_page(tasks)
    found["cli.md"] = cli_page(tasks)
    return found


def index_page(tasks: Registry) -> str:
    """Render the list of tasks by modality."""
    parts = [NOTICE + "# Tasks"]
    for modality, of_it in tasks.modalities().items():
        rows = [[f"[{t.title}]({t.name}.md)", f"`{t.name}`", t.summary] for t in of_it]
        parts.append(f"\n## {modality}\n\n" + _table(["task", "name", "what it does"], rows))
    return "\n".join(parts) + "\n"


def task_page(task: Task, tasks: Registry) -> str:
    """Render the page of a task: data, models, settings, metrics, verbs, and examples."""
    parts = [NOTICE + f"# {task.title}\n\n{task.summary}\n\nName: `{task.name}`."]
    if task.all_aliases:
        parts[0] += f" Also known as {', '.join(f'`{a}`' for a in task.all_aliases)}."
    if commands := task.install_commands():
        parts.append(f"Install: {', '.join(f'`{c}`' for c in commands)}.")
    if task.docs:
        parts.append(f"[How it works]({'' if '://' in task.docs else '../../'}{task.docs}).")
    parts.append("## Data\n\nSources:\n\n" + "\n".join(map(_source, task.sources)))
    parts += [f"### {layout.title}\n\n```text\n{layout.example}\n```" for layout in task.layouts]
    columns = [
        [f"`{c.role}`", c.kind.title, "yes" if c.required else "no", c.help, ", ".join(f"`{n}`" for n in c.names)]
        for c in task.columns
    ]
    if not task.files_only:
        head = ["role", "kind", "required", "description", "detected by name"]
        parts.append("### Columns\n\n" + _table(head, columns))
    if task.formats:
        formats = [
            [f"`{f.name}`", f.title, ", ".join(f"`{c.role}`" for c in f.columns if c.required), f.help]
            for f in task.formats
        ]
        parts.append("### Formats\n\n" + _table(["name", "title", "required columns", "description"], formats))
        parts += [f"#### {f.title}\n\n```text\n{f.example}\n```" for f in task.formats if f.example]
    if task.samples:
        rows = [f"- `{s.name}`: {s.title}. {s.help}".rstrip() for s in task.samples]
        parts.append("### Samples\n\nBundled with the app: `source: sample`.\n\n" + "\n".join(rows))
    if task.models:
        sizes = ["size"] if any(m.millions for m in task.models) else []
        models = [[f"`{m.id}`", *(f"{m.millions:g} M" for _ in sizes), m.when] for m in task.models]
        which = "One of these, or several separated by commas."
        if not task.listed:
            which = "Any compatible model of the Hub, a folder, or `tiny`: a small untrained model for a dry run."
        parts.append(f"## Models\n\n{which}\n\n" + _table(["model", *sizes, "when to choose it"], models))
    tiny = task.defaults(TINY) if task.defaults else {}
    if tiny:
        listed = ", ".join(f"`{name}: {_yaml(value)}`" for name, value in tiny.items())
        parts.append(f"With `model: {TINY}`, some defaults differ from the tables below: {listed}.")
    parts.append("## Settings\n\nNames as in Python and YAML; on the command line `--with-dashes`.")
    groups: dict[str, list[Option]] = {}
    for option in options(task):
        groups.setdefault(option.group, []).append(option)
    parts += [f"### {group}\n\n{_section(found[0])}\n\n{_options(found)}" for group, found in groups.items()]
    if task.metrics:
        metrics = [[f"`{m.name}`", m.title, "higher" if m.higher_is_better else "lower", m.help] for m in task.metrics]
        parts.append("## Metrics\n\n" + _table(["name", "title", "better", "description"], metrics))
    if task.loader_example:
        parts.append(
            f"## Use a trained model\n\n`model` is the folder of the model, `value` {_value(task)}.\n\n"
            f"```python\n{task.loader_example.strip()}\n```"
        )
        if settings := [f"`{i.name}` ({in_sentence(i.title)})" for i in task.inputs if i.setting]:
            parts[-1] += f"\n\nSettings of predictions: {', '.join(settings)}. {_how_to_set(task)}"
    if verbs := task.public_verbs():
        calls = [
            [
                f"`{v.name}`",
                ", ".join(f"`{i.name}`: {i.title} ({i.kind})" for i in v.inputs),
                "a stream of items" if v.streams else "one result",
                v.help,
            ]
            for v in verbs
        ]
        how = (
            f"Calls to the model of a run: on its page, with `{PROGRAM} call RUN VERB NAME=VALUE`, or in Python with "
            '`run.call("VERB", NAME=VALUE)` and `run.stream("VERB", NAME=VALUE)`.'
        )
        parts.append(f"## Verbs\n\n{how}\n\n" + _table(["verb", "inputs", "returns", ""], calls))
    parts.append("## Example: YAML, command line and Python\n\n" + _forms(task, tasks))
    return "\n\n".join(parts) + "\n"


def cli_page(tasks: Registry) -> str:
    """Render the reference of all commands, from the parser."""
    parser = build(tasks)
    parts = [NOTICE + f"# {PROGRAM}\n\n{parser.description} `python -m autotrain_gradio` is the same."]
    names: dict[int, list[str]] = {}
    found = command_parsers(parser)
    for name, command in found.items():
        names.setdefault(id(command), []).append(name)
    for name, *aliases in names.values():
        command = found[name]
        usage = " ".join([PROGRAM, name, *(_usage(a) for a in command._actions if not _is_help(a))])
        rows = [[f"`{_names(a)}`", _text(a.help)] for a in command._actions if not _is_help(a)]
        parts.append(f"## {name}\n\n{command.description}\n\n```sh\n{usage}\n```" + ("\n\n" if rows else ""))
        parts[-1] += _table(["", ""], rows) if rows else ""
        parts[-1] += f"\n\nAlso: {', '.join(f'`{alias}`' for alias in aliases)}." if aliases else ""
    listed = "\n".join(f"- [`{t.name}`](tasks/{t.name}.md#settings): {t.summary}" for t in tasks)
    parts.append(
        f"## TASK\n\nThe name of a task is a command that trains with flags instead of a YAML file, as in AutoTrain; "
        f"`{PROGRAM} check TASK` takes the same flags without `--train`.\n\n```sh\n"
        f"{PROGRAM} TASK --data-path FOLDER … --train\n```\n\n" + listed
    )
    parts.append(
        "## Exit status\n\n0: done. 1: an error, findings of level error, or a training that did not complete. "
        "2: invalid usage. 130: interrupted (Ctrl-C), also when the training has stopped cleanly. "
        "143: terminated (SIGTERM)."
    )
    return "\n\n".join(parts) + "\n"


def _source(source: Source) -> str:
    more = f" [More]({'../../' if '://' not in source.docs else ''}{source.docs})." if source.docs else ""
    names = ", ".join(f"`{name}`" for name in source.secrets)
    login = f" Credentials: environment variables {names}." if names else ""
    return f"- **{source.title}**: {source.help}{login}{more}"


def _forms(task: Task, tasks: Registry) -> str:
    data: dict[str, Any] = {"path": "my-data"}
    params = {"epochs": 5} if "epochs" in task.params.model_fields else {}
    spec = RunSpec.model_validate({"task": task.name, "project_name": "my-model", "data": data, "params": params})
    return "\n\n".join(
        [
            f"`{PROGRAM} train run.yaml`, with\n\n```yaml\n{views.yaml_view(spec, tasks).strip()}\n```",
            f"```sh\n{views.command_view(spec, tasks).strip()}\n```",
            f"```python\n{views.python_view(spec, tasks).strip()}\n```",
        ]
    )


def _value(task: Task) -> str:
    """Describe the input of the code that uses a model."""
    names = [f"`{i.name}`" for i in task.inputs if not is_alternative(i) and not i.setting]
    return f"a dict with {' and '.join(names)}" if len(names) > 1 else "an input"


def _how_to_set(task: Task) -> str:
    """Describe how the settings of predictions are given."""
    name, value = next(i.name for i in task.inputs if i.setting), next(i.name for i in task.inputs if not i.setting)
    command = f"`{PROGRAM} predict RUN INPUT {name}=…`"
    return f'On the command line {command}, in Python `run.predict({{"{value}": …, "{name}": …}})`.'


def _section(option: Option) -> str:
    section, dot, _ = option.where.partition(".")
    return f"In the YAML below `{section}:`." if dot else "In the YAML at the top."


def _options(found: list[Option]) -> str:
    rows = []
    for option in found:
        default = "" if option.default in (None, "", {}) else f"`{_yaml(option.default)}`"
        place = (
            f"`{option.name}`" if option.where.endswith(option.name) else f"`{option.name}` (YAML: `{option.where}`)"
        )
        rows.append([place, option.values, default, option.help])
    return _table(["setting", "values", "default", ""], rows)


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True)).removesuffix("\n...\n").strip()


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *([c.replace("|", "\\|").replace("\n", " ") for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _is_help(action: argparse.Action) -> bool:
    return isinstance(action, argparse._HelpAction)


def _names(action: argparse.Action) -> str:
    return ", ".join(action.option_strings) or str(action.metavar)


def _text(text: str | None) -> str:
    return (text or "").replace("%%", "%")


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        text = f"{action.metavar}{' …' if action.nargs in {'+', '*'} else ''}"
        return f"[{text}]" if action.nargs in {"?", "*"} else text
    word = action.option_strings[0]
    if action.nargs != 0:
        word += f" {action.metavar or action.dest.upper()}"
    return word if action.required else f"[{word}]"


def main(argv: list[str] | None = None) -> int:
    """Write the pages below docs/, or with `--check` report those that are out of date; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m autotrain_gradio.cli.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a page is out of date")
    parser.add_argument("--to", type=Path, default=ROOT, metavar="FOLDER", help="folder of the pages")
    args = parser.parse_args(argv)
    wanted = pages(registry())
    folder: Path = args.to
    extra = [p for p in sorted((folder / "tasks").glob("*.md")) if p.relative_to(folder).as_posix() not in wanted]
    stale = 0
    for name, text in wanted.items():
        path = folder / name
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        if old == text:
            continue
        stale += 1
        if args.check:
            diff = difflib.unified_diff(
                old.splitlines(), text.splitlines(), f"docs/{name}", "generated", lineterm="", n=1
            )
            echo("\n".join(list(diff)[:30]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            echo(f"written: docs/{name}")
    for path in extra:
        stale += 1
        if args.check:
            echo(f"docs/tasks/{path.name} belongs to no task")
        else:
            path.unlink()
            echo(f"removed: docs/tasks/{path.name}")
    if args.check and stale:
        echo("The generated docs are out of date: run 'make generate'.")
    return int(args.check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
