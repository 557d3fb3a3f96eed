"""Reinforcement learning of language models: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio import data
from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.core.text_format import count_with_verb
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.kinds.conversation_messages import messages_of
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_grpo import TASK
from autotrain_gradio.tasks.llm_grpo.evaluation import NOUN, GreedyEvaluation, RewardResults
from autotrain_gradio.tasks.llm_grpo.preview import preview
from autotrain_gradio.tasks.llm_grpo.python_reward import file_digest
from autotrain_gradio.tasks.llm_grpo.rewards import Reward, in_use, make_rewards
from autotrain_gradio.tasks.llm_grpo.rows import PREDICTED, Prompt, as_dataset, ends_of_answers, load_prompts, texts_of
from autotrain_gradio.tasks.llm_grpo.tokens import prompt_limit, token_counter
from autotrain_gradio.tasks.llm_grpo.trainer import PolicyTrainer, TrlReward, grpo_arguments
from autotrain_gradio.training import language_models, language_probe
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.chat_prediction import LanguagePredictor
from autotrain_gradio.training.chat_template_support import use_template
from autotrain_gradio.training.chat_templates import ChatTemplate
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import fit
from autotrain_gradio.training.language_models import tiny_model
from autotrain_gradio.training.language_run import open_model, report_skipped, write_model

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

ROWS_FOR_ENDS = 20
"""Prompts in which the tokens that end answers are looked up."""
DIGEST_FILE = "reward_file.json"
"""In the folder of the checkpoints: the digest of the file with the reward function."""


def train(run: Reporter) -> None:
    """Train a language model on its own completions of the run's prompts, and write the model and a report.

    Raises:
        UserError: the model or a reward cannot be used, no prompt is left, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    found = open_model(run, texts_of(rows["train"]))
    tokenizer = found.tokenizer
    conversations = ((messages_of(cell), None) for cell in rows["train"][PREDICTED])
    template = use_template(run, tokenizer, conversations, "training prompt")
    limit = prompt_limit(found.limit, params)
    if found.limit is not None and found.limit <= params.max_completion_length:
        message = f"The model supports {found.limit:,} tokens, which leaves none for prompts."
        hint = f"Reduce max_completion_length (it is {params.max_completion_length:,})."
        raise UserError(message, hint, "params.max_completion_length", "no-room-for-prompts")
    prompts = {str(name): _prompts(run, str(name), tokenizer, template, part, limit) for name, part in rows.items()}
    rewards = open_rewards(run, tokenizer, prompts["train"])
    ends = ends_of_answers(tokenizer, template, prompts["train"][:ROWS_FOR_ENDS])
    language_models.set_generation(found.model, tokenizer, ends, params.max_completion_length)
    if not getattr(found.model, "is_quantized", False):
        found.model.to(device())

    valid = prompts.get("validation", [])
    evaluation = GreedyEvaluation(run, tokenizer, valid, rewards, token_counter(tokenizer)) if valid else None
    if evaluation is not None and not evaluation.score_base(found.model):
        return
    model = language_models.adapt(run, found)
    trainer = PolicyTrainer(
        run,
        evaluation,
        beta=params.beta,
        model=model,
        reward_funcs=[TrlReward(reward) for reward in rewards],
        args=grpo_arguments(
            run,
            prompts=len(prompts["train"]),
            validates=bool(valid),
            best=TASK.declared_metric("reward"),
            rewards=rewards,
        ),
        train_dataset=as_dataset(prompts["train"]),
        eval_dataset=as_dataset(valid) if valid else None,
        processing_class=tokenizer,
    )

    def results(values: dict[str, float]) -> RewardResults:
        assert evaluation is not None
        return RewardResults(values, evaluation, params.generation_rows)

    evaluations = Evaluation(run, len(valid), NOUN, from_metrics=results, declared=TASK.metrics)
    done = fit(trainer, run, evaluations)
    values, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    write_model(
        run,
        found,
        trainer.accelerator.unwrap_model(trainer.model),
        [p.ids for p in valid[: params.generation_rows]],
        usage=TASK.loader_example,
        title="Language model, trained by reinforcement learning (GRPO)",
        data={
            "training prompts": len(prompts["train"]),
            "validation prompts": len(valid),
            "maximum length of prompts in tokens": limit,
            "rewards": ", ".join(f"{r.title.lower()} (weight {r.weight:g})" for r in rewards),
            "steps": f"{done.steps} of {done.planned}",
        },
        metrics=values,
        measured_on=f"{len(valid)} validation prompts",
        note=done.selection_note(NOUN) if values else "",
    )
    run.report(report)


def _prompts(run: Reporter, name: str, tokenizer: Any, template: ChatTemplate, rows: Any, limit: int) -> list[Prompt]:
    """Return the prompts of a split, with messages about those that are dropped.

    Raises:
        UserError: none is left.
    """
    run.state("preparing", f"Tokenizing {len(rows):,} prompts")
    found = load_prompts(tokenizer, template, rows, limit)
    what = "training prompt" if name == "train" else "validation prompt"
    report_skipped(run, found.failed, what)
    if found.longer:
        dropped = count_with_verb(len(found.longer), what, "was")
        message = f"{dropped} dropped: longer than {limit:,} tokens; the longest has {max(found.longer):,}."
        run.note(message, hint="Raise max_prompt_length, or shorten the prompts.", level="warning")
    if not found.kept:
        raise UserError(f"No {what} is left.", "Raise max_prompt_length.", "params.max_prompt_length", "no-rows-left")
    return found.kept


def open_rewards(run: Reporter, tokenizer: Any, prompts: Sequence[Prompt]) -> list[Reward]:
    """Return the reward functions of a run, with messages about what they cannot be applied to.

    Raises:
        UserError: one is wrong, or needs reference answers that no prompt has.
    """
    params = run.params
    missing = sum(prompt.answer is None for prompt in prompts)
    if "exact_answer" in in_use(params) and missing:
        if missing == len(prompts):
            message = "The reward for the exact answer needs reference answers, and no prompt has one."
            hint = "Map the column with the answers, or set exact_answer_weight to 0."
            raise UserError(message, hint, "params.exact_answer_weight", "reward-without-answers")
        message = f"{count_with_verb(missing, 'training prompt', 'has')} no reference answer: without that reward."
        run.note(message, level="warning", hint="Fill in the answers, or remove the rows.")
    if params.auto_find_batch_size:
        run.note("auto_find_batch_size has no effect here: GRPO needs whole groups of completions.", level="warning")
    run.state("preparing", "Loading the rewards")

    def note(message: str) -> None:
        run.note(message, level="warning")

    rewards = make_rewards(params, token_counter(tokenizer), note=note)
    if "python" in in_use(params):
        _record_file(run, params.reward_file)
    return rewards


def _record_file(run: Reporter, path: str) -> None:
    """Record the digest of the file with the reward function, and report if it has changed since an earlier attempt."""
    place, digest = run.checkpoints / DIGEST_FILE, file_digest(path)
    before = read_json(place) if run.attempt > 1 else None
    if before is not None and before["sha256"] != digest:
        run.note(f"{Path(path).name} has changed since the training began: rewards may differ.", level="warning")
        return
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    write_json(place, {"sha256": digest})


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect the model as `language_probe.probe`, and the reward functions; no weights are downloaded."""
    length = params.max_prompt_length + params.max_completion_length
    facts = language_probe.probe(spec, params, context, length=length)
    found: list[Finding] = []
    try:
        make_rewards(params, len, heavy=False)
    except UserError as error:
        found += error.findings
    if "reward_model" in in_use(params):
        from autotrain_gradio.tasks.llm_grpo.reward_model import model_findings

        found += model_findings(params.reward_model)
    if params.auto_find_batch_size:
        message = "auto_find_batch_size has no effect here: GRPO needs whole groups of completions."
        hint, where = "Set it to false.", "params.auto_find_batch_size"
        found.append(Finding("info", "setting-without-effect", message, hint, where))
    facts["findings"] = [*(f.to_dict() for f in found), *facts["findings"]]
    return facts


def load(directory: Path) -> LanguagePredictor:
    """Return the model that a run has trained, as a predictor."""
    return LanguagePredictor(directory, PREDICTED, chat=True)
