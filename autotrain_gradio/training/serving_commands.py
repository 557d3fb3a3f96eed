"""Commands that serve a trained language model, for its card."""

from __future__ import annotations

TRIED, UNTRIED = "tried", "not tried"
"""Whether the command was run with a model of this project (transformers 5.23)."""


def serving_section(name: str, *, base: str, adapter: bool) -> str:
    """Return a part of a model card: commands of programs that serve the model.

    name: of the project, whose folder is below the working directory. base: Hub id or path of the base model.
    adapter: the folder has an adapter alone.
    """
    rows = [("AutoTrain Gradio", [f"autotrain-gradio serve {name}"], TRIED)]
    if adapter:
        rows += [("vLLM", [f"vllm serve {base} --enable-lora --lora-modules {name}=./{name}"], UNTRIED)]
        note = "\n\nOther programs need the whole model: train with `merge_adapter`."
    else:
        rows += [
            ("transformers", ['pip install "transformers[serving]"', f"transformers serve ./{name}"], TRIED),
            ("vLLM", [f"vllm serve ./{name}"], UNTRIED),
            ("Ollama", [f"echo 'FROM ./{name}' > Modelfile", f"ollama create {name.lower()} -f Modelfile"], UNTRIED),
            (
                "llama.cpp",
                [f"python convert_hf_to_gguf.py ./{name} --outfile {name}.gguf", f"llama-server -m {name}.gguf"],
                UNTRIED,
            ),
        ]
        note = ""
    lines = ["| program | commands | by AutoTrain Gradio |", "|---|---|---|"]
    lines += [
        f"| {program} | {'<br>'.join(f'`{command}`' for command in commands)} | {tried} |"
        for program, commands, tried in rows
    ]
    return "### Serve the model\n\n" + "\n".join(lines) + note
