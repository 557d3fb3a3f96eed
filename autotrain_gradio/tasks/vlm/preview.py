"""Vision-language models: preview of the rendered rows, their images, and the tokens that the loss is computed on."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.training import image_files, text_preview
from autotrain_gradio.training.pretrained import ModelError

if TYPE_CHECKING:
    from autotrain_gradio.tasks.vlm.encoders import EncodedRow, Encoder

MEASURED = 2000
"""Maximum number of rows whose lengths are measured."""
MAX_TOKENS = 240
"""Maximum number of displayed tokens of a row, runs of image tokens counted as one."""
NOTE = (
    "Each box is a token, and [image × N] are the N tokens of an image. The loss is computed on the marked tokens "
    "only; the others are the context."
)


def load_ahead() -> None:
    """Import the processors, which only models of the Hub and of folders need."""
    from transformers import AutoConfig, AutoProcessor  # noqa: F401


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show how long the rows are with their images, which are dropped, and the trained tokens of a few.

    Nothing is downloaded: the probe of the model has downloaded its processor.

    context: `texts`, number of displayed rows (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
        UserError: the processor of the model cannot be used.
    """
    # Importing the models takes seconds: only when a preview is shown.
    from autotrain_gradio.tasks.vlm import models
    from autotrain_gradio.tasks.vlm.batches import Lengths, encode_row
    from autotrain_gradio.tasks.vlm.encoders import EncodedRow

    rows = data.load(draft)["train"]
    try:
        encoder, most = _open(spec.model, rows, params)
    except ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    limit = models.sequence_limit(most, params)
    measured = np.sort(np.random.default_rng(params.seed).permutation(len(rows))[:MEASURED]).tolist()
    counts, used = Lengths(limit), dict[int, EncodedRow]()
    for number, row in zip(measured, rows.remove_columns("image").select(measured), strict=True):
        _, made = encode_row(encoder, {**row, "image": {}}, params.prompt)
        if counts.take(number, made) and isinstance(made, EncodedRow):
            used[number] = made
    notes = [message for message, _ in counts.messages("row", "will be")]
    notes += [encoder.note] if encoder.note else []
    if limit < params.model_max_length:
        notes.append(f"The model supports at most {limit:,} tokens, not {params.model_max_length:,}.")
    if len(measured) < len(rows):
        notes.append(f"Measured on {len(measured):,} of {len(rows):,} rows, a random sample.")
    if not counts.lengths:
        return [panels.numbers("Row lengths in tokens", {"rows": len(rows)}, note=" ".join(notes))]
    lengths = np.asarray(counts.lengths)
    facts = panels.numbers(
        "Row lengths in tokens",
        {
            "median tokens": int(np.median(lengths)),
            "95th percentile": int(np.quantile(lengths, 0.95, method="higher")),
            "longest": int(lengths.max()),
            "maximum sequence length": limit,
            "rows above it": f"{len(counts.longer):,} ({len(counts.longer) / len(lengths):.1%})",
        },
        note=" ".join(notes),
    )
    histogram = {**text_preview.length_histogram(lengths, limit, noun="rows"), "note": ""}
    picked = np.sort(
        np.random.default_rng(params.seed).permutation(list(used))[: min(16, int(context.get("texts", 3)))]
    )
    return [facts, histogram, *_shown(draft, rows, encoder, {n: used[n] for n in picked.tolist()})]


def _open(model: str, rows: Any, params: Any) -> tuple[Encoder, int | None]:
    """Return the encoder of a model and its maximum length in tokens; nothing is downloaded."""
    from autotrain_gradio.tasks.vlm import models
    from autotrain_gradio.tasks.vlm.conversations import texts_of
    from autotrain_gradio.tasks.vlm.encoders import encoder_of

    most: int | None
    if model == TINY:
        from autotrain_gradio.tasks.vlm.tiny import TINY_POSITIONS, tiny_processor

        processor = tiny_processor(texts_of(rows.remove_columns("image"), params.prompt))
        encoder, most = encoder_of(processor, model), TINY_POSITIONS
    else:
        from transformers import AutoConfig

        from autotrain_gradio.training import pretrained

        encoder = models.open_encoder(model, local=True)
        with pretrained.translated_errors(model):
            config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False)
        most = models.limit_of(config, encoder.processor.tokenizer)
    models.limit_images(encoder.processor, params.image_longest_edge)
    return encoder, most


def _shown(draft: Path, rows: Any, encoder: Encoder, made: Mapping[int, EncodedRow]) -> list[Panel]:
    """Return a gallery of the images of some rows, as they are given to the processor, and the tokens of these rows."""
    from autotrain_gradio.tasks.vlm.models import read_image

    folder, white = draft / "preview", image_files.white_level(draft, "image")
    shutil.rmtree(folder, ignore_errors=True)
    pictures, items = [], []
    for number, row in made.items():
        image = read_image(rows[number]["image"], encoder.processor, white)
        image_files.thumbnail(image, folder / f"{number}.jpg")
        item, images = token_item(encoder, row, number)
        caption = f"row {number + 1}: {image.width} × {image.height} pixels, {pluralize(images, 'token')}"
        pictures.append({"file": f"preview/{number}.jpg", "caption": caption})
        items.append(item)
    return [panels.gallery("Images", pictures), panels.tokens("Rendered rows", items, note=NOTE)]


def token_item(encoder: Encoder, row: EncodedRow, number: int) -> tuple[dict[str, Any], int]:
    """Return a row for the token panel, each run of image tokens as one, and the number of its image tokens."""
    tokenizer = encoder.processor.tokenizer
    image = tokenizer.convert_tokens_to_ids(encoder.processor.image_token)
    ids, trained = row.tokens.ids, row.tokens.trained
    # A run: neighbours that are all image tokens, or of which all or none are trained.
    kinds = np.where(ids == image, 2, trained.astype(int))
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(ids)]
    read: list[str] = []
    marked: list[bool] = []
    for begin, end in zip(edges, edges[1:], strict=False):
        texts = [f"[image × {end - begin}]"]
        if kinds[begin] != 2:
            texts = text_preview.readable_tokens(tokenizer, ids[begin:end].tolist())
        read += texts
        marked += [bool(trained[begin])] * len(texts)
    label = f"row {number + 1}: {pluralize(len(ids), 'token')}, {int(trained.sum()):,} trained"
    more = max(0, len(read) - MAX_TOKENS)
    item = {"label": label, "read": read[:MAX_TOKENS], "marked": marked[:MAX_TOKENS], "cut": [], "more": more}
    return item, int((ids == image).sum())
