"""Shared evaluators: classes, multi-label, tokens, generated texts, and evaluators of other libraries."""
