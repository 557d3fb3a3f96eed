"""Each family of models: trained for a few steps, saved, loaded by the public loaders, and the same answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.seq2seq import models, pairs
from autotrain_gradio.tasks.seq2seq import train as task
from autotrain_gradio.tasks.seq2seq.languages import language_tokens
from autotrain_gradio.training import quantization
from tests.unit.tasks.seq2seq.families import FAMILIES
from tests.unit.tasks.seq2seq.test_data import ENGLISH, GERMAN

Make = Callable[..., Any]
ROWS = [{"text": e, "target": g} for e, g in zip(ENGLISH * 3, GERMAN * 3, strict=True)]
CODES = {
    "nllb": ("eng_Latn", "deu_Latn"),
    "m2m": ("en", "de"),
    "mbart": ("en_XX", "de_DE"),
    "mbart25": ("en_XX", "de_DE"),
}


def by_card(folder: Path, text: str) -> str:
    """Generate as the model card says."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    inputs = tokenizer(model.config.source_prefix + text, truncation=True, return_tensors="pt")
    return str(tokenizer.decode(model.generate(**inputs)[0], skip_special_tokens=True)).strip()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_trained_and_gives_the_same_answers(family: str, tmp_path: Path, pair_trial: Make) -> None:
    folder = FAMILIES[family](tmp_path / "pretrained", [*ENGLISH, *GERMAN])
    made = pair_trial(ROWS, model=str(folder), lr=1e-3, epochs=2, source_prefix="do it: " if family == "t5" else "")
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    assert {"eval_chrf", "eval_bleu", "eval_rougeL", "eval_gen_len", "eval_loss"} <= set(values)
    predictor = task.load(made.directory)
    found = predictor([{"text": ENGLISH[0]}, {"text": ENGLISH[3]}])
    assert [f["text"] for f in found] == [by_card(run.model, text) for text in (ENGLISH[0], ENGLISH[3])]
    settings = json.loads((run.model / "generation_config.json").read_text())
    assert settings["max_new_tokens"] == 24 and settings.get("max_length") in (None, 20)
    assert settings.get("min_length") in (None, 0)
    notes = " ".join(e["message"] for e in made.events("note"))
    if family in CODES:
        source, target = CODES[family]
        saved = AutoTokenizer.from_pretrained(run.model)
        token = language_tokens(saved)[target]
        begins = "decoder_start_token_id" if family == "mbart25" else "forced_bos_token_id"
        assert settings[begins] == saved.convert_tokens_to_ids(token)
        assert saved.src_lang == source and f"its code is '{target}'" in notes
        first = saved.convert_ids_to_tokens(saved("Hello there").input_ids)
        assert language_tokens(saved)[source] in first
    if family == "bart":
        assert "min_length 20, num_beams 4" in notes and settings.get("num_beams") in (None, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_are_shifted_as_the_model_does(family: str, tmp_path: Path) -> None:
    folder = FAMILIES[family](tmp_path / "pretrained", [*ENGLISH, *GERMAN])
    params: Any = resolve({"task": "seq2seq"}).params
    found = models.open_generator(str(folder), params, ENGLISH, GERMAN, tmp_path)
    found.model.eval()
    sources = pairs.tokenize_sources(found.tokenizer, ENGLISH, "", 60)
    targets = pairs.tokenize_targets(found.tokenizer, GERMAN, 60)
    assert sources is not None and targets is not None
    rows = pairs.Pairs(sources, targets)
    batch = pairs.Collate(found.tokenizer, found.model)([rows[i] for i in range(4)])
    own = found.model(**{k: v for k, v in batch.items() if k != "decoder_input_ids"})
    mine = found.model(**batch)
    assert own.loss.item() == pytest.approx(mine.loss.item(), rel=1e-5)
    labels = batch["labels"][0]
    text = found.tokenizer.decode(labels[labels != -100], skip_special_tokens=True)
    text = text.removeprefix("__de__")  # this small M2M100 does not know its codes as special tokens
    assert "".join(text.split()) == "".join(GERMAN[0].split())


def test_lora_is_merged_and_the_adapters_are_gone(tmp_path: Path, pair_trial: Make) -> None:
    folder = FAMILIES["t5"](tmp_path / "pretrained", [*ENGLISH, *GERMAN])
    made = pair_trial(ROWS, model=str(folder), peft=True, lora_r=4, gradient_checkpointing=True)
    assert made.resolved.params.target_modules == "q,v" and made.resolved.params.lr == 3e-4
    run = made.reporter()
    task.train(run)
    assert not list(run.model.glob("adapter*"))
    assert any("parameters are trainable" in e["message"] for e in made.events("note"))
    assert task.load(made.directory)([{"text": ENGLISH[0]}])[0]["text"] == by_card(run.model, ENGLISH[0])


def test_t5_is_not_limited_by_its_tokenizer_and_bart_is_by_its_positions(tmp_path: Path) -> None:
    limits = {}
    for family in ("t5", "bart", "nllb"):
        folder = FAMILIES[family](tmp_path / family, [*ENGLISH, *GERMAN])
        config, tokenizer = models.open_config(str(folder)), AutoTokenizer.from_pretrained(folder)
        limits[family] = models.limits(config, tokenizer)
    assert limits == {"t5": (None, None), "bart": (64, 64), "nllb": (64, 64)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target_language": "Klingon"}, "The target language 'Klingon' is not a language of the model"),
        ({"source_language": "xyz_Latn", "target_language": "en"}, "The source language 'xyz_Latn' is not a language"),
    ],
)
def test_an_unknown_language_is_an_error(tmp_path: Path, given: dict[str, str], said: str) -> None:
    folder = FAMILIES["nllb"](tmp_path / "pretrained", [*ENGLISH, *GERMAN])
    params: Any = resolve({"task": "seq2seq", "params": given}).params
    with pytest.raises(UserError) as caught:
        models.open_generator(str(folder), params, ENGLISH, GERMAN, tmp_path)
    assert (
        caught.value.code == "language-unknown"
        and said in str(caught.value)
        and caught.value.where.startswith("params.")
    )


def test_a_language_that_cannot_be_detected_must_be_set(tmp_path: Path) -> None:
    folder = FAMILIES["nllb"](tmp_path / "pretrained", [*ENGLISH, *GERMAN])
    params: Any = resolve({"task": "seq2seq"}).params
    with pytest.raises(UserError, match="source language is not known") as caught:
        models.open_generator(str(folder), params, ["a b"] * 3, ["c d"] * 3, tmp_path)
    assert caught.value.code == "language-not-set" and "source_language" in caught.value.hint


def test_the_probe_says_what_is_special_about_a_model(tmp_path: Path) -> None:
    folders = {n: FAMILIES[n](tmp_path / n, [*ENGLISH, *GERMAN]) for n in ("t5", "nllb", "bart")}

    def probed(name: str, **given: Any) -> dict[str, Any]:
        spec = {"task": "seq2seq", "model": str(folders[name]), "params": given}
        resolved = resolve(spec)
        assert isinstance(resolved.spec, RunSpec)
        return task.probe(resolved.spec, resolved.params, {})

    t5 = probed("t5", lr=1e-5, mixed_precision="fp16")
    assert [f["code"] for f in t5["findings"]] == ["prefix-not-set", "learning-rate-low", "fp16-overflow"]
    assert probed("t5", source_prefix="summarize: ")["findings"] == []
    nllb = probed("nllb", source_language="German", target_language="tlh")
    codes = [f["code"] for f in nllb["findings"]]
    assert codes == ["language-unknown", "license-non-commercial"] and "deu_Latn" in nllb["languages"]
    assert probed("bart")["findings"] == [] and probed("bart")["input_size"] == {"tokens": 64}
    assert probed("bart")["parameters"] > 1000


def test_a_model_of_another_task_is_refused(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)).save_pretrained(
        tmp_path
    )
    spec = resolve({"task": "seq2seq", "model": str(tmp_path)})
    found = task.probe(spec.spec, spec.params, {})["findings"]
    assert [f["code"] for f in found] == ["model-wrong-task"]


@pytest.mark.parametrize("family", ["tiny", "t5", "nllb"])
def test_the_preview_shows_lengths_and_truncation_of_both_sides(family: str, tmp_path: Path, pair_trial: Make) -> None:
    folder = "tiny" if family == "tiny" else str(FAMILIES[family](tmp_path / "pretrained", [*ENGLISH, *GERMAN]))
    given = {"max_seq_length": 8, "max_target_length": 8, "source_language": "en", "target_language": "de"}
    made = pair_trial(ROWS, model=folder, source_prefix="do it: ", **given)
    panels = task.preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 2})
    assert [p["kind"] for p in panels] == ["numbers", "bars", "numbers", "bars", "tokens"]
    assert "truncated sources" in render_text(panels[0]) and "truncated targets" in render_text(panels[2])
    assert "learns to stop in the middle" in panels[2]["note"]
    items = panels[4]["items"]
    assert [i["label"].split(", ")[1] for i in items] == ["source", "target"] * 2 and all(i["cut"] for i in items)
    assert all(render_html(p) for p in panels)
    if family == "nllb":
        assert items[0]["read"][0] == "eng_Latn" and items[1]["read"][0] == "deu_Latn"


def test_what_quantization_needs_is_said_before_and_in_the_training(
    pair_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization, "is_bitsandbytes_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    made = pair_trial(ROWS, peft=True, quantization="int8")
    run = made.reporter()
    found = task.probe(run.spec, run.params, {})["findings"]
    assert [f["code"] for f in found] == ["quantization-unavailable"]
    task.train(run)
    assert found[0]["message"] in [e["message"] for e in made.events("note")] and made.events("result")


@pytest.mark.parametrize("kind", ["int4", "int8"])
def test_lora_on_quantized_weights_is_saved_as_a_whole_model(kind: str, tmp_path: Path, pair_trial: Make) -> None:
    pytest.importorskip("bitsandbytes")
    folder = FAMILIES["t5"](tmp_path / "pretrained", [*ENGLISH, *GERMAN])
    made = pair_trial(ROWS, model=str(folder), peft=True, quantization=kind, target_modules="all-linear")
    run = made.reporter()
    task.train(run)
    config = json.loads((run.model / "config.json").read_text())
    assert "quantization_config" not in config and config["dtype"] == "float32"
    assert task.load(made.directory)([{"text": ENGLISH[0]}])[0]["text"] == by_card(run.model, ENGLISH[0])
