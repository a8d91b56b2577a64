"""The process that a Python model lives in. Started by path, so it imports the standard library and nothing of ours.

Arguments: the numbers of three inherited pipes. Lines of JSON come in on the first and go out on the second; on the
third nothing ever comes, and its end is the gate's death. Standard output belongs to the model and is a log.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

LONGEST_ANSWER = 1 << 20
"""As in answer_text.py, which this file must not import: what is longer is not even sent."""

LONGEST_NUMBER = 4096
"""Bits of a whole number."""
_OF_MANY = "; a function that takes a list of inputs needs a batch: write python: {target: …, batch: 32}"
"""What to do where a list or an array came back for one input."""

_NOT_THEIRS = {__file__, importlib.__file__}


def main() -> None:
    """Load the target that the first line names, then answer every further line until they end."""
    asked, told, lifeline = (int(number) for number in sys.argv[1:4])
    for pipe in (asked, told, lifeline):
        os.set_inheritable(pipe, False)
    _die_with(lifeline)
    sys.argv = [""]
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - pathlib would be one more import
    with open(asked, encoding="ascii") as questions, open(told, "w", encoding="ascii") as answers:  # noqa: PTH123 - numbers
        first = json.loads(questions.readline() or "null")
        if first is None:
            return
        model, why = _loaded_callable(first["target"])
        _tell(answers.write, {"error": why} if model is None else {"ready": True})
        answers.flush()
        for question in questions:
            if model is not None:
                asked_for = json.loads(question)
                results = _answers(model, asked_for["inputs"], many=first["batch"] > 1)
                _tell(answers.write, {"number": asked_for["number"], "results": results})
                answers.flush()


def _die_with(lifeline: int) -> None:
    """See to it that this process and its children end when the gate does, whatever the model is doing then.

    A thread is enough while Python runs. On Linux the kernel itself sends the signal, also to a model that sits in C
    code and never lets a thread run.
    """
    if os.getpgrp() != os.getpid():
        return
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)

    def wait() -> None:
        os.read(lifeline, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def _tell(write: Callable[[str], object], value: dict[str, object]) -> None:
    write(json.dumps(value, ensure_ascii=True) + "\n")


def _loaded_callable(target: str) -> tuple[Callable[[object], object] | None, str]:
    """Return the callable, or None and why there is none."""
    module, _, attribute = target.partition(":")
    try:
        value: object = importlib.import_module(module)
        for name in attribute.split("."):
            value = getattr(value, name)
    except BaseException as error:  # noqa: BLE001 - foreign code may raise anything, SystemExit too
        return None, _error_text(error)
    if isinstance(value, type):
        return None, f"{attribute} is a class: name a function, or an instance that can be called"
    if not callable(value):
        return None, f"{attribute} is {type(value).__name__}, which cannot be called"
    return value, ""


def _answers(model: Callable[[object], object], inputs: list[object], *, many: bool) -> list[dict[str, object]]:
    """Return one `{"answer": …}` or `{"error": …}` an input."""
    try:
        found = model(inputs) if many else [model(inputs[0])]
    except BaseException as error:  # noqa: BLE001 - foreign code may raise anything, SystemExit too
        return [{"error": _error_text(error)}] * len(inputs)
    as_list = getattr(found, "tolist", None)
    if many and not isinstance(found, list | tuple) and callable(as_list):
        found = as_list()  # an array or a series, as scikit-learn's predict gives
    if not isinstance(found, list | tuple):
        return [{"error": f"answered {type(found).__name__} to a batch, not a list"}] * len(inputs)
    if len(found) != len(inputs):
        return [{"error": f"answered {len(found)} texts for {len(inputs)} inputs"}] * len(inputs)
    return [_answer(one) for one in found]


def _answer(value: object) -> dict[str, object]:
    """Return a text, number or truth value as JSON has it; the gate makes text of it."""
    if not isinstance(value, str | int | float) and getattr(value, "ndim", None) == 0:
        value = value.item()  # type: ignore[attr-defined]  # a number of numpy's or torch's
    if isinstance(value, str):
        if len(value) > LONGEST_ANSWER:
            return {"error": f"answered {len(value)} characters: more than {LONGEST_ANSWER} bytes are not taken"}
        return {"answer": str(value)}
    if isinstance(value, int | float):
        if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
            return {"error": "answered a number of too many digits"}
        number = value if isinstance(value, bool | int) else float(value)
        return {"answer": number} if number - number == 0 else {"error": f"answered {number}, not text"}
    many = _OF_MANY if isinstance(value, list | tuple) or hasattr(value, "ndim") else ""
    return {"error": f"answered {'None' if value is None else type(value).__name__}, not text{many}"}


def _error_text(error: BaseException) -> str:
    """Return the error's last line, and the line of code that it came from."""
    said = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError) and error.filename:
        return f"{said} ({_short(error.filename)}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename not in _NOT_THEIRS and not frame.filename.startswith("<frozen")]
    return f"{said} ({_short(own[-1].filename)}:{own[-1].lineno})" if own else said


def _short(path: str) -> str:
    here = os.getcwd() + os.sep  # noqa: PTH109 - pathlib would be one more import
    return path.removeprefix(here)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
