"""`python -m autotrain_gradio` is the command `autotrain-gradio`."""

from __future__ import annotations

import sys

from autotrain_gradio.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
