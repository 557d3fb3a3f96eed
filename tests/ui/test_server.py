"""The server: its routes are there with the first answer, and a signal ends it cleanly."""

from __future__ import annotations

import signal
import urllib.error
import urllib.request

import psutil
import pytest

from tests.browser import App


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_its_routes_answer_first_and_a_signal_ends_it(own_app: App, number: int, status: int) -> None:
    own_app.start()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{own_app.url}/autotrain/download/x", timeout=10)
    assert refused.value.code == 404 and b"download link has expired" in refused.value.read()
    assert own_app.process is not None
    draft = own_app.service.draft("toy-sorting")
    children = psutil.Process(own_app.process.pid).children(recursive=True)
    own_app.process.send_signal(number)
    assert own_app.process.wait(timeout=30) == status, own_app.log()
    assert "Traceback" not in own_app.log()
    assert not [c for c in children if c.is_running()]
    assert own_app.service.is_draft(draft)
