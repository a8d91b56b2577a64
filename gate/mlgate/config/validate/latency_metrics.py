"""What a latency check's load and model can measure, of what its rules and metrics name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlgate.config.sections.load import HIGHEST_QUANTILE, TOO_HIGH, FindLoad, Load
from mlgate.config.validate.metric_choice import ResolvedCheck
from mlgate.config.yaml.fault import Complaint
from mlgate.core.latency.metrics import CACHE_SPEEDUP, FACTS, timing
from mlgate.core.metric import ERROR_RATE

_OF_A_CONTAINER = frozenset({*FACTS, "cpu_ms_per_request"} - {"max_rps"})
_OF_RATES = frozenset({"throughput_rps", "tokens_per_s", CACHE_SPEEDUP.name})


def unmeasured(check_id: str, check: ResolvedCheck, load: Load | None, *, image: bool) -> Iterator[Complaint]:
    """Yield every metric that a latency check names and could never measure.

    *load* is None when it is not sound; what depends on it is then not told. *image*: the model may be one.
    """
    for name, first in check.named.items():
        places = [one.steps for one in check.rules if one.metric == name]
        for says, hint in _reasons(name, load, image=image):
            for steps in places or [first]:
                yield Complaint(steps, says, hint, at_key=True)
    yield from _uncertain(check)
    if load is None:
        return
    start = ("checks", check_id, "load")
    if isinstance(load, FindLoad):
        if "max_rps" not in check.named:
            says = "looks for max_rps, and no rule names it"
            yield Complaint((*start, "find"), says, "write e.g. rules: {max_rps: {min: 50}}", at_key=True)
        for name in load.find if not load.stream else ():
            if _needs_stream(name):
                yield Complaint((*start, "find", name), *_UNSTREAMED, at_key=True)


def _uncertain(check: ResolvedCheck) -> Iterator[Complaint]:
    for one in check.rules:
        if one.metric == "max_rps" and one.rule.max_drop is not None:
            says = "cannot be held against a baseline: one search has no interval, and two of one model differ"
            yield Complaint((*one.steps, "max_drop"), says, "write min: the rate that you need", at_key=True)


_UNSTREAMED = ("needs replies in pieces", "write stream: true under load")


def _reasons(name: str, load: Load | None, *, image: bool) -> Iterable[tuple[str, str]]:
    """Yield why the metric cannot be measured, and what to do: the first reason is enough."""
    found = timing(name)
    if found and found.quantile > HIGHEST_QUANTILE:
        yield TOO_HIGH
    elif name in _OF_A_CONTAINER and not image:
        yield "is known of a model that mlgate starts from an image only", "write model: {image: {ref: NAME, …}}"
    elif load is not None and _needs_stream(name) and not load.stream:
        yield _UNSTREAMED
    elif name == "max_rps" and load is not None and not isinstance(load, FindLoad):
        yield "needs a search for it", "write load: {find: {p95_ms: 200}, most: 500}"
    elif isinstance(load, FindLoad):
        if name == ERROR_RATE.name:
            yield (
                "is a bound of the search: it overloads the model on purpose",
                "write load: {find: {error_rate: 0.01, …}}",
            )
        elif found or name in _OF_RATES:
            hint = "measure it in another check, e.g. with load: {rate: 50}"
            yield "is not measured by a search: it overloads the model on purpose", hint


def _needs_stream(name: str) -> bool:
    found = timing(name)
    return name == "tokens_per_s" or (found is not None and found.clock in {"ttft", "itl"})
