"""Declaration of a task: plain data, without heavy imports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

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

MODALITIES = ("Images", "Text", "Language models", "Speech", "Tables")
"""Modalities that group the tasks, in the order of the page; other modalities of tasks follow."""


def param(
    default: Any,
    group: str,
    *,
    title: str = "",
    names: Literal["", "file", "model"] = "",
    in_data: bool = False,
    in_form: bool = True,
    **bounds: Any,
) -> Any:
    """Declare a parameter: its default, the name of its `ParameterGroup`, and pydantic's bounds (ge, gt, le, lt).

    names: what its text names: a `file` of this computer, which visitors of a shared page cannot use, or a `model`, of
        which they can use those of the Hub. Paths are made absolute.
    in_data: YAML files of AutoTrain have it in their section `data`, which is accepted too.
    in_form: the form shows it. Otherwise it is shown only if a file or another run has set it, as are parameters
        without an effect (`Params.no_effect`).
    """
    extra: dict[str, Any] = {"group": group}
    extra |= {"names": names} if names else {}
    extra |= {"in_data": True} if in_data else {}
    extra |= {} if in_form else {"in_form": False}
    return Field(default=default, json_schema_extra=extra, title=title or None, **bounds)


class Params(Model):
    """Base of every task's parameters."""

    no_effect: ClassVar[dict[str, str]] = {}
    """Parameters that are only accepted for configurations of other programs → why they have no effect."""

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
    """A suggested model: Hub id, when to choose it, and its size.

    millions: million parameters; 0: no fixed number. title: name to display; empty: the id.
    gpu: training it without a GPU takes very long.
    """

    id: str
    when: str
    millions: float = 0.0
    title: str = ""
    gpu: bool = False


@dataclass(frozen=True)
class Metric:
    """A metric that the task reports. `name` is its key in events (`eval_<name>`) and in `runs --json`."""

    name: str
    title: str
    higher_is_better: bool = True
    percent: bool = False
    help: str = ""


@dataclass(frozen=True)
class Chart:
    """A live chart: series name of the events → label."""

    title: str
    series: dict[str, str]
    unit: str = ""


@dataclass(frozen=True)
class Sample:
    """A sample data set of the app, or of a package.

    path: below `assets/samples`; or `package:folder`, a folder within an installed package.
    """

    name: str
    title: str
    path: str
    help: str = ""


MAX_REPORTED_CHARTS = 8
"""Most charts of metrics that are known only when a run reports them (`Task.charts_of`)."""
PROGRESS_CHARTS = (
    Chart("Learning rate", {"learning_rate": "learning rate"}),
    Chart("Throughput", {"samples_per_second": "samples per second"}, unit="rows/s"),
    Chart("Memory", {"memory_mib": "MiB"}, unit="MiB"),
)


@dataclass(frozen=True)
class Task:
    """Everything that the other layers need to know about a task.

    module: dotted path of the module with the heavy imports, which only workers import. It has
        `train(run)`, and depending on `can`: `preview(...)`, `load(...)`, `probe(...)`, `tiny_model(...)`.
    preview_module: dotted path of the module with `preview`, if that imports less than `module`; empty: `module`.
        Its `load_ahead()`, if any, is called in the background to prefetch imports that some previews need.
    aliases: other names, AutoTrain Advanced's among them.
    columns: the columns of a row; of a task with `formats`, filled in with the union of their columns.
    formats: alternative sets of columns, detected from the data; empty: `columns` is the only one.
    alias_formats: aliases that also select a data format → its name; `data.format` takes precedence.
    column_aliases: AutoTrain's names of columns → role, in addition to `<role>` and `<role>_column`.
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
    charts_of: Callable[[Iterable[str]], tuple[Chart, ...]] | None = None
    """Names of the metrics that a run has reported → its charts, for a task whose metrics are not known before; the
    first `MAX_REPORTED_CHARTS` are shown."""
    headline_param: str = ""
    """Parameter that names the metric shown as the result of a run, for such a task."""
    inputs: tuple[Input, ...] = ()
    models: tuple[SuggestedModel, ...] = ()
    defaults: Callable[[str], dict[str, Any]] | None = None
    """Model → defaults that override the declared ones; values of the user take precedence."""
    examples_per_row: Callable[[Any, str], int] | None = None
    """Parameters and data format → training examples that are made of a row, for the estimate of the steps; None: 1."""
    uncounted: Callable[[Any], str] | None = None
    """Parameters → why the tokens of the rows decide how many training examples there are; empty: they do not. A
    preview counts them: the value `examples_per_row` of one of its panels."""
    files_only: bool = False
    """Its data is files that are used as they are: no rows that are mapped, split, labelled or limited."""
    docs: str = ""
    """Its further documentation, relative to the root of the repository; the generated docs link to it."""
    local_only: bool = False
    """It runs code of the user, which visitors of a shared page must not: it is refused in shared mode."""
    path_aliases: tuple[str, ...] = ()
    """AutoTrain's other names of the setting `data.path`, among the parameters and as flags."""
    listed: bool = False
    """Only `models` can be chosen: names of model families, several separated by commas; no Hub models."""
    model_aliases: dict[str, str] = field(default_factory=dict)
    """Other names of the models, if `listed`."""
    unit: str = "step"
    """Name of a training step."""
    samples_title: str = "From evaluation to evaluation"
    """Heading of the sample predictions during the training."""
    model_filter: str = ""
    """Hub `pipeline_tag` of suitable models."""
    shown: tuple[str, ...] = ()
    """Parameters that change what the preview shows, in addition to those of previewed groups."""
    loader_example: str = ""
    """Python code that applies a trained model with the public loader of its library: `model` is the folder of the
    model, `value` an input; it assigns `answer`. The docs and the model cards show it."""
    answer: str = "label"
    """Key of a prediction that holds its answer, the same as `answer` of `loader_example`."""
    parameter_groups: tuple[ParameterGroup, ...] = ()
    """Additional parameter groups."""
    panel_kinds: tuple[PanelKind, ...] = ()
    """Additional panel kinds for its previews, reports and predictions."""
    input_kinds: tuple[InputKind, ...] = ()
    """Additional input kinds for `inputs`."""
    requires: tuple[Requirement, ...] = ()
    """Required packages; a missing one is an error finding with the command that installs it."""
    verbs: tuple[Verb, ...] = ()
    """Additional verbs: calls to a worker of a run, by name (`service.call`, `autotrain-gradio call`)."""
    samples: tuple[Sample, ...] = ()
    position: int = 100
    """Position among the tasks of its modality, the lowest first; equal ones are in the order of registration."""
    aliases: tuple[str, ...] = ()
    alias_formats: dict[str, str] = field(default_factory=dict)
    column_aliases: dict[str, str] = field(default_factory=dict)
    can: frozenset[str] = frozenset({"predict"})
    """Capabilities: `preview`, `predict`, `probe`, `tiny_model`, `checkpoints`; `step`: the probe can try one training
    step; `distributed`: several training processes."""

    def __post_init__(self) -> None:
        if self.formats:
            object.__setattr__(self, "columns", union_of_columns(self.formats))
        if unknown := set(self.alias_formats.values()) - {f.name for f in self.formats}:
            raise ValueError(f"the task {self.name} declares no format '{min(unknown)}'")

    @property
    def all_aliases(self) -> tuple[str, ...]:
        """The other names, those that also select a data format last."""
        return (*self.aliases, *self.alias_formats)

    @property
    def has_models(self) -> bool:
        """Whether a model can be chosen: a task without suggested models does not start from one."""
        return bool(self.models)

    @property
    def default_model(self) -> str:
        """The first suggested model; empty if there is none."""
        return self.models[0].id if self.models else ""

    def first_model(self, *, gpu: bool) -> str:
        """The model that the page preselects: without a GPU, the first one that does not need one."""
        return next((m.id for m in self.models if gpu or not m.gpu), self.default_model)

    @property
    def kept(self) -> str:
        """What is saved when a training is stopped, within a sentence."""
        if self.files_only:
            return "the files"
        return "the weights" if self.unit == "step" else "the best model"

    @property
    def most_charts(self) -> int:
        """The largest number of charts that a run can have."""
        return len(self.charts) + (MAX_REPORTED_CHARTS if self.charts_of else 0)

    def charts_with(self, metrics: Iterable[str]) -> tuple[Chart, ...]:
        """Return the charts of a run. metrics: names of those that it has reported."""
        return (*self.charts, *(self.charts_of(metrics)[:MAX_REPORTED_CHARTS] if self.charts_of else ()))

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

    def params_in_data(self) -> list[str]:
        """Return the names of the parameters that AutoTrain has in the section `data`."""
        extras = {name: info.json_schema_extra for name, info in self.params.model_fields.items()}
        return [name for name, extra in extras.items() if isinstance(extra, dict) and extra.get("in_data")]

    def form_params(self, given: Mapping[str, Any]) -> list[str]:
        """Return the names of the parameters that the form shows, see `param`. given: values that a spec sets."""
        found = []
        for name, info in self.params.model_fields.items():
            extra = info.json_schema_extra
            hidden = name in self.params.no_effect or (isinstance(extra, dict) and extra.get("in_form") is False)
            default = info.get_default(call_default_factory=True)
            if not hidden or given.get(name, default) != default:
                found.append(name)
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
        """Return the commands that install the required packages."""
        return list(dict.fromkeys(r.command for r in self.requires))

    def missing_packages(self) -> list[Finding]:
        """Return an error finding for each command that installs missing packages."""
        return missing_packages(self.title, self.requires)

    def verb(self, name: str) -> Verb:
        """Return a verb by its name: of the task, or one of all tasks.

        Raises:
            NotFound: unknown verb; the hint names similar ones.
            ValueError: two verbs have the same name.
        """
        return self._verbs.get(name)

    def public_verbs(self) -> list[Verb]:
        """Return the verbs that users can call."""
        return [v for v in self._verbs if not v.internal]

    @cached_property
    def _verbs(self) -> NamedRegistry[Verb]:
        return NamedRegistry("verb", [*VERBS, *self.verbs])

    def params_naming(self, what: str) -> list[str]:
        """Return the parameters whose texts name a `file` or a `model`, see `param`."""
        schemas = {name: field.json_schema_extra for name, field in self.params.model_fields.items()}
        return [name for name, extra in schemas.items() if isinstance(extra, dict) and extra.get("names") == what]

    def previewed_params(self) -> set[str]:
        """Return the names of the parameters that change what the preview shows."""
        return {*self.shown, *(n for group, names in self.groups().items() if group.previewed for n in names)}
