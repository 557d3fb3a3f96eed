"""Checks of a whole table: one module each, with `check(rows, request)`."""
