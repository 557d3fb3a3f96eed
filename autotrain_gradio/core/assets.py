"""Paths of the bundled files: sample datasets and the assets of the page."""

from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
ASSETS = next((f for f in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if f.is_dir()), _PACKAGE / "assets")
"""Inside the package in an installed wheel; next to it in the repository."""
SAMPLES = ASSETS / "samples"


def sample_folder(path: str) -> Path:
    """Return the folder of a sample.

    path: relative to `SAMPLES`; or `package:folder`, relative to an installed package (`my_package.speech:clips`).

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    package, colon, folder = path.partition(":")
    return Path(str(files(package))) / folder if colon else SAMPLES / path
