"""What a test demands of a run of the gate: outputs, results, exit code, summary and annotations tell one story."""

from __future__ import annotations

import html
import json
from typing import Any

from tests.act.ran import Ran


def held(ran: Ran, verdict: str, code: int, *says: str, check: str = "verdict") -> None:
    """The required check, its outputs, the exit code of the run and the summary agree, and say why."""
    assert (ran.output(check, "verdict"), ran.output(check, "exit-code")) == (verdict, str(code)), ran
    assert ran.job(check) == ("failure" if code else "success"), ran
    assert ran.code == (1 if code else 0), ran
    assert ran.summary, ran
    for part in says:
        assert part in shown(ran), shown(ran)


def shown(ran: Ran) -> str:
    """The summaries as a reader sees them."""
    return html.unescape("\n".join(ran.summary))


def report(ran: Ran, name: str = "mlgate") -> Any:
    return json.loads((ran.artifact(f"{name}-report") / "report.json").read_text())


def errors(ran: Ran) -> list[str]:
    """Each error that the run's page shows: `file:line: message`."""
    found = [a for a in ran.annotations if a["level"] == "error"]
    return [":".join([*(a[k] for k in ("file", "line") if k in a), f" {a['message']}"]) for a in found]


def one_error(ran: Ran, *says: str) -> None:
    (said,) = errors(ran)
    for part in says:
        assert part in said, said
