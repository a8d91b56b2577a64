"""Traps of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.e2e.hints.trap import Trap, replaced, taken

WORDS = ["the function returns a list", "it opens the file and reads it", "a cache keeps what was read before"]
DATA = "".join(
    json.dumps({"id": f"e{i}", "input": text, "reference": text, "lang": "en"}) + "\n" for i, text in enumerate(WORDS)
)
MODEL = "def answer(text):\n    return text\n"
START = "version: 1\nmodel: {python: model:answer}\n"
SOUND = "rules: {rougeL: {min: 0.3}}"
ASK = ("check", "-n", "0")


def _project(text: str) -> dict[str, str | bytes]:
    return {"mlgate.yaml": text, "data.jsonl": DATA, "model.py": MODEL}


def _rules(written: str) -> dict[str, str | bytes]:
    return _project(f"{START}checks:\n  notes:\n    data: data.jsonl\n    rules: {{{written}}}\n")


def _edit(old: str, pattern: str, new: str = "{}") -> Callable[[str, Path], None]:
    """Return what puts what *pattern* finds in the hint into the file, in place of *old*."""

    def follow(printed: str, folder: Path) -> None:
        replaced(folder / "mlgate.yaml", old, new.format(taken(pattern, printed)))

    return follow


def _line(old: str) -> Callable[[str, Path], None]:
    """Return what puts the line that is told in place of *old*."""
    return _edit(old, r"next: write ([^ ]+: \{.*?\}+)(?: |$)")


def _rule(name: str, written: str, pattern: str = r"next: write ([\d.]+)", new: str = "{}", old: str = "") -> Trap:
    """Return a trap of one number in `rules`: *written*, whose last number is what is replaced."""
    number = old or re.findall(r"[\d.,%-]+", written)[-1]
    return Trap(name, _rules(written), _edit(number, pattern, new), ASK)


def _metric(name: str, *, at_least: str = "0.3") -> Trap:
    """Return a trap of a metric's name of another library."""
    return Trap(
        f"the metric {name}", _rules(f"{name}: {{min: {at_least}}}"), _edit(name, r"(?:mean|write) `([^`]+)`"), ASK
    )


def _exported(printed: str, folder: Path) -> None:
    """Set the variable that is told, as a shell would; the project's own folder is where nothing else looks."""
    name = taken(r"next: export (\w+)=", printed)
    text = (folder / "mlgate.yaml").read_text()
    assert name in text
    (folder / "mlgate.yaml").write_text(text.replace(name, "PATH"))  # a variable that is set


def _moved_up(printed: str, folder: Path) -> None:
    taken(r"next: (move it one level up, beside `rules`)", printed)
    replaced(folder / "mlgate.yaml", ", slices: [lang]}", "}\n    slices: [lang]")


def _blank(printed: str, folder: Path) -> None:
    taken(r"next: (write \{input\})", printed)
    replaced(folder / "mlgate.yaml", "{question} {input}", "{input}")


def _baseline(printed: str, folder: Path) -> None:
    """Add the line that is told."""
    with (folder / "mlgate.yaml").open("a") as file:
        file.write(taken(r"next: add a line: (baseline: \{[^}]*\})", printed) + "\n")


def _nothing(printed: str, folder: Path) -> None:  # noqa: ARG001 - the trap's signature
    """Only the command is another one."""
    taken(r"next: run `mlgate (check)`", printed)


UNREACHED = "{endpoint: {url: http://127.0.0.1:9, protocol: openai-chat, retries: 0"

TRAPS: tuple[Trap, ...] = (
    Trap("a verb with a typo", _rules("rougeL: {min: 0.3}"), _nothing, ("chek", "-n", "0"), ASK),
    Trap("a number in place of a rule", _rules("rougeL: 0.5"), _line("rougeL: 0.5"), ASK),
    Trap("points in place of a rule", _rules("chrf: 40"), _line("chrf: 40"), ASK),
    Trap("a rate in place of a rule", _rules("wer: 15"), _line("wer: 15"), ASK),
    Trap("a percentage in place of a rule", _rules('rougeL: "30%"'), _line('rougeL: "30%"'), ASK),
    _rule("a decimal comma", "rougeL: {min: 0,5}"),
    _rule("a decimal comma in quotes", 'rougeL: {min: "0,5"}', old='"0,5"'),
    _rule("a number without its zero", "rougeL: {min: .5}"),
    _rule("a number in quotes", 'rougeL: {min: "0.5"}', old='"0.5"'),
    _rule("a limit in percent", "bleu: {min: 30%}"),
    _rule("a ratio in percent", "rougeL: {min: 30}"),
    _rule("an error rate in percent", "wer: {max: 15}"),
    _rule("an error rate that is none", "wer: {max: 1}", old="1}", new="{}}}"),
    _rule("another error rate in percent", "cer: {max: 8}"),
    _rule("points as a ratio", "ter: {max: 0.6}"),
    _rule("failures in percent", "error_rate: {max: 5}"),
    _rule("a negative limit", "rougeL: {min: -0.1}"),
    _rule("a limit that everything keeps", "rougeL: {min: 0}", r"e\.g\. ([\d.]+)", old="0}", new="{}}}"),
    _rule("min where lower is better", "wer: {min: 0.2}", r"next: write (\w+: [\d.]+)", old="min: 0.2"),
    _rule("success where failure is counted", "error_rate: {min: 0.99}", r"write (\w+: [\d.]+)", old="min: 0.99"),
    _rule("max where higher is better", "rougeL: {max: 0.9}", r"next: write (\w+: [\d.]+)", old="max: 0.9"),
    *(_metric(name) for name in ("f1", "meteor", "rouge", "rouge-l", "ROUGE-L", "em", "precision", "bertscore")),
    *(_metric(name, at_least="30") for name in ("BLEU", "sacrebleu", "chfr")),
    Trap("slices under rules", _rules("rougeL: {min: 0.3}, slices: [lang]"), _moved_up, ASK),
    Trap("a comparison without a baseline", _rules("rougeL: {min: 0.3, max_drop: 2%}"), _baseline, ASK),
    Trap(
        "a file in place of a baseline",
        _project(f"{START}checks:\n  notes: {{data: data.jsonl, {SOUND}}}\nbaseline: baseline.jsonl.gz\n"),
        _line("baseline: baseline.jsonl.gz"),
        ASK,
    ),
    Trap(
        "an address in place of an endpoint",
        _project(
            f"version: 1\nmodel: {{endpoint: 'http://127.0.0.1:9'}}\nchecks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"
        ),
        _edit("endpoint: 'http://127.0.0.1:9'", r"write (endpoint: \{url: [^ ,]+, protocol: [\w-]+\})"),
        ASK,
    ),
    Trap(
        "a function in place of a model",
        _project(f"version: 1\nmodel: model:answer\nchecks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"),
        _line("model: model:answer"),
        ASK,
    ),
    Trap(
        "a dot in place of a colon",
        _project(f"version: 1\nmodel: {{python: model.answer}}\nchecks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"),
        _edit("model.answer", r"next: write (\w+:\w+)"),
        ASK,
    ),
    Trap(
        "a file in place of a function",
        _project(f"version: 1\nmodel: {{python: model.py:answer}}\nchecks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"),
        _edit("model.py:answer", r"next: write (\w+:\w+)"),
        ASK,
    ),
    Trap(
        "a field in place of a list",
        _project(f"{START}checks:\n  notes: {{data: data.jsonl, slices: lang, {SOUND}}}\n"),
        _edit("slices: lang", r"next: write (\[\w+\])", "slices: {}"),
        ASK,
    ),
    Trap(
        "a key with a typo",
        _project(f"{START}cheks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"),
        _edit("cheks", r"did you mean `(\w+)`"),
        ASK,
    ),
    Trap(
        "a header whose variable is not set",
        _project(
            f"version: 1\nmodel: {UNREACHED}, headers: {{A: {{env: NOBODY_SET_THIS}}}}}}}}\n"
            f"checks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"
        ),
        _exported,
        ASK,
    ),
    Trap(
        "a model whose variable is not set",
        _project(
            "version: 1\nmodel: {python: {target: model:answer, env: [NOBODY_SET_THIS]}}\n"
            f"checks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"
        ),
        _exported,
        ASK,
    ),
    Trap(
        "a field that nothing fills",
        _project(
            f"version: 1\nmodel: {UNREACHED}, prompt: '{{question}} {{input}}'}}}}\n"
            f"checks:\n  notes: {{data: data.jsonl, {SOUND}}}\n"
        ),
        _blank,
        ASK,
    ),
)
