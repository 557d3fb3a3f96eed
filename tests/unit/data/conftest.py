"""Pictures, folders and requests for the tests of the data layer."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.tasks.registry import resolve
from tests.unit.data.fake_hub import FakeHub, serve

Check = Callable[..., dict[str, Any]]


def picture(
    seed: object = 0, *, size: tuple[int, int] = (40, 30), format: str = "JPEG", mode: str = "RGB", **save: Any
) -> bytes:
    """Return a small picture that differs from those of all other seeds."""
    rng = random.Random(str(seed))
    small = Image.frombytes("RGB", (4, 4), rng.randbytes(48))
    buffer = io.BytesIO()
    small.resize(size, Image.Resampling.BILINEAR).convert(mode).save(buffer, format, **save)
    return buffer.getvalue()


def plant(root: Path, files: Mapping[str, Any]) -> Path:
    """Write files below a folder: bytes, text, or a number as the seed of a picture."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            content = picture(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def classes(*names: str, count: int = 6, prefix: str = "", start: int = 0) -> dict[str, int]:
    """Return class folders of pictures that all differ."""
    return {
        f"{prefix}{name}/{i}.jpg": start + 1000 * k + i + sum(map(ord, prefix)) * 100_000
        for k, name in enumerate(names)
        for i in range(count)
    }


def resolved(**given: Any) -> Any:
    """Resolve a spec of image classification with these settings of its data."""
    return resolve({"task": "image-classification", "data": given})


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """The folder of a draft, in a home of its own."""
    folder = tmp_path / "home" / "runs" / "draft"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    """A Hub on this machine."""
    with serve(tmp_path / "hub") as found:
        yield found


@pytest.fixture
def check(draft: Path) -> Check:
    """Return a function that checks a folder (or what the settings say) as image classification."""

    def run(path: Path | None = None, *, limits: Limits | None = None, **given: Any) -> dict[str, Any]:
        if path is not None:
            given = {"source": "path", "path": str(path), **given}
        request = data.Request.of(resolved(**given), limits=limits)
        result: dict[str, Any] = {**data.check(draft, request)}
        assert result["rows"] == sum(result["splits"].values()) + sum(d["count"] for d in result["dropped"]) or errors(
            result
        )
        return result

    return run


def codes(result: Mapping[str, Any], level: str | None = None) -> list[str]:
    """Return the codes of the findings, of one level or of all."""
    return [f["code"] for f in result["findings"] if level in {None, f["level"]}]


def errors(result: Mapping[str, Any]) -> list[str]:
    """Return the codes of the errors."""
    return codes(result, "error")


def finding(result: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Return the one finding of a code."""
    found = [f for f in result["findings"] if f["code"] == code]
    assert len(found) == 1, (code, [(f["code"], f["message"]) for f in result["findings"]])
    return dict(found[0])


def names(result: Mapping[str, Any]) -> list[str]:
    """Return the classes."""
    return [label["name"] for label in result["labels"]]
