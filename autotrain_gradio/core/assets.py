"""Where the files that come with the app lie: samples, and those of the page."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
ASSETS = next((f for f in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if f.is_dir()), _PACKAGE / "assets")
"""In an installed wheel inside the package; in the repository beside it."""
