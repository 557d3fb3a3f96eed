"""A training worker that was started ahead: it imports the libraries of its task, and waits until its run is started.

It is the worker of one run from the beginning, with the process group, environment and memory limit of a training, but
it opens nothing of the run before that.
"""

from __future__ import annotations

import importlib
import os
import select
import shutil
import threading
import traceback
from pathlib import Path

from autotrain_gradio.worker.messages import log


def wait_for_start(directory: Path, module: str, seconds: float) -> bool:
    """Import a task's training, and return whether the run was started, by a line on stdin.

    False after so many seconds, and when the caller has exited. The output until the start is written to the log.
    """
    loaded = threading.Event()

    def load() -> None:
        try:
            for name in ("autotrain_gradio.data.pipeline.check", "autotrain_gradio.data.pipeline.materialize", module):
                importlib.import_module(name)
        except Exception:  # the training imports it again, and reports the error
            log(traceback.format_exc())
        finally:
            loaded.set()

    threading.Thread(target=load, name="import", daemon=True).start()
    stdin = select.poll()
    stdin.register(0, select.POLLIN)
    if not stdin.poll(1000.0 * seconds) or not os.read(0, 1):
        return False
    _redirect(directory)
    loaded.wait()
    return True


def _redirect(directory: Path) -> None:
    """Let the streams be those of a training: its log, and no input. stdout is a file so far, which is copied."""
    with (directory / "log.txt").open("ab", buffering=0) as file, open(os.dup(1), "rb") as output:
        output.seek(0)
        shutil.copyfileobj(output, file)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
