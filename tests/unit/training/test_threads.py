"""The number of threads follows the free cores."""

from __future__ import annotations

import pytest

from autotrain_gradio.training import threads


@pytest.mark.parametrize(
    ("free", "now", "wanted"),
    [
        (2.0, 2, 2),
        (1.6, 2, 2),
        (1.4, 2, 2),
        (1.2, 2, 1),
        (0.1, 2, 1),
        (1.4, 1, 1),
        (1.6, 1, 1),
        (1.8, 1, 2),
        (5.9, 2, 6),
    ],
)
def test_the_number_of_threads_follows_free_cores_with_hysteresis(free: float, now: int, wanted: int) -> None:
    assert threads.wanted_threads(free, now, 8) == wanted


def test_load_of_other_processes_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_cores", lambda: {0, 1})
    monkeypatch.setattr(threads, "cpu_quota", lambda: None)
    monkeypatch.setattr(threads.torch.cuda, "is_available", lambda: False)
    chosen = [2]
    monkeypatch.setattr(threads.torch, "get_num_threads", lambda: chosen[-1])
    monkeypatch.setattr(threads.torch, "set_num_threads", chosen.append)
    clock = threads.Load(0.0, 0.0, 0.0)
    watched = threads.Threads(lambda: clock, most=2)
    # Each second: idle cores and our own CPU time.
    for idle, own, expected in ((0.1, 1.9, 2), (0.2, 0.9, 1), (0.0, 1.0, 1), (0.9, 1.0, 2), (0.0, 2.0, 2)):
        clock = threads.Load(clock.time + 1, clock.idle + idle, clock.own + own)
        watched.adapt(clock.time)
        watched.adapt(clock.time + 0.1)  # too early: nothing is measured
        assert chosen[-1] == (2 if len(chosen) == 1 else expected), idle
    assert chosen == [2, 1, 2]


def test_a_container_has_the_cores_of_its_quota() -> None:
    before, now = threads.Load(0, 0, 0, 0), threads.Load(1, 60, 1.5, 2.0)
    assert threads.free_cores(before, now, quota=2.0) == pytest.approx(1.5)
    assert threads.free_cores(before, now) == pytest.approx(61.5)
