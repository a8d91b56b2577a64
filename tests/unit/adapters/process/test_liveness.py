"""A process is dead for certain only when it ran here and does not any more."""

from __future__ import annotations

import subprocess
import sys

from tests.support.child_environment import child_environment

from mlgate.adapters.process import liveness

SAYS = "from mlgate.adapters.process import liveness; print(liveness.token(), flush=True); input()"


def test_a_process_that_lives_is_not_dead_and_one_that_ended_is() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SAYS], stdin=-1, stdout=-1, text=True, env=child_environment()
    ) as other:
        assert other.stdout
        token = other.stdout.readline().strip()
        assert token
        assert not liveness.is_dead(f"host/7#{token}")
        other.communicate("\n")
    assert liveness.is_dead(f"host/7#{token}")


def test_this_process_lives() -> None:
    assert not liveness.is_dead(liveness.token())


def test_another_machines_process_and_no_token_at_all_are_not_known_to_be_dead() -> None:
    pid, start, machine = liveness.token().split(".")
    other = machine[::-1] if machine[::-1] != machine else "0" * 12
    assert not liveness.is_dead(f"{pid}.1.{other}")
    assert not liveness.is_dead("https://github.com/acme/summarizer/actions/runs/1")
    assert liveness.is_dead(f"{pid}.{int(start) + 1}.{machine}")
