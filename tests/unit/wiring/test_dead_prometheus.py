"""Whatever becomes of Prometheus in the middle of a rollout, nothing passes for it: the candidate goes back.

What reads, judges and decides is the product's own; the cluster is always well, and time is the test's.
`pytest -rP` prints how each rollout ended.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
from tests.support.fake_prometheus import NOW, Counter, FakePrometheus, dripping, endless, prometheus, send

from mlgate.adapters.prometheus.client import Prometheus
from mlgate.config.load import parse
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health, Phase, Plan, Reading, Rollout
from mlgate.flow.deploy.step_judge import RolloutJudge
from mlgate.wiring.traffic import traffic_rules

FILE = """\
version: 1
model: {{image: {{ref: acme/summarizer, protocol: kserve-v2}}}}
checks: {{speed: {{kind: latency, data: a.jsonl, load: {{rate: 5, duration: 20s}}, rules: {{p50_ms: {{max: 9}}}}}}}}
deploy:
  service: summarizer
  manifest: m.yaml
  steps: [25, 100]
  analysis:
    prometheus:
      url: {url}
      metrics:
        requests: ['requests_total{{pod=~"$pods"}}']
        errors: ['errors_total{{pod=~"$pods"}}']
        buckets: 'seconds_bucket{{pod=~"$pods"}}'
    rules:
      error_rate: {{max: 0.05, max_rise: 0.02}}
      p95_ms: {{max: 300}}
"""
PODS = {"old": "old-5d8f7b9c6d-x7k2p", "new": "new-6c9d8b7f5d-q4w9z"}
RATE = 20.0
BREAKS = NOW + 900
"""In the second half of the first step: until then all is well, and the rollout would go on."""

Reply = Callable[[BaseHTTPRequestHandler], None]


def deployed(name: str) -> Deployed:
    return Deployed(Release(), ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}},), name)


def growing(share: float) -> Counter:
    """Return a counter of this share of all requests."""
    return lambda at: RATE * share * (at - NOW + 9000)


def from_now_on(fake: FakePrometheus, then: Callable[[Counter, float], float | str | None]) -> None:
    """Let all counters be what *then* makes of them, from now on."""
    begin = fake.now

    def changed(before: Counter) -> Counter:
        return lambda at: then(before, at) if at >= begin else before(at)

    fake.series = [(labels, changed(counter)) for labels, counter in fake.series]


class Rolling:
    """A rollout of `new` beside `old`, and Prometheus, which counts both."""

    def __init__(self, fake: FakePrometheus) -> None:
        self.fake = fake
        self.breaks: Callable[[FakePrometheus], None] = lambda _: None
        begin = Rollout(Plan((25, 100), 1200.0, 300.0, NOW + 4500), NOW)
        self.record = ServiceRecord(accepted=deployed("old")).begin(deployed("new"), begin, mode="route", owner="me")
        for name, pod in PODS.items():
            self.count(name, pod)

    def count(self, name: str, pod: str, job: str = "models") -> None:
        share = 0.25 if name == "new" else 0.75
        for counter, part in (("requests_total", 1.0), ("errors_total", 0.001), ("seconds_count", 1.0)):
            self.fake.counter(counter, growing(share * part), pod=pod, job=job)
        for edge, part in (("0.1", 0.9), ("0.3", 0.99), ("+Inf", 1.0)):
            self.fake.counter("seconds_bucket", growing(share * part), pod=pod, job=job, le=edge)

    def ends(self) -> tuple[str, int, str]:
        """Roll out; return how it ended, the most that the candidate had, and why."""
        assert self.record.rollout is not None
        config = parse(FILE.format(url=self.fake.url), "mlgate.yaml")
        section = config.document.deploy
        assert section is not None
        assert section.analysis is not None
        judge = RolloutJudge(traffic=traffic_rules(config, section.analysis, "models", lambda: self.fake.now))
        is_broken = False
        while not self.rollout.state.phase.is_over:
            self.fake.now += 60
            if not is_broken and self.fake.now >= BREAKS:
                self.breaks(self.fake)
                is_broken = True
            judged = self.rollout.state.phase in (Phase.CHECKING, Phase.HOLDING)
            self.look(judge.judge(self.record) if judged else Judgement(None))
        most = max(state.weight(self.rollout.plan) for state in self.rollout.states)
        return self.rollout.state.phase.value, most, [one.why for one in self.rollout.states if one.why][-1]

    def look(self, found: Judgement) -> None:
        reading = Reading(self.fake.now, Health.READY, Health.READY, self.rollout.weight, is_settled=True)
        reading = replace(reading, judged=found.outcome, is_measured=found.is_measured, why=found.why)
        self.record = self.record.after(reading)

    @property
    def rollout(self) -> Rollout:
        assert self.record.rollout is not None
        return self.record.rollout


@pytest.fixture
def rolling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rolling]:
    monkeypatch.setattr(Prometheus.__init__, "__defaults__", (None, 0.3))  # seconds: it would wait for ten
    with prometheus() as fake:
        yield Rolling(fake)


def test_as_long_as_it_answers_a_good_candidate_is_promoted(rolling: Rolling) -> None:
    assert rolling.ends()[:2] == ("promoted", 100)


def test_counters_that_begin_again_promote_a_good_candidate_all_the_same(rolling: Rolling) -> None:
    def since_then(counter: Counter, at: float) -> float:
        now, then = counter(at), counter(BREAKS)
        assert isinstance(now, float)
        assert isinstance(then, float)
        return now - then

    rolling.breaks = lambda fake: from_now_on(fake, since_then)
    assert rolling.ends()[:2] == ("promoted", 100)


def answers(body: str | bytes, status: int = 200, **headers: str) -> Callable[[FakePrometheus], None]:
    """Give one answer to whatever is asked."""
    return replies(lambda handler: send(handler, body, status, **headers))


def replies(reply: Reply) -> Callable[[FakePrometheus], None]:
    def breaks(fake: FakePrometheus) -> None:
        fake.reply = reply

    return breaks


def becomes(value: float | str | None) -> Callable[[FakePrometheus], None]:
    """Make a value of all counters from now on."""
    return lambda fake: from_now_on(fake, lambda _, __: value)


def no_series(fake: FakePrometheus) -> None:
    fake.series = []


def no_candidate(fake: FakePrometheus) -> None:
    fake.series = [one for one in fake.series if one[0]["pod"] != PODS["new"]]


def two_jobs(fake: FakePrometheus) -> None:
    fake.series += [({**labels, "job": "pods"}, counter) for labels, counter in fake.series]


def stale(fake: FakePrometheus) -> None:
    last = fake.now
    fake.newest = lambda at: min(at, last)


def warned(handler: BaseHTTPRequestHandler) -> None:
    data = {"resultType": "matrix", "result": []}
    send(handler, json.dumps({"status": "success", "warnings": ["a store did not answer"], "data": data}))


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


EMPTY = '{"status": "success", "data": {"resultType": "matrix", "result": []}}'
LULL = "the deadline passed before the step was over: the candidate had no requests"
"""Neither of the two has any: as in a quiet night."""
BROKEN = {
    "it hangs up": replies(hangs_up),
    "an empty result": answers(EMPTY),
    "no series": no_series,
    "none of the candidate": no_candidate,
    "NaN": becomes("NaN"),
    "+Inf": becomes("+Inf"),
    "counters that stand still at 0": becomes(0.0),
    "no samples any more": becomes(None),
    "stale samples": stale,
    "two series of a pod": two_jobs,
    "status: error": answers('{"status": "error", "errorType": "execution", "error": "query timed out"}', 422),
    "status: error, with 200": answers('{"status": "error", "errorType": "bad_data", "error": "parse error"}'),
    "warnings": replies(warned),
    "HTML with 200": answers("<html>Sign in</html>", Content_Type="text/html"),
    "a redirect": answers("", 302, Location="http://127.0.0.1:9/"),
    "401": answers("no", 401, WWW_Authenticate="Basic"),
    "500": answers("no", 500),
    "truncated gzip": answers(gzip.compress(EMPTY.encode())[:-4], Content_Encoding="gzip"),
    "a slow drip": replies(dripping),
    "50 MB": replies(endless),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_prometheus_that_breaks_in_the_middle_promotes_nobody(rolling: Rolling, how: str) -> None:
    rolling.breaks = BROKEN[how]
    ended, most, why = rolling.ends()
    sys.stdout.write(f"{how:<24} {ended}, {most} % at most: {why}\n")
    assert (ended, most) == ("restored", 25)
    assert why.startswith(LULL if how == "counters that stand still at 0" else "the step did not pass within 1500 s: ")
