"""Apply a trained language model: answer conversations or continue texts, at once or token by token. Workers only."""

from __future__ import annotations

import copy
import json
import queue
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import language_models
from autotrain_gradio.training.chat_templates import prompt_ids
from autotrain_gradio.training.text_stream import TextStream
from autotrain_gradio.training.tokens import longest

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class GenerationSettings:
    """How one answer is generated; the defaults are those of the trained model: greedy decoding.

    temperature: 0: greedy; else tokens are sampled. top_p: of nucleus sampling. max_new_tokens: maximum length in
    tokens; None: that of the model's generation config. system: a system prompt in front of a conversation that has
    none. stop: the text ends before the first of these. seed: of the sampling; None: any.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int | None = None
    system: str = ""
    stop: tuple[str, ...] = ()
    seed: int | None = None


GREEDY = GenerationSettings()


@dataclass(frozen=True)
class Generated:
    """A generated text.

    finish_reason: `stop` (it has ended by itself, or at a stop sequence), `length` (at the maximum length) or
    `cancelled`. prompt_tokens, completion_tokens: lengths in tokens.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class LanguagePredictor:
    """The language model that a run has trained.

    Inputs: `{<input_name>: str}`: with `chat` a message, or a conversation as JSON, whose last message of the user is
    answered; else, or if the tokenizer has no chat template, the beginning of a text. Predictions: `{"text",
    "panels"}`, and `note` if it ended at the maximum length.

    Attributes:
        chat: whether conversations are answered.
    """

    def __init__(self, directory: Path, input_name: str, *, chat: bool) -> None:
        self.model, self.tokenizer = language_models.load_trained(directory / "model")
        self.chat = chat and bool(self.tokenizer.chat_template)
        self._input_name, self._message = input_name, chat
        self._limit = longest(self.model.config, self.tokenizer, self.model)

    def __call__(
        self, inputs: Sequence[Mapping[str, Any]], settings: GenerationSettings = GREEDY
    ) -> list[dict[str, Any]]:
        """Answer each conversation, or continue each text.

        Raises:
            UserError: one is missing, empty or longer than the model supports, or is not supported by the template.
        """
        prompts = [self.prompt(given.get(self._input_name), settings.system) for given in inputs]
        if settings == GenerationSettings(system=settings.system):
            made = language_models.generate(self.model, self.tokenizer, prompts)
        else:
            answers = [_finish(self.generate(ids, settings)) for ids in prompts]
            made = [(a.text, a.finish_reason == "length") for a in answers]
        title, what = ("Answer", "answer") if self._message else ("Continuation", "text")
        most = settings.max_new_tokens or self.model.generation_config.max_new_tokens
        found = []
        for text, ended in made:
            note = f"The {what} was ended at {most:,} tokens (max_new_tokens)." if ended else ""
            answer = {"text": text, **({"note": note} if note else {})}
            found.append({**answer, "panels": [panels.text_block(title, text, note=note)]})
        return found

    def stream(
        self,
        value: str | Messages,
        settings: GenerationSettings = GREEDY,
        *,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Generator[str, None, Generated]:
        """Yield the answer to a message or conversation, or the continuation of a text, as it is generated.

        The parts joined are the text of the prediction. cancelled: checked after each token; closing the generator
        cancels too.

        Raises:
            UserError: as a call.
        """
        return (yield from self.generate(self.prompt(value, settings.system), settings, cancelled=cancelled))

    def prompt(self, value: Any, system: str = "") -> list[int]:
        """Return the token ids of a prompt. value: a text, or messages, also as JSON. system: a system prompt.

        Raises:
            UserError: it is missing, empty or longer than the model supports, or is not supported by the template.
        """
        if not value or (isinstance(value, str) and not value.strip()):
            what, hint = ("message", "a message") if self._message else ("text", "the beginning of a text")
            raise UserError(f"The {what} is empty.", f"Enter {hint}.", self._input_name, "no-text")
        if self.chat:
            messages = messages_to_answer(value, self._input_name)
            if system.strip() and messages[0]["role"] != "system":
                messages = [{"role": "system", "content": system.strip()}, *messages]
            ids = prompt_ids(self.tokenizer, self.tokenizer.chat_template, messages, None)
        elif isinstance(value, str):
            ids = list(self.tokenizer(value, verbose=False)["input_ids"])
        else:
            message = "The model continues plain texts: its tokenizer has no chat template."
            raise UserError(message, "Give the beginning of a text.", self._input_name, "no-chat-template")
        if self._limit is not None and len(ids) >= self._limit:
            message = f"The prompt has {len(ids):,} tokens; the model supports {self._limit:,} with the answer."
            hint = "Shorten it, or begin a new chat." if self.chat else "Shorten it."
            raise UserError(message, hint, self._input_name, "prompt-too-long")
        return ids

    def generate(
        self,
        prompt: Sequence[int],
        settings: GenerationSettings = GREEDY,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        model: Any = None,
    ) -> Generator[str, None, Generated]:
        """Yield the text that follows a prompt as it is generated.

        prompt: token ids. model: another one with the same tokenizer, such as the base model; None: the trained one.
        """
        model = self.model if model is None else model
        config = self._generation_config(len(prompt), settings)
        ends = config.eos_token_id or []
        ends = set(ends if isinstance(ends, list) else [ends])
        tokens = _TokenQueue()
        halt = threading.Event()
        text = TextStream(self.tokenizer, settings.stop)

        def work() -> None:
            try:
                with torch.inference_mode():
                    if settings.seed is not None:
                        torch.manual_seed(settings.seed)
                    ids = torch.tensor([list(prompt)], device=model.device)
                    model.generate(
                        input_ids=ids,
                        attention_mask=torch.ones_like(ids),
                        generation_config=config,
                        stopping_criteria=StoppingCriteriaList([_Halt(lambda: halt.is_set() or cancelled())]),
                        streamer=tokens,
                        use_cache=True,
                    )
                tokens.queue.put(None)
            except BaseException as error:  # raised in the thread of the caller
                tokens.queue.put(error)

        thread = threading.Thread(target=work, name="generate", daemon=True)
        thread.start()
        parts: list[str] = []
        count, reason = 0, ""
        try:
            while (token := tokens.queue.get()) is not None:
                if isinstance(token, BaseException):
                    raise token
                count += 1
                if token in ends:
                    reason = "stop"
                    continue
                if part := text.add(token):
                    parts.append(part)
                    yield part
                if text.stopped:
                    reason = "stop"
                    break
        finally:
            halt.set()
            thread.join()
        if part := text.finish():
            parts.append(part)
            yield part
        reason = reason or ("length" if count >= config.max_new_tokens else "cancelled")
        return Generated("".join(parts), reason, len(prompt), count)

    def _generation_config(self, prompt_length: int, settings: GenerationSettings) -> GenerationConfig:
        config = copy.deepcopy(self.model.generation_config)
        most = settings.max_new_tokens or config.max_new_tokens
        config.max_new_tokens = most if self._limit is None else min(most, self._limit - prompt_length)
        if settings.temperature > 0:
            config.do_sample, config.temperature = True, settings.temperature
            config.top_p, config.top_k = settings.top_p, 0
        return config


def messages_to_answer(value: str | Messages, where: str) -> list[dict[str, Any]]:
    """Return the messages that are to be answered: without a last answer of the assistant.

    value: a message of the user, a conversation as JSON, or its messages. where: the name of the input, for errors.

    Raises:
        UserError: it begins as a conversation and is not one, or nothing is left to be answered.
    """
    messages: Any = value
    if isinstance(value, str):
        if not value.startswith("[{"):
            return [{"role": "user", "content": value}]
        try:
            messages = json.loads(value)
        except ValueError as error:
            raise _not_messages(where) from error
    if not all(isinstance(m, Mapping) and isinstance(m.get("role"), str) for m in messages):
        raise _not_messages(where)
    found = [dict(m) for m in messages]
    found = found[:-1] if found and found[-1]["role"] == "assistant" else found
    if not found:
        raise UserError("The conversation has no message to answer.", "Add a message.", where, "no-text")
    return found


def _not_messages(where: str) -> UserError:
    hint = 'Write [{"role": "user", "content": "…"}], or a message that does not begin with [{.'
    return UserError("The conversation is not a JSON list of messages.", hint, where, "conversation-json")


def _finish(generated: Generator[str, None, Generated]) -> Generated:
    """Return the result of a generator."""
    while True:
        try:
            next(generated)
        except StopIteration as end:
            result: Generated = end.value
            return result


class _TokenQueue(BaseStreamer):
    """Queues the generated tokens. `generate` puts the prompt first."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        self._prompt = True

    def put(self, value: torch.Tensor) -> None:
        if self._prompt:
            self._prompt = False
            return
        for token in value.flatten().tolist():
            self.queue.put(token)

    def end(self) -> None:
        """Called before `generate` returns, which may still raise an error: its caller ends the queue."""


class _Halt(StoppingCriteria):
    """Ends the generation when a function says so."""

    def __init__(self, halted: Callable[[], bool]) -> None:
        self._halted = halted

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._halted(), dtype=torch.bool, device=input_ids.device)
