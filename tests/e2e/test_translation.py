"""WMT-style use: parallel text files; numbers and signatures are those that sacrebleu's command prints."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.e2e.desk import Desk
from tests.support.child_environment import child_environment

SOURCE = [f"Satz {i} über das Wetter, den Hafen und 1,5 Meter hohe Wellen." for i in range(30)]
FIRST = [f"Sentence {i} about the weather, the harbour and waves {1 + i / 10:.1f} metres high." for i in range(30)]
SECOND = [f"The {i}th sentence on weather & harbour: waves of {1 + i / 10:.1f} m." for i in range(30)]
ANSWERS = [f"Sentence {i} on the weather, the port and waves {1 + i / 10:.1f} metres high!" for i in range(29)] + [""]


def files(desk: Desk) -> None:
    for name, lines in (("wmt.src", SOURCE), ("ref.A", FIRST), ("ref.B", SECOND), ("answers.txt", ANSWERS)):
        desk.write(name, "".join(line + "\n" for line in lines))


@pytest.mark.parametrize(
    ("metric", "options", "flags"),
    [
        ("bleu", "", ["-m", "bleu"]),
        ("bleu", "{tokenize: intl, lowercase: true}", ["-m", "bleu", "--tokenize", "intl", "-lc"]),
        ("bleu", "{tokenize: char}", ["-m", "bleu", "--tokenize", "char"]),
        ("chrf", "", ["-m", "chrf"]),
        ("chrf++", "", ["-m", "chrf", "--chrf-word-order", "2"]),
        ("ter", "", ["-m", "ter"]),
    ],
)
def test_numbers_and_signatures_are_those_of_sacrebleus_command(
    desk: Desk, metric: str, options: str, flags: list[str]
) -> None:
    files(desk)
    bound = "max: 99" if metric == "ter" else "min: 1"
    metrics = f"    metrics: {{{metric}: {options}}}\n" if options else ""
    desk.write(
        "mlgate.yaml",
        "version: 1\nmodel: {answers: answers.txt}\nchecks:\n  mt:\n"
        f"    data: {{source: wmt.src, references: [ref.A, ref.B]}}\n{metrics}    rules: {{{metric}: {{{bound}}}}}\n",
    )
    assert desk.mlgate("check").code == 0
    (ours,) = desk.report["measurements"]
    command = [sys.executable, "-m", "sacrebleu", "ref.A", "ref.B", "-i", "answers.txt", "-w", "12", *flags]
    done = subprocess.run(command, cwd=desk.root, capture_output=True, check=True, text=True, env=child_environment())
    theirs = json.loads(done.stdout)
    assert ours["value"] == pytest.approx(theirs["score"], abs=1e-9)
    assert ours["signature"] == f"{theirs['name']}|{theirs['signature']}"
