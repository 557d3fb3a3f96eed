"""Evaluators that tasks share: of classes, sets of labels, tokens, generated texts, and those of other libraries."""
