"""Kinds of columns: source texts and target texts."""
