"""`python -m autotrain_gradio.worker DIR VERB`: see `autotrain_gradio.worker.main`."""

from __future__ import annotations

import contextlib
import os
import sys

from autotrain_gradio.worker.main import main

if __name__ == "__main__":
    # Tearing down torch takes seconds, and some of its threads do not end: exit at once.
    status = main()
    with contextlib.suppress(OSError):  # a full disk, or a caller that has exited
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
