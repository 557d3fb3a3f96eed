"""Chat templates: choose one, and render conversations as token ids with the tokens that the loss is computed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import numpy as np

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training.chat_template_families import END, FAMILIES

WHERE = "params.chat_template"
FAILURES = (jinja2.TemplateError, TypeError, LookupError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""Exceptions that a template can raise for a conversation that it does not support."""


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template.

    saved: the template that is saved with the model, and used in predictions. training: the one that renders training
    rows, the same or a variant with `{% generation %}` markers. marked: whether it has them. note: what was chosen.
    """

    saved: str
    training: str
    marked: bool
    note: str = ""


@dataclass(frozen=True)
class TokenizedRow:
    """A row as token ids. ids: int32 (tokens,). trained: whether the loss is computed on a token, bool (tokens,)."""

    ids: np.ndarray
    trained: np.ndarray

    def part(self, which: slice) -> TokenizedRow:
        """Return a part of the row."""
        return TokenizedRow(self.ids[which], self.trained[which])


@dataclass(eq=False)
class TemplateFailure(UserError):
    """A template does not support a conversation, or does not show which tokens are the assistant's.

    reason: what the template says, if it has refused the conversation.
    """

    reason: str = ""


def choose_template(tokenizer: Any, wanted: str) -> ChatTemplate:
    """Return a chat template. wanted: `auto`, `tokenizer`, or the name of one of `FAMILIES`.

    Raises:
        UserError: the tokenizer has no template (`tokenizer`), or one that cannot be used; or no EOS token, which the
            family needs.
    """
    own = _own_template(tokenizer)
    if wanted == "tokenizer" and not own:
        message = "The tokenizer of the model has no chat template."
        hint = "Set chat_template to chatml or zephyr, or choose an instruction-tuned model."
        raise UserError(message, hint, WHERE, "no-chat-template")
    if own and wanted in ("auto", "tokenizer"):
        _require_messages(tokenizer, own)
        training = _training_variant(tokenizer, own)
        return ChatTemplate(own, training, "{% generation" in training or "{%- generation" in training)
    known = END in tokenizer.get_vocab()
    family = ("chatml" if known else "zephyr") if wanted == "auto" else wanted
    text = FAMILIES[family]
    if not tokenizer.eos_token and not (family == "chatml" and known):
        message = f"The tokenizer has no EOS token, which the chat template {family} needs."
        raise UserError(message, "Choose another model.", "model", "no-eos-token")
    if family == "chatml" and not known:
        text = text.replace(END, tokenizer.eos_token)  # the end of an answer must be a single token
    note = f"The model has no chat template: {family} is used, and saved with the model." if wanted == "auto" else ""
    return ChatTemplate(text, text, True, note)


def _require_messages(tokenizer: Any, template: str) -> None:
    """Check that a template renders a question and its answer.

    Raises:
        UserError: it has an error, does what the sandbox of transformers refuses, or leaves out one of the two.
    """
    asked, answered = "zquestionz", "zanswerz"
    try:
        text = render(tokenizer, template, [user(asked), {"role": "assistant", "content": answered}])
        reason = "" if asked in text and answered in text else "it does not render the texts of the messages"
    except TemplateFailure as failure:
        reason = failure.reason
    if reason:
        message = f"The chat template of the model cannot be used: {reason}."
        hint = "Set chat_template to chatml or zephyr, or correct the template in the tokenizer of the model."
        raise UserError(message, hint, WHERE, "chat-template-broken")


def user(content: str) -> dict[str, Any]:
    """Return a message of the user."""
    return {"role": "user", "content": content}


def _own_template(tokenizer: Any) -> str:
    template = getattr(tokenizer, "chat_template", None)
    if isinstance(template, Mapping):
        template = template.get("default") or next(iter(template.values()), "")
    return str(template or "")


def _training_variant(tokenizer: Any, own: str) -> str:
    """Return TRL's variant of a known template, with markers of the assistant's tokens; else the template itself."""
    from trl.chat_template_utils import get_training_chat_template

    try:
        return str(get_training_chat_template(tokenizer) or own)
    except FAILURES:
        # Not a known template, or one that refuses the conversations with tools on which TRL tries it: the tokens are
        # found by rendering its beginnings.
        return own


def render(
    tokenizer: Any,
    template: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None = None,
    *,
    prompt: bool = False,
) -> str:
    """Return a conversation as text. prompt: it ends with the beginning of the assistant's next message.

    Raises:
        TemplateFailure: the template does not support it.
    """
    try:
        return str(
            tokenizer.apply_chat_template(
                [dict(m) for m in messages],
                tools=list(tools) if tools else None,
                chat_template=template,
                tokenize=False,
                add_generation_prompt=prompt,
            )
        )
    except FAILURES as error:
        raise _failure(error) from error


def prompt_ids(
    tokenizer: Any, template: str, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] | None
) -> list[int]:
    """Return the token ids of a conversation that the assistant is to continue."""
    text = render(tokenizer, template, messages, tools, prompt=True)
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def tokenize_conversation(
    tokenizer: Any,
    template: ChatTemplate,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None = None,
    *,
    assistant_only: bool,
) -> TokenizedRow:
    """Return a conversation as token ids. assistant_only: only the assistant's tokens are trained, else all.

    Raises:
        TemplateFailure: the template does not support it.
    """
    if assistant_only and template.marked and tokenizer.is_fast:
        try:
            made = tokenizer.apply_chat_template(
                [dict(m) for m in messages],
                tools=list(tools) if tools else None,
                chat_template=template.training,
                tokenize=True,
                return_dict=True,
                return_assistant_tokens_mask=True,
            )
        except FAILURES as error:
            raise _failure(error) from error
        ids = np.asarray(made["input_ids"], dtype=np.int32)
        return TokenizedRow(ids, np.asarray(made["assistant_masks"], dtype=bool))
    text = render(tokenizer, template.training, messages, tools)
    if not assistant_only:
        ids = np.asarray(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"], dtype=np.int32)
        return TokenizedRow(ids, np.ones(len(ids), dtype=bool))
    return _by_spans(tokenizer, text, assistant_spans(tokenizer, tokenizer, template.training, text, messages, tools))


def tokenize_answer(
    tokenizer: Any,
    template: str,
    prompt: Sequence[Mapping[str, Any]],
    answer: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None = None,
) -> TokenizedRow:
    """Return a prompt and its answer as token ids; those of the answer are trained, with the token that ends it.

    As in TRL, the answer begins where its tokens differ from those of the prompt alone.

    Raises:
        TemplateFailure: the template does not support the conversation.
    """
    whole = render(tokenizer, template, [*prompt, *answer], tools)
    bare = whole.rstrip()
    if any(bare.endswith(str(token)) for token in tokenizer.get_added_vocab()):
        whole = bare
    ids = np.asarray(tokenizer(whole, add_special_tokens=False, verbose=False)["input_ids"], dtype=np.int32)
    asked = np.asarray(prompt_ids(tokenizer, template, prompt, tools), dtype=np.int32)
    size = min(len(ids), len(asked))
    differ = np.flatnonzero(ids[:size] != asked[:size])
    start = int(differ[0]) if len(differ) else size
    return TokenizedRow(ids, np.arange(len(ids)) >= start)


def end_tokens(tokenizer: Any, row: TokenizedRow) -> set[int]:
    """Return the special tokens that end the assistant's messages in a row of which only these are trained."""
    following = np.append(row.trained[1:], False)
    special = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    return {int(i) for i in row.ids[row.trained & ~following]} & special


def _by_spans(tokenizer: Any, text: str, spans: Sequence[tuple[int, int]]) -> TokenizedRow:
    """Return a text as token ids; those that begin within the spans are trained."""
    if not tokenizer.is_fast:
        raise TemplateFailure(
            "The assistant's tokens cannot be found: the tokenizer of the model has no fast version.",
            "Switch assistant_only_loss off, or choose another model.",
            "params.assistant_only_loss",
            "template-no-mask",
        )
    made = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    starts = np.asarray([start for start, _ in made["offset_mapping"]])
    trained = np.zeros(len(starts), dtype=bool)
    for begin, end in spans:
        trained |= (starts >= begin) & (starts < end)
    return TokenizedRow(np.asarray(made["input_ids"], dtype=np.int32), trained)


def assistant_spans(
    renderer: Any,
    tokenizer: Any,
    template: str,
    text: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None = None,
) -> list[tuple[int, int]]:
    """Return the spans of the assistant's messages, with their end tokens, in a rendered conversation.

    renderer: the tokenizer, or the processor, whose `apply_chat_template` has rendered it.

    Raises:
        TemplateFailure: a message cannot be found in it.
    """
    spans, cursor = [], 0
    special = sorted(map(str, tokenizer.get_added_vocab()), key=len, reverse=True)
    for number, message in enumerate(messages):
        if message.get("role") != "assistant":
            continue
        head = render(renderer, template, messages[:number], tools, prompt=True) if number else ""
        through = render(renderer, template, messages[: number + 1], tools)
        if head and text.startswith(head) and text.startswith(through) and len(through) > len(head):
            begin, end = len(head), len(through)
            bare = through.rstrip()
            end = len(bare) if any(bare.endswith(token) for token in special) else end
        else:
            # The template renders earlier messages in another way once others follow (it drops their reasoning).
            content = text_of(message.get("content")).strip()
            begin = text.find(content, cursor) if content else -1
            if begin < 0:
                raise TemplateFailure(
                    "The assistant's messages cannot be found in the rendered conversation.",
                    "Switch assistant_only_loss off, or set chat_template to chatml.",
                    "params.assistant_only_loss",
                    "template-no-mask",
                )
            end = begin + len(content)
            end += next((len(token) for token in special if text.startswith(token, end)), 0)
        spans.append((begin, end))
        cursor = end
    return spans


def text_of(content: Any) -> str:
    """Return the text of a message's content: a text, or a list of parts."""
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(str(part.get("text") or "") for part in content)


def _reason(error: BaseException) -> str:
    """Return why a template failed: the first line of the exception, and the line of the template if it is known."""
    text = str(error).strip().splitlines()
    reason = (text[0][:200] if text else type(error).__name__).removesuffix(".")
    line = getattr(error, "lineno", None)
    return f"{reason} (line {line} of the template)" if line else reason


def _failure(error: BaseException) -> TemplateFailure:
    reason = _reason(error)
    hint = "Correct the conversation, or set chat_template to chatml, which supports all roles."
    message = f"The chat template does not support the conversation: {reason}."
    return TemplateFailure(message, hint, WHERE, "template-failed", reason=reason)
