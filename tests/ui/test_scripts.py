"""JavaScript lies in `assets/`, not in Python."""

from __future__ import annotations

import ast
from pathlib import Path

import autotrain_gradio
from autotrain_gradio.core.assets import ASSETS

PACKAGE = Path(autotrain_gradio.__file__).parent


def test_javascript_is_loaded_from_assets() -> None:
    scripts: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for keyword in node.keywords if isinstance(node, ast.Call) else ():
                if keyword.arg not in ("js", "js_on_load"):
                    continue
                text = ast.unparse(keyword.value)
                assert text.startswith(("theme.script(", "theme.SCRIPT.")), f"{path}: {text[:80]}"
                scripts |= {a.value for a in getattr(keyword.value, "args", []) if isinstance(a, ast.Constant)}
    assert scripts == {path.stem for path in (ASSETS / "scripts").glob("*.js")}
