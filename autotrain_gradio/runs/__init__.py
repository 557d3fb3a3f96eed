"""Runs: one directory each, written by the app and its worker, readable by anybody."""
