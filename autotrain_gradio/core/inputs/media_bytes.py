"""Images and audio that Python holds in memory, as the bytes of a file."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from autotrain_gradio.core.errors import UserError

ARRAY, RATE = "array", "sampling_rate"
"""Keys of audio in memory, as the library `datasets` has them."""
IMAGE_ARRAYS = "height × width, or height × width × 1, 3 or 4, of type uint8 (gray values: also uint16 and bool)"
AUDIO_ARRAYS = "samples, or samples × channels, of type int16 or float (-1 to 1)"


def is_array(value: Any) -> bool:
    """Return whether a value is an array of NumPy with at least one dimension."""
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray" and value.ndim > 0


def is_image(value: Any) -> bool:
    """Return whether a value is an image of Pillow, or an array with the dimensions of one."""
    pillow = type(value).__module__.startswith("PIL.") and hasattr(value, "getexif")
    return pillow or (is_array(value) and value.ndim in (2, 3))


def is_audio(value: Any) -> bool:
    """Return whether a value is audio as the library `datasets` has it: `{"array", "sampling_rate"}`."""
    return isinstance(value, Mapping) and ARRAY in value and RATE in value


def image_bytes(value: Any, where: str = "") -> tuple[bytes, str]:
    """Return an image as bytes of a lossless format, and the extension of that.

    Raises:
        UserError: an array has no shape or type of an image.
    """
    from PIL import Image

    if is_array(value):
        gray = value.ndim == 2 or value.shape[2] == 1
        kinds = ("uint8", "uint16", "bool") if gray else ("uint8",)
        if value.dtype.name not in kinds or (not gray and value.shape[2] not in (3, 4)) or not value.size:
            message = f"An array of the shape {value.shape} and the type {value.dtype.name} is not an image."
            raise UserError(message, f"Accepted arrays: {IMAGE_ARRAYS}.", where, "wrong-type")
        value = Image.fromarray(value[:, :, 0] if gray and value.ndim == 3 else value)
    format_ = "TIFF" if value.mode in ("F", "I", "CMYK", "LAB", "YCbCr", "HSV") else "PNG"
    buffer = io.BytesIO()
    value.save(buffer, format_, exif=value.getexif())
    return buffer.getvalue(), ".tif" if format_ == "TIFF" else ".png"


def audio_bytes(value: Mapping[str, Any], where: str = "") -> tuple[bytes, str]:
    """Return audio as bytes of a WAV file (16-bit integers, or 32-bit floats), and its extension.

    Raises:
        UserError: it is not an array of samples and a sampling rate.
    """
    import numpy as np

    samples, rate = np.asarray(value[ARRAY]), int(value[RATE])
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "fi" or not samples.size or rate < 1:
        message = f"An array of the shape {samples.shape} and the type {samples.dtype.name} is not audio."
        raise UserError(message, f"Accepted arrays: {AUDIO_ARRAYS}.", where, "wrong-type")
    if samples.dtype.kind == "i" and samples.dtype.name != "int16":
        message = f"Samples of the type {samples.dtype.name} have no known scale."
        raise UserError(message, f"Accepted arrays: {AUDIO_ARRAYS}.", where, "wrong-type")
    if samples.ndim == 2 and samples.shape[0] < samples.shape[1]:
        samples = samples.T  # channels × samples, as torchaudio has it
    floats = samples.dtype.kind == "f"
    data = np.ascontiguousarray(samples, dtype="<f4" if floats else "<i2").tobytes()
    channels, width = (1 if samples.ndim == 1 else samples.shape[1]), 4 if floats else 2
    layout = struct.pack(
        "<HHIIHH", 3 if floats else 1, channels, rate, rate * channels * width, channels * width, 8 * width
    )
    head = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data, ".wav"
