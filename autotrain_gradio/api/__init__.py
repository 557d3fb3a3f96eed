"""The Python API. Importing this package loads nothing: see `runs`."""
