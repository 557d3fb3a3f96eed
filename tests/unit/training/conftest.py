"""Fixtures of the tests that train in this process."""

from tests.trials import text_trial, trial

__all__ = ["text_trial", "trial"]
