"""The configurations and flags of AutoTrain for language and vision-language models, in short forms with all keys.

Its files are in https://github.com/huggingface/autotrain-advanced/tree/main/configs (llm_finetuning, vlm).
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from autotrain_gradio.backends import backend_type
from autotrain_gradio.cli import commands, main
from autotrain_gradio.core.errors import SpecError, UserError
from autotrain_gradio.tasks.options import spec_from_options
from autotrain_gradio.tasks.registry import Resolved, registry, resolve
from autotrain_gradio.tasks.spec_yaml import from_yaml

LORA = {"peft": True, "quantization": "int4", "target_modules": "all-linear", "padding": "right"}
SHORT = {"block_size": 1024, "model_max_length": 8192, "max_prompt_length": 512, "epochs": 3, "batch_size": 2}
SHORT |= {"lr": "3e-5", "optimizer": "adamw_torch", "scheduler": "linear", "gradient_accumulation": 4}
SHORT |= {"mixed_precision": "fp16"}
CHATS = {"block_size": 2048, "model_max_length": 4096, "epochs": 2, "batch_size": 1, "lr": "1e-5"}
CHATS |= {"optimizer": "paged_adamw_8bit", "scheduler": "cosine", "gradient_accumulation": 8, "mixed_precision": "bf16"}
CHATS |= {**LORA, "merge_adapter": True}
TEXT, MESSAGES = {"text_column": "text"}, {"text_column": "messages"}
PAIRS = {"text_column": "chosen", "rejected_text_column": "rejected"}
WITH_PROMPT = {**PAIRS, "prompt_text_column": "prompt"}
IMAGES = {"image_column": "image", "text_column": "multiple_choice_answer", "prompt_text_column": "question"}
VLM = {"epochs": 3, "batch_size": 2, "lr": "2e-5", "optimizer": "adamw_torch", "scheduler": "linear"}
VLM |= {"gradient_accumulation": 4, "mixed_precision": "fp16", "peft": True, "quantization": "int4"}
PAIR_ROLES = {"chosen": "chosen", "rejected": "rejected"}

FORMS: dict[str, tuple[str, Any, dict[str, str], dict[str, Any], str, dict[str, str], set[str]]] = {
    # file: task, data.chat_template, columns, parameters; name of the task, roles of the columns, what has no effect
    "gpt2_sft": (
        "llm-sft",
        None,
        TEXT,
        {**SHORT, "padding": "right"},
        "llm-sft",
        {"text": "text"},
        {"max_prompt_length"},
    ),
    "llama3-70b-sft": (
        "llm",
        None,
        TEXT,
        {**CHATS, "trainer": "sft", "quantization": None},
        "llm-sft",
        {"text": "text"},
        set(),
    ),
    "llama3-8b-sft-unsloth": (
        *("llm-sft", None, TEXT, {**SHORT, **LORA, "unsloth": True, "lora_dropout": 0}, "llm-sft", {"text": "text"}),
        {"max_prompt_length", "unsloth"},
    ),
    "llama3-8b-sft-liger-kernel": (
        *(
            "llm-sft",
            None,
            TEXT,
            {**SHORT, **LORA, "liger_kernel": True, "lora_dropout": 0},
            "llm-sft",
            {"text": "text"},
        ),
        {"max_prompt_length", "liger_kernel"},
    ),
    "llama32-1b-sft": ("llm-sft", "tokenizer", MESSAGES, CHATS, "llm-sft", {"text": "messages"}, set()),
    "smollm2_guanaco": ("llm-sft", None, TEXT, CHATS, "llm-sft", {"text": "text"}, set()),
    "llama3-8b-dpo-qlora": (
        *("llm", "chatml", WITH_PROMPT, {**SHORT, **LORA, "trainer": "dpo"}, "llm-dpo"),
        *({**PAIR_ROLES, "prompt": "prompt"}, set()),
    ),
    "llama3-8b-orpo": ("llm", "chatml", PAIRS, {**SHORT, **LORA, "trainer": "orpo"}, "llm-orpo", PAIR_ROLES, set()),
    "llama3-70b-orpo-v1": (
        *("llm", "chatml", PAIRS, {**SHORT, **LORA, "trainer": "orpo", "quantization": None}, "llm-orpo"),
        *(PAIR_ROLES, set()),
    ),
    "smollm2_orpo": (
        *("llm-orpo", "chatml", WITH_PROMPT, {**SHORT, **LORA}, "llm-orpo"),
        *({**PAIR_ROLES, "prompt": "prompt"}, set()),
    ),
    "reward": ("llm", "zephyr", PAIRS, {**SHORT, **LORA, "trainer": "reward"}, "llm-reward", PAIR_ROLES, set()),
    "generic": ("llm", None, TEXT, {**CHATS, "trainer": "default"}, "llm-generic", {"text": "text"}, set()),
    "llama3-8b-grpo-gsm8k": (
        *("llm-grpo", None, {"text_column": "question", "answer_column": "answer"}),
        {**SHORT, **LORA, "unsloth": True, "lora_dropout": 0, "num_completions": 4, "top_k": 50, "top_p": 0.95},
        *("llm-grpo", {"prompt": "question", "completion": "answer"}),
        {"block_size", "model_max_length", "padding", "unsloth"},
    ),
    "paligemma_vqa": (
        *("vlm:vqa", ..., IMAGES, VLM, "vlm"),
        *({"image": "image", "answer": "multiple_choice_answer", "prompt": "question"}, set()),
    ),
    "captioning": (
        *("vlm", ..., {"image_column": "image", "text_column": "text"}, {**VLM, "trainer": "captioning"}, "vlm"),
        *({"image": "image", "answer": "text"}, set()),
    ),
}


def as_yaml(form: str) -> str:
    """Return a configuration as AutoTrain's files have it. A template of `...`: the key is not in them."""
    task, template, columns, params, *_ = FORMS[form]
    data = {"path": "someone/rows", "train_split": "train", "valid_split": None, "column_mapping": columns}
    if template is not ...:
        data["chat_template"] = template
    hub = {"username": "${HF_USERNAME}", "token": "${HF_TOKEN}", "push_to_hub": True}
    made = {"task": task, "base_model": "my/model", "project_name": "autotrain-model", "log": "tensorboard"}
    made |= {"backend": "local", "data": data, "params": params, "hub": hub}
    return yaml.safe_dump(made).replace("'3e-5'", "3e-5").replace("'1e-5'", "1e-5").replace("'2e-5'", "2e-5")


def read(form: str) -> Resolved:
    return resolve(from_yaml(as_yaml(form), {"HF_USERNAME": "ana", "HF_TOKEN": "hf_x"})[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_configuration_resolves_into_an_equal_spec(form: str) -> None:
    _, template, _, given, task, roles, unused = FORMS[form]
    found = read(form)
    assert found.task.name == task and found.spec.data.columns == roles and found.spec.model == "my/model"
    values = found.params.model_dump()
    renamed = {"num_completions": "num_generations"}
    for name, value in given.items():
        if name != "trainer":
            assert values[renamed.get(name, name)] == (float(value) if name == "lr" else value), name
    if template is not ...:
        absent = "auto" if "auto" in str(found.task.params.model_fields["chat_template"].annotation) else None
        assert values["chat_template"] == (template or absent)
    params: Any = found.params
    fields = found.task.params.model_fields
    assert {n for n in params.no_effect if values[n] != fields[n].default} == unused
    assert values["log"] == "tensorboard" and found.spec.hub.username == "ana" and found.spec.hub.push_to_hub


@pytest.mark.parametrize("form", ["llama3-8b-dpo-qlora", "llama3-8b-grpo-gsm8k", "reward", "generic", "paligemma_vqa"])
def test_an_unknown_key_is_named(form: str) -> None:
    text = as_yaml(form).replace("batch_size:", "batch_sizes:")
    with pytest.raises(SpecError) as raised:
        resolve(from_yaml(text, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_x"})[0])
    assert [f.where for f in raised.value.findings] == ["params.batch_sizes"]
    assert "'batch_size'" in raised.value.findings[0].hint


def test_a_backend_of_autotrain_that_is_elsewhere_is_named() -> None:
    text, env = as_yaml("llama3-8b-orpo"), {"HF_USERNAME": "a", "HF_TOKEN": "b"}
    found = resolve(from_yaml(text.replace("local", "spaces-a10g-largex4"), env)[0]).spec
    assert (found.backend, found.resources.flavor) == ("hf-jobs", "a10g-largex4")
    with pytest.raises(SpecError, match="ngc-dgx-a100"):
        backend_type(resolve(from_yaml(text.replace("local", "ngc-dgx-a100"), env)[0]).spec.backend)


SHARED = (
    "--model my/model --data_path data --train_split train --valid-split valid --project-name p --lr 3e-5 --epochs 1 "
)
SHARED += "--batch-size 2 --warmup-ratio 0.1 --gradient-accumulation 4 --optimizer adamw_torch --scheduler linear "
SHARED += (
    "--weight-decay 0.01 --max-grad-norm 1 --seed 42 --logging-steps 10 --eval-strategy epoch --save-total-limit 1 "
)
SHARED += "--auto-find-batch-size --mixed-precision fp16 --log tensorboard --peft --quantization int4 --lora-r 16 "
SHARED += "--lora-alpha 32 --lora-dropout 0.05 --target-modules all-linear --merge_adapter "
SHARED += "--disable_gradient_checkpointing --username ana --push-to-hub --backend local --train "
SHARED += "--text-column answers --prompt-text-column question "
LLM = "--block-size 1024 --model-max-length 2048 --padding right --unsloth --use_flash_attention_2 --add-eos-token "
LLM += "--distributed-backend ddp "
DPO = "--rejected-text-column worse --chat-template chatml --max-prompt-length 64 --max-completion-length 64 "


@pytest.mark.parametrize(
    ("line", "task", "format", "columns"),
    [
        (
            f"llm --trainer sft {SHARED}{LLM} --chat-template zephyr",
            "llm-sft",
            "",
            {"text": "answers", "prompt": "question"},
        ),
        (
            f"llm {SHARED}{LLM}{DPO} --dpo-beta 0.2 --model-ref my/other --trainer=dpo",
            *("llm-dpo", "", {"chosen": "answers", "rejected": "worse", "prompt": "question"}),
        ),
        (
            f"llm --trainer orpo {SHARED}{LLM}{DPO}",
            *("llm-orpo", "", {"chosen": "answers", "rejected": "worse", "prompt": "question"}),
        ),
        (
            f"llm --trainer reward {SHARED}{LLM}{DPO}",
            *("llm-reward", "", {"chosen": "answers", "rejected": "worse", "prompt": "question"}),
        ),
        (
            f"vlm --trainer vqa {SHARED} --image-column photo",
            *("vlm", "question-answer", {"image": "photo", "answer": "answers", "prompt": "question"}),
        ),
    ],
)
def test_the_flags_of_autotrain_are_accepted(
    line: str, task: str, format: str, columns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[dict[str, Any]] = []
    monkeypatch.setattr(commands, "train_options", lambda task, given: called.append(spec_of(task, given)) or 0)

    def spec_of(task: Any, given: dict[str, Any]) -> dict[str, Any]:
        assert given.pop("train")
        return spec_from_options(task, given)

    assert main.main(line.split()) == 0
    found = resolve(called[0])
    assert found.task.name == task and found.spec.data.format == format and found.spec.data.columns == columns
    params: Any = found.params
    assert (params.lr, params.peft, params.quantization, params.log) == (3e-5, True, "int4", "tensorboard")
    assert found.spec.hub.username == "ana" and found.spec.data.valid_split == "valid"


def test_an_unknown_trainer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["llm", "--trainer", "ppo", "--train"]) == 2
    assert "llm:ppo" in capsys.readouterr().err


def test_the_trainer_of_another_task_is_no_flag_of_its_own() -> None:
    with pytest.raises(UserError, match="llm-dpo:sft"):
        main.parse(["llm-dpo", "--trainer", "sft", "--train"], registry())
