"""What the doctor says of a timed project: the rules that are there, the baseline's own model, and how it ends."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from mlgate.cli.group import invoke
from mlgate.commands.doctor import examine
from mlgate.commands.doctor_finding import DoctorFinding
from mlgate.reports.content import text_width

RULES = "{p50_ms: {max_rise: 10%}, p95_ms: {max: 200}}"


def nowhere() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def project(folder: Path, rules: str = RULES, load: str = "{rate: 50}") -> Path:
    rows = [{"id": f"r{n}", "input": f"row {n}", "reference": f"row {n}"} for n in range(20)]
    (folder / "data.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    path = folder / "mlgate.yaml"
    model = f'endpoint: {{url: "{nowhere()}", protocol: kserve-v1, retries: 0}}'
    check = f"  speed:\n    kind: latency\n    data: data.jsonl\n    load: {load}\n    rules: {rules}\n"
    baseline = f'baseline: {{from: endpoint, url: "{nowhere()}"}}\n'
    path.write_text(f"version: 1\nmodel:\n  {model}\nchecks:\n{check}{baseline}")
    return path


def about(path: Path, what: str, *, ask: bool = False) -> list[DoctorFinding]:
    return [one for one in examine(path, ask=ask) if one.what == what]


def test_the_rule_that_nobody_wrote_is_told_apart(tmp_path: Path) -> None:
    (check,) = about(project(tmp_path), "check")
    assert "20 examples, 2 rules and one by itself: no request may fail" in check.said
    (check,) = about(project(tmp_path, "{p50_ms: {max_rise: 10%}, error_rate: {max: 0}}"), "check")
    assert "20 examples, 2 rules, data" in check.said


def test_a_baselines_model_is_asked_like_the_candidates(tmp_path: Path) -> None:
    (found,) = about(project(tmp_path), "baseline", ask=True)
    assert (found.state, found.exit_code) == ("bad", 3)
    assert "for speed: r0: could not connect to http://127.0.0.1" in found.said
    assert found.hint


def test_a_baselines_model_that_is_not_asked_is_not_called_fine(tmp_path: Path) -> None:
    (found,) = about(project(tmp_path), "baseline")
    assert found.state == "note"
    assert found.said.endswith("for speed: not asked")
    (found,) = about(project(tmp_path, "{p95_ms: {max: 200}}"), "baseline", ask=True)
    assert (found.state, "no rule compares with it" in found.said) == ("note", True)


def test_few_rounds_are_named(tmp_path: Path) -> None:
    short = [one.said for one in about(project(tmp_path, load="{rate: 50, duration: 4s}"), "")]
    assert short == ["only 8 rounds are judged: so few settle plain cases only; write a longer duration, or a budget"]
    assert about(project(tmp_path), "") == []


def test_a_mistake_in_the_file_ends_with_the_code_of_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project(tmp_path, load="{rate: 2, duration: 20s}")
    assert invoke(["doctor", "-c", str(path)]) == 2
    assert invoke(["doctor", "-c", str(project(tmp_path))]) == 3, "nobody answers"
    assert (
        max(text_width.width(line) for line in capsys.readouterr().out.splitlines() if str(tmp_path) not in line) <= 80
    )


def test_the_plan_says_how_long_load_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["plan", "-c", str(project(tmp_path))]) == 0
    assert "rows in 1 job, about 24 s of load" in capsys.readouterr().out
    assert invoke(["plan", "-c", str(project(tmp_path, load="{rate: 50}\n    budget: 60s"))]) == 0
    assert "about 14 to 64 s of load" in capsys.readouterr().out
