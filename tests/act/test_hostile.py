"""Everything that a model, its data and a pull request can name is hostile at once: it stays text on every page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.act.conftest import Act
from tests.act.consumer import Consumer
from tests.act.judged import held, report
from tests.act.project import config, example, model, write
from tests.unit.reports import runner

from mlgate.cli.group import invoke

pytestmark = pytest.mark.needs_act

HOSTILE = [
    "::set-output name=verdict::passed",
    "  ::error file=model.py::pwned",
    "x ##[set-output name=verdict;]passed",
    "::add-mask::e",
    "::stop-commands::pwned",
    "verdict=passed\nverdict<<EOF\npassed\nEOF\n::set-env name=pwned::1",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[31mPASSED \x9b31m",
    "a\r::set-output name=exit-code::0",
    "\u202eevil\u200b\u2028::error::pwned",
    "e" + "\u0301" * 60,
    "| a | `x` ``` ![x](http://evil.example/x) <img src=x onerror=alert(1)> @org/team #1 </details> <!-- ]]>",
    "$(touch pwned) `touch pwned`; touch pwned && ${{ github.token }}",
    "long " * 2000,
]
FOLDER = "gate $(touch pwned);`touch pwned`&ünï"
"""Where the gate's file is: a name that a shell would run."""
BRANCH = "x;$(touch${IFS}pwned)&'\"|@org/team-<img-src=x>`id`"

ANSWERS = """\
import json, sys
from pathlib import Path

HOSTILE = json.loads(Path(__file__).with_name("hostile.json").read_text())
for text in HOSTILE:
    print(text)
    print(text, file=sys.stderr)

def answer(text):
    if text.startswith("raise"):
        raise ValueError("\\n".join(HOSTILE))
    found = HOSTILE[sum(map(ord, text)) % len(HOSTILE)]
    print(found)
    return found
"""


CHECKS = """\
    slices: [kind]
  raising:
    data: raising.jsonl
    rules: {chrf: {min: 1}}
baseline: {from: file, path: kept.jsonl.gz}
"""


def rows(first: str) -> str:
    """Every text as an input, a reference and a slice."""
    lines = []
    for i in range(26):
        one, other = HOSTILE[i % len(HOSTILE)], HOSTILE[(i * 5 + 3) % len(HOSTILE)]
        text = f"{first}{i} beta gamma delta epsilon zeta eta"
        row = {"id": f"n{i:02}", "input": f"{text} {other}", "reference": f"{text} {one}", "kind": other[:90]}
        lines.append(json.dumps(row) + "\n")
    return "".join(lines)


def test_hostile_text_takes_no_effect_anywhere(
    act: Act, consumer: Consumer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = config("{min: 0.1, max_drop: 0.01}", CHECKS)
    names = json.dumps("clerk $(touch pwned) ::set-output name=verdict::passed <img src=x> @org/team")
    files = {
        f"{FOLDER}/model.py": model(),
        f"{FOLDER}/data.jsonl": rows("alpha"),
        f"{FOLDER}/raising.jsonl": rows("raise"),
        f"{FOLDER}/mlgate.yaml": gate.replace("name: clerk", f"name: {names}"),
        ".github/workflows/pr.yml": example(config=f"{FOLDER}/mlgate.yaml"),
    }
    write(consumer, files, "the gate")
    monkeypatch.chdir(consumer.root / FOLDER)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)  # our own CI is a pull request, which saves none
    assert invoke(["check", "-n", "0", "--save-baseline", "--bootstrap", "-o", str(tmp_path / "first")]) == 0
    consumer.commit("the baseline ::error::pwned")
    consumer.branch(BRANCH)
    write(consumer, {f"{FOLDER}/model.py": ANSWERS, f"{FOLDER}/hostile.json": json.dumps(HOSTILE)}, "$(touch pwned)")
    ran = act(consumer, consumer.pull_request(BRANCH))
    held(ran, "failed", 1, "FAILED")
    assert {finding["outcome"] for finding in report(ran)["findings"]} >= {"failed", "errored"}
    assert list(tmp_path.rglob("pwned")) == [], "a name was run"
    assert "pwned" not in str([sorted(found) for found in ran.outputs.values()])
    ours = {(note["level"], note["file"]) for note in ran.annotations}
    assert ours == {("error", f"{FOLDER}/mlgate.yaml")}, (
        "act cuts a message at its last `::`, GitHub at its first: ours"
    )
    for line in ran.log.splitlines():
        said = line.partition(" | ")[2]
        assert (runner.command(said), runner.legacy(said)) == (None, None), line
    assert not re.search(
        "[\x07\x9b\u202e\u200b\u2028]", "".join(line for line in ran.log.splitlines() if "ünï" in line)
    )
    (page,) = ran.summary
    assert len(page.encode()) < 1 << 20
    for raw in ("<img", "@org/team", "](http://evil", "\n::", "\x1b", "\u202e", "<!-- ]]>"):
        assert raw not in page, raw
