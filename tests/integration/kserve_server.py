"""Starting a real KServe server: V1 and V2 on the newest release, the OpenAI routes on the last that needs no torch."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache"
PYTHON = Path(os.environ.get("MLGATE_KSERVE_PYTHON", CACHE / "kserve/bin/python"))
OPENAI_PYTHON = Path(os.environ.get("MLGATE_KSERVE_OPENAI_PYTHON", CACHE / "kserve-openai/bin/python"))
M = "summarizer"


@dataclass(frozen=True)
class Server:
    url: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(python: Path, script: str) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [str(python), "-u", str(HERE / script), str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=child_environment()
    ) as process:
        assert process.stdout is not None
        log = process.stdout
        said: list[str] = []
        drain = threading.Thread(target=lambda: said.extend(log))
        try:
            for line in log:
                said.append(line)
                if "Uvicorn running on" in line:
                    break
            else:
                pytest.fail("".join(said))
            drain.start()
            yield Server(f"http://127.0.0.1:{port}", process)
        finally:
            process.kill()
            if drain.ident is not None:
                drain.join()


def kserve_serving() -> Iterator[str]:
    """Yield the address of a server that speaks V1 and V2."""
    with serving(PYTHON, "kserve_model.py") as server:
        yield server.url


def openai_serving() -> Iterator[str]:
    """Yield the address of a server that speaks the OpenAI protocols."""
    if not OPENAI_PYTHON.is_file():
        (pytest.fail if "kserve" in os.environ.get("MLGATE_REQUIRE", "") else pytest.skip)(
            "needs KServe's OpenAI routes: make kserve, or set MLGATE_KSERVE_OPENAI_PYTHON"
        )
    with serving(OPENAI_PYTHON, "kserve_openai_model.py") as server:
        yield f"{server.url}/openai"
