"""Base class of the service: settings, tasks, runs, queue, and permissions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from autotrain_gradio.backends import Backends, backend_type
from autotrain_gradio.backends.base import Backend, TrainingBackend
from autotrain_gradio.backends.dispatcher import Dispatcher
from autotrain_gradio.backends.resources import resource_findings
from autotrain_gradio.core.errors import DataError, Finding, Forbidden, NotFound, SpecError, StateError, UserError
from autotrain_gradio.core.home import require_readable
from autotrain_gradio.core.owners import LOCAL
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import RunSpec, Secrets
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.run_index import RunIndex, unreadable
from autotrain_gradio.runs.snapshot import Snapshots, Status, has_files
from autotrain_gradio.runs.store import Store
from autotrain_gradio.service import summaries
from autotrain_gradio.service.access import resolve_and_authorize
from autotrain_gradio.service.check_places import CheckPlaces
from autotrain_gradio.service.hub_models import HubModels
from autotrain_gradio.service.latest_call import LatestCall
from autotrain_gradio.service.shared_call import SharedCall
from autotrain_gradio.service.visitor_quota import VisitorQuota
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.registry import Registry, Resolved, registry, resolve

log = logging.getLogger(__name__)


class Core:
    """The components of the application, and the permissions of its callers.

    dispatch: process the queue: start queued runs and monitor active ones.
    interactive: a form is in use: prefetch the libraries of its preview.
    """

    def __init__(
        self, settings: Settings, tasks: Registry | None = None, *, dispatch: bool = True, interactive: bool = False
    ) -> None:
        require_readable(settings.home)
        self.settings = settings
        self.tasks = tasks or registry()
        self.store = Store(settings.runs)
        self.interactive = interactive
        self._snapshots = Snapshots()
        self._backends = Backends(settings)
        self.hub_models = HubModels(settings.hub_endpoint)
        self._calls = LatestCall()
        self._checks: dict[str, SharedCall] = {}
        limits = settings.limits
        self._places = CheckPlaces(
            limits.checks,
            per_owner=limits.checks_per_visitor if settings.shared else None,
            waiting=limits.checks_waiting,
        )
        self._lock = threading.Lock()
        self._reads = self.store.calls
        self._lists: dict[str, tuple[int, list[str]]] = {}
        """Owner → version of the index, and the sorted list of their runs (`Runs.runs_page`)."""
        self._index = RunIndex(self.store, self._entry, settings.home / "runs-index.json")
        self._quota = VisitorQuota(settings, self.store, self._index)
        self._dispatcher = Dispatcher(settings, self.store, self._backends, self._index)
        if dispatch:
            self._dispatcher.start()

    def close(self) -> None:
        """Stop the threads and warm workers of this process; trainings continue."""
        self._calls.cancel_all()
        self._dispatcher.stop()
        self._index.save()
        self._backends.close()

    def accelerated(self) -> bool:
        """Whether trainings here use a GPU."""
        return self._backends.get().accelerated()

    def owns(self, run: str, owner: str = LOCAL) -> bool:
        """Whether the owner may change and download a run; anyone may view it."""
        try:
            record = self.store.get(run)
            return self._reads.call(record.id, lambda: self._owns(record, owner))
        except NotFound:
            return False

    def _parsed(self, spec: Mapping[str, Any]) -> RunSpec:
        return resolve(spec, self.tasks).spec

    def _resolve(self, spec: Mapping[str, Any] | Resolved) -> Resolved:
        resolved = resolve_and_authorize(spec, self.tasks, shared=self.settings.shared)
        chosen, resources = resolved.spec.backend, resolved.spec.resources
        declared, backend = backend_type(chosen), self._backends.get(chosen)
        findings = list(resource_findings(resources, resolved.task, resolved.params, declared, backend))
        if findings:
            raise SpecError.from_findings(findings)
        return resolved

    def _need(self, resolved: Resolved, capability: str) -> None:
        if capability not in resolved.task.can:
            raise StateError(f"{resolved.task.title} has no {capability}.", code=f"no-{capability}")

    def _secrets(self, token: str | None) -> Secrets:
        # Without a token, a worker of the local user has HF_TOKEN or `hf auth login`; a visitor's worker has neither.
        return Secrets(token=token)

    def _environment(self, backend: TrainingBackend, token: str | None = None) -> dict[str, str]:
        return backend.environment(self._secrets(token), visitor=self.settings.shared)

    def _owns(self, run: Run, owner: str) -> bool:
        return not self.settings.shared or run.owner() == owner

    def _owned_run(self, run: str, owner: str) -> Run:
        record = self.store.get(run)
        if not self._reads.call(record.id, lambda: self._owns(record, owner)):
            raise Forbidden(
                "This run belongs to another owner.", "You can view it, but not change it.", code="not-yours"
            )
        return record

    def _draft(self, draft: str, owner: str) -> Run:
        run = self._owned_run(draft, owner)
        if run.is_started():
            raise StateError("This run was started already.", "Reuse its settings for a new run.", code="started")
        return run

    def _state(self, run: Run) -> str:
        return str(self._snapshot(run)["state"])

    def _backend(self, run: Run) -> TrainingBackend:
        return self._backends.of(run.spec())

    def _caller(self, run: Run) -> Backend:
        """Return the backend that runs the verbs of a run."""
        return self._backends.for_calls(run.spec().get("backend"))

    def _snapshot(self, run: Run) -> dict[str, Any]:
        """Return the snapshot of a run.

        Raises:
            DataError: its record is damaged, or its files do not respond.
        """
        try:
            return self._reads.call(run.id, lambda: self._snapshots.get(run, self._status_of(run)))
        except (UserError, FileNotFoundError):
            raise
        except Exception as error:  # a damaged record in a way that nobody has thought of
            log.exception("run %s cannot be read", run.id)
            self._snapshots.drop(run.id)
            raise DataError.from_findings([Finding.from_dict(unreadable(error)["problem"])]) from error

    def _entry(self, run: Run) -> dict[str, Any]:
        """Return the run's entry of the index."""
        if not run.is_started():
            try:
                return {"state": None, "owner": run.owner()}
            except UserError:  # a damaged draft is one still, and is swept like the others
                return {"state": None}
        snapshot = self._snapshots.get_once(run, self._status_of(run))
        named = summaries.headline(self._task(str(snapshot["task"])), snapshot)
        return summaries.entry(snapshot, model=has_files(run.directory / "model"), named=named)

    def _status_of(self, run: Run) -> Status:
        def status(*attempt: Any) -> dict[str, Any]:
            try:
                return self._backend(run).status(*attempt)
            except SpecError:  # its package is not installed any more; the run can still be viewed
                return {"alive": True}

        return status

    def _task(self, name: str) -> Task | None:
        try:
            return self.tasks.get(name)
        except NotFound:
            return None  # a run of a task that is not installed any more can still be viewed
