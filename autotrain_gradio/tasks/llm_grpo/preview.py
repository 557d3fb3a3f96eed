"""Preview of reinforcement learning: rendered prompts, their lengths, and the rewards of the reference answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.core.text_format import count_with_verb, pluralize, truncate
from autotrain_gradio.training import text_preview
from autotrain_gradio.training.pretrained import ModelError
from autotrain_gradio.training.text_preview import load_ahead

if TYPE_CHECKING:
    from autotrain_gradio.tasks.llm_grpo.rewards import Reward
    from autotrain_gradio.tasks.llm_grpo.rows import Prompt, Prompts

__all__ = ["load_ahead", "preview"]

MAX_TOKENS = 240
"""Maximum number of displayed tokens of a prompt."""
CHARACTERS = 300
SHOWN = 6
"""Number of reference answers that are shown with their rewards."""


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show how long the prompts are, the rewards of the reference answers, and a few rendered prompts.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer. The reward model is not run.

    context: `texts`, number of displayed prompts (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
        UserError: the chat template cannot be used, or a reward function is wrong.
    """
    # Importing the models takes seconds: only when a preview is shown.
    from autotrain_gradio.tasks.llm_grpo.rewards import make_rewards
    from autotrain_gradio.tasks.llm_grpo.rows import load_prompts, texts_of
    from autotrain_gradio.tasks.llm_grpo.tokens import prompt_limit, token_counter
    from autotrain_gradio.training import language_preview
    from autotrain_gradio.training.chat_templates import choose_template

    rows = data.load(draft)["train"]
    try:
        tokenizer, most = language_preview.open_tokenizer_of(spec.model, lambda: texts_of(rows))
    except ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    template = choose_template(tokenizer, params.chat_template)
    chosen = rows.select(text_preview.measured_rows(len(rows), params.seed))
    prompts = load_prompts(tokenizer, template, chosen, prompt_limit(most, params))
    rewards = make_rewards(params, token_counter(tokenizer), with_model=False)
    shown = min(16, int(context.get("texts", 3)))
    return [
        _lengths(prompts, params, len(rows), len(chosen), template.note),
        *_rewards(prompts.kept, rewards, params),
        _rendered(tokenizer, prompts.kept[:shown]),
    ]


def _lengths(prompts: Prompts, params: Any, rows: int, measured: int, note: str) -> Panel:
    notes = [note]
    if prompts.failed:
        first = next(iter(prompts.failed.values()))
        notes.append(f"{count_with_verb(len(prompts.failed), 'prompt', 'will')} be skipped: {first.message}")
    if prompts.longer:
        dropped = count_with_verb(len(prompts.longer), "prompt", "will")
        notes.append(f"{dropped} be dropped: they are longer than {prompts.limit:,} tokens.")
    if measured < rows:
        notes.append(f"Measured on {measured:,} of {rows:,} prompts, a random sample.")
    completions = params.batch_size * params.gradient_accumulation
    count = pluralize(completions // params.num_generations, "prompt")
    notes.append(
        f"Each step of a process generates {completions:,} completions of up to {params.max_completion_length:,} "
        f"tokens: {params.num_generations} for each of {count}."
    )
    lengths = [len(p.ids) for p in prompts.kept] + prompts.longer
    facts: dict[str, Any] = {"prompts": rows}
    if lengths:
        facts |= {
            "median tokens": int(np.median(lengths)),
            "longest": max(lengths),
            "maximum length of prompts": prompts.limit,
            "prompts above it": f"{len(prompts.longer):,} ({len(prompts.longer) / len(lengths):.1%})",
        }
    return panels.numbers("Prompts", facts, note=" ".join(filter(None, notes)))


def _rewards(prompts: Sequence[Prompt], rewards: Sequence[Reward], params: Any) -> list[Panel]:
    """Show what each reward function gives to the reference answers: a mistake in it shows before the training."""
    from autotrain_gradio.tasks.llm_grpo.rewards import in_use, total
    from autotrain_gradio.tasks.llm_grpo.rows import batch_of

    answered = [p for p in prompts if p.answer is not None]
    missing = len(prompts) - len(answered)
    names = in_use(params)
    title = "Rewards of the reference answers"
    notes = []
    if "exact_answer" in names and missing:
        some = f"{count_with_verb(missing, 'prompt', 'has')} no" if answered else "No prompt has a"
        hint = "Set exact_answer_weight to 0, or map the column with the answers."
        notes.append(f"{some} reference answer, which the reward for the exact answer needs. {hint}")
    if "reward_model" in names:
        notes.append("The reward model is not run in the preview.")
    if not answered or not rewards:
        return [panels.markdown(" ".join(notes) or "There is no reference answer to score.", title=title)]
    batch = batch_of(answered, [p.answer or "" for p in answered])
    scores = {reward.name: reward.score(batch) for reward in rewards}
    rows: list[list[Any]] = []
    for reward in rewards:
        values = [s for s in scores[reward.name] if s is not None]
        if not values:
            rows.append([reward.title, f"{reward.weight:g}", "–", "–", "–", 0])
            continue
        rows.append(
            [
                reward.title,
                f"{reward.weight:g}",
                f"{np.mean(values):.3f}",
                f"{min(values):.3g} to {max(values):.3g}",
                sum(v > 0 for v in values),
                len(values),
            ]
        )
        if max(values) <= 0 < reward.weight:
            notes.append(f"{reward.title}: no reference answer gets a reward. Is the setting right?")
    columns = ["reward", "weight", "mean", "range", "answers above 0", "answers"]
    found = [panels.table(title, columns, rows, note=" ".join(notes))]
    first = range(min(SHOWN, len(answered)))
    heads = ["prompt", "reference answer", *(r.title.lower() for r in rewards), "total"]
    cells = [
        [
            truncate(answered[i].text, CHARACTERS),
            truncate(answered[i].answer or "", CHARACTERS),
            *("–" if (s := scores[r.name][i]) is None else f"{s:.3g}" for r in rewards),
            f"{total({r.name: scores[r.name][i] for r in rewards}, rewards):.3g}",
        ]
        for i in first
    ]
    return [*found, panels.table("Reference answers and their rewards", heads, cells)]


def _rendered(tokenizer: Any, prompts: Sequence[Prompt]) -> Panel:
    items = [
        {
            "label": f"prompt {p.row + 1}: {pluralize(len(p.ids), 'token')}",
            "read": (read := text_preview.readable_tokens(tokenizer, p.ids[:MAX_TOKENS])),
            "marked": [False] * len(read),
            "cut": [],
            "more": max(0, len(p.ids) - MAX_TOKENS),
        }
        for p in prompts
    ]
    return panels.tokens("Rendered prompts", items, note="Each box is a token. The model continues the prompt.")
