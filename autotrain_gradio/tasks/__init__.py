"""One folder a task; `base.py` says what a task declares."""
