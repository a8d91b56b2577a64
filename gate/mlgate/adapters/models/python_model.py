"""A model that is a Python function. It runs in a process of its own: the gate never imports it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.models import environment_names, python_process
from mlgate.adapters.models.python_source import source_digest
from mlgate.adapters.process.child import Child, Ended, Lost, Silent, Unruly
from mlgate.adapters.protocols.answer_text import LONGEST_ANSWER, text_or_failure
from mlgate.core.check import Example, Json
from mlgate.core.errors import ConfigError
from mlgate.core.evidence import NOT_ASKED
from mlgate.core.ports import Failure

MOST_ENDS = 3
"""After so many ends or timeouts in a row the model is not asked again."""

_FORGED = "the model wrote on the gate's own pipe"

PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_*", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    *("CUDA_*", "NVIDIA_*", "HF_*", "TRANSFORMERS_*", "TORCH_*", "OMP_*", "MKL_*", "OPENBLAS_*"),
)
"""The environment that a model sees; nothing that tells it who asks, and no secret that it was not given by name."""

_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


class PythonModel:
    """Calls `module:function` with one input, or with a list of *batch* inputs, and takes text back."""

    def __init__(
        self,
        target: str,
        root: Path,
        *,
        batch: int = 1,
        timeout_s: float = 60.0,
        load_timeout_s: float = 600.0,
        env_names: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if not _TARGET.fullmatch(target):
            raise ConfigError(f"{target!r} does not name a Python function", hint="write package.module:function")
        if batch < 1 or not (timeout_s > 0 and load_timeout_s > 0):
            raise ConfigError("batch begins at 1, and timeouts are positive")
        outer = os.environ if environment is None else environment
        self._target = target
        self._root = root.resolve()
        self._batch = batch
        self._timeout_s = timeout_s
        self._load_timeout_s = load_timeout_s
        names = (*PASSED_ON, *env_names)
        self._environment = {k: v for k, v in outer.items() if any(fnmatchcase(k, name) for name in names)}
        self._redaction = Redaction(outer[name] for name in env_names if name in outer)
        self._outer = frozenset(outer)
        self._process: Child | None = None
        self._asked = 0
        self._lost = 0
        self._hopeless = ""

    @cached_property
    def digest(self) -> str:
        """Return what stands for this model in provenance: its target and source files. Nothing is imported."""
        return source_digest(self._target, self._root)

    @cached_property
    def unseen(self) -> tuple[str, ...]:
        """Return the variables that the code reads, that are set here, and that it does not see."""
        return environment_names.unseen(
            environment_names.asked_for(self._target, self._root), self._environment, self._outer
        )

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        """Ask about *examples*, *batch* at a time, and yield answers in their order."""
        for start in range(0, len(examples), self._batch):
            yield from self._ask([example.input for example in examples[start : start + self._batch]])

    def close(self) -> None:
        """End the model's process and all that it started, within two seconds."""
        if self._process is not None:
            self._process.finish()
            self._process = None

    def _ask(self, inputs: list[Json]) -> list[str | Failure]:
        n = len(inputs)
        if self._process is None and not self._hopeless:
            self._load()
        if self._process is None:
            return [Failure(self._hopeless, "gate")] * n
        try:
            self._asked += 1
            question = _line({"number": self._asked, "inputs": inputs})
            line = self._process.exchange(question, self._timeout_s, 8 * LONGEST_ANSWER * n)
            results = _results(line, self._asked, n)
        except Lost as lost:
            why = self._redaction.line(f"{_why(lost, self._timeout_s)}{self._last_words()}", 400)
            self._give_up(self._process)
            self._lost += 1
            if self._lost >= MOST_ENDS:
                self._hopeless = f"{NOT_ASKED}the model was lost {MOST_ENDS} times in a row, last: {why}"
            return [Failure(why)] * n
        self._lost = 0
        return [self._result(one) for one in results]

    def _load(self) -> None:
        """Start the process and have it import the model. What fails here would fail again, and is remembered."""
        try:
            process = python_process.start(self._root, self._environment)
        except OSError as error:
            self._hopeless = f"cannot start {self._target}: {error}"
            return
        self._process = process
        try:
            first = _line({"target": self._target, "batch": self._batch})
            answer = _decoded_line(process.exchange(first, self._load_timeout_s, LONGEST_ANSWER))
            match answer:
                case {"ready": True}:
                    return
                case {"error": str(why)}:
                    pass
                case _:
                    why = _FORGED
        except Lost as lost:
            why = f"{_why(lost, self._load_timeout_s)}{self._last_words()}"
        self._hopeless = self._redaction.line(f"cannot load {self._target}: {why}{self._not_passed_on(why)}", 400)
        self._give_up(process)

    def _give_up(self, process: Child) -> None:
        process.kill()
        self._process = None

    def _last_words(self) -> str:
        printed = b"" if self._process is None else bytes(self._process.printed)
        lines = printed.decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"; it printed last: {last}" if last else ""

    def _result(self, result: Mapping[str, object]) -> str | Failure:
        match result:
            case {"answer": value}:
                return text_or_failure(value)
            case {"error": str(why)}:
                return Failure(self._redaction.line(f"{why}{self._not_passed_on(why)}", 400))
        return Failure(_FORGED)

    def _not_passed_on(self, why: str) -> str:
        """Return what an error that names a variable does not say: it is set, and kept from the model."""
        named = [name for name in self.unseen if name in why]
        if not named:
            return ""
        return f" ({named[0]} is set, and not passed on to the model: write env: [{', '.join(named)}] under python)"


def _why(lost: Lost, seconds: float) -> str:
    match lost:
        case Ended():
            return f"the model's process ended with {lost}"
        case Silent():
            return f"no answer within {seconds:g} s"
    return _FORGED


def _line(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode("ascii") + b"\n"


def _decoded_line(line: bytes) -> object:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unruly from error
    return value


def _results(line: bytes, number: int, n: int) -> list[Mapping[str, object]]:
    match _decoded_line(line):
        case {"number": answered, "results": list(results)} if answered == number and len(results) == n:
            if all(isinstance(one, dict) for one in results):
                return results
    raise Unruly
