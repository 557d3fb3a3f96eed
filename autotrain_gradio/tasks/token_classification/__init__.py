"""Token classification: entities in texts, such as names, places and products; or a tag for each word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from autotrain_gradio.core.panels import PanelKind
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    DUPLICATES,
    GROUP,
    HUB,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE,
    TEXT_LANGUAGE,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Check, Column, Format, Kind, Layout, SourceOption
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
from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra
from autotrain_gradio.tasks.texts import LARGER_ENCODERS

_HERE = "autotrain_gradio.tasks.token_classification."


class TokenClassificationParams(LoraParams, TrainerParams):
    """Parameters of token classification."""

    max_seq_length: int = param(128, "basic", ge=8, le=131_072, title="Maximum sequence length (tokens)")
    """Maximum sequence length in tokens. Longer texts are not truncated: they are split into overlapping windows of
    this length, and the predictions are merged. Longer windows give more context, and need more memory."""
    window_overlap: int = param(32, "training", ge=0, le=65_536, title="Overlap of windows (tokens)")
    """Number of tokens that neighbouring windows of a long text share (stride). An entity of up to this length is whole
    in one of them."""
    label_smoothing: float = param(0.0, "training", title="Label smoothing", ge=0, lt=1)
    """Label smoothing factor. 0.1 helps where annotations are uncertain."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the new classification head: much faster, and less accurate."""
    metric_for_best_model: Literal["loss", "f1", "f1_strict", "accuracy"] = param(
        "loss", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches (accuracy: of the
    tokens)."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 2e-3, "epochs": 12, "early_stopping_patience": 0} if model == TINY else {}


TOKENS = Kind("text-or-tokens", "text or tokens", _HERE + "text_cells", texts=True, noun="text")
ANNOTATIONS = Kind("annotations", "tags or spans", _HERE + "annotation_cells")
_SCHEME = SourceOption(
    "tag_scheme",
    "IOB1, IOB2, BIOES, BILOU, plain (a tag is a type) or each (each token is an entity); empty: detected.",
)
_NAMES = SourceOption("tag_names", "names of tags that are numbers, in their order.", many=True)
_OFFSETS = SourceOption(
    "span_offsets", "what offsets count: characters, utf-16, bytes or inclusive (the end is the last character)."
)
CONLL = Layout(
    "conll",
    "CoNLL files",
    _HERE + "conll",
    "train.conll          (or .txt, .tsv, .conllu, .iob; valid.conll …)\n\n"
    "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP B-MISC\ncall NN I-NP O\n\n"
    "Peter NNP B-NP B-PER\n…",
    files=(".conll", ".conllu", ".conllx", ".iob", ".iob2", ".bio", ".bioes", ".bilou"),
    options=(
        SourceOption("tag_column", "number of the column with the tags, from 1; empty: detected.", "number"),
        SourceOption("token_column", "number of the column with the tokens, from 1; empty: detected.", "number"),
        _SCHEME,
    ),
)
ANNOTATION_JSON = Layout(
    "annotation-json",
    "Label Studio, or texts with spans as spaCy reads them",
    _HERE + "annotation_json",
    '[["Anna lives in Graz.", {"entities": [[0, 4, "PER"], [14, 18, "LOC"]]}], …]\n\n'
    'Label Studio (JSON, JSON-MIN):\n[{"data": {"text": "Anna lives in Graz."}, "annotations": [{"result": [\n'
    '  {"type": "labels", "value": {"start": 0, "end": 4, "labels": ["PER"]}}]}]}, …]',
    options=(_OFFSETS,),
)
TOKEN_ROWS = Layout(
    "token-rows",
    "A table with a token in each row",
    _HERE + "token_rows",
    "ner.csv              (or .tsv; a sentence's number may be in its first row alone)\n\n"
    "sentence_id,word,tag\n1,Anna,B-PER\n1,lives,O\n1,in,O\n1,Graz,B-LOC\n2,Peter,B-PER",
    options=(_SCHEME,),
)
TEXTS = replace(
    TABLE,
    example="rows.jsonl           (or .csv, .tsv, .json, .parquet, .xlsx; several files are joined)\n\n"
    '{"tokens": ["Anna", "lives", "in", "Graz"], "tags": ["B-PER", "O", "O", "B-LOC"]}\n\n'
    'or, as Doccano exports it: {"text": "Anna lives in Graz.", "label": [[0, 4, "PER"], [14, 18, "LOC"]]}',
    options=(*TABLE.options, _SCHEME, _NAMES, _OFFSETS),
)
_TEXT = Column(
    "text",
    "Text or tokens",
    TOKENS,
    "The text, or the list of its tokens.",
    purpose="input",
    names=("tokens", "words", "token", "word", "text", "sentence", "sentences", "content"),
)
_ENTITIES = Column(
    "entities",
    "Tags or spans",
    ANNOTATIONS,
    "A tag for each token, or the spans of the entities.",
    purpose="target",
    names=("tags", "ner_tags", "entities", "spans", "labels", "label", "ner", "target"),
)
_DOCUMENT = Column(
    "document",
    "Document",
    GROUP,
    "The document that a text is from; validation holds out whole documents.",
    purpose="group",
    required=False,
    names=("document", "document_id", "doc_id", "doc"),
)
TAGGED = Format(
    "tagged-tokens",
    "Tokens and tags",
    (
        _TEXT,
        replace(
            _ENTITIES,
            names=(
                *("tags", "ner_tags", "labels", "label", "tag", "ner", "iob_tags", "bio_tags", "ner_labels", "target"),
                *("token_labels", "word_labels", "chunk_tags", "pos_tags", "upos", "pos"),
            ),
        ),
        _DOCUMENT,
    ),
    "Lists of tokens with a tag for each, in any scheme (IOB1, IOB2, BIOES, BILOU).",
    '{"tokens": ["Anna", "lives", "in", "Graz"], "tags": ["B-PER", "O", "O", "B-LOC"]}',
    _HERE + "tokens_format",
)
SPANS = Format(
    "spans",
    "Text and spans",
    (
        replace(_TEXT, names=("text", "sentence", "content", "document_text", "body", "tokens")),
        replace(
            _ENTITIES, names=("entities", "spans", "label", "labels", "ents", "annotations", "annotation", "target")
        ),
        _DOCUMENT,
    ),
    "Texts with spans: start, end (behind the last character) and label.",
    '{"text": "Anna lives in Graz.", "entities": [[0, 4, "PER"], [14, 18, "LOC"]]}',
    _HERE + "spans_format",
)

TASK = Task(
    name="token-classification",
    title="Token classification",
    modality="Text",
    summary="Find entities in texts: names, places, products, dates; or tag each word, as with parts of speech.",
    module=_HERE + "train",
    requires=from_extra("text", *TRAINER),
    preview_module=_HERE + "preview",
    params=TokenClassificationParams,
    formats=(TAGGED, SPANS),
    column_aliases={"tokens": "text", "tags": "entities", "target": "entities", "spans": "entities"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, CONLL, ANNOTATION_JSON, TOKEN_ROWS, TEXTS),
    checks=(
        Check("annotations", "Annotations that do not fit their texts", _HERE + "annotations_check"),
        DUPLICATES,
        TEXT_LANGUAGE,
        Check("entity-types", "Types of entities", _HERE + "entity_types_check", after_split=True),
    ),
    metrics=(
        Metric(
            "f1",
            "F1",
            help="Harmonic mean of precision and recall of the entities: type and all words right, as seqeval counts.",
        ),
        Metric("precision", "Precision", help="Share of the predicted entities that are right."),
        Metric("recall", "Recall", help="Share of the annotated entities that are predicted."),
        Metric(
            "f1_strict",
            "F1 (strict)",
            help="seqeval's strict mode (IOB2): a predicted entity counts only if its first label is B-.",
        ),
        Metric("precision_strict", "Precision (strict)"),
        Metric("recall_strict", "Recall (strict)"),
        Metric("f1_macro", "F1 (macro)", help="Unweighted mean of F1 over the entity types."),
        Metric("accuracy", "Token accuracy", percent=True, help="Share of the words with the right label, O included."),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="f1",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart("Validation metrics", {"eval_f1": "F1", "eval_precision": "precision", "eval_recall": "recall"}),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("text", "A text", "text"),),
    panel_kinds=(PanelKind("entities", _HERE + "entities_panel"),),
    loader_example="""\
import regex
from transformers import pipeline

tagger = pipeline("token-classification", model=model, aggregation_strategy="first")
config = tagger.model.config
words = list(regex.finditer(config.word_pattern, value))
places = [i for word in words for i in range(word.start(), word.end() + 1)]  # of the words joined by spaces
found = tagger([[word[0] for word in words]], is_split_into_words=True, stride=config.window_overlap)[0]
spans = [(e["entity_group"], places[e["start"]], places[e["end"] - 1] + 1, float(e["score"])) for e in found]
answer = [{"label": n, "start": a, "end": b, "text": value[a:b], "score": score} for n, a, b, score in spans]
""",
    answer="entities",
    models=(
        SuggestedModel("distilbert/distilbert-base-cased", "English; fast, and accurate enough for most tasks.", 66),
        *LARGER_ENCODERS,
    ),
    defaults=defaults,
    model_filter="token-classification",
    shown=("max_seq_length", "window_overlap"),
    samples=(
        Sample(
            "notices",
            "Notices of a town",
            "token_classification/notices",
            "360 short notices with people, places, dates and organizations.",
        ),
    ),
    position=10,
    aliases=("token_classification", "text-token-classification", "ner", "named-entity-recognition"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
