"""Train a language model in this process, and print the peak of its memory beside the estimate, as JSON.

Run as a subprocess, so that nothing else is in its memory: `python -m tests.unit.training.measured_training FOLDER
CASE`. CASE: JSON of `{task, vocabulary, sizes (of the LlamaConfig), length (of the rows in tokens), params}`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from transformers import LlamaForCausalLM

from autotrain_gradio.training import language_models
from tests.trials import Trial

TEXT = "the red cat and the blue dog look at the green house near the old tree "


def write_model(folder: Path, vocabulary: int, sizes: dict[str, Any]) -> Any:
    """Write a Llama with random weights and a small tokenizer; return the tokenizer."""
    tokenizer = language_models.tiny_chat_tokenizer([TEXT] * 3)
    tokenizer.model_max_length = 1_000_000
    config = language_models.tiny_config(vocabulary, tokenizer)
    for name, value in {"max_position_embeddings": 4096, **sizes}.items():
        setattr(config, name, value)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer


def rows_of(task: str, text: str, count: int) -> list[dict[str, Any]]:
    """Return different rows of a task, each with the text."""
    if task == "llm-generic":
        return [{"text": f"{number} {text}"} for number in range(count)]
    if task == "llm-kto":
        return [{"prompt": f"hi {n}", "completion": text, "label": n % 2 == 0} for n in range(count)]
    return [{"prompt": f"hi {n}", "chosen": text, "rejected": text[4:]} for n in range(count)]


def peak() -> int:
    """Return the peak of the resident memory of this process in bytes (proc(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main(folder: Path, case: dict[str, Any]) -> None:
    """Train for two steps."""
    tokenizer, length = write_model(folder / "base", case["vocabulary"], case["sizes"]), case["length"]
    text = tokenizer.decode(tokenizer(TEXT * (length // 8 + 4))["input_ids"][: length + 20])
    data = folder / "rows"
    data.mkdir()
    batch = case["params"]["batch_size"]
    for name, count in (("train", 2 * batch + 10), ("validation", 4)):
        lines = [json.dumps(row) for row in rows_of(case["task"], f"{name} {text}", count)]
        (data / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    limits = {"block_size": length, "model_max_length": length}
    if case["task"] != "llm-reward":
        limits |= {"generation_rows": 1, "max_new_tokens": 4}
    spec = {
        "task": case["task"],
        "model": str(folder / "base"),
        "project_name": "measured",
        "data": {"source": "path", "path": str(data)},
        "params": {"max_steps": 2, "lr": 1e-4, **limits, **case["params"]},
    }
    trial = Trial(folder / "run", spec)
    task = importlib.import_module(trial.resolved.task.module)
    task.train(trial.reporter())
    measured = peak()
    facts = task.probe(trial.resolved.spec, trial.resolved.params, {})
    found = next(f for f in facts["findings"] if f["code"] in {"memory-estimate", "memory-short"})
    sys.stdout.write(f"MEASURED {json.dumps({'peak': measured, 'message': found['message']})}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
