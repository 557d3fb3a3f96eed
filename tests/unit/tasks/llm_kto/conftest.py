"""Fixtures of the tests of preferences."""

from tests.preferences import preference_trial

__all__ = ["preference_trial"]
