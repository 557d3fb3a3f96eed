"""The app and the browser of the page's tests."""

from tests.ui.conftest import app, browser, own_app, visit

__all__ = ["app", "browser", "own_app", "visit"]
