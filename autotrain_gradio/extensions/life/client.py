"""HTTP client of a LiFE server: requests, resumable downloads, credentials.

Credentials are in memory only. They are sent to the given host only: redirects are never followed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import httpx

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life import catalog
from autotrain_gradio.extensions.life.catalog import Project
from autotrain_gradio.extensions.life.public_address import PinnedTransport, resolve_public

CONNECT_SECONDS = 15.0
SILENT_SECONDS = 60.0
"""Read timeout."""
ATTEMPTS = 3
ANSWER_BYTES = 1 << 28
"""Maximum size of a response that is read into memory."""


class LifeError(DataError):
    """A request to the server failed; `code` begins with `life-`."""


@dataclass(repr=False)
class Login:
    """Credentials for a server. In memory only."""

    username: str = ""
    password: str = field(default="")
    token: str = field(default="")

    @classmethod
    def of(cls, secrets: Mapping[str, str], environ: Mapping[str, str]) -> Login:
        """Return the credentials of the picker, else those of the environment variables (`LIFE_TOKEN` …)."""
        if any(secrets.get(k) for k in ("username", "password", "token")):
            return cls(secrets.get("username", ""), secrets.get("password", ""), secrets.get("token", ""))
        return cls(environ.get("LIFE_USERNAME", ""), environ.get("LIFE_PASSWORD", ""), environ.get("LIFE_TOKEN", ""))

    @property
    def key(self) -> bytes:
        """HMAC key of the digests that identify recordings; it is never stored."""
        return (self.token or f"{self.username}\n{self.password}").encode()

    def __bool__(self) -> bool:
        return bool(self.token or (self.username and self.password))

    def __repr__(self) -> str:
        return "Login(***)"


class LifeClient(Protocol):
    """A signed-in client of a LiFE server; a context manager."""

    def __enter__(self) -> LifeClient: ...

    def __exit__(self, *error: object) -> None: ...

    def projects(self) -> list[Project]:
        """List all projects that the user sees."""

    def documents(self, project: Project, scratch: Path, progress: Progress) -> list[Mapping[str, Any]]:
        """Return the documents of a project's recordings."""

    def audio(self, project: Project, document: Mapping[str, Any], target: Path) -> None:
        """Download a recording's audio."""


class Connection:
    """HTTP connection to one server.

    public: reject hosts that are not on the public internet (in shared mode, where visitors name them).
    largest: maximum size of a download in bytes.
    """

    def __init__(self, address: str, *, public: bool = False, largest: int = 1 << 40) -> None:
        self.address = catalog.parse_address(address)
        self.largest = largest
        transport = _public_transport(self.address) if public else None
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses, with the names of files
        self.client = httpx.Client(
            timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            transport=transport,
            headers={"Accept-Encoding": "identity", "User-Agent": "autotrain-gradio"},
        )

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request and read the whole response, whatever its status.

        Raises:
            LifeError: the server cannot be reached, or does not respond.
        """
        try:
            with self.client.stream(method, self.address + path, **more) as response:
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > ANSWER_BYTES:
                        raise LifeError(
                            f"The response of the server is larger than {format_bytes(ANSWER_BYTES)}.",
                            code="life-too-long",
                        )
                return httpx.Response(
                    response.status_code, headers=response.headers, content=bytes(body), request=response.request
                )
        except httpx.HTTPError as error:
            raise self.unreachable_error(error) from None

    def request_json(self, method: str, path: str, **more: Any) -> Any:
        """Send a request and return the parsed JSON of the response.

        Raises:
            LifeError: the response is a redirect, an error, HTML or not JSON.
        """
        response = self.send(method, path, **more)
        self.raise_for_status(response)
        text = response.content.strip()
        try:
            if text in {b"0", b"'0'", b'"0"'}:
                raise ValueError
            return json.loads(text)
        except ValueError:
            raise LifeError(
                f"The server did not return JSON at {path.partition('?')[0]}: {_describe_body(text)}.",
                "Check that the URL is that of a LiFE server, and that you can open the project there.",
                "data.path",
                "life-no-data",
            ) from None

    def raise_for_status(self, response: httpx.Response) -> None:
        """Raise an error unless the response is a success.

        Raises:
            SessionExpired: it redirects to the login.
            LifeError: any other status.
        """
        status = response.status_code
        if response.is_redirect or 300 <= status < 400:
            target = urljoin(str(response.url), response.headers.get("location", ""))
            here, there = urlsplit(self.address), urlsplit(target)
            # A LiFE behind another server may take itself for one without https; it is not followed in any case.
            same = here.hostname == there.hostname and (here.scheme != there.scheme or here.port == there.port)
            if not same:
                raise LifeError(
                    f"The server redirects to {there.scheme}://{there.hostname}; your credentials are not sent there.",
                    "If that is your LiFE server, enter its URL.",
                    "data.path",
                    "life-redirect",
                )
            if there.path.rstrip("/").endswith("/login"):
                raise SessionExpired()
            raise LifeError(
                "LiFE denies you access to this project.",
                "Ask the owner of the project to let you download it.",
                "data.path",
                "life-not-allowed",
            )
        if status in {401, 403}:
            raise LifeError(
                f"LiFE does not accept this login (status {status}).",
                "Check user name and password, or the token.",
                "data.path",
                "life-login",
            )
        if status == 404:
            # What follows these parts may be the name of a file, and in it that of a person.
            path = urlsplit(str(response.url)).path.removeprefix(urlsplit(self.address).path)
            raise LifeError(
                f"The server returned 404 (not found) for {'/'.join(path.split('/')[:4])}.",
                "Check the URL. An unmodified LiFE has no token API.",
                "data.path",
                "life-not-found",
            )
        if status >= 400:
            raise LifeError(
                f"The server failed (status {status}).", "Try again later.", "data.path", "life-server-error"
            )

    def download(
        self, method: str, path: str, target: Path, progress: Progress | None = None, **more: Any
    ) -> tuple[str, bytes]:
        """Download a response to a file; return its content type and its first bytes.

        An interrupted download is resumed where the server supports it and the file is unchanged (GET, with a validator
        for If-Range: RFC 9110, 13.1.5), else restarted.

        Raises:
            LifeError: it was interrupted each time, is too large, or the server refused it.
        """
        problem = mark = ""
        for _ in range(ATTEMPTS):
            have = target.stat().st_size if method == "GET" and mark and target.exists() else 0
            headers = {"Range": f"bytes={have}-", "If-Range": mark} if have else {}
            try:
                with self.client.stream(method, self.address + path, headers=headers, **more) as response:
                    continued = response.status_code == 206
                    if response.status_code == 416 or (continued and not _continues(response, have)):
                        mark = ""  # the file on the server has changed: start again
                        continue
                    self.raise_for_status(response)
                    mark = mark if continued else _validator(response)
                    self._write(response, target, progress, resumed=continued)
                with target.open("rb") as file:
                    return response.headers.get("content-type", ""), file.read(64)
            except httpx.HTTPError as error:
                done = target.stat().st_size if target.exists() else 0
                slow = isinstance(error, httpx.TimeoutException)
                if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise self.unreachable_error(error) from None
                why = f"no data for {SILENT_SECONDS:.0f} s" if slow else "the connection was closed"
                problem = f"{why}, after {done / 1e6:.1f} MB"
        target.unlink(missing_ok=True)
        raise LifeError(
            f"The download failed {ATTEMPTS} times: {problem}.",
            "Try again later, or export the project in LiFE and upload the file.",
            "data.path",
            "life-download",
        )

    def _write(self, response: httpx.Response, target: Path, progress: Progress | None, *, resumed: bool) -> None:
        done = target.stat().st_size if resumed else 0
        total = done + int(response.headers.get("content-length") or 0)
        with target.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_raw():
                done += len(chunk)
                if done > self.largest:
                    raise LifeError(
                        f"The download is larger than {format_bytes(self.largest)}.",
                        "Choose fewer projects.",
                        "data.path",
                        "life-too-large",
                    )
                file.write(chunk)
                if progress is not None:
                    progress("Downloading", min(1.0, done / total) if total else 0.0)

    def unreachable_error(self, error: httpx.HTTPError) -> LifeError:
        """Return the error for a server that cannot be reached."""
        slow = isinstance(error, httpx.TimeoutException)
        why = "it does not respond (timeout)" if slow else type(error).__name__
        if "CERTIFICATE" in str(error):
            why = "its certificate is not valid"
        return LifeError(
            f"The server {self.address} cannot be reached: {why}.",
            "Check the URL and the network.",
            "data.path",
            "life-unreachable",
        )


def _validator(response: httpx.Response) -> str:
    """Return the strong validator of a response for If-Range, or "".

    Weak entity tags are none, nor are times less than a second before the response (RFC 9110, 8.8.2.2 and 13.1.5).
    """
    tag = response.headers.get("etag", "")
    if tag.startswith('"'):
        return str(tag)
    changed, now = (_time(response.headers.get(name)) for name in ("last-modified", "date"))
    if changed is not None and now is not None and now - changed >= 1.0:
        return str(response.headers["last-modified"])
    return ""


def _time(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _continues(response: httpx.Response, have: int) -> bool:
    return bool(response.headers.get("content-range", "").startswith(f"bytes {have}-"))


class SessionExpired(LifeError):
    """The session has expired: a login is required."""

    def __init__(self) -> None:
        super().__init__("The LiFE session has expired.", "Open the projects again.", "data.path", "life-session")


def reject_non_audio(kind: str, head: bytes, target: Path) -> None:
    """Delete a downloaded file that is HTML, empty or a bare '0' instead of audio.

    Raises:
        LifeError: it is.
    """
    text = head.strip()
    if not text or text == b"0" or text.startswith(b"<") or "text/html" in kind:
        target.unlink()
        raise LifeError(f"The server did not send audio: {_describe_body(text)}.", code="life-no-audio")


def _describe_body(text: bytes) -> str:
    if not text:
        return "the response is empty"
    if text in {b"0", b'"0"'}:
        return "the response is 0, which means that there is nothing to download"
    return "the response is HTML" if text.lstrip().startswith(b"<") else "the response is not JSON"


def _public_transport(address: str) -> PinnedTransport:
    """Return a transport to the public address of a server, which is resolved once.

    Raises:
        LifeError: the host is unknown, or not on the public internet.
    """
    host = urlsplit(address).hostname or ""
    try:
        found = resolve_public(host)
    except (OSError, UnicodeError):
        raise LifeError(
            f"The host '{host}' was not found.", "Check the URL.", "data.path", "life-unreachable"
        ) from None
    if found is None:
        raise LifeError(
            f"'{host}' is not on the public internet; in shared mode other servers cannot be used.",
            "Export the project in LiFE and upload the file, or run the app on your own computer.",
            "data.path",
            "life-inner-address",
        )
    return PinnedTransport(host, found)
