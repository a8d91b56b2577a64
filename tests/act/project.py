"""Small consumer projects: a model that is a Python function, its data, its mlgate.yaml, a workflow with the gate."""

from __future__ import annotations

import json
import re

from tests.act.consumer import Consumer
from tests.act.runner import ROOT

EXAMPLES = ROOT / "workflows-examples"
"""What a user copies."""

GOOD, WORSE, BAD = 7, 6, 2
"""Words that the model keeps of each input; the reference has the first seven."""

FIRST_WORDS = """\
def answer(text):
    return " ".join(text.split()[:{kept}])
"""

CONFIG = """\
version: 1
model:
  name: clerk
  python: model:answer
checks:
  notes:
    data: data.jsonl
    rules:
      rougeL: {rules}
"""


def model(kept: int = GOOD) -> str:
    """A model that is as good as it keeps words."""
    return FIRST_WORDS.format(kept=kept)


def config(rules: str = "{min: 0.6}", more: str = "") -> str:
    return CONFIG.format(rules=rules) + more


def rows(n: int = 24) -> str:
    """Examples whose words differ, so that a score says something."""
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"]
    lines = []
    for i in range(n):
        text = [f"{words[(i * 7 + j * (1 + i % 5)) % 12]}{(i + j) % 4}" for j in range(8 + i % 4)]
        row = {"id": f"n{i:02}", "input": " ".join(text), "reference": " ".join(text[:GOOD])}
        lines.append(json.dumps(row) + "\n")
    return "".join(lines)


def example(name: str = "pr.yml", /, **inputs: str | float) -> str:
    """A workflow of workflows-examples/, with other inputs for the gate."""
    text = (EXAMPLES / name).read_text()
    for key, value in inputs.items():
        given, line = key.replace("_", "-"), f"      {key.replace('_', '-')}: {json.dumps(value)}"
        if re.search(rf"(?m)^      {given}: ", text):
            text = re.sub(rf"(?m)^      {given}: .*$", lambda _, line=line: line, text)  # type: ignore[misc]
        else:
            text = f"{text.rstrip()}\n{line}\n"
    return text


def write(consumer: Consumer, files: dict[str, str], message: str = "change") -> str:
    """Write files and commit them; return the commit."""
    for name, text in files.items():
        consumer.write(name, text)
    return consumer.commit(message)


def project(consumer: Consumer, *, gate: str = "", workflow: str = "", **more: str) -> None:
    """Commit a project with a good model on main, then stand on a new branch `feature`."""
    files = {
        "model.py": model(),
        "data.jsonl": rows(),
        "mlgate.yaml": gate or config(),
        ".github/workflows/pr.yml": workflow or example(),
    }
    write(consumer, {**files, **more}, "the gate")
    consumer.branch("feature")
