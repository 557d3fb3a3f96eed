"""Entry of a Space, and of `python app.py`: serves the page."""

from __future__ import annotations

import sys

from autotrain_gradio.ui.serve import main

if __name__ == "__main__":
    sys.exit(main())
