"""Sequence to sequence: translate, summarize or rewrite texts with encoder-decoder models."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import DUPLICATES, HUB, PATH, SAMPLE, SAVED_DATASET, TABLE, TEXT_LENGTH, UPLOAD
from autotrain_gradio.data.declarations import Check, Column, Kind, Layout
from autotrain_gradio.tasks.base import (
    PROGRESS_CHARTS,
    Chart,
    Input,
    Metric,
    Sample,
    SuggestedModel,
    Task,
    TrainerParams,
    param,
)
from autotrain_gradio.tasks.lora import QuantizedLoraParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra
from autotrain_gradio.tasks.seq2seq.language_codes import NAMES

_HERE = "autotrain_gradio.tasks.seq2seq."
SOURCE_TEXT = Kind("source-text", "text", _HERE + "kinds.source_text", texts=True, noun="text")
TARGET_TEXT = Kind("target-text", "text", _HERE + "kinds.target_text", texts=True, noun="text")
TRANSLATION_TABLE = replace(
    TABLE,
    module=_HERE + "layouts.translation_table",
    example="summaries.csv        (or .tsv, .jsonl, .json, .parquet, .xlsx; several files are joined)\n\n"
    "text,target\nThe council met on Monday to …,Council approves the new bridge\n\n"
    'pairs.jsonl\n\n{"translation": {"en": "Good morning.", "de": "Guten Morgen."}}',
)
SAVED_TRANSLATIONS = replace(SAVED_DATASET, module=_HERE + "layouts.saved_translations")
PARALLEL_TEXT = Layout(
    "parallel-text",
    "Parallel text files, one line for each row",
    _HERE + "layouts.parallel_text",
    "corpus.zip\n├── train.en          (or train.src and train.tgt, train.en.txt and train.de.txt)\n"
    "├── train.de          (line 1 is the translation of line 1 of train.en)\n├── valid.en\n└── valid.de",
    files=(".txt", ".src", ".tgt", ".trg", ".source", ".target", *(f".{code}" for code in NAMES)),
)
TMX = Layout(
    "tmx",
    "Translation memory (.tmx)",
    _HERE + "layouts.tmx",
    'memory.tmx\n\n<tu>\n  <tuv xml:lang="en"><seg>Good morning.</seg></tuv>\n'
    '  <tuv xml:lang="de"><seg>Guten Morgen.</seg></tuv>\n</tu>',
    files=(".tmx",),
)
PAIRS = Check("pairs", "Sources and targets that do not belong together", _HERE + "checks.pairs")
LANGUAGES = Check("languages", "Languages of sources and targets", _HERE + "checks.languages")
MARKUP = Check("markup", "HTML in texts", _HERE + "checks.markup")

T5_TYPES = ("t5", "mt5", "umt5", "longt5", "switch_transformers")
"""Model types that need a high learning rate, and whose activations overflow in fp16."""


class Seq2SeqParams(TrainerParams, QuantizedLoraParams):
    """Parameters of sequence to sequence."""

    lr: float = param(3e-4, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 3e-4 suits T5, 5e-5 other models."""
    target_modules: str = param("q,v", "adapters", title="LoRA target modules")
    """Modules that LoRA adapts: `all-linear`, or names separated by commas. `q,v`: queries and values of T5."""
    source_prefix: str = param("", "basic", title="Source prefix")
    """Prefix of every source text, which says what the model is to do: `summarize: ` or `translate English to German: `
    for T5, `>>deu<< ` for Marian models with several target languages. It is saved with the model, and added in
    predictions, too."""
    max_seq_length: int = param(512, "basic", ge=8, le=131_072, title="Maximum source length (tokens)")
    """Maximum length of the source texts in tokens, with the prefix; longer texts are truncated. Batches are padded to
    their longest text only, so a high maximum costs nothing for short texts."""
    max_target_length: int = param(128, "basic", ge=4, le=131_072, title="Maximum target length (tokens)")
    """Maximum length of the target texts in tokens, and of generated texts; longer targets are truncated."""
    source_language: str | None = param(None, "basic", title="Source language")
    """Language of the source texts, for models with language codes (NLLB, M2M100, mBART): a code of the model such as
    `deu_Latn` or `de_DE`, or `de` or `German`. Empty: detected from the texts."""
    target_language: str | None = param(None, "basic", title="Target language")
    """Language of the target texts, likewise. The model will always generate this language."""
    label_smoothing: float = param(0.0, "training", title="Label smoothing", ge=0, lt=1)
    """Label smoothing factor of the loss. 0.1 is common for translation."""
    gradient_checkpointing: bool = param(False, "hardware", title="Gradient checkpointing")
    """Gradient checkpointing: recompute activations in the backward pass. Much less memory, somewhat slower."""
    num_beams: int = param(1, "evaluation", title="Beams", ge=1, le=32)
    """Number of beams of beam search, in evaluations and in the trained model. 1: greedy decoding, the fastest. 4 is
    common, and needs about 4 times the time and memory."""
    length_penalty: float = param(1.0, "evaluation", title="Length penalty", ge=-10, le=10)
    """Exponent of the length by which scores of beam search are divided. Above 1 favours longer texts, below 1 shorter
    ones. No effect with one beam."""
    no_repeat_ngram_size: int = param(0, "evaluation", title="Forbidden repetitions (n-gram size)", ge=0, le=32)
    """Size of n-grams that may not occur twice in a generated text. 0: all may. 3 avoids repetitions in summaries, but
    also forbids justified ones."""
    generation_seconds: float = param(120.0, "evaluation", title="Time for generation (seconds)", gt=0, le=86_400)
    """Time budget of the generation in an evaluation, in seconds. chrF, BLEU and ROUGE are computed on as many
    validation rows, in a random order, as the first evaluation generates in this time; all evaluations use the same
    rows. The loss is always computed on all rows."""
    metric_for_best_model: Literal["loss", "chrf", "bleu", "rougeL"] = param(
        "loss", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches."""

    @field_validator("source_language", "target_language", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        # YAML reads an unquoted `no`, the code of Norwegian, as false.
        return "no" if value is False else None if isinstance(value, str) and not value.strip() else value


def defaults(model: str) -> dict[str, Any]:
    """Return defaults for the family of a model: by the name of a Hub model, or the config of a local one.

    T5 was pretrained with a high learning rate, and its queries and values are named q and v.
    """
    if model == TINY:
        return {
            "lr": 2e-3,
            "target_modules": "all-linear",
            "epochs": 20,
            "batch_size": 16,
            "max_seq_length": 128,
            "max_target_length": 32,
            "early_stopping_patience": 0,
        }
    kind = _model_type(model)
    name = model.rsplit("/", 1)[-1].lower()
    if kind in T5_TYPES or (not kind and re.search(r"t5(?!-?gemma)", name)):
        return {}
    return {"lr": 5e-5, "target_modules": "all-linear"}


def _model_type(model: str) -> str:
    """Return the model type from the config of a local model; empty for others."""
    try:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(config.get("model_type") or "") if isinstance(config, dict) else ""


TASK = Task(
    name="seq2seq",
    title="Text to text",
    modality="Text",
    summary="Generate a text from a text: translation, summaries, corrections, simplification, other rewriting.",
    module="autotrain_gradio.tasks.seq2seq.train",
    requires=from_extra("text", *TRAINER, "sacrebleu", "rouge_score=rouge-score", "sentencepiece"),
    preview_module="autotrain_gradio.tasks.seq2seq.preview",
    params=Seq2SeqParams,
    columns=(
        Column(
            "text",
            "Source text",
            SOURCE_TEXT,
            "The text that the model is given. Of several columns, the parts are joined.",
            purpose="input",
            many=True,
            join=True,
            names=(
                *("text", "source", "source_text", "src", "input", "input_text", "inputs", "article", "document"),
                *("dialogue", "dialog", "conversation", "transcript", "body", "content", "original", "informal"),
                *("complex", "sentence", "prompt", "question", "email", "paragraph"),
            ),
        ),
        Column(
            "target",
            "Target text",
            TARGET_TEXT,
            "The text that the model is to generate: the translation, the summary, the rewritten text.",
            purpose="target",
            names=(
                *("target", "target_text", "tgt", "summary", "highlights", "abstract", "translation", "output"),
                *("output_text", "outputs", "response", "answer", "headline", "title", "subject", "correction"),
                *("corrected", "simplified", "simplification", "simple", "formal", "rewritten", "rewrite"),
                *("paraphrase", "reference", "completion", "label"),
            ),
        ),
    ),
    column_aliases={"label": "target", "source": "text", "summary": "target", "translation": "target"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_TRANSLATIONS, TRANSLATION_TABLE, PARALLEL_TEXT, TMX),
    checks=(PAIRS, LANGUAGES, MARKUP, DUPLICATES, TEXT_LENGTH),
    metrics=(
        Metric(
            "chrf",
            "chrF",
            help="F-score of the character n-grams (0 to 100). The main result: it needs no tokenizer, so it is "
            "comparable for all languages and scripts, and fair to translation, summaries and rewriting alike.",
        ),
        Metric(
            "bleu", "BLEU", help="Precision of word n-grams (0 to 100), by sacrebleu; the usual metric of translation."
        ),
        Metric(
            "rougeL",
            "ROUGE-L",
            help="F-score of the longest common subsequence of words (0 to 100); the usual metric of summaries.",
        ),
        Metric("rouge1", "ROUGE-1", help="F-score of the words (0 to 100)."),
        Metric("rouge2", "ROUGE-2", help="F-score of pairs of words (0 to 100)."),
        Metric("rougeLsum", "ROUGE-Lsum", help="ROUGE-L sentence by sentence (0 to 100)."),
        Metric("gen_len", "Generated tokens", help="Mean length of the generated texts in tokens."),
        Metric("loss", "Loss", higher_is_better=False, help="On all validation rows."),
    ),
    headline="chrf",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart("Validation metrics", {"eval_chrf": "chrF", "eval_bleu": "BLEU", "eval_rougeL": "ROUGE-L"}),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("text", "A text", "text"),),
    loader_example="""\
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(model)
generator = AutoModelForSeq2SeqLM.from_pretrained(model)
inputs = tokenizer(generator.config.source_prefix + value, truncation=True, return_tensors="pt")
output = generator.generate(**inputs)[0]
answer = tokenizer.decode(output, skip_special_tokens=True).strip()
""",
    answer="text",
    models=(
        SuggestedModel(
            "google/flan-t5-small", "English: summaries and rewriting on a CPU; follows instructions in the prefix.", 77
        ),
        SuggestedModel("google/flan-t5-base", "English: summaries and rewriting; a GPU.", 248, gpu=True),
        SuggestedModel("google-t5/t5-small", "English, and to German, French and Romanian; small and fast.", 60.5),
        SuggestedModel("google/mt5-small", "A hundred languages: summaries and rewriting; needs many rows.", 300),
        SuggestedModel("facebook/bart-base", "English: summaries and corrections.", 139, gpu=True),
        SuggestedModel("facebook/bart-large-cnn", "English: already summarizes news; a GPU.", 406, gpu=True),
        SuggestedModel(
            "Helsinki-NLP/opus-mt-en-de",
            "Translation from English to German; there is an opus-mt model for most pairs of languages.",
            74,
        ),
        SuggestedModel(
            "facebook/m2m100_418M", "Translation between a hundred languages; MIT license; a GPU.", 484, gpu=True
        ),
        SuggestedModel(
            "facebook/nllb-200-distilled-600M",
            "Translation between 200 languages, also rare ones; a GPU. License CC-BY-NC: no commercial use.",
            615,
            gpu=True,
        ),
        SuggestedModel(
            "facebook/mbart-large-50-many-to-many-mmt", "Translation between 50 languages; a GPU.", 611, gpu=True
        ),
        SuggestedModel(
            "google/t5gemma-s-s-prefixlm", "English: newer than T5; access on request; a GPU.", 313, gpu=True
        ),
    ),
    defaults=defaults,
    model_filter="translation",
    shown=("max_seq_length", "max_target_length", "source_prefix", "source_language", "target_language"),
    samples=(
        Sample(
            "esperanto",
            "English to Esperanto",
            "seq2seq/esperanto",
            "480 short English sentences and their translations.",
        ),
    ),
    position=40,
    aliases=("text2text", "text2text-generation", "translation", "summarization", "text-seq2seq"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
