"""A desk: a project in a fresh folder, and mlgate as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.child_environment import child_environment
from tests.support.waiting import PATIENCE

from mlgate.cli.group import invoke

MODEL = """\
import os, sys, time

def answer(text):
    words = text.split()
    return " ".join(words[: len(words) // 2 + 3])

def lazy(text):
    return " ".join(text.split()[:2])
"""

CONFIG = """\
version: 1
model:
  name: clerk
  python: model:{function}
checks:
  notes:
    data: data.jsonl
    rules:
      rougeL: {{min: 0.2}}
      bleu: {{min: 1}}
"""


START = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell inherit that it is ignored
from mlgate.cli import main
main()
"""


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Desk:
    """A folder with a project in it."""

    root: Path
    capture: pytest.CaptureFixture[str]
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def rows(self, n: int = 40) -> list[dict[str, str]]:
        words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"]
        rows = []
        for i in range(n):
            text = " ".join(words[(i * 7 + j * (1 + i % 5)) % 12] + str((i + j) % 4) for j in range(8 + i % 5))
            reference = " ".join(text.split()[: 6 + i % 3])
            text += f" {i}" if i >= 60 else ""  # the words come round again, and no two rows may ask the same
            rows.append({"id": f"n{i:02}", "input": text, "reference": reference, "kind": "odd" if i % 2 else "even"})
        return rows

    def project(self, config: str = CONFIG, *, function: str = "answer", n: int = 40) -> None:
        self.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in self.rows(n)))
        self.write("model.py", MODEL)
        self.write("mlgate.yaml", config.format(function=function))

    def mlgate(self, *arguments: str) -> Done:
        """Run in this process: fast, for all that does not need a process of its own."""
        self.capture.readouterr()
        code = invoke(list(arguments))
        said = self.capture.readouterr()
        return Done(code, said.out, said.err)

    def spawn(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a real process."""
        return subprocess.Popen(self.command(arguments), cwd=self.root, env=self.env(), **options)

    def shell(self, *arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> Done:
        """Run a real process to its end."""
        done = subprocess.run(
            self.command(arguments),
            cwd=self.root,
            env={**self.env(), **(env or {})},
            timeout=PATIENCE,
            check=False,
            **options,
        )
        return Done(done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode())

    def command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-c", START, *arguments]

    def env(self) -> dict[str, str]:
        return child_environment(**self.environment)

    @property
    def verdict(self) -> Any:
        return json.loads((self.root / ".mlgate/verdict.json").read_text())

    @property
    def report(self) -> Any:
        return json.loads((self.root / ".mlgate/report.json").read_text())
