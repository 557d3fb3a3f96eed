"""API calls on drafts, the runs that a form edits before they are started."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from autotrain_gradio.backends import backend_type
from autotrain_gradio.backends.base import Attempt, CallOptions
from autotrain_gradio.core.errors import DataError, Finding, Forbidden, MissingExtra, NotFound, SpecError
from autotrain_gradio.core.owners import LOCAL, is_visitor
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.data import taken_over
from autotrain_gradio.data.catalog import UPLOAD
from autotrain_gradio.runs.record import Run, read_json
from autotrain_gradio.service import summaries, uploads
from autotrain_gradio.service.access import require_local
from autotrain_gradio.service.places import Places
from autotrain_gradio.service.shared_call import Found, Progress, SharedCall
from autotrain_gradio.service.visitor_files import require_uploads
from autotrain_gradio.tasks import views
from autotrain_gradio.tasks.registry import Resolved, defaults, resolve
from autotrain_gradio.tasks.verbs import VERBS


class Drafts(Places):
    """Data, checks, models and previews of a draft, until it is started."""

    def draft(self, task: str, owner: str = LOCAL) -> str:
        """Create a draft of a task and return its id."""
        found = self.tasks.get(task)
        require_local(found, shared=self.settings.shared)
        name = found.name
        self._quota.require_draft(owner)
        return self.store.create(name, owner, {"task": name}).id

    def upload(self, draft: str, files: Sequence[str | Path], owner: str = LOCAL) -> None:
        """Move files into the draft; they replace its earlier ones.

        Raises:
            DataError: no files were given, one is missing, or the total size is over the limit.
            Forbidden: in shared mode, a file was not uploaded.
            StateError: the draft was started already, or the limits of the visitor are exceeded.
        """
        run = self._draft(draft, owner)
        paths = self._allowed(files, owner)
        self._prefetch(run, run.draft()["spec"]["task"])
        with self._calls.acquire(draft):
            self._draft(draft, owner)  # it may have been started meanwhile
            partial = run.directory / "upload.partial"
            uploads.move(paths, partial)
            shutil.rmtree(run.directory / "data", ignore_errors=True)
            run.discard_check()
            (run.directory / "data").mkdir()
            partial.rename(run.directory / "data" / "upload")
            with self._lock:
                spec = run.draft()["spec"]
                # Files that a source may take over may have the names of people.
                named = not any(s.takes_over for s in self.tasks.get(spec["task"]).sources)
                path = uploads.shown(paths, named=named)
                spec["data"] = {**spec.get("data", {}), "source": UPLOAD.name, "path": path}
                run.save_draft(spec)

    def is_draft(self, draft: str, owner: str = LOCAL) -> bool:
        """Whether a draft exists, belongs to the owner, and was not started."""
        try:
            return not self._owned_run(draft, owner).is_started()
        except (NotFound, Forbidden):
            return False

    def save(self, draft: str, spec: Mapping[str, Any], owner: str = LOCAL) -> None:
        """Store the model, the name and the parameters of the form; the data stays the last checked one.

        Raises:
            UserError: the spec is invalid; the saved one is unchanged.
        """
        self._save(self._draft(draft, owner), resolve(spec, self.tasks))

    def review(self, draft: str | None, spec: Mapping[str, Any], owner: str = LOCAL) -> dict[str, Any]:
        """Resolve the spec of a form once, return its views, and save it in the draft.

        Returns `{yaml, command, python, estimate, price}`; estimate: see `estimate`, empty without a draft; price: see
        `price`. A draft that has been started is not changed.

        Raises:
            UserError: the spec is invalid; the saved one is unchanged.
        """
        resolved = resolve(spec, self.tasks)
        shown: dict[str, Any] = {
            "yaml": views.yaml_view(resolved),
            "command": views.command_view(resolved),
            "python": views.python_view(resolved),
            "estimate": {},
            "price": self._price(resolved),
        }
        if draft:
            run = self._owned_run(draft, owner)
            shown["estimate"] = self._estimate(run, resolved)
            if not run.is_started():
                self._save(run, resolved)
        return shown

    def _save(self, run: Run, resolved: Resolved) -> None:
        stored = resolved.spec.model_dump(mode="json", exclude_defaults=True)
        with self._lock:
            data = run.draft()["spec"].get("data")
            run.save_draft({**stored, "data": data} if data else {k: v for k, v in stored.items() if k != "data"})

    def draft_state(self, draft: str, owner: str = LOCAL) -> dict[str, Any]:
        """Return `{id, task, spec, files: [{name, bytes}], check: dict | None, checking: bool}` of a draft.

        checking: a check is running, which `check` can join.
        """
        return {**summaries.draft(self._owned_run(draft, owner)), "checking": draft in self._checks}

    def check(
        self,
        draft: str,
        spec: Mapping[str, Any] | Resolved,
        owner: str = LOCAL,
        *,
        token: str | None = None,
        progress: Progress | None = None,
        found: Callable[[dict[str, Any]], None] | None = None,
        join: bool = False,
    ) -> dict[str, Any]:
        """Parse, validate and split the data of the spec.

        Blocks until done; a second call for the draft cancels the first. Returns the
        content of `check.json` (docs/architecture.md), including the findings about the data.

        found: callback for the result of a large table, before its rows are written for training; `start` then cancels
            the check, and the training prepares the data.
        join: if the same check is running already, as after a reload of the page, wait for its result.

        Raises:
            UserError: the spec is invalid, the data cannot be opened, or the check was cancelled.
        """
        run = self._draft(draft, owner)
        resolved = self._resolve_upload(run, self._resolve(spec))
        key = (resolved.task.name, resolved.spec.data, getattr(resolved.params, "seed", None), token)
        with self._lock:
            in_flight = self._checks.get(draft) if join else None
            if in_flight is None or in_flight.key != key:
                in_flight, mine = None, SharedCall(key)
                self._checks[draft] = mine
        if in_flight is not None:
            return dict(in_flight.join(progress, found))
        self._prefetch(run, resolved.task.name)

        backend = self._backends.for_calls(resolved.spec.backend)

        def work(send_progress: Progress, send_found: Found) -> Any:
            with self._calls.acquire(draft) as cancel:
                self._draft(draft, owner)  # it may have been started meanwhile
                with self._lock:
                    run.save_draft(resolved.spec.model_dump(mode="json", exclude_defaults=True))
                run.discard_check()
                uploaded = resolved.spec.data.source == UPLOAD.name
                options = CallOptions(
                    env=self._environment(backend, token),
                    progress=send_progress,
                    found=send_found,
                    cancel=cancel,
                    seconds=self.settings.limits.check_time(summaries.upload_bytes(run) if uploaded else None),
                )
                try:
                    with self._places.take(owner, cancel, send_progress):
                        return backend.call(run.directory, "check", {"spec": resolved.complete()}, options)
                finally:
                    taken = self._resolve_upload(run, resolved)
                    if taken is not resolved:
                        with self._lock:
                            run.save_draft(taken.spec.model_dump(mode="json", exclude_defaults=True))

        try:
            checked = dict(mine.run(work, progress, found))
        finally:
            with self._lock:
                if self._checks.get(draft) is mine:
                    del self._checks[draft]
        if self.interactive and not any(f["level"] == "error" for f in checked["findings"]):
            self._prestart(run, resolved, owner, token)
        return checked

    def leave_check(self, draft: str, progress: Progress) -> None:
        """Record that the caller of the draft's check with this progress callback has disconnected.

        The check is cancelled after `limits.abandoned_seconds`, unless there is another caller by then.
        """
        with self._lock:
            in_flight = self._checks.get(draft)
        if in_flight is None:
            return

        def end() -> None:
            with self._lock:
                if self._checks.get(draft) is not in_flight:
                    return
                del self._checks[draft]
                self._calls.cancel(draft)  # under the lock: a check that starts now is not cancelled

        in_flight.leave(progress, self.settings.limits.abandoned_seconds, end)

    def browse(
        self,
        draft: str,
        spec: Mapping[str, Any],
        question: Mapping[str, Any],
        owner: str = LOCAL,
        *,
        files: Sequence[str | Path] = (),
        secrets: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """List the content of a source with a picker; the source defines the format of question and answer.

        Blocks until done; it cancels a check or another `browse` call of the draft.

        files: moved into the draft first, for the source to read; other data of the draft is unchanged.
        secrets: passed to the worker through its standard input only.

        Raises:
            UserError: the spec is invalid, or the source cannot be read.
        """
        run = self._draft(draft, owner)
        resolved = self._resolve(spec)
        data, backend = run.directory / "data", self._backends.for_calls(resolved.spec.backend)
        self._prefetch(run, resolved.task.name)
        with self._calls.acquire(draft) as cancel:
            self._draft(draft, owner)  # it may have been started meanwhile
            try:
                if files:
                    uploads.move(self._allowed(files, owner), data / "picked")
                context = {"spec": resolved.complete(), "question": dict(question), "secrets": dict(secrets or {})}
                options = CallOptions(
                    env=self._environment(backend),
                    progress=progress,
                    cancel=cancel,
                    grace=VERBS.get("browse").grace_seconds,
                )
                with self._places.take(owner, cancel, progress):
                    return dict(backend.call(run.directory, "browse", context, options))
            finally:
                # A worker that was killed has not cleaned up.
                shutil.rmtree(data / "picking", ignore_errors=True)
                shutil.rmtree(data / "picked", ignore_errors=True)

    def cancel_check(self, draft: str, owner: str = LOCAL) -> None:
        """Cancel the draft's check, if one is running."""
        self._owned_run(draft, owner)
        with self._lock:
            self._checks.pop(draft, None)  # a check that is being cancelled must not be joined
        self._calls.cancel(draft)

    def preview(
        self,
        draft: str,
        spec: Mapping[str, Any],
        context: Mapping[str, Any] | None = None,
        owner: str = LOCAL,
        *,
        progress: Progress | None = None,
    ) -> list[Panel]:
        """Return panels with the training inputs of a few rows, for the parameters of the spec."""
        run = self._draft(draft, owner)
        resolved = self._resolve(spec)
        self._need(resolved, "preview")
        sent = {**(context or {}), "spec": resolved.complete()}
        backend = self._backends.for_calls(resolved.spec.backend)
        options = CallOptions(env=self._environment(backend), progress=progress, warm=True)
        with self._quota.call(owner):
            return list(backend.call(run.directory, "preview", sent, options))

    def probe(
        self,
        spec: Mapping[str, Any],
        owner: str = LOCAL,
        *,
        token: str | None = None,
        place: str = "",
        step: bool = False,
        draft: str = "",
    ) -> dict[str, Any]:
        """Return facts about the spec's model without loading its weights.

        Returns the task's facts (`parameters`, `input_size`, `labels` …) and `findings`.

        place: identifies the caller; a later probe with the same place cancels this one. step: try one training step on
        the longest batch, which is as long as the rows of the draft's latest preview, or as the parameters allow.

        Raises:
            WorkerError: it timed out, or was cancelled by a later one (`cancelled`).
        """
        resolved = self._resolve(spec)
        if "probe" not in resolved.task.can:
            return {"findings": []}
        folder = self.settings.home / "probe"
        folder.mkdir(parents=True, exist_ok=True)
        backend = self._backends.for_calls(resolved.spec.backend)
        with self._quota.call(owner), self._calls.acquire(f"probe {place or uuid4().hex}") as cancel:
            options = CallOptions(env=self._environment(backend, token), cancel=cancel)
            sent: dict[str, Any] = {"spec": resolved.complete()}
            if step:
                counted = summaries.examples(self._owned_run(draft, owner), resolved) if draft else {}
                memory = self.settings.limits.call_mebibytes * MIB
                sent |= {"step": True, "longest": counted.get("longest_example"), "memory": memory}
            return dict(backend.call(folder, "probe", sent, options))

    def defaults(self, task: str, model: str) -> dict[str, Any]:
        """Return the default parameters of a task for a model."""
        found = self.tasks.get(task)
        return found.params.model_validate(defaults(found, model)).model_dump(mode="json")

    def estimate(self, draft: str, spec: Mapping[str, Any], owner: str = LOCAL) -> dict[str, Any]:
        """Estimate the training, as `summaries.estimate`; empty before a check, and for tasks without epochs."""
        return self._estimate(self._owned_run(draft, owner), spec)

    def _estimate(self, run: Run, spec: Resolved | Mapping[str, Any]) -> dict[str, Any]:
        resolved = self._resolve(spec)
        return summaries.estimate(run, resolved)

    def start(
        self, draft: str, spec: Mapping[str, Any] | Resolved, owner: str = LOCAL, *, token: str | None = None
    ) -> str:
        """Start a draft: freeze its spec and queue it; a second call has no effect.

        Returns the run's id, which is the draft's.

        Raises:
            SpecError: the spec is invalid.
            MissingExtra: a package that the task needs is not installed.
            DataError: the last check of the same data found errors.
        """
        run = self._owned_run(draft, owner)
        if run.is_started():
            if run.is_frozen_only():  # an earlier start ended before it had queued the run
                self._calls.cancel_and_wait(draft)
                self._dispatcher.enqueue(run, self._secrets(token))
            return run.id
        resolved = self._limited(self._resolve(spec))
        missing = resolved.task.missing_packages()
        if missing and not backend_type(resolved.spec.backend).capabilities.own_environment:
            raise MissingExtra.from_findings(missing)
        secrets = self._secrets(token)
        signed_in = bool(secrets.token) or (
            not self.settings.shared and self._backends.get(resolved.spec.backend).has_login()
        )
        declared = backend_type(resolved.spec.backend)
        if declared.capabilities.needs_login and not signed_in:
            raise SpecError(
                f"The backend '{declared.name}' ({declared.title}) needs a token for the Hugging Face Hub.",
                "Set HF_TOKEN, run 'hf auth login', or choose another backend.",
                "backend",
                "token-missing",
            )
        if resolved.spec.hub.push_to_hub and not signed_in:
            raise SpecError(
                "Publishing needs a token for the Hugging Face Hub.",
                "Set HF_TOKEN, run 'hf auth login', or switch push_to_hub off.",
                "hub.push_to_hub",
                "token-missing",
            )
        with self._quota.place_in_queue(owner):
            self._calls.cancel_and_wait(draft)  # a check with other settings must not write the training data
            resolved = self._resolve_upload(run, resolved)
            check = read_json(run.directory / "check.json")
            found = [Finding.from_dict(f) for f in check["findings"]] if check else []
            data_spec = resolved.spec.model_dump(mode="json", exclude_defaults=True).get("data")
            if any(f.level == "error" for f in found) and run.draft()["spec"].get("data") == data_spec:
                raise DataError.from_findings(found)
            # Its warm worker would use memory that the training needs.
            self._backends.release(run.directory, prestarted=not declared.capabilities.calls)
            run.freeze(resolved.complete())
            self._calls.cancel_and_wait(draft)  # a check that started meanwhile; after freeze none can start
            self._dispatcher.enqueue(run, secrets)
        return run.id

    # -- inner

    def _allowed(self, files: Sequence[str | Path], owner: str) -> list[Path]:
        """Return the paths of an upload, if the owner may use it."""
        paths = [Path(f) for f in files]
        if self.settings.shared:
            require_uploads(paths, self.settings.uploads)
        self._quota.require_upload(owner, uploads.allow(paths, self.settings.limits.upload_bytes))
        return paths

    def _resolve_upload(self, run: Run, resolved: Resolved) -> Resolved:
        """Return the spec with the source that took over the draft's upload, else unchanged."""
        data = taken_over.resolve_upload(run.directory, resolved.spec.data)
        if data is resolved.spec.data:
            return resolved
        return Resolved(resolved.spec.model_copy(update={"data": data}), resolved.task, resolved.params)

    def _limited(self, resolved: Resolved) -> Resolved:
        """Return the spec of a training with the time limit of visitors, in shared mode."""
        epochs, resources = getattr(resolved.params, "epochs", None), resolved.spec.resources
        limited = self._quota.limit_training(epochs, resources)
        if limited is resources:
            return resolved
        return Resolved(resolved.spec.model_copy(update={"resources": limited}), resolved.task, resolved.params)

    def prestart(
        self, draft: str, spec: Mapping[str, Any] | Resolved, owner: str = LOCAL, *, token: str | None = None
    ) -> None:
        """Start the training worker of a draft that will probably be started soon: it imports its libraries ahead.

        It waits for `start`, and ends with this process or after `limits.predictor_idle_seconds`.

        Raises:
            UserError: the spec is invalid.
        """
        self._prestart(self._draft(draft, owner), self._resolve(spec), owner, token)

    def _prestart(self, run: Run, resolved: Resolved, owner: str, token: str | None) -> None:
        if run.is_started() or resolved.task.missing_packages():
            return
        backend = self._backends.get(resolved.spec.backend)
        env = backend.environment(self._secrets(token), visitor=is_visitor(owner))
        backend.prestart(Attempt(run.directory, 1, env, resources=resolved.spec.resources), resolved.task.module)

    def _prefetch(self, run: Run, task: str) -> None:
        """Let a warm worker import the task's libraries while the data is parsed, for the preview that follows."""
        if self.interactive and "preview" in self.tasks.get(task).can:
            backend = self._backends.for_calls()
            backend.prefetch(run.directory, "preview", {"spec": {"task": task}}, self._environment(backend))
