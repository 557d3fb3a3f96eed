"""What a task declares. A declaration is data: it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, field_validator

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.inputs import Input, InputKind
from autotrain_gradio.core.panels import PanelKind
from autotrain_gradio.core.registry import NamedRegistry
from autotrain_gradio.core.spec import Model
from autotrain_gradio.data.declarations import Check, Column, Format, Layout, Source, union_of_columns
from autotrain_gradio.tasks.parameter_groups import PARAMETER_GROUPS, ParameterGroup, sort_groups
from autotrain_gradio.tasks.requirements import Requirement, missing_packages
from autotrain_gradio.tasks.verbs import VERBS, Verb

MODALITIES = ("Images", "Text", "Speech", "Tables")
"""What tasks are grouped by, in the order of the page; a task may name another one, which follows."""


def param(default: Any, group: str, *, title: str = "", **bounds: Any) -> Any:
    """Declare a parameter: its default, the name of its `ParameterGroup`, and pydantic's bounds (ge, gt, le, lt)."""
    return Field(default=default, json_schema_extra={"group": group}, title=title or None, **bounds)


class Params(Model):
    """Base of every task's parameters."""

    seed: int = param(42, "training", title="Random seed", ge=0)
    """Random seed of the split, the order of the rows, the augmentation and new weights. The same seed gives the same
    training."""


class TrainerParams(Params):
    """Parameters of every task that trains with `transformers.Trainer`."""

    epochs: int = param(3, "basic", title="Epochs", ge=1, le=10_000)
    """Number of training epochs (passes over the training split). More epochs fit the training data better and can
    overfit."""
    batch_size: int = param(8, "basic", title="Batch size per device", ge=1, le=4096)
    """Batch size per device (GPU, or the CPU) in training and evaluation. Smaller batches need less memory."""
    lr: float = param(5e-5, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. If it is too high the loss diverges; if it is too low the
    model hardly learns."""
    optimizer: str = param("adamw_torch", "training", title="Optimizer")
    """Optimizer, by its name in transformers (`adamw_torch`, `sgd`, `adafactor`, …)."""
    scheduler: Literal["linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"] = (
        param("linear", "training", title="Learning rate scheduler")
    )
    """Learning rate scheduler: how the learning rate changes over the training."""
    warmup_ratio: float = param(0.1, "training", title="Warmup ratio", ge=0, lt=1)
    """Ratio of all training steps used for a linear warmup of the learning rate from 0."""
    weight_decay: float = param(0.0, "training", title="Weight decay", ge=0, le=1)
    """Weight decay of the optimizer. It regularizes the weights; 0.01 is common."""
    max_grad_norm: float = param(1.0, "training", title="Gradient clipping (max gradient norm)", ge=0)
    """Maximum gradient norm: larger gradients are clipped to it. 0: no clipping."""
    gradient_accumulation: int = param(1, "training", title="Gradient accumulation steps", ge=1, le=4096)
    """Number of batches whose gradients are accumulated before each optimizer step. The effective batch size grows by
    this factor, the memory does not."""
    mixed_precision: Literal["fp16", "bf16"] | None = param(None, "hardware", title="Mixed precision")
    """Mixed precision training with 16-bit floats: faster and with less memory on a GPU. bf16 needs a recent GPU.
    Without a GPU the training uses 32 bits, and a warning says so."""
    auto_find_batch_size: bool = param(False, "hardware", title="Find batch size automatically")
    """Reduce the batch size and restart the training when it runs out of memory."""
    eval_strategy: Literal["epoch", "steps", "no"] = param("epoch", "evaluation", title="Evaluation strategy")
    """Evaluation strategy: evaluate on the validation split after each epoch, every `eval_steps` steps, or not at
    all."""
    eval_steps: int | None = param(None, "evaluation", title="Evaluation steps", ge=1)
    """Number of steps between two evaluations with the evaluation strategy `steps`. Empty: about ten evaluations in
    the whole training."""
    save_total_limit: int = param(1, "evaluation", title="Checkpoints to keep", ge=1, le=100)
    """Maximum number of checkpoints to keep. The best and the latest one are always kept."""
    early_stopping_patience: int = param(5, "evaluation", title="Early stopping patience", ge=0, le=1000)
    """Early stopping patience: stop after this many evaluations without improvement. 0: no early stopping."""
    early_stopping_threshold: float = param(0.01, "evaluation", title="Early stopping threshold", ge=0)
    """Early stopping threshold: minimum improvement of the metric for the best checkpoint that counts."""

    @field_validator("eval_strategy", mode="before")
    @classmethod
    def _no_is_a_word(cls, value: Any) -> Any:
        # YAML reads an unquoted `no` as false.
        return "no" if value is False else value

    @field_validator("mixed_precision", mode="before")
    @classmethod
    def _none_is_none(cls, value: Any) -> Any:
        return None if value in (False, "no", "none", "") else value

    logging_steps: int = param(-1, "tracking", title="Logging steps", ge=-1)
    """Number of steps between two logged losses. -1: chosen by the number of training steps."""
    log: Literal["none", "tensorboard", "wandb", "trackio"] = param("none", "tracking", title="Experiment tracker")
    """Experiment tracker to which metrics are reported too."""


@dataclass(frozen=True)
class SuggestedModel:
    """A model worth starting from: Hub id, million parameters (0: it has no fixed number), and when to choose it.

    title: what people call it, where the id does not say it well.
    gpu: whether a training without a GPU would take very long.
    """

    id: str
    when: str
    millions: float = 0.0
    title: str = ""
    gpu: bool = False


@dataclass(frozen=True)
class Metric:
    """A figure the task reports. `name` is its key in events (`eval_<name>`) and in `runs --json`."""

    name: str
    title: str
    higher_is_better: bool = True
    percent: bool = False
    help: str = ""


@dataclass(frozen=True)
class Chart:
    """A live plot: the event series drawn in it, series name → label."""

    title: str
    series: dict[str, str]
    unit: str = ""


@dataclass(frozen=True)
class Sample:
    """A data set that comes with the app, or with a package.

    path: below `assets/samples`; or `package:folder`, a folder within an installed package.
    """

    name: str
    title: str
    path: str
    help: str = ""


PROGRESS_CHARTS = (
    Chart("Learning rate", {"learning_rate": "learning rate"}),
    Chart("Throughput", {"samples_per_second": "samples per second"}, unit="rows/s"),
    Chart("Memory", {"memory_mib": "MiB"}, unit="MiB"),
)


@dataclass(frozen=True)
class Task:
    """Everything that the other layers need to know about a task.

    module: dotted path of the heavy half, imported by workers only. It has
        `train(run)`, and as `can` says: `preview(...)`, `predict(...)`, `probe(...)`, `tiny_model(...)`.
    preview_module: dotted path of the module that has `preview`, where that loads less than the whole; empty: `module`.
        Its `load_ahead()`, if it has one, loads what some previews need besides, while nobody waits.
    aliases: other names, AutoTrain Advanced's among them.
    columns: what the rows have; of a task with `formats`, the union of their columns, which is filled in.
    formats: alternative sets of columns, detected from the data; empty: `columns` is the only one.
    column_aliases: AutoTrain's names of columns → role, beside `<role>` and `<role>_column`.
    """

    name: str
    title: str
    modality: str
    summary: str
    module: str
    params: type[Params]
    columns: tuple[Column, ...] = field(default=(), kw_only=True)
    formats: tuple[Format, ...] = field(default=(), kw_only=True)
    sources: tuple[Source, ...]
    layouts: tuple[Layout, ...]
    preview_module: str = ""
    checks: tuple[Check, ...] = ()
    metrics: tuple[Metric, ...] = ()
    headline: str = ""
    """The metric shown as *the* result of a run."""
    charts: tuple[Chart, ...] = ()
    inputs: tuple[Input, ...] = ()
    models: tuple[SuggestedModel, ...] = ()
    defaults: Callable[[str], dict[str, Any]] | None = None
    """Model → defaults that suit it better than the declared ones; what the user gives wins."""
    listed: bool = False
    """Its models are those of `models` and no other: names of families, several with commas; nothing of the Hub."""
    model_aliases: dict[str, str] = field(default_factory=dict)
    """(Where `listed`) other names of its models."""
    unit: str = "step"
    """What a step of its training is called."""
    samples_title: str = "From evaluation to evaluation"
    """The heading above what a training shows while it goes on."""
    model_filter: str = ""
    """Hub `pipeline_tag` of the models that fit."""
    shown: tuple[str, ...] = ()
    """Parameters that change what the preview shows, in addition to those of previewed groups."""
    loader_example: str = ""
    """Python code that applies a trained model with the public loader of its library: `model` is the folder of the
    model, `value` an input; it assigns `answer`."""
    answer: str = "label"
    """Key of a prediction that holds its answer, the same as `answer` of `loader_example`."""
    parameter_groups: tuple[ParameterGroup, ...] = ()
    """Groups of parameters of its own."""
    panel_kinds: tuple[PanelKind, ...] = ()
    """Kinds of panels of its own, for its previews, reports and predictions."""
    input_kinds: tuple[InputKind, ...] = ()
    """Kinds of inputs of its own, for `inputs`."""
    requires: tuple[Requirement, ...] = ()
    """Packages that it needs; a missing one is an error finding with the command that installs it."""
    verbs: tuple[Verb, ...] = ()
    """Verbs of its own: calls to a worker of one of its runs, by name (`service.call`, `autotrain-gradio call`)."""
    samples: tuple[Sample, ...] = ()
    aliases: tuple[str, ...] = ()
    column_aliases: dict[str, str] = field(default_factory=dict)
    can: frozenset[str] = frozenset({"predict"})
    """Capabilities: `preview`, `predict`, `probe`, `tiny_model`, `checkpoints`; `distributed`: several training
    processes."""

    def __post_init__(self) -> None:
        if self.formats:
            object.__setattr__(self, "columns", union_of_columns(self.formats))

    @property
    def default_model(self) -> str:
        """The first suggested model; empty for tasks that start from none."""
        return self.models[0].id if self.models else ""

    def first_model(self, *, gpu: bool) -> str:
        """The model that the page offers first: without a GPU, the first one that does well without."""
        return next((m.id for m in self.models if gpu or not m.gpu), self.default_model)

    def metric(self, name: str) -> Metric | None:
        """Find a metric by its name, with or without `eval_`."""
        bare = name.removeprefix("eval_")
        return next((m for m in self.metrics if m.name == bare), None)

    def declared_metric(self, name: str) -> Metric:
        """Return a metric by its name.

        Raises:
            ValueError: the task declares no metric of that name.
        """
        found = self.metric(name)
        if found is None:
            raise ValueError(f"the task {self.name} declares no metric '{name}'")
        return found

    def groups(self) -> dict[ParameterGroup, list[str]]:
        """Return each group that has parameters → their names, in the order of the groups.

        Raises:
            ValueError: a parameter names a group that is not registered, or two groups have one name.
        """
        found: dict[str, list[str]] = {}
        for name, info in self.params.model_fields.items():
            extra = info.json_schema_extra
            group = str(extra["group"]) if isinstance(extra, dict) and "group" in extra else "training"
            found.setdefault(group, []).append(name)
        groups = sort_groups(NamedRegistry("parameter group", [*PARAMETER_GROUPS, *self.parameter_groups]))
        if unknown := found.keys() - {g.name for g in groups}:
            name = min(unknown)
            raise ValueError(f"{self.params.__name__}.{found[name][0]} is in an unregistered parameter group '{name}'")
        return {group: found[group.name] for group in groups if group.name in found}

    def install_commands(self) -> list[str]:
        """Return the commands that install what the task needs."""
        return list(dict.fromkeys(r.command for r in self.requires))

    def missing_packages(self) -> list[Finding]:
        """Return an error finding for each command that installs what the task needs and Python does not find."""
        return missing_packages(self.title, self.requires)

    def verb(self, name: str) -> Verb:
        """Return a verb of the task's runs, one of its own or one that every task has.

        Raises:
            NotFound: there is none; the hint names the nearest ones.
            ValueError: the task has a verb with the name of another.
        """
        return NamedRegistry("verb", [*VERBS, *self.verbs]).get(name)

    def public_verbs(self) -> list[Verb]:
        """Return the verbs that users can call."""
        return [v for v in NamedRegistry("verb", [*VERBS, *self.verbs]) if not v.internal]

    def previewed_params(self) -> set[str]:
        """Return the names of the parameters that change what the preview shows."""
        return {*self.shown, *(n for group, names in self.groups().items() if group.previewed for n in names)}
