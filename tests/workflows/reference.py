"""The tables of inputs and outputs in the READMEs, made from the YAML, so that they cannot drift from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- inputs: made from the YAML -->", "<!-- /inputs -->"
"""What the made part of a page stands between."""

PAGES = {
    "action/gate/README.md": ("action/gate/action.yml",),
    "action/plan/README.md": ("action/plan/action.yml",),
    "action/build/README.md": ("action/build/action.yml",),
    "action/merge/README.md": ("action/merge/action.yml",),
    "action/promote/README.md": ("action/promote/action.yml",),
    "action/render/README.md": ("action/render/action.yml",),
    "action/report/README.md": ("action/report/action.yml",),
    "action/attest/README.md": ("action/attest/action.yml",),
    "action/deploy/README.md": ("action/deploy/action.yml",),
    "action/rollback/README.md": ("action/rollback/action.yml",),
    "action/watch/README.md": ("action/watch/action.yml",),
    "docs/reference/workflows.md": (
        ".github/workflows/gate.yml",
        ".github/workflows/build.yml",
        ".github/workflows/deploy.yml",
        ".github/workflows/comment.yml",
    ),
}
"""Each page, and what its tables are made from."""


def made(page: str) -> str:
    """Return the made part of a page."""
    several = len(PAGES[page]) > 1
    return "\n".join(line for path in PAGES[page] for line in _tables(path, titled=several))


def whole(page: str) -> str:
    """Return the page with its made part anew."""
    before, _, rest = (ROOT / page).read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{made(page)}\n{END}{rest.partition(END)[2]}"


def _tables(path: str, *, titled: bool) -> Iterator[str]:
    read = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    call: Mapping[str, Any] = read.get(True, {}).get("workflow_call", {}) if "jobs" in read else read
    if titled:
        yield from (f"## {Path(path).name}", "")
    yield from ("| input | default | what it is |", "|---|---|---|")
    for name, about in call.get("inputs", {}).items():
        default = "*required*" if about.get("required") else _shown(about.get("default", ""))
        yield f"| `{name}` | {default} | {about['description']} |"
    yield ""
    for kind in ("secret", "output"):
        if named := call.get(f"{kind}s"):
            yield from (f"| {kind} | what it is |", "|---|---|")
            for name, about in named.items():
                yield f"| `{name}` | {about['description']} |"
            yield ""


def _shown(default: object) -> str:
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else "empty"
