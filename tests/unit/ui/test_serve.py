"""The login that the page requires, from the command line or the environment."""

from __future__ import annotations

import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.ui.serve import _login


def test_the_flag_takes_precedence_over_the_environment() -> None:
    env = {"AUTOTRAIN_GRADIO_AUTH": "teacher:se:cret"}
    assert _login(None, {}) is None
    assert _login(None, env) == ("teacher", "se:cret")
    assert _login("owner:other", env) == ("owner", "other")


@pytest.mark.parametrize("given", ["teacher", ":secret", "teacher:"])
def test_a_login_without_user_or_password_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="--auth needs"):
        _login(given, {})
    with pytest.raises(UserError, match="AUTOTRAIN_GRADIO_AUTH needs"):
        _login(None, {"AUTOTRAIN_GRADIO_AUTH": given})
