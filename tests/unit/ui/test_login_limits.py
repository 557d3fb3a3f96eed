"""Wrong passwords are slowed down, by address and all together."""

from __future__ import annotations

from autotrain_gradio.ui.login_limits import FREE, FREE_OF_ALL, LONGEST_SECONDS, LoginLimits


def test_each_further_wrong_password_doubles_the_pause() -> None:
    now = 100.0
    limits = LoginLimits(clock=lambda: now)
    assert [limits.begin("a") for _ in range(FREE)] == [0.0] * FREE
    pauses = []
    for _ in range(12):
        wait = limits.begin("a")
        pauses.append(wait)
        now += wait
        assert limits.begin("a") == 0.0
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0] and pauses[-1] == LONGEST_SECONDS
    assert limits.begin("b") == 0.0  # another address does not wait
    now += 3600
    assert limits.begin("a") == 0.0


def test_the_right_password_forgets_the_wrong_ones() -> None:
    limits = LoginLimits(clock=lambda: 100.0)
    for _ in range(FREE):
        limits.begin("a")
    limits.succeed("a")
    assert limits.begin("a") == 0.0


def test_many_addresses_together_are_slowed_down() -> None:
    limits = LoginLimits(clock=lambda: 100.0)
    waits = [limits.begin(f"address {number}") for number in range(FREE_OF_ALL + 1)]
    assert waits[:-1] == [0.0] * FREE_OF_ALL and waits[-1] > 0
