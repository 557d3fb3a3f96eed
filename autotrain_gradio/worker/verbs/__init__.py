"""Verbs of every task, one module each (`tasks.verbs.VERBS`): `run(call)`, and `load(call)` for prefetching."""
