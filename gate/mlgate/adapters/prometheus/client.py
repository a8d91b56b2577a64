"""Prometheus' HTTP API: a query over a range of time. What is not a whole, plain answer is an error.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mlgate.adapters.http.address import Address
from mlgate.adapters.http.connection import Broken, HttpConnection, HttpReply, Unreachable
from mlgate.adapters.http.headers import checked
from mlgate.adapters.http.replies import STATUS_OK, known_secrets, wrong_status
from mlgate.core import strict_json
from mlgate.core.errors import AdapterError

TIMEOUT_S = 10.0
"""The longest that one answer may take."""
_GRID_S = 0.5
"""A sample that is further from every asked time is none of the answer's."""


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """The times that are asked for."""

    start: float
    """Unix time of Prometheus' clock, seconds."""
    step: float
    """Seconds."""
    steps: int
    """How many; there is one time more."""

    @property
    def end(self) -> float:
        """Return the last time."""
        return self.start + self.steps * self.step

    def index(self, at: float) -> int:
        """Return which time it is. Raises ValueError for none of them."""
        place = (at - self.start) / self.step
        if not (
            math.isfinite(place)
            and abs(place - round(place)) * self.step <= _GRID_S
            and 0 <= round(place) <= self.steps
        ):
            raise ValueError("a time that was not asked for")
        return round(place)


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """One series of an answer."""

    labels: Mapping[str, str]
    samples: Mapping[int, float]
    """By the time's place in the grid. A time without a sample is missing, and so is a value that is not finite."""


class Prometheus:
    """One server. Raises ConfigError for an address or header that cannot be used."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._address = Address.of(url)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._headers = checked({**form, **(headers or {})})
        self._redaction = known_secrets(self._address, headers or {})
        self._timeout_s = timeout_s

    def range(self, query: str, grid: TimeGrid) -> tuple[TimeSeries, ...]:
        """Return what *query* was at each time. Raises AdapterError when that is not known whole."""
        data = self._ask(
            "/api/v1/query_range", {"query": query, "start": grid.start, "end": grid.end, "step": grid.step}, "matrix"
        )
        try:
            return tuple(_series(one, grid) for one in data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._error(f"it answered with a series that cannot be read ({error})") from error

    def now(self) -> float:
        """Return what its clock says: Unix time, seconds. Raises AdapterError when it does not."""
        data = self._ask("/api/v1/query", {"query": "time()"}, "scalar")
        try:
            at = float(data[1])
        except (ValueError, TypeError, IndexError, KeyError) as error:
            raise self._error("it does not say what time it is") from error
        if not math.isfinite(at):
            raise self._error("it does not say what time it is")
        return at

    def _ask(self, path: str, form: Mapping[str, object], kind: str) -> Any:
        body = urlencode({key: repr(value) if isinstance(value, float) else value for key, value in form.items()})
        connection = HttpConnection(self._address, self._timeout_s)  # a kept one would be idle for longer than it lives
        try:
            reply = connection.post(self._address.target(path), body.encode(), self._headers)
        except Unreachable as error:
            raise self._error(f"it cannot be reached: {error}") from error
        except Broken as error:
            raise self._error(str(error)) from error
        finally:
            connection.close()
        return self._result(reply, kind)

    def _result(self, reply: HttpReply, kind: str) -> Any:
        try:
            answer = strict_json.loads(reply.body.decode("utf-8"))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            if reply.status != STATUS_OK:
                raise self._error(wrong_status(reply, self._redaction).why)
            raise self._error(f"its answer is no JSON object: {self._redaction.line(reply.body) or 'empty'}")
        if answer.get("status") != "success":
            why = self._redaction.line(str(answer.get("error") or "without a reason"))
            raise self._error(f"it refused the query (status {reply.status}): {why}")
        if reply.status != STATUS_OK:
            raise self._error(wrong_status(reply, self._redaction).why)
        if answer.get("warnings"):
            raise self._error(f"its answer may not be whole: {self._redaction.line(str(answer['warnings']))}")
        data = answer.get("data")
        if not (isinstance(data, dict) and data.get("resultType") == kind and isinstance(data.get("result"), list)):
            raise self._error(f"its answer is no {kind}")
        return data["result"]

    def _error(self, why: str) -> AdapterError:
        return AdapterError(f"Prometheus at {self._address}: {why}")


def _series(one: Any, grid: TimeGrid) -> TimeSeries:
    labels = {str(name): str(value) for name, value in one["metric"].items()}
    return TimeSeries(labels, dict(_samples(one["values"], grid)))


def _samples(values: Any, grid: TimeGrid) -> Iterator[tuple[int, float]]:
    for at, text in values:
        if not isinstance(text, str):
            raise TypeError("a value that is no text")
        value = float(text)
        if math.isfinite(value):
            yield grid.index(float(at)), value
