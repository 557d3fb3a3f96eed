"""The page: one module a part of it. Every task's tab is built from the task's declaration."""
