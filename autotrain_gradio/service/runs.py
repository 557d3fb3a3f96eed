"""API calls on runs: list, snapshot, log, stop, resume, delete, predict, verbs, export, publish."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio.backends.base import Backend, CallOptions
from autotrain_gradio.core.errors import DataError, StateError
from autotrain_gradio.core.owners import LOCAL
from autotrain_gradio.core.registry import NamedRegistry
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs import model_export, worker_lock
from autotrain_gradio.runs.record import Run, read_json
from autotrain_gradio.runs.run_index import WAIT_SECONDS
from autotrain_gradio.runs.snapshot import has_files
from autotrain_gradio.runs.states import ACTIVE, RESUMABLE, title
from autotrain_gradio.service import summaries
from autotrain_gradio.service.access import require_local
from autotrain_gradio.service.core import Core
from autotrain_gradio.service.shared_call import Progress
from autotrain_gradio.service.visitor_files import require_inputs, require_no_server_paths
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.verbs import Verb

MAX_LISTS = 100
"""Owners whose sorted list is cached."""


class Runs(Core):
    """API calls on runs that were started."""

    def runs(self, owner: str = LOCAL, *, limit: int | None = None) -> list[dict[str, Any]]:
        """List the owner's runs, newest first, without drafts. limit: maximum number; None: all.

        Rows: `{id, task, task_title, project_name, model, data, state, created, started, finished, metrics,
        best_metric, queue_position, can, path}`; created: time of the draft; started: time of the first attempt. A run
        that cannot be read has the state `unreadable` and a `reason`.
        """
        self._index.refresh(complete=limit is None)
        read = self._index.get if limit is None else self._index.verify
        return [self._row(run, entry) for run, entry in read(self._listed(owner)[:limit])]

    def runs_page(self, owner: str = LOCAL, *, offset: int = 0, limit: int = 50) -> dict[str, Any]:
        """Return `{rows, total, offset, unread}`: rows of the list from an offset on, as `runs` has them.

        offset: lowered to the last page if there are fewer runs.
        unread: number of runs that are not listed yet, of all owners, while the index of thousands is made.
        """
        self._index.refresh(wait=WAIT_SECONDS)
        listed = self._listed(owner)
        offset = max(0, min(offset, (len(listed) - 1) // limit * limit))
        rows = [self._row(run, entry) for run, entry in self._index.verify(listed[offset : offset + limit])]
        return {"rows": rows, "total": len(listed), "offset": offset, "unread": self._index.unread}

    def _listed(self, owner: str) -> list[str]:
        """Return the started runs of an owner, newest first; cached until one changes."""
        version = self._index.version
        cached = self._lists.get(owner)
        if cached is not None and cached[0] == version:
            return cached[1]
        # In shared mode, a run whose owner is unknown is excluded from all lists.
        found = self._index.started(owner if self.settings.shared else None)
        if len(self._lists) >= MAX_LISTS:
            self._lists.clear()
        self._lists[owner] = (version, found)
        return found

    def _row(self, run: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        record = self.store.run(run)
        position = self._dispatcher.position(record) if entry["state"] == "queued" else None
        return summaries.row(record, entry, self._task(str(entry.get("task"))), position)

    def snapshot(self, run: str, since: int | None = None) -> dict[str, Any] | None:
        """Return the state of the run for the page; None if it has not changed since that version.

        Fields: see docs/architecture.md. The snapshot is built once for all viewers.
        """
        record = self.store.get(run)
        snapshot = self._snapshot(record)
        position = self._dispatcher.position(record) if snapshot["state"] == "queued" else None
        version = snapshot["version"] * 1000 + (position or 0)
        if since is not None and version == since:
            return None
        task = self._task(snapshot["task"])
        state = snapshot["state"]
        model = self._reads.call(record.id, lambda: has_files(record.directory / "model"))
        waiting = state == "queued" and self._dispatcher.lacks_token(record)
        # Not the owner: anyone may view a run, and whoever knows the id of a visitor can change that visitor's runs.
        shown = {name: value for name, value in snapshot.items() if name != "owner"}
        return {
            **shown,
            "version": version,
            "queue_position": position,
            "waiting_for_token": waiting,
            "needs_token": waiting or (state in RESUMABLE and self._dispatcher.lacks_token(record)),
            "task_title": task.title if task else snapshot["task"],
            "best": summaries.best(task, snapshot["metrics"], summaries.headline(task, snapshot)) if task else None,
            "can": summaries.can(state, task, model=model, waiting_for_token=waiting),
        }

    def log(self, run: str, offset: int = 0, limit: int = 65536) -> dict[str, Any]:
        """Return `{text, offset, size}`: the log from a byte offset; a negative offset counts from the end."""
        record = self.store.get(run)
        return self._reads.call(record.id, lambda: self._backend(record).log(record.directory, offset, limit))

    def stop(self, run: str, owner: str = LOCAL) -> None:
        """Request a stop after the current step, saving the weights; a queued run is cancelled."""
        record = self._owned_run(run, owner)
        state = self._state(record)
        if state not in ACTIVE | {"queued"}:
            text = f"The run is {title(state).lower()}: there is nothing to stop."
            raise StateError(text, code="not-running")
        self._dispatcher.request_stop(record, by=owner)

    def resume(self, run: str, owner: str = LOCAL, *, token: str | None = None) -> None:
        """Queue a new attempt that continues from the latest checkpoint, or from the beginning.

        A queued run whose token was lost by a restart of the app gets the new token, and starts.
        """
        record = self._owned_run(run, owner)
        self._require_local(record)
        state = self._state(record)
        if state == "queued" and self._dispatcher.lacks_token(record):
            # It has a place in the queue.
            self._dispatcher.enqueue(record, self._secrets(token))
            return
        if state not in RESUMABLE:
            raise StateError(
                f"The run is {title(state).lower()}: only a stopped, failed or interrupted run can be resumed.",
                code="not-resumable",
            )
        with self._quota.place_in_queue(owner):
            self._dispatcher.enqueue(record, self._secrets(token), resume=True)

    def delete(self, run: str, owner: str = LOCAL) -> None:
        """Remove the run and all its files.

        Raises:
            StateError: it is being trained.
        """
        record = self._owned_run(run, owner)
        # Checks the control and event files only: a run with a damaged spec can be deleted too.
        if record.is_started() and record.may_be_training() and self._is_active(record):
            raise StateError("The run is being trained.", "Stop it first, then delete it.", code="still-running")
        self._calls.cancel_and_wait(run)
        self._backends.release(record.directory)
        self._dispatcher.forget(record)
        self._snapshots.drop(record.id)
        self.store.delete(record)

    def _require_local(self, run: Run) -> None:
        """Refuse in shared mode to start a run of a task that is only for the user of the machine."""
        if task := self._task(str(run.spec()["task"])):
            require_local(task, shared=self.settings.shared)

    def _is_active(self, run: Run) -> bool:
        """Whether a run that is active by its record has a worker."""
        try:
            return self._state(run) in ACTIVE
        except DataError:  # a damaged spec
            return worker_lock.is_held(run.directory)

    def clone(self, run: str, owner: str = LOCAL) -> str:
        """Create a draft with the settings and the data of a run; return its id.

        Uploaded data is hard-linked if the file system supports it, else copied.
        """
        old = self._owned_run(run, owner)
        self._require_local(old)
        self._quota.require_draft(owner)
        self._quota.require_copy(owner, old.directory / "data")
        spec = old.spec()
        settings = {k: v for k, v in spec.items() if k in RunSpec.model_fields}
        new = self.store.create(spec["task"], owner, settings)
        if (old.directory / "data").is_dir():
            shutil.copytree(old.directory / "data", new.directory / "data", copy_function=_link, dirs_exist_ok=True)
        return new.id

    def predict(self, run: str, inputs: Sequence[Mapping[str, Any]], owner: str = LOCAL) -> list[dict[str, Any]]:
        """Apply the run's model: one prediction for each input, in the formats that the task declares.

        Files are given by absolute path.

        Raises:
            StateError: the run has no model yet, or the limits of the visitor are reached.
            Forbidden: in shared mode, an input is not one of the model, or its file is not an upload.
        """
        record = self.store.get(run)
        if task := self._task(str(record.spec()["task"])):
            self._require_predictions(task)
        model_export.model(record)
        if self.settings.shared:
            require_inputs(self.tasks.get(str(record.spec()["task"])).inputs, inputs, self.settings.uploads)
        context, backend = {"inputs": [dict(i) for i in inputs]}, self._caller(record)
        options = CallOptions(env=self._environment(backend), warm=True)
        with self._quota.call(owner):
            return list(backend.call(record.directory, "predict", context, options))

    def _require_predictions(self, task: Task) -> None:
        if "predict" not in task.can:
            hint = "Download its files, or copy them with 'export'." if task.files_only else ""
            raise StateError(f"Runs of the task '{task.name}' make no predictions.", hint, code="no-predict")

    def verbs(self, run: str) -> list[dict[str, Any]]:
        """List the verbs that can be called on a run: `{"name", "title", "help", "streams", "inputs"}`.

        inputs: `{"name", "title", "kind"}` of each declared argument.
        """
        task = self.tasks.get(str(self.store.get(run).spec()["task"]))
        return [
            {
                "name": verb.name,
                "title": verb.label,
                "help": verb.help,
                "streams": verb.streams,
                "inputs": [{"name": i.name, "title": i.title, "kind": i.kind} for i in verb.inputs],
            }
            for verb in task.public_verbs()
        ]

    def call(
        self,
        run: str,
        verb: str,
        context: Mapping[str, Any] | None = None,
        owner: str = LOCAL,
        *,
        progress: Progress | None = None,
        on_found: Callable[[Any], None] | None = None,
    ) -> Any:
        """Call a verb of the run's task and return its result; of a streaming verb, the list of its items.

        context: arguments of the verb, as JSON data; files are given by absolute path.
        on_found: callback for partial results (`VerbCall.found`) of a verb that does not stream.

        Raises:
            NotFound: the task has no such verb.
            Forbidden: it is a draft of another owner.
            UserError: raised by the verb.
        """
        record, found = self._public_verb(run, verb, owner)
        self._require_own_files(context)
        if found.streams:
            return list(self.stream(run, verb, context, owner, progress=progress))
        backend = self._caller(record)
        options = self._verb_options(backend, found, progress, on_found)
        with self._quota.call(owner):
            return backend.call(record.directory, verb, {"arguments": dict(context or {})}, options)

    def stream(
        self,
        run: str,
        verb: str,
        context: Mapping[str, Any] | None = None,
        owner: str = LOCAL,
        *,
        progress: Progress | None = None,
    ) -> Generator[Any, None, None]:
        """Call a streaming verb of the run's task and return its items as they arrive; closing the iterator cancels it.

        Raises:
            NotFound: the task has no such verb.
            StateError: the verb does not stream.
        """
        record, found = self._public_verb(run, verb, owner)
        if not found.streams:
            raise StateError(
                f"The verb '{verb}' does not stream.", "Use call: it returns one result.", code="no-stream"
            )
        self._require_own_files(context)
        backend = self._caller(record)
        options = self._verb_options(backend, found, progress)
        items = backend.stream(record.directory, verb, {"arguments": dict(context or {})}, options)
        return self._counted(items, owner)

    def _verb_options(
        self, backend: Backend, verb: Verb, progress: Progress | None, on_found: Callable[[Any], None] | None = None
    ) -> CallOptions:
        return CallOptions(
            env=self._environment(backend), progress=progress, found=on_found, grace=verb.grace_seconds, warm=True
        )

    def _counted(self, items: Generator[Any, None, Any], owner: str) -> Generator[Any, None, None]:
        with self._quota.call(owner):
            yield from items

    def _require_own_files(self, context: Mapping[str, Any] | None) -> None:
        if self.settings.shared:
            require_no_server_paths(dict(context or {}), self.settings.uploads)

    def _public_verb(self, run: str, name: str, owner: str) -> tuple[Run, Verb]:
        record = self.store.get(run)
        if not record.is_started():  # anyone may use a run whose id they know, but a draft is its owner's
            self._owned_run(run, owner)
        task = self.tasks.get(str(record.spec()["task"]))
        return record, NamedRegistry("verb", task.public_verbs()).get(name)

    def model_json(self, run: str, name: str) -> dict[str, Any]:
        """Return the content of a JSON file beside the run's model, such as `form.json`.

        name: file name without a folder; not user input.

        Raises:
            StateError: the run has no model yet, or its model has no such file.
        """
        found = read_json(model_export.model(self.store.get(run)) / Path(name).name)
        if not isinstance(found, dict):
            raise StateError(f"The model of this run has no {name}.", "Train it again.", code="no-form")
        return found

    def publish(self, run: str, owner: str = LOCAL, *, token: str | None = None) -> str:
        """Upload the run's model to the Hub; return its URL. Can be retried.

        Raises:
            UserError: the model or the token is missing, or the upload failed.
        """
        record = self._owned_run(run, owner)
        model_export.model(record)
        backend = self._caller(record)
        options = CallOptions(env=self._environment(backend, token))
        return str(backend.call(record.directory, "publish", {}, options)["address"])

    def archive(self, run: str, owner: str = LOCAL) -> Path:
        """Return a zip file of the model with its model card; it is cached until the model changes."""
        return model_export.archive(self._owned_run(run, owner))

    def export(self, run: str, folder: str | Path, owner: str = LOCAL) -> Path:
        """Copy the model into a folder that is empty or does not exist; return the folder."""
        return model_export.export(self._owned_run(run, owner), folder)

    def model_folder(self, run: str, owner: str = LOCAL) -> Path:
        """Return the folder of the run's model.

        Raises:
            StateError: the run has no model yet, or its folder was removed or emptied.
        """
        return model_export.model(self._owned_run(run, owner))

    def file(self, run: str, relative: str) -> Path:
        """Return the path of an image or audio file of the run, in the folder check, preview, samples or report.

        Raises:
            NotFound: the file does not exist, or is in another folder.
        """
        return model_export.media_file(self.store.get(run), relative)


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)  # another file system, or one without hard links
    return target
