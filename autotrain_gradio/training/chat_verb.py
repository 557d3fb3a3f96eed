"""The verbs `chat` and `complete`: the text that a language model generates, in parts. Workers only.

Items: parts of the text; parts of that of the base model as `{"base": str}`; after each text `{"finish_reason": stop |
length, "prompt_tokens", "completion_tokens", "duration" (seconds)}`, of the base model with `base_` before the names.
`call` is a `tasks.verb_call.VerbCall`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import torch
from pydantic import Field, ValidationError, field_validator
from transformers import AutoModelForCausalLM

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY, Model, findings_of
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.training import adapter_models, language_models, pretrained
from autotrain_gradio.training.chat_prediction import Generated, GenerationSettings, LanguagePredictor
from autotrain_gradio.training.meta_device import count_parameters

WHERE = "base"
FLOAT = 4
MARGIN = 1.2
"""Memory that a loaded model needs, relative to its weights."""


class GenerationRequest(Model):
    """The arguments of both verbs."""

    messages: str | list[dict[str, Any]] | None = None
    """A message, or the messages of a conversation, whose last one is answered (`chat`)."""
    text: str | None = None
    """The beginning of a text (`complete`)."""
    base_messages: list[dict[str, Any]] | None = None
    """The conversation with the base model. Default: `messages`."""
    system: str = ""
    """System prompt, in front of a conversation that has none."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """Sampling temperature; 0: greedy decoding."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Nucleus sampling: the share of probability of the tokens that are sampled from."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Maximum number of generated tokens. Default: that of the trained model."""
    stop: list[str] = Field(default_factory=list)
    """Sequences before which the text ends."""
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    """Random seed of the sampling."""
    base: bool = False
    """Ask the base model too, after the trained one."""

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else [] if value is None else value

    def settings(self) -> GenerationSettings:
        """Return the settings of the generation."""
        return GenerationSettings(
            self.temperature, self.top_p, self.max_tokens, self.system, tuple(self.stop), self.seed
        )


def parse_request(context: Mapping[str, Any]) -> GenerationRequest:
    """Return the arguments of a verb. `messages` may also be a mapping with all of them, as the page sends them.

    Raises:
        UserError: one is unknown or invalid.
    """
    given = dict(context)
    if isinstance(given.get("messages"), Mapping):
        given = {**given.pop("messages"), **given}
    try:
        return GenerationRequest.model_validate(given)
    except ValidationError as error:
        raise UserError.from_findings(findings_of(error, GenerationRequest)) from None


def load(call: Any) -> ModuleType:
    """Import the task."""
    module: ModuleType = call.import_module(call.task.module)
    return module


def run(call: Any) -> Generator[Any, None, None]:
    """Yield the text that the run's model generates, and that of its base model if asked for.

    Raises:
        UserError: an argument is invalid, or the base model cannot be loaded.
    """
    request = parse_request(call.context)
    if request.base and call.spec.model == TINY:
        message = "The base model of the tiny model has random weights and is not kept."
        raise UserError(message, "Train a pretrained model to compare it with its base model.", WHERE, "no-base-model")
    call.progress("Loading the model", 0.0)
    predictor: LanguagePredictor = call.predictor()
    value: Any = request.text if request.messages is None else request.messages
    prompt = predictor.prompt(value, request.system)
    call.progress("Generating", 0.0)
    yield from _generate(call, predictor, prompt, request.settings(), predictor.model)
    if not request.base or call.cancelled():
        return
    prompt = predictor.prompt(request.base_messages or value, request.system)
    if (call.directory / "model" / "adapter_config.json").is_file():
        predictor.model.disable_adapters()  # the base model is in memory already
        try:
            yield from _base(_generate(call, predictor, prompt, request.settings(), predictor.model))
        finally:
            predictor.model.enable_adapters()
        return
    call.progress(f"Loading the base model {call.spec.model}", 0.0)
    base = call.load_model(load_base)
    call.progress("Generating", 0.0)
    yield from _base(_generate(call, predictor, prompt, request.settings(), base))


def load_base(directory: Path) -> Any:
    """Return the base model of a run in float32, where the trained model is; an adapter is merged into its own base.

    Raises:
        UserError: it cannot be loaded, or the memory is too small for both models.
    """
    name = str((read_object(directory / "spec.json") or {})["model"])
    adapter = adapter_models.find_adapter(name)
    model, _ = language_models.open_whole(name, adapter, before_weights=_require_memory)
    model.eval()
    return model.cuda() if torch.cuda.is_available() else model


def _require_memory(name: str) -> None:
    """Check that a model fits into the memory beside the trained one.

    Raises:
        UserError: it does not (`memory-short`).
    """
    with pretrained.translated_errors(name):
        config = language_models.open_config(name)
        size = int(count_parameters(AutoModelForCausalLM, config) * FLOAT * MARGIN)
    on_gpu = torch.cuda.is_available()
    free = torch.cuda.mem_get_info()[0] if on_gpu else psutil.virtual_memory().available
    if size > free:
        place = "the GPU" if on_gpu else "this machine"
        message = (
            f"The base model needs about {format_bytes(size)} of memory beside the trained one; {format_bytes(free)} "
            f"of {place} are free."
        )
        raise UserError(message, "Ask the trained model alone, or close other programs.", WHERE, "memory-short")


def _generate(
    call: Any, predictor: LanguagePredictor, prompt: Sequence[int], settings: GenerationSettings, model: Any
) -> Generator[Any, None, None]:
    began = time.monotonic()
    made: Generated = yield from predictor.generate(prompt, settings, cancelled=call.cancelled, model=model)
    yield {
        "finish_reason": made.finish_reason,
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": made.completion_tokens,
        "duration": round(time.monotonic() - began, 3),
    }


def _base(items: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """Yield items with names that say that they are of the base model."""
    for item in items:
        yield {"base": item} if isinstance(item, str) else {f"base_{name}": value for name, value in item.items()}
