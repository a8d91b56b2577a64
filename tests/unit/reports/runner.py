"""How GitHub's runner finds commands in a step's output, for tests: stricter, for it takes any name as a command.

After actions/runner, src/Runner.Common/ActionCommand.cs: `TryParseV2` and `TryParse`.
"""

from __future__ import annotations

import re


def lines(output: str) -> list[str]:
    """Split as .NET's StreamReader does: at CR, LF and CRLF."""
    return re.split(r"\r\n|\r|\n", output)


def command(line: str) -> tuple[str, dict[str, str], str] | None:
    """Return a `::name key=value,…::message` line's parts, unescaped; None when it is no command."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    pairs = (part.split("=", 1) for part in properties.strip().split(",") if part)
    values = {pair[0]: _unescape(pair[1]) for pair in pairs if len(pair) == 2 and all(pair)}
    return name, values, _unescape(line[end + 2 :])


def legacy(line: str) -> str | None:
    """Return the name of a `##[name …]` anywhere in a line; None when there is none."""
    start = line.find("##[")
    end = line.find("]", start)
    return line[start + 3 : end].split(" ", maxsplit=1)[0] if start >= 0 and end >= 0 else None


def _unescape(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text
