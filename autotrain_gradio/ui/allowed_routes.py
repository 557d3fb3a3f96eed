"""The requests that the page needs; every other route of Gradio is refused.

Gradio brings routes that this app does not use and that show one visitor's data to another (6.31): `/deep_link` writes
the values of a session's components, a typed token among them, into a temporary file that everybody can fetch;
`/monitoring/summary` and `/queue/status` show the use of the app; `/proxy=`, `/run-history`, `/vibe-edit` and others
act on the server. A list of what is needed also covers the routes of its next version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

API = "/gradio_api"
UPLOAD = f"{API}/upload"
LOGIN = ("/login", "/login/")
FILE = re.compile(rf"{API}/file=(?P<path>/.+)")
READ = ("GET", "HEAD")
ALLOWED: Sequence[tuple[Sequence[str], re.Pattern[str]]] = tuple(
    (methods, re.compile(pattern))
    for methods, pattern in (
        # The page, its scripts and its style.
        (READ, r"/"),
        (READ, rf"/config/?|({API})?/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json|/pwa_icon"),
        (READ, r"/(assets|static)/.+"),
        # Login.
        (("POST",), r"/login/?"),
        (READ, rf"({API})?/(user|login_check)/?|/logout"),
        # Events, for a browser and for Gradio's Python client.
        (READ, rf"{API}/(info|startup-events|app_id)/?|{API}/heartbeat/[A-Za-z0-9_-]+|{API}/queue/data"),
        (("POST",), rf"{API}/(queue/join|run/predict|component_server|cancel|reset)/?"),
        # Uploads, and the files of this app.
        (("POST",), UPLOAD),
        (READ, rf"{API}/upload_progress"),
        (READ, r"/autotrain/(files|download)/.+"),
    )
)
REFUSED_QUERY = ("deep_link",)
"""Query parameters that restore a state which was saved on the server."""


def is_allowed(
    method: str, path: str, query: Mapping[str, str] | None = None, *, file: Callable[[str], bool] = lambda path: False
) -> bool:
    """Whether a request is one that the page needs.

    file: whether a path of this machine may be shown: an upload.
    """
    if any(name in (query or {}) for name in REFUSED_QUERY):
        return False
    if shown := FILE.fullmatch(path):
        return method in READ and file(shown["path"])
    if method == "OPTIONS":  # a preflight, which is answered for accepted origins only
        return any(pattern.fullmatch(path) for _, pattern in ALLOWED)
    return any(method in methods and pattern.fullmatch(path) for methods, pattern in ALLOWED)
