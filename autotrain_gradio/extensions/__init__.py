"""Extensions: a folder each, whose `__init__.py` holds `EXTENSION = Extension(...)` (see `tasks/extension.py`).

`tasks.registry.registry()` finds them, and adds what they bring to the tasks they fit. Nothing outside a folder names
the extension in it.
"""
