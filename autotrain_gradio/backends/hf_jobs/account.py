"""`Account`: the jobs of one account of the Hub, and the private bucket that stores their runs.

The signatures are those of huggingface_hub 2.4 (`HfApi` in `hf_api.py`). The library is imported when it is used first.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotrain_gradio.backends.remote.engine import EngineError, JobRequest, JobStatus, Stage, StoredFile
from autotrain_gradio.backends.remote.segments import MOUNT

if TYPE_CHECKING:
    from huggingface_hub import HfApi

BUCKET = "autotrain-gradio-runs"
PYTHON = "3.12"
ATTEMPTS = 3
"""Number of machines on which the service tries a job: the agent exits with an error only if its machine is lost."""
AGENT = "autotrain_gradio.backends.remote.agent"
RUN_LABEL, ATTEMPT_LABEL = "autotrain-gradio-run", "autotrain-gradio-attempt"
TIMEOUT_SECONDS = 60.0
OUTPUT_LINES = 5000
"""Largest number of lines of a job's own output that are requested."""
BATCH_FILES = 500
"""Number of files of one upload or deletion."""
TOKEN_HINT = (
    "Create a token with the permissions for jobs and for writing buckets in your Hub settings; then set HF_TOKEN, or "
    "run 'hf auth login'."
)
STAGES: Mapping[str, Stage] = {
    "SCHEDULING": "scheduling",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "ERROR": "error",
    "CANCELED": "cancelled",
    "DELETED": "deleted",
}


@contextmanager
def raise_engine_error(what: str) -> Iterator[None]:
    """Translate the errors of huggingface_hub and hf_xet. what: the request, as the beginning of a message."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import disable_progress_bars, get_session

    disable_progress_bars()
    session = get_session()
    if session.timeout.read is None:  # a request that hangs must not block the monitor
        session.timeout = TIMEOUT_SECONDS
    http_error: type[Exception] = HfHubHTTPError.__mro__[1]  # of the HTTP library, which depends on the version
    try:
        yield
    except HfHubHTTPError as error:
        raise _of_status(what, error) from error
    except (OSError, http_error, RuntimeError) as error:  # hf_xet raises RuntimeError for its requests
        raise EngineError(f"{what}: {type(error).__name__}: {_first_line(error)}.") from error


def _of_status(what: str, error: Any) -> EngineError:
    response = error.response
    status = response.status_code if response is not None else 0
    said = _first_line(error.server_message or "")
    detail = f"{status}: {said}" if said else str(status)
    if status == 401:
        return EngineError(f"{what}: the Hub rejects the token ({detail}).", TOKEN_HINT, permanent=True, login=True)
    if status == 402:
        hint = "Add credit at https://huggingface.co/settings/billing, then resume the run."
        return EngineError(f"{what}: the account has no credit ({detail}).", hint, permanent=True)
    if status == 403:
        message = f"{what}: the token lacks a permission ({detail})."
        return EngineError(message, TOKEN_HINT, permanent=True, login=True)
    if status == 404:
        return EngineError(f"{what}: not found ({detail}).", permanent=True, missing=True)
    if status == 429:
        wait = str(response.headers.get("retry-after") or "")
        return EngineError(f"{what}: too many requests ({detail}).", wait=float(wait) if wait.isdigit() else 0.0)
    if status in {400, 413, 422}:
        return EngineError(f"{what}: the Hub refuses the request ({detail}).", permanent=True)
    return EngineError(f"{what}: the Hub does not respond ({detail}).")


def _first_line(error: object) -> str:
    return (str(error).strip().split("\n")[0])[:300].rstrip(".")


class Account:
    """The jobs and the bucket of a token's user, as an `Engine`."""

    def __init__(self, token: str, endpoint: str) -> None:
        self._token, self._endpoint = token, endpoint
        self._has_bucket = False

    @cached_property
    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._endpoint, token=self._token)

    @cached_property
    def namespace(self) -> str:
        """Name of the user, who pays for the jobs."""
        with raise_engine_error("The account cannot be identified"):
            return str(self._api.whoami()["name"])

    @property
    def _bucket(self) -> str:
        return f"{self.namespace}/{BUCKET}"

    # -- jobs

    def find(self, run: str, attempt: int) -> str | None:
        """Return the id of the latest job with the labels of an attempt."""
        with raise_engine_error("The jobs cannot be listed"):
            jobs = list(self._api.list_jobs(labels=_labels(run, attempt), namespace=self.namespace, timeout=60))
        wanted = _labels(run, attempt)
        known = [j for j in jobs if {k: (j.labels or {}).get(k) for k in wanted} == wanted]
        return str(known[0].id) if known else None

    def submit(self, job: JobRequest) -> str:
        """Start a job in which uv installs the packages and runs the agent."""
        from huggingface_hub import Volume

        namespace = self.namespace
        with raise_engine_error("The job cannot be started"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*is experimental", category=UserWarning)
            started = self._api.run_uv_job(
                "python",
                script_args=["-m", AGENT, *job.arguments],
                dependencies=list(job.requirements),
                python=PYTHON,
                env=dict(job.environment),
                secrets=dict(job.secrets),
                flavor=job.flavor,
                timeout=int(job.limit),
                attempts=ATTEMPTS,
                name=_label_value(f"autotrain-{job.run}"),
                labels=_labels(job.run, job.attempt),
                volumes=[
                    Volume(type="bucket", source=self._bucket, mount_path=MOUNT, path=job.prefix, read_only=False)
                ],
                namespace=namespace,
            )
        return str(started.id)

    def inspect(self, job: str) -> JobStatus:
        """Return the state of a job."""
        try:
            with raise_engine_error("The job cannot be inspected"):
                found = self._api.inspect_job(job_id=job, namespace=self.namespace)
        except EngineError as error:
            if error.missing:
                return JobStatus("deleted", error.message)
            raise
        stage = STAGES.get(str(getattr(found.status.stage, "value", found.status.stage)))
        if stage is None:
            raise EngineError(f"The job is in the unknown stage '{found.status.stage}'.")
        seconds = float((found.durations.running_secs if found.durations else None) or 0.0)
        began = found.started_at.timestamp() if found.started_at else 0.0
        if not seconds and began and stage == "running" and found.durations is None:
            seconds = max(0.0, time.time() - began)
        return JobStatus(stage, str(found.status.message or ""), seconds, began)

    def cancel(self, job: str) -> None:
        """Cancel a job; one that has ended already is not an error."""
        try:
            with raise_engine_error("The job cannot be cancelled"):
                self._api.cancel_job(job_id=job, namespace=self.namespace)
        except EngineError as error:
            if not error.missing and not (error.permanent and not error.login):
                raise

    def output(self, job: str) -> list[str]:
        """Return the lines that the job has printed."""
        with raise_engine_error("The output of the job cannot be fetched"):
            return list(self._api.fetch_job_logs(job_id=job, namespace=self.namespace, tail=OUTPUT_LINES))

    def url(self, job: str) -> str:
        """Return the address of the job's page."""
        return f"{self._endpoint}/jobs/{self.namespace}/{job}"

    # -- storage

    def upload(self, files: Mapping[str, Path | bytes]) -> None:
        """Store files in the bucket, in batches: what was uploaded is not uploaded again."""
        self._require_bucket()
        listed: list[tuple[str | Path | bytes, str]] = [(source, path) for path, source in files.items()]
        with raise_engine_error("The run cannot be uploaded"):
            for begin in range(0, len(listed), BATCH_FILES):
                self._api.batch_bucket_files(self._bucket, add=listed[begin : begin + BATCH_FILES])

    def list(self, prefix: str) -> dict[str, StoredFile]:
        """Return the files below a folder of the bucket."""
        found: dict[str, StoredFile] = {}
        try:
            with raise_engine_error("The files of the run cannot be listed"):
                for one in self._api.list_bucket_tree(self._bucket, prefix=prefix, recursive=True):
                    if one.type == "file" and one.path.startswith(f"{prefix}/"):
                        found[one.path] = StoredFile(one.size, one.xet_hash, one)
        except EngineError as error:
            if not error.missing:
                raise
        return found

    def download(self, files: Mapping[str, tuple[StoredFile, Path]]) -> None:
        """Download files of the bucket."""
        pairs: list[Any] = [(stored.reference, target) for stored, target in files.values()]
        with raise_engine_error("The files of the run cannot be downloaded"):
            self._api.download_bucket_files(self._bucket, pairs)

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files of the bucket."""
        with raise_engine_error("The files of the run cannot be deleted"):
            for begin in range(0, len(paths), BATCH_FILES):
                self._api.batch_bucket_files(self._bucket, delete=list(paths[begin : begin + BATCH_FILES]))

    def _require_bucket(self) -> None:
        """Create the bucket if it does not exist; it must be private, because it holds the user's data."""
        if self._has_bucket:
            return
        with raise_engine_error("The bucket for runs cannot be created"):
            self._api.create_bucket(self._bucket, private=True, exist_ok=True)
            private = self._api.bucket_info(self._bucket).private
        if not private:
            message = f"The bucket '{self._bucket}' is public: your data would be, too."
            hint = f"Make it private at {self._endpoint}/buckets/{self._bucket}, then start again."
            raise EngineError(message, hint, permanent=True)
        self._has_bucket = True


def _labels(run: str, attempt: int) -> dict[str, str]:
    return {RUN_LABEL: _label_value(run), ATTEMPT_LABEL: str(attempt)}


def _label_value(text: str) -> str:
    """Return a text as the value of a label: letters, digits, dashes and underscores, at most 100 characters.

    The end is kept, because the random letters of a run's id are there.
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[-100:]
