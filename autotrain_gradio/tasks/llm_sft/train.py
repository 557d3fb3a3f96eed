"""Chat models: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets import Dataset

from autotrain_gradio import data
from autotrain_gradio.data.kinds.conversation import messages_of
from autotrain_gradio.data.kinds.tools import tools_of
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_sft import TASK
from autotrain_gradio.tasks.llm_sft.preview import preview
from autotrain_gradio.tasks.llm_sft.rows import PREDICTED, RowTokenizer, answered, conversations_of, texts_of
from autotrain_gradio.training import language_models
from autotrain_gradio.training.chat_prediction import LanguagePredictor
from autotrain_gradio.training.chat_template_support import use_template
from autotrain_gradio.training.chat_templates import (
    ChatTemplate,
    TemplateFailure,
    TokenizedRow,
    end_tokens,
    prompt_ids,
)
from autotrain_gradio.training.language_evaluation import SamplePrompt, text_prompt
from autotrain_gradio.training.language_models import tiny_model
from autotrain_gradio.training.language_probe import probe
from autotrain_gradio.training.language_run import Prepared, fine_tune, open_model, tokenize_split

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

ROWS_FOR_ENDS = 20
"""Training rows in which the tokens that end the assistant's messages are looked up."""
TEXT_USAGE = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(model)
generator = AutoModelForCausalLM.from_pretrained(model)
inputs = tokenizer(value, return_tensors="pt")
output = generator.generate(**inputs)[0][inputs["input_ids"].shape[1] :]
answer = tokenizer.decode(output, skip_special_tokens=True).strip()
"""


def train(run: Reporter) -> None:
    """Fine-tune a language model on the run's rows, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, no row can be trained on, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    found = open_model(run, texts_of(rows["train"]))
    tokenizer = found.tokenizer
    template: ChatTemplate | None = None
    ends: set[int] = set()
    if "conversation" in rows["train"].features:
        template = use_template(run, tokenizer, conversations_of(rows["train"]))
        some = rows["train"].select(range(min(ROWS_FOR_ENDS, len(rows["train"]))))
        for row in RowTokenizer(tokenizer, template, assistant_only=True).rows(some):
            ends |= end_tokens(tokenizer, row) if isinstance(row, TokenizedRow) else set()
    limit = language_models.sequence_limit(found.limit, params)
    rows_as_tokens = RowTokenizer(tokenizer, template, assistant_only=params.assistant_only_loss)
    splits = {}
    for name, part in rows.items():
        split = tokenize_split(run, str(name), rows_as_tokens.rows(part), len(part), limit)
        if split is None:
            return
        splits[str(name)] = split
    language_models.set_generation(found.model, tokenizer, ends, params.max_new_tokens)
    validation = rows.get("validation")
    prompts = [] if validation is None else list(sample_prompts(tokenizer, template, validation, limit, params))
    usage = TASK.loader_example if tokenizer.chat_template else TEXT_USAGE
    fine_tune(run, TASK, Prepared(found, splits, prompts, limit, usage=usage, title="Chat model"))


def sample_prompts(
    tokenizer: Any, template: ChatTemplate | None, rows: Dataset, limit: int, params: Any
) -> Iterator[SamplePrompt]:
    """Yield the first validation rows as prompts and their reference answers."""
    count = 0
    for row in rows:
        if count == params.generation_rows:
            return
        if template is None:
            yield text_prompt(tokenizer, row["text"], limit)
        else:
            messages = messages_of(row["conversation"])
            if not answered(messages):
                continue
            last = max(i for i, m in enumerate(messages) if m["role"] == "assistant")
            before, answer = messages[:last], messages[last]["content"]
            if not before:
                continue
            try:
                ids = prompt_ids(tokenizer, template.saved, before, tools_of(row.get("tools")))
            except TemplateFailure:
                continue  # the row is reported where the rows are tokenized
            if len(ids) >= limit:
                continue
            yield SamplePrompt(before[-1]["content"], ids, answer, row["conversation"])
        count += 1


def load(directory: Path) -> LanguagePredictor:
    """Return the model that a run has trained: it answers messages and conversations (`conversation`)."""
    return LanguagePredictor(directory, PREDICTED, chat=True)
