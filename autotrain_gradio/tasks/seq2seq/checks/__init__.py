"""Checks of pairs of texts."""
