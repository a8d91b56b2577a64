"""What Prometheus counted, as it is read: exactly, window by window, and with a hole where it is not known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from tests.support.fake_prometheus import NOW, Counter, FakePrometheus, prometheus

from mlgate.adapters.prometheus.client import Prometheus
from mlgate.adapters.prometheus.sources import SOURCES, MetricSource
from mlgate.adapters.prometheus.traffic import MOST_WINDOWS, PrometheusTraffic
from mlgate.core.deploy.traffic import Traffic, TrafficCounts

SOURCE = MetricSource(
    requests=('requests{pod=~"$pods"}',), errors=('errors{pod=~"$pods"}',), buckets='times_bucket{pod=~"$pods"}'
)
MINE, ITS = {"pods": "new-.*"}, {"pods": "old-.*"}
SINCE = NOW - 150
INTERVAL = 15.0


@pytest.fixture
def fake() -> Iterator[FakePrometheus]:
    with prometheus() as made:
        for pod in ("new-none", "old-none"):  # which has never failed
            made.counter("errors", lambda _: 0.0, pod=pod)
        yield made


def growing(rate: float, begins: float = 0.0) -> Callable[[float], float | None]:
    """Return a counter that grows evenly and is there from *begins* seconds after the step began."""
    return lambda at: rate * (at - SINCE) + 1000 if at >= SINCE + begins else None


def model(fake: FakePrometheus, pod: str, rate: float = 2.0) -> None:
    fake.counter("requests", growing(rate), pod=pod)
    for le, part in (("0.1", 0.5), ("0.25", 0.9), ("+Inf", 1.0)):
        fake.counter("times_bucket", growing(rate * part), pod=pod, le=le)


def read(fake: FakePrometheus, *, source: MetricSource = SOURCE, beside: bool = True, until: float = NOW) -> Traffic:
    reader = PrometheusTraffic(Prometheus(fake.url), source, INTERVAL)
    return reader.read(MINE, ITS if beside else None, since=SINCE, until=until, now=NOW)


def total(seen: Traffic) -> TrafficCounts:
    """Return what the candidate had in all windows."""
    known = [one.candidate for one in seen.windows if one.candidate]
    slower = tuple(map(sum, zip(*(one.slower for one in known), strict=True)))
    return TrafficCounts(sum(one.requests for one in known), sum(one.errors for one in known), slower)


def test_requests_errors_and_times_are_counted_window_by_window(fake: FakePrometheus) -> None:
    for pod in ("new-a", "new-b", "old-a"):
        model(fake, pod)
    fake.counter("errors", growing(0.2), pod="new-a")
    seen = read(fake)
    assert (seen.why, seen.edges_ms, len(seen.windows)) == ("", (100.0, 250.0), 10)
    assert [one.at for one in seen.windows] == [SINCE + 15 * n for n in range(1, 11)]
    for one in seen.windows:
        assert one.candidate is not None
        assert one.stable is not None
        assert (one.candidate.requests, one.stable.requests, one.stable.errors) == (60, 30, 0)
        assert one.candidate.errors == pytest.approx(3)
        assert one.candidate.slower == pytest.approx((30, 6))


def test_a_counter_that_begins_again_loses_nothing_that_was_seen(fake: FakePrometheus) -> None:
    fake.counter("requests", lambda at: 5000 + at - SINCE if at < SINCE + 60 else at - SINCE - 60, pod="new-a")
    assert total(read(fake, beside=False)).requests == 45 + 0 + 90


def test_errors_that_begin_in_a_process_that_was_there_are_counted_from_the_first(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    fake.counter("errors", lambda at: 7.0 if at >= SINCE + 60 else None, pod="new-a")
    assert total(read(fake, beside=False)).errors == 7


def test_a_process_that_appears_may_have_counted_for_long(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    fake.counter("requests", growing(2.0, begins=60), pod="new-b")
    assert total(read(fake, beside=False)).requests == 300 + 180


def test_what_was_missing_for_a_while_is_counted_when_it_is_seen_again(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    fake.counter("requests", lambda at: None if SINCE + 40 < at < SINCE + 70 else at - SINCE, pod="new-b")
    assert total(read(fake, beside=False)).requests == 300 + 150


def test_successes_make_errors_of_the_rest(fake: FakePrometheus) -> None:
    names = {"namespace": "n", "pods": "new-.*", "workloads": "new"}
    for name, rate in (("preprocess", 2.0), ("postprocess", 1.5)):
        fake.counter(f"request_{name}_seconds_count", growing(rate), pod="new-a", namespace="n")
    reader = PrometheusTraffic(Prometheus(fake.url), SOURCES["kserve"], INTERVAL)
    seen = reader.read(names, None, since=SINCE, until=NOW, now=NOW)
    assert (total(seen).requests, total(seen).errors) == (300, 75)


@pytest.mark.parametrize(("bad", "hung"), [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1)])
def test_a_request_that_is_under_way_has_not_failed_and_one_that_never_ends_has(
    fake: FakePrometheus, bad: float, hung: float
) -> None:
    """Two begin in a second, and each takes ten; more or fewer of them are under way from one scrape to the next."""
    names = {"namespace": "n", "pods": "new-.*", "workloads": "new"}

    def grows(rate: float, after: float = 0.0) -> Counter:
        return lambda at: 1000 + rate * max(0.0, at - SINCE + 30 - after) + 3 * math.sin(at) * bool(after)

    ended = 2 * (1 - hung)
    for name, counter in {
        "preprocess_seconds_count": grows(2),
        "predict_seconds_sum": grows(ended * 10, after=10),
        "postprocess_seconds_count": grows(ended - 2 * bad, after=10),
    }.items():
        fake.counter(f"request_{name}", counter, pod="new-a", namespace="n")
    reader = PrometheusTraffic(Prometheus(fake.url), SOURCES["kserve"], INTERVAL)
    seen = total(reader.read(names, None, since=SINCE, until=NOW, now=NOW))
    assert seen.requests == 300
    assert seen.errors == pytest.approx(300 * (bad + hung), abs=6)


def test_a_long_step_has_longer_windows_and_not_more(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    reader = PrometheusTraffic(Prometheus(fake.url), SOURCE, INTERVAL)
    week = 7 * 86_400.0
    seen = reader.read(MINE, None, since=NOW - week, until=NOW, now=NOW)
    assert len(seen.windows) <= MOST_WINDOWS
    assert seen.windows[-1].at > NOW - week / MOST_WINDOWS


def test_a_part_of_what_was_kept_is_what_a_reader_of_that_part_sees(fake: FakePrometheus) -> None:
    model(fake, "old-a")
    model(fake, "new-a")
    fake.newest = lambda at: at if at < NOW - 40 else NOW - 140  # the last windows are not measured
    reader = PrometheusTraffic(Prometheus(fake.url), SOURCE, INTERVAL)
    whole = reader.read(MINE, ITS, since=SINCE - 600, until=NOW, now=NOW, most=2000)
    for since in (SINCE - 600, SINCE + 15, SINCE + 22, NOW - 52, NOW - 8):
        for until in (NOW, NOW - 7, NOW - 45, NOW - 100):
            read = reader.read(MINE, ITS, since=since, until=until, now=NOW)
            assert whole.reread(since, until, compares=True) in (read, replace(read, edges_ms=whole.edges_ms))


def test_the_two_clocks_may_differ(fake: FakePrometheus) -> None:
    for pod in ("new-a", "old-a"):
        model(fake, pod)
    fake.now = NOW + 3600
    seen = read(fake)
    assert float(fake.asked[1]["start"]) == SINCE + 3600
    assert [one.at for one in seen.windows] == [SINCE + 15 * n for n in range(1, 11)]


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_what_is_no_number_is_a_hole(fake: FakePrometheus, value: str) -> None:
    model(fake, "old-a")
    fake.counter("requests", lambda _: value, pod="new-a")
    assert "Prometheus has no numbers of the candidate" in read(fake).why


def test_nothing_at_all_is_no_number(fake: FakePrometheus) -> None:
    assert read(fake).why == "Prometheus has no numbers of the candidate"
    model(fake, "new-a")
    assert read(fake).why == "Prometheus has no numbers of the model that serves"
    assert read(fake, beside=False).why == ""


def test_what_was_scraped_long_ago_is_no_news(fake: FakePrometheus) -> None:
    for pod in ("new-a", "old-a"):
        model(fake, pod)
    fake.newest = lambda at: min(at, SINCE + 60)
    assert read(fake).why == "Prometheus has no fresh numbers of the candidate"


def test_a_target_that_is_gone_at_the_end_is_no_news(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    fake.counter("requests", lambda at: at - SINCE if at < SINCE + 120 else None, pod="old-a")
    assert read(fake).why == "Prometheus has no fresh numbers of the model that serves"


def test_too_many_holes_are_too_many(fake: FakePrometheus) -> None:
    model(fake, "old-a")
    fake.counter("requests", lambda at: None if SINCE + 20 < at < SINCE + 100 else at - SINCE, pod="new-a")
    assert read(fake).why == "Prometheus has numbers of the candidate for 4 of 10 windows only"


def test_a_model_that_is_new_has_no_holes_before_it_began(fake: FakePrometheus) -> None:
    fake.counter("requests", lambda at: at - SINCE if at > SINCE + 100 else None, pod="new-a")
    reader = PrometheusTraffic(Prometheus(fake.url), SOURCE, INTERVAL)
    for is_new, why in ((True, ""), (False, "Prometheus has numbers of the candidate for 3 of 10 windows only")):
        assert reader.read(MINE, None, since=SINCE, until=NOW, now=NOW, is_new=is_new).why == why


def test_what_two_jobs_scrape_is_counted_by_neither(fake: FakePrometheus) -> None:
    model(fake, "old-a")
    for job in ("pods", "services"):
        fake.counter("requests", growing(2.0), pod="new-a", job=job, instance=f"{job}:8080")
    assert "new-a is counted twice, by pods and services" in read(fake).why


def test_two_services_of_a_gateway_for_one_model_are_added_up(fake: FakePrometheus) -> None:
    """Traefik counts by the rule of the route as well, and a rule's number changes when there is one more of them."""
    for name in ("new", "old"):
        for rule in (1, 2):
            service = f"httproute-models-mlgate-ep-web-{rule}-2d306a-svc-models-{name}-predictor-0@kubernetesgateway"
            labels = {"service": service, "instance": "gateway:8899", "job": "gateway", "code": "200"}
            fake.counter("traefik_service_requests_total", growing(2.0), **labels)
            fake.counter("traefik_service_request_duration_seconds_bucket", growing(2.0), **labels, le="+Inf")
    reader = PrometheusTraffic(Prometheus(fake.url), SOURCES["traefik"], INTERVAL)
    mine, its = ({"namespace": "models", "workloads": f"{name}-predictor"} for name in ("new", "old"))
    seen = reader.read(mine, its, since=SINCE, until=NOW, now=NOW)
    assert seen.why == ""
    assert total(seen).requests == pytest.approx(4.0 * INTERVAL * len(seen.windows))


def test_a_pod_that_answers_every_second_scrape_hides_no_error(fake: FakePrometheus) -> None:
    for pod in ("new-a", "new-b", "new-c"):
        model(fake, pod)
    for name in ("requests", "errors"):
        fake.counter(name, lambda at: None if (at - SINCE) % 30 else 2 * (at - SINCE), pod="new-d")
    seen = total(read(fake, beside=False))
    assert (seen.requests, seen.errors) == (1200, 300)


def test_a_pod_that_begins_again_elsewhere_is_not_counted_twice(fake: FakePrometheus) -> None:
    fake.counter("requests", lambda at: at - SINCE if at < SINCE + 60 else None, pod="new-a", instance="10.0.0.1:80")
    fake.counter(
        "requests", lambda at: at - SINCE - 60 if at >= SINCE + 60 else None, pod="new-a", instance="10.0.0.2:80"
    )
    seen = read(fake, beside=False)
    assert (seen.why, total(seen).requests) == ("", 45 + 90)


def test_a_histogram_that_not_every_pod_has_whole_is_none(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    assert read(fake, beside=False).edges_ms == (100.0, 250.0)
    fake.counter("requests", growing(2.0), pod="new-b")
    fake.counter("times_bucket", growing(2.0), pod="new-b", le="+Inf")
    fake.counter("times_bucket", growing(1.0), pod="new-b", le="0.1")
    assert read(fake, beside=False).edges_ms == (100.0,)
    fake.counter("requests", growing(2.0), pod="new-c")
    assert read(fake, beside=False).edges_ms == ()


def test_how_long_requests_took_together_is_read(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    fake.counter("times_sum", growing(0.3), pod="new-a")
    source = replace(SOURCE, sums='times_sum{pod=~"$pods"}')
    for one in read(fake, source=source, beside=False).windows:
        assert one.candidate is not None
        assert (one.candidate.timed, one.candidate.took_ms) == pytest.approx((30, 4500))


def test_times_are_asked_for_that_are_multiples_of_the_step(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    reader = PrometheusTraffic(Prometheus(fake.url), SOURCE, INTERVAL)
    seen = reader.read(MINE, None, since=SINCE + 4, until=NOW, now=NOW)
    assert float(fake.asked[1]["start"]) == SINCE + 15
    assert len(seen.windows) == 9


def test_two_processes_without_a_name_of_a_pod_are_two(fake: FakePrometheus) -> None:
    source = MetricSource(requests=('requests{app="$pods"}',), errors=('errors{app="$pods"}',))
    fake.counter("errors", lambda _: 0.0, app="new-.*", instance="10.0.0.1:1")
    for port in (1, 2):
        fake.counter("requests", growing(2.0), app="new-.*", instance=f"10.0.0.1:{port}")
    assert total(read(fake, source=source, beside=False)).requests == 600


def test_a_server_that_does_not_answer_is_why_there_is_nothing() -> None:
    reader = PrometheusTraffic(Prometheus("http://127.0.0.1:9"), SOURCE, INTERVAL)
    seen = reader.read(MINE, ITS, since=SINCE, until=NOW, now=NOW)
    assert "cannot be reached" in seen.why
    assert not seen.windows


@pytest.mark.parametrize(
    ("errors", "why"),
    [
        ('requests{pod=~"$pods",code=~"5.."}', ""),
        ('requests{pod=~"$pods",status=~"5.."}', "no series of requests has the label 'status'"),
        ('requests{pod=~"$pods",path="a=b,status=c",code!="200"}', ""),
        ('request_errors{pod=~"$pods"}', "Prometheus has no series of request_errors, which is to count errors"),
    ],
)
def test_a_counter_of_errors_that_could_never_count_one_is_no_measurement(
    fake: FakePrometheus, errors: str, why: str
) -> None:
    fake.counter("requests", growing(2.0), pod="new-a", code="200", path="/")
    source = MetricSource(requests=SOURCE.requests, errors=(errors,))
    seen = read(fake, source=source, beside=False)
    assert seen.why.startswith(why)
    assert bool(seen.why) == bool(why)


def test_buckets_of_two_kinds_share_their_common_edges(fake: FakePrometheus) -> None:
    model(fake, "new-a")
    fake.counter("requests", growing(2.0), pod="old-a")
    for le, part in (("0.1", 0.5), ("0.3", 0.9), ("+Inf", 1.0), ("abc", 0.1)):
        fake.counter("times_bucket", growing(2.0 * part), pod="old-a", le=le)
    assert read(fake).edges_ms == (100.0,)


def test_names_are_filled_in_and_cannot_break_out() -> None:
    found = SOURCE.of({"pods": 'a"b\\c'})
    assert found.requests == ('requests{pod=~"a\\"b\\\\c"}',)
