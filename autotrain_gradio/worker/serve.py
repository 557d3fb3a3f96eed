"""A warm worker: runs several calls in sequence, and caches loaded libraries and models between them."""

from __future__ import annotations

import json
import queue
import sys
import threading
import traceback
from functools import partial
from pathlib import Path
from typing import Any

from autotrain_gradio.runs import worker_process
from autotrain_gradio.runs.model_cache import ModelCache
from autotrain_gradio.worker.messages import answer, log, send_found, send_progress
from autotrain_gradio.worker.run_verb import prepare, run_verb


def serve(directory: Path) -> None:
    """Process each line of stdin until the caller closes it, or until the idle timeout.

    The first line is `{"idle_seconds"}`. A call is `{"verb", "context", "id"}`; `{"cancel": id}` cancels it;
    `{"verb", "context", "load_only": true}` prefetches the libraries of the verb, without a response.
    """
    requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    cancelled: set[int] = set()

    def listen() -> None:
        for line in sys.stdin:
            request = json.loads(line)
            if "cancel" in request:
                cancelled.add(request["cancel"])
            else:
                requests.put(request)
        requests.put(None)  # the caller has exited

    threading.Thread(target=listen, name="listen", daemon=True).start()
    first, cache = requests.get(), ModelCache()
    idle = float(first["idle_seconds"]) if first else 0.0
    while True:
        try:
            request = requests.get(timeout=idle)
        except queue.Empty:
            return
        if request is None:
            return
        if request.get("load_only"):
            prefetch(directory, request["verb"], request["context"])
            continue

        def is_cancelled(number: int = request.get("id", 0)) -> bool:
            return number in cancelled

        work = partial(
            run_verb,
            directory,
            request["verb"],
            request["context"],
            send_progress,
            found=send_found,
            cancelled=is_cancelled,
            cache=cache,
        )
        answer(directory, work, is_cancelled)
        cancelled.discard(request.get("id", 0))


def prefetch(directory: Path, verb: str, context: dict[str, Any]) -> None:
    """Import the libraries of a verb; a call that arrives meanwhile waits, and gets progress messages.

    The imports run in a thread of low priority, so that they do not slow a check that runs at the same time.
    Libraries that only some calls need (`load_ahead`) are imported afterwards, and only those calls wait for them.
    """
    loaded = threading.Event()

    def work() -> None:
        worker_process.lower_thread_priority()
        try:
            call, module = prepare(directory, verb, context, send_progress)
            needed = module.load(call)
            send_progress("Preparing", 1.0)
            loaded.set()
            getattr(needed, "load_ahead", lambda: None)()
        except Exception:  # the next call raises the same error, and sends it
            log(traceback.format_exc())
        finally:
            loaded.set()

    threading.Thread(target=work, name="prefetch", daemon=True).start()
    loaded.wait()
