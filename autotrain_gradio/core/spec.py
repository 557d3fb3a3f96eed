"""`RunSpec`, the complete specification of a run: task, model, data, parameters, resources.

The form, the YAML, the command and the Python call are views of it. Secrets are never part of it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from autotrain_gradio.core.errors import Finding, SpecError, did_you_mean
from autotrain_gradio.core.text_format import parse_duration

PROJECT_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?$")
TINY = "tiny"
"""Name of a small, randomly initialized model for a dry run."""


SPACES, JOBS = "spaces-", "hf-jobs"
"""Prefix of AutoTrain's backends that train in a Space (`spaces-a10g-small`), and the backend that replaces them."""
VARIANTS = ("task", "trainer")
"""AutoTrain's parameters that select a variant of a task: `task: regression` of `tabular`, `trainer: sft` of `llm`."""


class Model(BaseModel):
    """Base class of all settings: unknown names are errors, and the docstring of a field is its help text.

    Validators are built when they are used first: most commands validate the settings of one task, or of none.
    """

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, protected_namespaces=(), defer_build=True)


class DataSpec(Model):
    """Source of the data, its splits, and the columns to use."""

    source: str = ""
    """Kind of source: `upload`, `path`, `hub`, `sample`, or another source of the task. Empty: from the path."""
    path: str = ""
    """Folder or file, Hub dataset id (with `config:split` in train_split), or name of a sample."""
    train_split: str = "train"
    """Name of the split, subfolder or file to train on."""
    valid_split: str | None = None
    """Name of the split, subfolder or file to validate on. Empty: the validation split of the data; if it has none,
    a part of the training rows."""
    valid_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Fraction of the training rows that is split off for validation if the data has no validation split; 0: none."""
    max_samples: int | None = Field(default=None, ge=1)
    """Maximum number of training rows, balanced over the classes as far as possible. Empty: all."""
    encoding: str = ""
    """Encoding of text files that are not Unicode (UTF-8 or UTF-16), for instance `cp1252`. Empty: detected."""
    format: str = ""
    """Format of the data, for tasks that read several: which columns it has. Empty: detected from the columns."""
    columns: dict[str, str | list[str]] = Field(default_factory=dict)
    """Role → column of the data, where the detected column is not the right one."""
    labels: dict[str, str | None] = Field(default_factory=dict)
    """Label in the data → label to train on; null skips the rows with that label. Other labels are unchanged."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the source or the layout, if it has any."""

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str) -> str:
        try:
            "x".encode(value or "utf-8")
        except (LookupError, ValueError):
            known = ("utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "koi8-r", "latin-1", "cp932", "gb18030")
            raise ValueError(f"'{value[:60]}' is not an encoding. {did_you_mean(value, known)}") from None
        return value


class HubSpec(Model):
    """Publishing on the Hugging Face Hub. The token comes from HF_TOKEN or `hf auth login`."""

    username: str | None = None
    """User or organisation that will own the model."""
    push_to_hub: bool = False
    """Upload the model to a private repository of that user after training."""


class ResourceSpec(Model):
    """The hardware of a training, and how long it may take."""

    processes: int | None = Field(default=None, ge=1, le=1024)
    """Number of training processes (data parallel); the batch size is per process. Empty: one for each GPU of
    `gpus`, else one."""
    gpus: int | None = Field(default=None, ge=0, le=1024, title="GPUs")
    """Number of GPUs on each node; 0: train on the CPU. Empty: those that are free."""
    nodes: int = Field(default=1, ge=1, le=1024)
    """Number of machines. More than one requires a backend with several machines."""
    flavor: str = ""
    """Hardware flavor, for a backend that has flavors (for instance `a10g-small`)."""
    timeout: str = Field(default="", title="Time limit")
    """Longest duration of the training: seconds, or for instance `90s`, `30m`, `2h` or `1d`. A training that reaches
    it saves a checkpoint and stops; it can be resumed. Empty: no limit."""
    max_cost: float | None = Field(default=None, gt=0, title="Maximum cost (USD)")
    """Most that one attempt may cost in USD, for a backend with prices: it limits the duration. Empty: only `timeout`
    limits it."""

    @field_validator("timeout", mode="before")
    @classmethod
    def _timeout(cls, value: Any) -> Any:
        if value is None or value == "":
            return ""
        text = str(value).strip()
        parse_duration(text)
        return text

    @property
    def timeout_seconds(self) -> float | None:
        """The timeout in seconds; None: no limit."""
        return parse_duration(self.timeout) if self.timeout else None

    @property
    def process_count(self) -> int:
        """Number of processes on each node."""
        return self.processes or self.gpus or 1


class RunSpec(Model):
    """One training run, complete and free of secrets."""

    task: str
    """Name of the task, for instance `image-classification`."""
    model: str = ""
    """Hub id or folder of the model to fine-tune, or `tiny`. Empty: the default of the task."""
    project_name: str = "my-model"
    """Name of the trained model: letters, digits, `.`, `_` and `-`."""
    data: DataSpec = Field(default_factory=DataSpec)
    """The data."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the task that differ from its defaults."""
    backend: str = "local"
    """Name of the backend that runs the training: `local` (this machine), or `hf-jobs` (Hugging Face Jobs, which cost
    money: set `flavor`, and `timeout` or `max_cost`)."""
    resources: ResourceSpec = Field(default_factory=ResourceSpec)
    """Processes, GPUs, nodes and the time limit."""
    hub: HubSpec = Field(default_factory=HubSpec)
    """Publishing."""

    @field_validator("project_name")
    @classmethod
    def _project_name(cls, value: str) -> str:
        if PROJECT_NAME.fullmatch(value) and ".." not in value:
            return value
        shown = value if len(value) <= 60 else f"{value[:57]}… ({len(value)} characters)"
        raise ValueError(
            f"'{shown}' cannot name a model: use 1 to 96 letters, digits, '.', '_' or '-', beginning and ending "
            f"with a letter or digit and without '..'. For instance '{slug(value)}'."
        )


@dataclass(repr=False)
class Secrets:
    """Tokens of one run. They exist only in memory and in the environment of a worker."""

    token: str | None = field(default=None)

    def __repr__(self) -> str:
        return "Secrets(token=***)" if self.token else "Secrets()"

    def environment(self) -> dict[str, str]:
        """Return the environment variables that pass the secrets to a worker."""
        return {"HF_TOKEN": self.token} if self.token else {}


def slug(text: str) -> str:
    """Return a valid project name that resembles the text."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", ascii_text)
    name = re.sub(r"\.{2,}", ".", name)[:96].strip("._-")
    return name or "my-model"


def variant_of(task: str, variant: str) -> str:
    """Return the name of a variant of a task, as an alias has it: `llm:sft`."""
    return task if task.endswith(variant) else f"{task}:{variant}"


def findings_of(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[Finding]:
    """Translate pydantic's errors: one finding each, with did-you-mean for an unknown name."""
    findings = []
    for item in error.errors():
        where = ".".join(str(p) for p in (*([prefix] if prefix else []), *item["loc"]))
        name = str(item["loc"][-1]) if item["loc"] else ""
        if item["type"] == "extra_forbidden":
            owner: Any = model
            for part in item["loc"][:-1]:
                annotation = owner.model_fields[str(part)].annotation
                owner = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else owner
            findings.append(
                Finding(
                    "error",
                    "unknown-setting",
                    f"Unknown setting '{name}'.",
                    did_you_mean(name, owner.model_fields),
                    where,
                )
            )
            continue
        message = item["msg"].removeprefix("Value error, ")
        seen = "" if item["type"] in {"missing", "value_error"} else f" (got {item['input']!r:.80})"
        findings.append(Finding("error", "invalid-setting", f"{message}{seen}", "", where))
    return findings


def parse(data: Mapping[str, Any]) -> RunSpec:
    """Validate a mapping as a RunSpec.

    Raises:
        SpecError: with one finding for each invalid setting.
    """
    try:
        return RunSpec.model_validate(dict(data))
    except ValidationError as error:
        raise SpecError.from_findings(findings_of(error, RunSpec)) from None


def from_yaml(
    text: str,
    environ: Mapping[str, str] | None = None,
    data_params: Callable[[str], Collection[str]] = lambda task: (),
) -> tuple[RunSpec, Secrets]:
    """Parse a RunSpec from YAML: of this project, or an unmodified one of AutoTrain Advanced.

    AutoTrain's `base_model` becomes `model`, `log` a parameter, `data.column_mapping` becomes
    `data.columns`, `backend: spaces-a10g-small` the backend `hf-jobs` with that flavor; `${NAME}` in `hub` is read from
    the environment. A literal token is rejected.

    data_params: name of a task → its parameters that AutoTrain has in `data`; they become parameters.

    Raises:
        SpecError: the text is not a YAML mapping, or a setting is unknown or invalid.
    """
    from autotrain_gradio.core.yaml_text import load_yaml

    env = os.environ if environ is None else environ
    raw = load_yaml(text)
    if not isinstance(raw, dict):
        raise SpecError(
            "The YAML has no settings: it must be a mapping such as 'task: image-classification'.", code="yaml"
        )
    raw = {str(k): v for k, v in raw.items()}
    for section in ("data", "params", "resources", "hub"):
        if raw.get(section) is None:
            raw.pop(section, None)
        elif not isinstance(raw[section], dict):
            raise SpecError(f"'{section}' must be a mapping of settings.", where=section, code="yaml")
    secrets = _read_hub(raw, env)
    if str(raw.get("backend")).startswith(SPACES):
        # AutoTrain trained in a Space of that hardware; the flavors of jobs have the same names.
        flavor = str(raw["backend"]).removeprefix(SPACES)
        raw["backend"] = JOBS
        raw["resources"] = {"flavor": flavor, **raw.get("resources", {})}
    if "base_model" in raw:
        raw["model"] = raw.pop("base_model")
    if "log" in raw:
        raw.setdefault("params", {})["log"] = raw.pop("log")
    data = raw.get("data", {})
    if "column_mapping" in data:
        mappings = [data.pop("column_mapping") or {}, data.get("columns") or {}]
        if not all(isinstance(m, dict) for m in mappings):
            message = "The mapping of columns must be pairs such as 'image_column: photo'."
            raise SpecError(message, where="data.column_mapping", code="yaml")
        data["columns"] = {**mappings[0], **mappings[1]}
    for name in data_params(str(raw.get("task"))):
        if (value := data.pop(name, None)) is not None:
            raw["params"] = {name: value, **raw.get("params", {})}
    # AutoTrain's flag of speech recognition, in `data` or in `params`.
    flags = [s.pop("using_hub_dataset", None) for s in (data, raw.get("params", {}))]
    if any(flag is True for flag in flags):
        raw["data"] = {"source": "hub", **data}
    for name in VARIANTS:
        variant, task = raw.get("params", {}).get(name), raw.get("task")
        if isinstance(variant, str) and isinstance(task, str):
            del raw["params"][name]
            raw["task"] = variant_of(task, variant)
    return parse(raw), secrets


def _read_hub(raw: dict[str, Any], env: Mapping[str, str]) -> Secrets:
    hub = dict(raw.get("hub") or {})
    if not hub:
        return Secrets()
    for key, value in list(hub.items()):
        match = re.fullmatch(r"\$\{(\w+)\}", value.strip()) if isinstance(value, str) else None
        if match is None:
            continue
        if match[1] in env:
            hub[key] = env[match[1]]
        elif hub.get("push_to_hub"):
            raise SpecError(
                f"The environment variable {match[1]} is not set.",
                f"Set it, or remove '{key}'.",
                f"hub.{key}",
                "missing-variable",
            )
        else:
            hub[key] = None
    given = (raw.get("hub") or {}).get("token")
    if isinstance(given, str) and given and not given.strip().startswith("${"):
        raise SpecError(
            "A token must not be stored in a file.",
            "Write token: ${HF_TOKEN} and set that variable, or run 'hf auth login'.",
            "hub.token",
            "literal-token",
        )
    token = hub.pop("token", None)
    raw["hub"] = hub
    return Secrets(token=token)


def to_yaml(spec: RunSpec) -> str:
    """Return the spec as YAML, without settings that equal their defaults."""
    import yaml

    data = spec.model_dump(mode="json", exclude_defaults=True)
    ordered = {
        k: data[k]
        for k in ("task", "model", "project_name", "backend", "resources", "data", "params", "hub")
        if k in data
    }
    return yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=100)
