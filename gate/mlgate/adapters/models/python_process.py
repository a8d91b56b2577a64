"""One child process with a Python model in it: how it is started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from mlgate.adapters.process.child import Child

WORKER = Path(__file__).with_name("python_worker.py")
LOG_TAIL = 1 << 16
"""How much of what the model printed last is kept, in bytes."""


def start(root: Path, environment: Mapping[str, str]) -> Child:
    """Start it with pipes of its own: what the model prints is no answer. Raises OSError when the system cannot.

    MLGATE_PYTHON names an interpreter of the model's own; left out, it is ours. No bytecode is written into the model's
    tree: of a file that changes twice within a second, the next run would take the old one.
    """
    words = (os.environ.get("MLGATE_PYTHON") or sys.executable, "-u", "-P", "-B")
    asked, ask = os.pipe()
    told, tell = os.pipe()
    theirs, lifeline = os.pipe()
    heard, noise = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our interpreter, our file, no shell
            [*words, str(WORKER), str(asked), str(tell), str(theirs)],
            stdin=subprocess.DEVNULL,
            stdout=noise,
            stderr=noise,
            pass_fds=(asked, tell, theirs),
            cwd=root,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError:
        _close(ask, told, heard, lifeline)
        raise
    finally:
        _close(asked, tell, theirs, noise)
    return Child(process, ask, told, heard, lifeline, tail=LOG_TAIL)


def _close(*pipes: int) -> None:
    for pipe in pipes:
        os.close(pipe)
