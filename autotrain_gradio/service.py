"""The one API under every face: page, command line and Python call nothing below it.

Everything in and out is plain data. Whoever asks is an `owner`: `local` for the person at the
machine, a random visitor id on a shared page. A run's id is its read-only ticket; changing a run,
or taking its files away, needs its owner. That is decided here and nowhere else.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autotrain_gradio import views
from autotrain_gradio.backends import backend, local
from autotrain_gradio.backends.dispatcher import Dispatcher, has_login
from autotrain_gradio.errors import DataError, Finding, Forbidden, NotFound, SpecError, StateError, UserError
from autotrain_gradio.panels import Panel
from autotrain_gradio.registry import Registry, Resolved, defaults, registry, resolve
from autotrain_gradio.runs.record import Run, read_json
from autotrain_gradio.runs.snapshot import Snapshots
from autotrain_gradio.runs.store import Store
from autotrain_gradio.settings import Settings
from autotrain_gradio.spec import TINY, RunSpec, Secrets, from_yaml

LOCAL = "local"
ACTIVE = frozenset({"preparing", "running", "stopping"})
ENDED = frozenset({"completed", "failed", "cancelled", "interrupted"})
RESUMABLE = frozenset({"failed", "cancelled", "interrupted"})
CALL_ENDS_SECONDS = 15.0
BROWSE_GRACE_SECONDS = 8.0
"""Time that a source has to leave a server as it was, when a question to it is cancelled."""
HUB_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
LOGIN = re.compile(r"://[^/?#]*@")
"""A user name, perhaps with a password, in an address."""
PUBLIC_FOLDERS = ("check", "preview", "samples", "report")
"""Folders of a run whose pictures the page shows."""

Progress = Callable[[str, float], None]


class Service:
    """The application, without a face.

    dispatch: take part in the queue: start the runs that wait, watch the ones that run.
    interactive: somebody is filling in forms: previews are made ready while they read.
    """

    def __init__(
        self, settings: Settings, tasks: Registry | None = None, *, dispatch: bool = True, interactive: bool = False
    ) -> None:
        self.settings = settings
        self.tasks = tasks or registry()
        self.store = Store(settings.runs)
        self.interactive = interactive
        self._snapshots = Snapshots()
        self._warm = local.WarmWorkers(settings.limits)
        self._calls: dict[str, _Call] = {}
        self._lock = threading.Lock()
        self._dispatcher = Dispatcher(settings, self.store)
        self.store.sweep(settings.limits.draft_days)
        if dispatch:
            self._dispatcher.start()

    def close(self) -> None:
        """Stop the threads and warm predictors of this process; trainings go on."""
        for call in list(self._calls.values()):
            call.cancel.set()
        self._dispatcher.stop()
        self._warm.close()

    # -- drafts: what a form works on before Start

    def draft(self, task: str, owner: str = LOCAL) -> str:
        """Create a draft of a task and return its id."""
        name = self.tasks.get(task).name
        return self.store.create(name, owner, {"task": name}).id

    def upload(self, draft: str, files: Sequence[str | Path], owner: str = LOCAL) -> None:
        """Move files into the draft, in place of those that it had.

        Raises:
            DataError: there are none, one is missing, or together they are too large.
            StateError: the draft was started already.
        """
        run = self._draft(draft, owner)
        paths = [Path(f) for f in files]
        self._allow(paths)
        self._end_call(draft)
        partial = run.directory / "upload.partial"
        _move(paths, partial)
        shutil.rmtree(run.directory / "data", ignore_errors=True)
        run.discard_check()
        (run.directory / "data").mkdir()
        partial.rename(run.directory / "data" / "upload")
        spec = run.draft()["spec"]
        names = [p.name for p in paths]
        shown = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        spec["data"] = {**spec.get("data", {}), "source": "upload", "path": shown}
        run.save_draft(spec)

    def is_draft(self, draft: str, owner: str = LOCAL) -> bool:
        """Whether a draft is there, is the asker's, and was not started."""
        try:
            return not self._own(draft, owner).is_started()
        except (NotFound, Forbidden):
            return False

    def owns(self, run: str, owner: str = LOCAL) -> bool:
        """Whether a run is the asker's, to change and to take away; everybody may look at it."""
        try:
            return self._owns(self.store.get(run), owner)
        except NotFound:
            return False

    def save(self, draft: str, spec: Mapping[str, Any], owner: str = LOCAL) -> None:
        """Remember the model, the name and the parameters as the form has them; the data stay those last checked.

        Raises:
            UserError: the spec is wrong; what was remembered before stays.
        """
        run = self._draft(draft, owner)
        kept = resolve(spec, self.tasks).spec.model_dump(mode="json", exclude_defaults=True)
        with self._lock:
            data = run.draft()["spec"].get("data")
            run.save_draft({**kept, "data": data} if data else {k: v for k, v in kept.items() if k != "data"})

    def draft_state(self, draft: str, owner: str = LOCAL) -> dict[str, Any]:
        """Return `{id, task, spec, files: [{name, bytes}], check: dict | None}` of a draft."""
        run = self._own(draft, owner)
        upload = run.directory / "data" / "upload"
        files = (
            [{"name": f.name, "bytes": f.stat().st_size} for f in sorted(upload.iterdir())] if upload.is_dir() else []
        )
        if not files:  # a check has unpacked them, and remembers what they were
            kept = read_json(run.directory / "data" / "upload.json") or {}
            files = [{"name": f["name"], "bytes": f["bytes"]} for f in kept.get("files", [])]
        spec = run.draft()["spec"]
        return {
            "id": run.id,
            "task": spec["task"],
            "spec": spec,
            "files": files,
            "check": read_json(run.directory / "check.json"),
        }

    def check(
        self,
        draft: str,
        spec: Mapping[str, Any],
        owner: str = LOCAL,
        *,
        token: str | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Read the data as the spec says, look for what is wrong, and split it.

        Blocks until done; a second call for the draft cancels the first. Returns what
        `check.json` holds (docs/architecture.md): findings about the data are part of it.

        Raises:
            UserError: the spec is wrong, the data cannot be opened, or the check was cancelled.
        """
        run = self._draft(draft, owner)
        resolved = self._resolve(spec)
        with self._lock:
            run.save_draft(resolved.spec.model_dump(mode="json", exclude_defaults=True))
        run.discard_check()
        with self._call(draft) as cancel:
            value = local.call(
                run.directory,
                "check",
                {"spec": resolved.complete()},
                progress=progress,
                limits=self.settings.limits,
                env=self._environment(token),
                cancel=cancel,
            )
        if (
            self.interactive
            and "preview" in resolved.task.can
            and not any(f["level"] == "error" for f in value["findings"])
        ):
            self._warm.warm(run.directory, "preview", {"spec": resolved.complete()}, self._environment(None))
        return dict(value)

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
        """Ask the source of a spec, one with a picker, what it holds; what is asked and answered is its own.

        Blocks until done; it takes the place of a check or question that is under way for the draft.

        files: moved into the draft first, for the source to read; other data of the draft stays.
        secrets: go to the worker through its standard input, and nowhere else.

        Raises:
            UserError: the spec is wrong, or the source cannot be read.
        """
        run = self._draft(draft, owner)
        resolved = self._resolve(spec)
        data = run.directory / "data"
        with self._call(draft) as cancel:
            try:
                if files:
                    paths = [Path(f) for f in files]
                    self._allow(paths)
                    _move(paths, data / "picked")
                context = {"spec": resolved.complete(), "question": dict(question), "secrets": dict(secrets or {})}
                return dict(
                    local.call(
                        run.directory,
                        "browse",
                        context,
                        progress=progress,
                        limits=self.settings.limits,
                        env=self._environment(None),
                        cancel=cancel,
                        grace=BROWSE_GRACE_SECONDS,
                    )
                )
            finally:
                # A worker that was ended has not cleaned up.
                shutil.rmtree(data / "picking", ignore_errors=True)
                shutil.rmtree(data / "picked", ignore_errors=True)

    def cancel_check(self, draft: str, owner: str = LOCAL) -> None:
        """End the draft's check, if one is under way."""
        self._own(draft, owner)
        with self._lock:
            call = self._calls.get(draft)
        if call:
            call.cancel.set()

    def preview(
        self, draft: str, spec: Mapping[str, Any], context: Mapping[str, Any] | None = None, owner: str = LOCAL
    ) -> list[Panel]:
        """Show what the training will see of a few rows, as the parameters of the spec make it."""
        run = self._draft(draft, owner)
        resolved = self._resolve(spec)
        self._need(resolved, "preview")
        sent = {**(context or {}), "spec": resolved.complete()}
        return list(self._warm.call(run.directory, "preview", sent, self._environment(None)))

    def probe(self, spec: Mapping[str, Any], owner: str = LOCAL, *, token: str | None = None) -> dict[str, Any]:
        """Look at the spec's model without loading its weights.

        Returns the task's facts (`parameters`, `input_size`, `labels` …) and `findings`.
        """
        resolved = self._resolve(spec)
        if "probe" not in resolved.task.can:
            return {"findings": []}
        folder = self.settings.home / "probe"
        folder.mkdir(parents=True, exist_ok=True)
        return dict(
            local.call(
                folder,
                "probe",
                {"spec": resolved.complete()},
                limits=self.settings.limits,
                env=self._environment(token),
            )
        )

    def defaults(self, task: str, model: str) -> dict[str, Any]:
        """Return the task's parameters as they are for a model when the user sets none."""
        found = self.tasks.get(task)
        return found.params.model_validate(defaults(found, model)).model_dump(mode="json")

    def estimate(self, draft: str, spec: Mapping[str, Any], owner: str = LOCAL) -> dict[str, Any]:
        """Say how much work the training is: `{train_rows, validation_rows, epochs, steps_per_epoch, steps}`.

        Empty before a check, and for tasks that do not count in epochs.
        """
        run = self._own(draft, owner)
        params = self._resolve(spec).params
        check = read_json(run.directory / "check.json")
        if not check or not hasattr(params, "epochs") or not hasattr(params, "batch_size"):
            return {}
        rows = int(check["splits"].get("train", 0))
        batch = params.batch_size * getattr(params, "gradient_accumulation", 1)
        per_epoch = max(1, -(-rows // batch)) if rows else 0
        return {
            "train_rows": rows,
            "validation_rows": int(check["splits"].get("validation", 0)),
            "epochs": params.epochs,
            "steps_per_epoch": per_epoch,
            "steps": per_epoch * params.epochs,
        }

    def start(self, draft: str, spec: Mapping[str, Any], owner: str = LOCAL, *, token: str | None = None) -> str:
        """Turn a draft into a run and put it into the queue; a second call changes nothing.

        Returns the run's id, which is the draft's.

        Raises:
            SpecError: the spec is wrong.
            DataError: the last check of the same data found errors.
        """
        run = self._own(draft, owner)
        if run.is_started():
            return run.id
        resolved = self._resolve(spec)
        secrets = self._secrets(token)
        signed_in = bool(secrets.token) or (not self.settings.shared and has_login())
        if resolved.spec.hub.push_to_hub and not signed_in:
            raise SpecError(
                "Publishing needs a token for the Hugging Face Hub.",
                "Set HF_TOKEN, run 'hf auth login', or switch push_to_hub off.",
                "hub.push_to_hub",
                "token-missing",
            )
        self._end_call(draft)  # a check of other settings must not write the data that is trained on
        check = read_json(run.directory / "check.json")
        found = [Finding.from_dict(f) for f in check["findings"]] if check else []
        if any(f.level == "error" for f in found) and run.draft()["spec"].get("data") == _data(resolved):
            raise DataError.from_findings(found)
        self._warm.drop(run.directory)  # it would take memory from the training
        run.freeze(resolved.complete())
        self._dispatcher.enqueue(run, secrets)
        return run.id

    # -- runs

    def runs(self, owner: str = LOCAL) -> list[dict[str, Any]]:
        """List the owner's runs, newest first, without drafts.

        Rows: `{id, task, project_name, model, data, state, created, finished, metrics, best_metric, path}`.
        """
        rows = []
        for run in self.store.list():
            try:
                if not run.is_started() or not self._owns(run, owner):
                    continue
                rows.append(self._row(self.snapshot(run.id) or {}, run))
            except UserError as error:
                if not self.settings.shared:  # whose it is cannot be read
                    rows.append(_unreadable(run, error))
        return sorted(rows, key=lambda r: r["created"] or 0, reverse=True)

    def snapshot(self, run: str, since: int | None = None) -> dict[str, Any] | None:
        """Return all that a viewer of the run sees; None when nothing changed since that version.

        Fields: see docs/architecture.md. One folding of the run's events serves all its viewers.
        """
        record = self.store.get(run)
        snapshot = self._snapshots.get(record, local.status)
        position = self._dispatcher.position(record) if snapshot["state"] == "queued" else None
        version = snapshot["version"] * 1000 + (position or 0)
        if since is not None and version == since:
            return None
        task = self._task(snapshot["task"])
        state, model = snapshot["state"], (record.directory / "model").is_dir()
        return {
            **snapshot,
            "version": version,
            "queue_position": position,
            "waiting_for_token": state == "queued" and self._dispatcher.lacks_token(record),
            "task_title": task.title if task else snapshot["task"],
            "best": _best(task, snapshot["metrics"]) if task else None,
            "can": {
                "stop": state in ACTIVE - {"stopping"} or state == "queued",
                "resume": state in RESUMABLE,
                "delete": state not in ACTIVE,
                "predict": model and task is not None and "predict" in task.can,
                "download": model,
            },
        }

    def log(self, run: str, offset: int = 0, limit: int = 65536) -> dict[str, Any]:
        """Return `{text, offset, size}`: the log from a byte offset; a negative one counts from the end."""
        path = self.store.get(run).directory / "log.txt"
        if not path.is_file():
            return {"text": "", "offset": 0, "size": 0}
        size = path.stat().st_size
        begin = max(0, size + offset) if offset < 0 else min(offset, size)
        with path.open("rb") as file:
            file.seek(begin)
            data = file.read(max(1, min(limit, 1 << 20)))
        whole = data[: data.rfind(b"\n") + 1] or data
        return {"text": whole.decode("utf-8", "replace"), "offset": begin + len(whole), "size": size}

    def stop(self, run: str, owner: str = LOCAL) -> None:
        """Ask the run to stop after its current step, keeping its weights; take it out of the queue."""
        record = self._own(run, owner)
        state = self._state(record)
        if state not in ACTIVE | {"queued"}:
            raise StateError(f"The run is {state}: there is nothing to stop.", code="not-running")
        self._dispatcher.request_stop(record, by=owner)

    def resume(self, run: str, owner: str = LOCAL, *, token: str | None = None) -> None:
        """Queue a new attempt that continues from the latest checkpoint, or from the beginning.

        A run that waits for a token lost by a restart gets the new one, and starts.
        """
        record = self._own(run, owner)
        state = self._state(record)
        if state == "queued" and self._dispatcher.lacks_token(record):
            self._dispatcher.enqueue(record, self._secrets(token))
            return
        if state not in RESUMABLE:
            raise StateError(
                f"The run is {state}: only a stopped, failed or interrupted run can be resumed.", code="not-resumable"
            )
        self._dispatcher.enqueue(record, self._secrets(token), resume=True)

    def delete(self, run: str, owner: str = LOCAL) -> None:
        """Remove the run and all its files.

        Raises:
            StateError: it is being trained.
        """
        record = self._own(run, owner)
        # By its control and event files alone: a run whose settings are damaged can be deleted too.
        if record.is_started() and record.state().name in ACTIVE and self._state(record) in ACTIVE:
            raise StateError("The run is being trained.", "Stop it first, then delete it.", code="still-running")
        self._end_call(run)
        self._warm.drop(record.directory)
        self._dispatcher.forget(record)
        self._snapshots.drop(record.id)
        self.store.delete(record)

    def again(self, run: str, owner: str = LOCAL) -> str:
        """Make a new draft with the settings and the data of a run; return its id.

        Uploaded data is linked, not copied, where the file system can.
        """
        old = self._own(run, owner)
        spec = old.spec()
        kept = {k: v for k, v in spec.items() if k in RunSpec.model_fields}
        new = self.store.create(spec["task"], owner, kept)
        if (old.directory / "data").is_dir():
            shutil.copytree(old.directory / "data", new.directory / "data", copy_function=_link, dirs_exist_ok=True)
        return new.id

    def predict(self, run: str, inputs: Sequence[Mapping[str, Any]], owner: str = LOCAL) -> list[dict[str, Any]]:
        """Apply the run's model; one input and one prediction as the task declares them.

        Files are given by absolute path.

        Raises:
            StateError: the run has no model yet.
        """
        record = self.store.get(run)
        if not (record.directory / "model").is_dir():
            raise StateError("The run has no model yet.", "Wait until it is done, or stop it.", code="no-model")
        context = {"inputs": [dict(i) for i in inputs]}
        return list(self._warm.call(record.directory, "predict", context, self._environment(None)))

    def form(self, run: str) -> dict[str, Any]:
        """Return what a row for the run's model is made of: `{"features": [{"name", "kind", "typical", …}], …}`.

        The fields of a feature are those of `training.tabular.frame.Feature`.

        Raises:
            StateError: the run has no model yet, or one that takes no rows of a table.
        """
        record = self.store.get(run)
        found = read_json(self._model(record) / "form.json")
        if not isinstance(found, dict) or not isinstance(found.get("features"), list):
            raise StateError("The model of this run takes no rows of a table.", code="no-form")
        return found

    def publish(self, run: str, owner: str = LOCAL, *, token: str | None = None) -> str:
        """Upload the run's model to the Hub; return its address there. May be tried again and again.

        Raises:
            UserError: there is no model or no token, or the upload failed.
        """
        record = self._own(run, owner)
        self._model(record)
        env = self._environment(token)
        return str(local.call(record.directory, "publish", {}, limits=self.settings.limits, env=env)["address"])

    def archive(self, run: str, owner: str = LOCAL) -> Path:
        """Return a zip of the model with its card, made once for each finished attempt."""
        record = self._own(run, owner)
        model = self._model(record)
        name = record.spec()["project_name"]
        newest = max(f.stat().st_mtime_ns for f in model.rglob("*") if f.is_file())
        path = record.directory / f"{name}.zip"
        if path.is_file() and path.stat().st_mtime_ns >= newest:
            return path
        partial = path.with_suffix(f".{threading.get_ident()}.partial")
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                for file in sorted(model.rglob("*")):
                    if file.is_file():
                        archive.write(file, Path(name) / file.relative_to(model))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def export(self, run: str, folder: str | Path, owner: str = LOCAL) -> Path:
        """Copy the model into a folder that is empty or does not exist; return the folder."""
        model = self._model(self._own(run, owner))
        target = Path(folder).expanduser().resolve()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise DataError(f"'{target}' exists and is not an empty folder.", "Name another one.", code="target-exists")
        shutil.copytree(model, target, dirs_exist_ok=True)
        return target

    def file(self, run: str, relative: str) -> Path:
        """Return a picture of the run that the page shows: only below check, preview, samples and report.

        Raises:
            NotFound: there is no such file, or it is none of those.
        """
        root = self.store.get(run).directory.resolve()
        try:
            path = (root / relative).resolve()
        except ValueError:  # a null byte
            raise NotFound("There is no such picture.", code="no-file") from None
        inside = path.is_relative_to(root) and path.relative_to(root).parts[:1]
        if not inside or inside[0] not in PUBLIC_FOLDERS or not path.is_file():
            raise NotFound("There is no such picture.", code="no-file")
        return path

    # -- views of a spec

    def yaml(self, spec: Mapping[str, Any]) -> str:
        """Return the run as YAML."""
        return views.yaml_view(self._parsed(spec), self.tasks)

    def command(self, spec: Mapping[str, Any]) -> str:
        """Return the run as a command."""
        return views.command_view(self._parsed(spec), self.tasks)

    def python(self, spec: Mapping[str, Any]) -> str:
        """Return the run as a Python call."""
        return views.python_view(self._parsed(spec), self.tasks)

    def parse_yaml(self, text: str) -> tuple[dict[str, Any], Secrets]:
        """Read YAML, AutoTrain's too, into a checked spec and the secrets that it names."""
        # On a shared page `${NAME}` must not read the server's environment.
        spec, secrets = from_yaml(text, {} if self.settings.shared else None)
        found = self._resolve(spec.model_dump(exclude_unset=True)) if spec.data.path else resolve(spec, self.tasks)
        return found.spec.model_dump(mode="json", exclude_defaults=True), secrets

    # -- inner

    def _parsed(self, spec: Mapping[str, Any]) -> RunSpec:
        return resolve(spec, self.tasks).spec

    def _resolve(self, spec: Mapping[str, Any]) -> Resolved:
        """Resolve a spec; fill in the source; make folders absolute; refuse those of a shared server."""
        resolved = resolve(spec, self.tasks)
        backend(resolved.spec.backend)
        data, model = resolved.spec.data, resolved.spec.model
        folder = _expanded(data.path)
        source = data.source
        if not source:
            samples = {s.name for s in resolved.task.samples}
            exists = bool(data.path) and not self.settings.shared and _exists(folder)
            looks_local = data.path.startswith(("/", "./", "../", "~"))
            elsewhere = "hub" if any(s.name == "hub" for s in resolved.task.sources) else "path"
            source = "path" if exists or looks_local else "sample" if data.path in samples else elsewhere
            # An option that only one source has, or an address on the web, says which source is meant.
            pickers = [s for s in resolved.task.sources if s.picker]
            meant = [s for s in pickers if "://" in data.path or any(o.name in data.options for o in s.options)]
            source = meant[0].name if meant else source
        declared = next((s for s in resolved.task.sources if s.name == source), None)
        if declared is None:
            raise SpecError(f"There is no data source '{source}'.", where="data.source", code="unknown-source")
        if declared.local_only and self.settings.shared:
            raise Forbidden(
                "Folders of the server cannot be used on a shared page.",
                "Upload the files, or name a dataset of the Hub.",
                "data.path",
                "folder-refused",
            )
        if LOGIN.search(data.path):
            # Not repeated in the message: it holds a password.
            raise SpecError(
                "An address with a login in it would be stored.", "Give it without.", "data.path", "address-login"
            )
        update: dict[str, Any] = {"source": source}
        if source == "path":
            update["path"] = str(folder.resolve())
        elif declared.picker and "://" not in data.path:
            if self.settings.shared and re.search(r"^~|[/\\]", data.path):
                raise Forbidden(
                    "Files of the server cannot be used on a shared page.",
                    "Upload them.",
                    "data.path",
                    "folder-refused",
                )
            if not self.settings.shared and data.path and _exists(folder):
                update["path"] = str(folder.resolve())
        listed = resolved.task.listed
        if self.settings.shared and model and not listed and not HUB_ID.fullmatch(model):
            raise Forbidden(
                "Folders of the server cannot be used as a model on a shared page.",
                "Name a model of the Hub, such as google/vit-base-patch16-224.",
                "model",
                "folder-refused",
            )
        is_folder = not self.settings.shared and not listed and model != TINY and _is_folder(model)
        spec_update: dict[str, Any] = {"data": data.model_copy(update=update)}
        if is_folder:
            spec_update["model"] = str(_expanded(model).resolve())
        return Resolved(resolved.spec.model_copy(update=spec_update), resolved.task, resolved.params)

    def _allow(self, paths: Sequence[Path]) -> None:
        """Refuse an upload of no files, of missing ones, or of too much."""
        if not paths:
            raise DataError("No file was given.", "Drop a zip, or the files themselves.", code="no-files")
        for path in paths:
            if not path.is_file():
                raise DataError(f"There is no file '{path.name}'.", "Upload it again.", code="missing-upload")
        total, limit = sum(p.stat().st_size for p in paths), self.settings.limits.upload_bytes
        if total > limit:
            raise DataError(
                f"The files have {total / 2**30:.1f} GiB; at most {limit / 2**30:.0f} GiB can be uploaded.",
                "Leave files out, or run the app where the data is and name the folder.",
                code="upload-too-large",
            )

    def _need(self, resolved: Resolved, capability: str) -> None:
        if capability not in resolved.task.can:
            raise StateError(f"{resolved.task.title} has no {capability}.", code=f"no-{capability}")

    def _secrets(self, token: str | None) -> Secrets:
        # Without one a worker of the local person uses HF_TOKEN or `hf auth login`; a visitor's never does.
        return Secrets(token=token)

    def _environment(self, token: str | None) -> dict[str, str]:
        secrets = self._secrets(token)
        caches = local.visitor_caches(self.settings.home, secrets) if self.settings.shared else {}
        return local.environment({**secrets.environment(), **caches}, visitor=self.settings.shared)

    def _owns(self, run: Run, owner: str) -> bool:
        return not self.settings.shared or run.owner() == owner

    def _own(self, run: str, owner: str) -> Run:
        record = self.store.get(run)
        if not self._owns(record, owner):
            raise Forbidden(
                "This run belongs to somebody else.", "You can look at it, not change it.", code="not-yours"
            )
        return record

    def _draft(self, draft: str, owner: str) -> Run:
        run = self._own(draft, owner)
        if run.is_started():
            raise StateError("This run was started already.", "Start again from its settings.", code="started")
        return run

    def _state(self, run: Run) -> str:
        return str(self._snapshots.get(run, local.status)["state"])

    def _model(self, run: Run) -> Path:
        model = run.directory / "model"
        if not model.is_dir():
            raise StateError("The run has no model yet.", "Wait until it is done, or stop it.", code="no-model")
        return model

    def _task(self, name: str) -> Any:
        try:
            return self.tasks.get(name)
        except NotFound:
            return None  # a run of a task whose package was removed can still be looked at

    def _row(self, snapshot: dict[str, Any], run: Run) -> dict[str, Any]:
        names = ("id", "task", "project_name", "model", "state", "created", "finished", "metrics")
        row = {name: snapshot.get(name) for name in names}
        spec = snapshot["spec"]
        row["data"] = spec["data"].get("path", "")
        row["task_title"] = snapshot["task_title"]
        row["queue_position"] = snapshot["queue_position"]
        row["can"] = snapshot["can"]
        return {**row, "best_metric": snapshot["best"], "path": str(run.directory)}

    @contextmanager
    def _call(self, draft: str) -> Iterator[threading.Event]:
        """Be the only call at work on a draft: the earlier one is cancelled, and has ended before this begins."""
        mine = _Call()
        while True:
            self._end_call(draft)
            with self._lock:
                if draft not in self._calls:
                    self._calls[draft] = mine
                    break
        try:
            yield mine.cancel
        finally:
            with self._lock:
                del self._calls[draft]
            mine.ended.set()

    def _end_call(self, draft: str) -> None:
        """Cancel the call at work on a draft, and wait until its worker writes no more."""
        with self._lock:
            call = self._calls.get(draft)
        if call is None:
            return
        call.cancel.set()
        if not call.ended.wait(CALL_ENDS_SECONDS):
            raise StateError("The earlier check does not end.", "Try again in a moment.", code="check-busy")


def wait(service: Service, run: str, *, every: float = 0.5) -> Iterator[dict[str, Any]]:
    """Yield the run's snapshots as they change, the last one in a state in which it has ended."""
    version = None
    while True:
        snapshot = service.snapshot(run, version)
        if snapshot is not None:
            version = snapshot["version"]
            yield snapshot
            if snapshot["state"] in ENDED:
                return
        time.sleep(every)


def _best(task: Any, metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    for name in (task.headline, *(m.name for m in task.metrics)):
        value = metrics.get(f"eval_{name}")
        if value is not None:
            return {"name": name, "value": value}
    return None


def _data(resolved: Resolved) -> dict[str, Any] | None:
    return resolved.spec.model_dump(mode="json", exclude_defaults=True).get("data")


def _unreadable(run: Run, error: UserError) -> dict[str, Any]:
    empty = dict.fromkeys(("task", "project_name", "model", "created", "finished", "best_metric", "data"))
    nothing = dict.fromkeys(("stop", "resume", "predict", "download"), False)
    return {
        **empty,
        "id": run.id,
        "state": "unreadable",
        "metrics": {},
        "path": str(run.directory),
        "reason": str(error),
        "can": {**nothing, "delete": True},
    }


class _Call:
    """A call at work on a draft: how to cancel it, and whether it has ended."""

    def __init__(self) -> None:
        self.cancel = threading.Event()
        self.ended = threading.Event()


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # a user that does not exist
        return Path(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or no name of a file at all
        return False


def _is_folder(name: str) -> bool:
    path = _expanded(name)
    return _exists(path) and path.is_dir()


def _move(paths: Sequence[Path], folder: Path) -> None:
    """Move uploaded files into a folder that is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        for path in paths:
            shutil.move(path, _free(folder / path.name))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(
            f"The upload could not be kept: {error.strerror or error}.",
            "Make room on the disk (delete runs that are no longer needed), then upload again.",
            code="upload-failed",
        ) from error


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)  # another file system, or one without hard links
    return target
