"""Parse YAML text from visitors: plain values only, limited in depth and length.

PyYAML's safe loader builds no objects, but follows YAML 1.1: aliases expand to gigabytes (billion laughs attack),
`1:30` is the number 90, a damaged date or a number of thousands of digits raises whatever `datetime` or `int` raises,
and a text that is nested a thousand times deep exceeds Python's recursion limit.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from autotrain_gradio.core.errors import SpecError

CHARACTERS = 65_536
DEPTH = 32
"""Maximum nesting of mappings and lists; a run has three levels."""
DIGITS = 40
"""Maximum characters of a number: longer ones are never valid settings, and are slow or impossible to print."""
PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge")}


class _Loader(yaml.SafeLoader):
    """Safe loader without aliases, tags, timestamps and sexagesimal numbers, and with a limit of depth."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.events.AliasEvent):
            raise _refused("aliases (*name) are not supported here", event)
        if getattr(event, "tag", None) not in {None, "!", *PLAIN}:
            raise _refused(f"the tag {event.tag[:60]} is not supported here", event)
        self.depth += 1
        if self.depth > DEPTH:
            raise _refused(f"it is nested more than {DEPTH} levels deep", event)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _refused(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.composer.ComposerError(None, None, problem, event.start_mark)


def _number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    """Return the value of a number as PyYAML parses it.

    Raises:
        ConstructorError: it is too long, or is none (with an explicit tag).
    """
    text = str(node.value)
    construct = loader.construct_yaml_int if node.tag.endswith("int") else loader.construct_yaml_float
    try:
        if len(text) > DIGITS:
            raise ValueError
        return construct(node)
    except (ValueError, IndexError, OverflowError):
        shown = text if len(text) <= DIGITS else f"{text[:DIGITS]}… ({len(text):,} characters)"
        raise yaml.constructor.ConstructorError(None, None, f"'{shown}' is not a number", node.start_mark) from None


def _truth(loader: _Loader, node: yaml.ScalarNode) -> bool:
    try:
        return bool(loader.construct_yaml_bool(node))
    except KeyError:  # with an explicit tag
        problem = f"'{str(node.value)[:DIGITS]}' is neither true nor false"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


for _name in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_name}", _number)
_Loader.add_constructor("tag:yaml.org,2002:bool", _truth)
# Numbers without those of base 60, and no timestamps: `1:30` and `2026-01-31` are texts, as in YAML 1.2.
_SIMPLE = {
    "tag:yaml.org,2002:int": r"^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$",
    "tag:yaml.org,2002:float": r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$",
}
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(_SIMPLE[tag]) if tag in _SIMPLE else pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text: mappings, lists, texts, numbers, booleans and None.

    Raises:
        SpecError: it is not YAML, or uses what is not supported; `where` is the line and column.
    """
    if len(text) > CHARACTERS:
        raise SpecError(f"The YAML has {len(text):,} characters; a run has a few hundred.", code="yaml")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid YAML"
        raise SpecError(
            f"This is not valid YAML: {problem}.", "Check the indentation and the colons there.", where, "yaml"
        ) from None
