"""Reward functions: made from the parameters, each scores completions.

Each has a name, by which its mean is reported, and a weight; the total is the weighted sum, as in TRL.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from autotrain_gradio.core.errors import Finding, MissingExtra, SpecError, UserError
from autotrain_gradio.data.kinds.conversation_messages import Message
from autotrain_gradio.tasks.llm_grpo import REWARDS
from autotrain_gradio.tasks.llm_grpo.answers import same_answer

REGEX_SECONDS = 0.25
"""Longest time of a regular expression on a completion."""
STRESS = ("a" * 2000 + "!", "1" * 2000 + "x", " " * 2000 + "x", "ab, " * 500, "<a>" * 600, "(" * 2000)
"""Texts on which a pattern with catastrophic backtracking takes very long."""
FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)
PARSES, FITS = 0.5, 1.0
UNSUPPORTED = ("patternProperties",)
"""Keywords of JSON schemas that jsonschema matches with `re`, which has no time limit."""


@dataclass(frozen=True)
class Batch:
    """Completions to score, one item of each list a completion.

    prompts: messages before it. answers: reference answers; None: there is none. extra: name of a column → its values.
    """

    prompts: Sequence[Sequence[Message]]
    completions: Sequence[str]
    answers: Sequence[str | None]
    extra: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.completions)


Score = float | None
"""A reward; None: the function does not apply to the row."""


class Scorer(Protocol):
    """A reward function."""

    def __call__(self, batch: Batch) -> list[Score]:
        """Return the reward of each completion."""


@dataclass(frozen=True)
class Reward:
    """A reward function with its name in the events, its title and its weight in the total."""

    name: str
    weight: float
    score: Scorer

    @property
    def title(self) -> str:
        """Its name for people."""
        return REWARDS[self.name]


def total(scores: Mapping[str, Score], rewards: Sequence[Reward]) -> float:
    """Return the weighted sum of a completion's rewards, without those that do not apply."""
    values = ((scores[r.name], r.weight) for r in rewards)
    return sum(value * weight for value, weight in values if value is not None)


def in_use(params: Any) -> list[str]:
    """Return the names of the reward functions with a weight."""
    return [name for name in REWARDS if getattr(params, f"{name}_weight")]


def make_rewards(
    params: Any,
    count_tokens: Callable[[str], int],
    *,
    note: Callable[[str], None] = lambda message: None,
    with_model: bool = True,
) -> list[Reward]:
    """Return the reward functions that the parameters name.

    count_tokens: returns the number of tokens of a text. note: takes messages while completions are scored.
    with_model: include the reward model, whose weights are loaded.

    Raises:
        SpecError: all that is wrong with them.
    """
    makers: dict[str, Callable[[], Scorer]] = {
        "exact_answer": lambda: ExactAnswer(params.answer_marker),
        "regex": lambda: RegexMatch(params.regex_pattern, params.regex_mode, note),
        "json_schema": lambda: JsonSchema(params.json_schema),
        "length": lambda: LengthTarget(params.length_target, count_tokens if params.length_unit == "tokens" else words),
        "reward_model": lambda: _reward_model(params.reward_model),
        "python": lambda: _python_function(params.reward_file),
    }
    found, findings = [], list[Finding]()
    for name in in_use(params):
        if name == "reward_model" and not with_model:
            continue
        try:
            found.append(Reward(name, getattr(params, f"{name}_weight"), makers[name]()))
        except UserError as error:
            findings += error.findings
    if findings:
        raise SpecError.from_findings(findings)
    return found


def _reward_model(name: str) -> Scorer:
    from autotrain_gradio.tasks.llm_grpo.reward_model import RewardModel

    return RewardModel(name)


def _python_function(path: str) -> Scorer:
    from autotrain_gradio.tasks.llm_grpo.python_reward import load_function

    return load_function(path)


class ExactAnswer:
    """1 if the final answer equals that of the reference, else 0; it does not apply to rows without a reference."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    def __call__(self, batch: Batch) -> list[Score]:
        """Return the reward of each completion."""
        pairs = zip(batch.completions, batch.answers, strict=True)
        return [None if a is None else float(same_answer(c, a, self._marker)) for c, a in pairs]


class RegexMatch:
    """1 if the regular expression matches, else 0.

    mode: `search` anywhere, or `full_match`. A match that takes longer than the time limit counts as none, and is
    reported once.

    Raises:
        SpecError: the expression is invalid, or takes too long on a few texts.
    """

    def __init__(self, pattern: str, mode: str, note: Callable[[str], None] = lambda message: None) -> None:
        import regex  # a requirement of transformers: unlike `re`, it has a time limit

        where = "params.regex_pattern"
        try:
            self._compiled = regex.compile(pattern)
        except regex.error as error:
            message = f"The regular expression {pattern!r} is invalid: {error}."
            hint = "Correct it, or put a backslash before characters that are meant literally."
            raise SpecError(message, hint, where, "regex-invalid") from error
        self._match = self._compiled.search if mode == "search" else self._compiled.fullmatch
        self._pattern, self._note, self._slow = pattern, note, 0
        if any(self._matches(text) is None for text in STRESS):
            message = f"The regular expression {pattern!r} takes too long (catastrophic backtracking)."
            hint = "Avoid repetitions within repetitions, such as (a+)+, and begin it with ^ if that is what you mean."
            raise SpecError(message, hint, where, "regex-slow")

    def _matches(self, text: str) -> bool | None:
        """Whether a text matches; None: it takes too long."""
        try:
            return self._match(text, timeout=REGEX_SECONDS) is not None
        except TimeoutError:
            return None

    def __call__(self, batch: Batch) -> list[Score]:
        """Return the reward of each completion."""
        found = [self._matches(text) for text in batch.completions]
        if None in found and not self._slow:
            self._note(
                f"The regular expression took longer than {REGEX_SECONDS:g} seconds on a completion, which counts as "
                "no match. Simplify it: avoid repetitions within repetitions."
            )
        self._slow += found.count(None)
        return [float(bool(matches)) for matches in found]


class JsonSchema:
    """1 if the completion is JSON that fits the schema, 0.5 if it is other JSON, else 0. A code fence is ignored.

    The schema decides its draft (`$schema`; default 2020-12). References to other files are not resolved.

    Raises:
        SpecError: the schema is invalid.
        MissingExtra: jsonschema is not installed.
    """

    def __init__(self, schema: str) -> None:
        try:
            import jsonschema
            import referencing
        except ImportError as error:
            message, command = "Rewards by JSON schema need the package jsonschema.", "pip install jsonschema"
            raise MissingExtra(message, command, "params.json_schema", "missing-extra") from error
        where = "params.json_schema"
        parsed = json.loads(schema)
        kind = jsonschema.validators.validator_for(parsed, default=jsonschema.Draft202012Validator)
        try:
            kind.check_schema(parsed)
        except jsonschema.SchemaError as error:
            place = "/".join(str(part) for part in error.absolute_path)
            message = f"The JSON schema is invalid{f' at {place}' if place else ''}: {error.message[:200]}."
            raise SpecError(message, "Correct it, see json-schema.org.", where, "json-schema-invalid") from error
        for keyword in UNSUPPORTED:
            if _has_key(parsed, keyword):
                message = f"Rewards do not support '{keyword}' in a JSON schema: its patterns have no time limit."
                raise SpecError(message, "Use properties and pattern.", where, "json-schema-invalid")
        if any(_has_key(part, "$id") for part in _parts(parsed)):
            message = "Rewards support '$id' at the top of a JSON schema only."
            raise SpecError(message, "Put the definitions into $defs, without $id.", where, "json-schema-invalid")
        for ref in _unresolved(parsed):
            message = f"The JSON schema refers to {ref!r}, which it does not contain."
            raise SpecError(message, "Put the definition into $defs.", where, "json-schema-invalid")
        kind = jsonschema.validators.extend(kind, {"pattern": _pattern})
        # An empty registry: nothing is downloaded.
        self._validator = kind(parsed, registry=referencing.Registry())

    def __call__(self, batch: Batch) -> list[Score]:
        """Return the reward of each completion."""
        return [self._reward(text) for text in batch.completions]

    def _reward(self, text: str) -> float:
        fenced = FENCED.search(text)
        try:
            value = json.loads(fenced[1] if fenced else text, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            return 0.0
        try:
            return FITS if self._validator.is_valid(value) else PARSES
        except RecursionError:
            return PARSES


def _unresolved(schema: Any) -> list[str]:
    """Return the references of a schema that cannot be resolved within it."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    text, resource = json.dumps(schema), DRAFT202012.create_resource(schema)
    base = resource.id() or ""
    resolver = Registry().with_resource(base, resource).resolver(base)
    found = []
    for ref in re.findall(r'"\$ref": "((?:[^"\\]|\\.)*)"', text):
        try:
            resolver.lookup(json.loads(f'"{ref}"'))
        except Unresolvable:
            found.append(ref)
    return found


def _parts(value: Any) -> list[Any]:
    """Return the values in an object or list."""
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _has_key(value: Any, key: str) -> bool:
    """Whether an object, or one inside it at any depth, has a key."""
    return (isinstance(value, dict) and key in value) or any(_has_key(part, key) for part in _parts(value))


def _finite(text: str) -> float:
    """Return a number; `1e999` would be infinite, which is not JSON."""
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(name)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Any:
    """Check the keyword `pattern` within a time limit; without its result in time the text does not fit."""
    import jsonschema
    import regex

    if not isinstance(instance, str):
        return
    try:
        found = regex.search(pattern, instance, timeout=REGEX_SECONDS)
    except TimeoutError:
        found = None
    if not found:
        yield jsonschema.ValidationError(f"{instance[:80]!r} does not match {pattern!r}")


class LengthTarget:
    """1 at the target length, falling linearly to 0 at no text and at twice the target.

    measure: returns the length of a text.
    """

    def __init__(self, target: int, measure: Callable[[str], int]) -> None:
        self._target, self._measure = target, measure

    def __call__(self, batch: Batch) -> list[Score]:
        """Return the reward of each completion."""
        return [max(0.0, 1 - abs(self._measure(t) - self._target) / self._target) for t in batch.completions]


def words(text: str) -> int:
    """Return the number of words of a text."""
    return len(text.split())
