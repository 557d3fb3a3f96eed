"""A warm worker: answers one call after another, and keeps loaded libraries and models in between."""

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
from autotrain_gradio.worker.messages import answer, log, send_progress
from autotrain_gradio.worker.run_verb import prepare, run_verb


def serve(directory: Path) -> None:
    """Answer each line of stdin until the caller closes it, or until no line has come for long enough.

    The first line is `{"idle_seconds"}`. A call is `{"verb", "context", "id"}`; `{"cancel": id}` cancels it;
    `{"verb", "context", "load_only": true}` prefetches what the verb needs and is not answered.
    """
    orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    cancelled: set[int] = set()

    def listen() -> None:
        for line in sys.stdin:
            order = json.loads(line)
            if "cancel" in order:
                cancelled.add(order["cancel"])
            else:
                orders.put(order)
        orders.put(None)  # the caller has exited

    threading.Thread(target=listen, name="listen", daemon=True).start()
    first, cache = orders.get(), ModelCache()
    idle = float(first["idle_seconds"]) if first else 0.0
    while True:
        try:
            order = orders.get(timeout=idle)
        except queue.Empty:
            return
        if order is None:
            return
        if order.get("load_only"):
            prefetch(directory, order["verb"], order["context"])
            continue

        def is_cancelled(number: int = order.get("id", 0)) -> bool:
            return number in cancelled

        work = partial(
            run_verb, directory, order["verb"], order["context"], send_progress, cancelled=is_cancelled, cache=cache
        )
        answer(directory, work, is_cancelled)
        cancelled.discard(order.get("id", 0))


def prefetch(directory: Path, verb: str, context: dict[str, Any]) -> None:
    """Import what a verb needs; a call that comes meanwhile waits, and gets progress messages.

    The imports run in a thread of low priority: at the same time a check may parse the data that somebody waits for.
    What only some calls need (`load_ahead`) is imported after that, and only those calls wait for it.
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
        except Exception:  # the boundary: the call that follows meets the same error, and answers with it
            log(traceback.format_exc())
        finally:
            loaded.set()

    threading.Thread(target=work, name="prefetch", daemon=True).start()
    loaded.wait()
