"""What judges the steps of a rollout: the file's rules, and Prometheus, asked for the two models by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mlgate.adapters.kubernetes import manifest
from mlgate.adapters.kubernetes.kinds import INFERENCE_SERVICE, REPLICA_SET
from mlgate.adapters.prometheus.client import Prometheus
from mlgate.adapters.prometheus.sources import SOURCES, MetricSource
from mlgate.adapters.prometheus.traffic import MOST_WINDOWS, PrometheusTraffic
from mlgate.config.config import Config
from mlgate.config.sections.analysis import AnalysisSection, MetricsSection, PrometheusSection
from mlgate.config.translate.rules import analysis_rules
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.traffic import Traffic
from mlgate.flow.deploy.step_judge import TrafficRules
from mlgate.wiring.models import headers

_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
"""What Kubernetes makes hashes and suffixes of: no vowels, so that they are no words."""
_BEHIND = len("-0123456789-")
_LONGEST_PREFIX = 58
"""Characters of a pod's name before its suffix: Kubernetes cuts what is longer."""
_LATELY_S = 600.0
_LATELY_WINDOWS = 20
"""So long before now is looked at for what traffic there is: whichever is more."""


def traffic_rules(
    config: Config, section: AnalysisSection, namespace: str, now: Callable[[], float], most: int = MOST_WINDOWS
) -> TrafficRules:
    """Return the rules of a rollout's steps, and how they are read: in so many windows at most."""
    lag, reader = section.prometheus.interval.total_seconds(), _reader(section)

    def read(record: ServiceRecord, since: float, until: float) -> Traffic:
        assert record.candidate is not None
        mine = names(record.candidate, namespace)
        its = names(record.accepted, namespace) if record.accepted is not None else None
        return reader.read(mine, its, since=since, until=until, now=now(), most=most)

    decides = section.on_inconclusive == "checks"
    return TrafficRules(analysis_rules(config, section), read, lag, now, checks_decide=decides)


def present_traffic(section: AnalysisSection, deployed: Deployed, namespace: str, now: float) -> Traffic:
    """Return what was counted of the one model that serves, lately, as if it were a candidate."""
    span = max(_LATELY_S, _LATELY_WINDOWS * section.prometheus.interval.total_seconds())
    return _reader(section).read(names(deployed, namespace), None, since=now - span, until=now, now=now, is_new=True)


def names(deployed: Deployed, namespace: str) -> Mapping[str, str]:
    """Return what tells the metrics of one model from another's: its Deployment, and its pods, as patterns."""
    alone: Any = deployed.manifest[0]
    if alone["kind"] == REPLICA_SET.name:  # what Argo Rollouts makes of each revision
        name = str(alone["metadata"]["name"])
        return {"namespace": namespace, "workloads": re.escape(name), "pods": f"{re.escape(name)}-{_HASH}{{5}}"}
    runs = manifest.workload(deployed.manifest)
    name = str(runs["metadata"]["name"])
    workload = f"{name}-predictor" if manifest.kind_of(runs) is INFERENCE_SERVICE else name
    return {"namespace": namespace, "workloads": re.escape(workload), "pods": _pods(workload)}


def _pods(workload: str) -> str:
    """Return the pattern of a Deployment's pods' names: its own, a hash and a suffix, cut to what a pod may have."""
    whole = f"{re.escape(workload)}-{_HASH}{{1,10}}-{_HASH}{{5}}"
    if len(workload) + _BEHIND <= _LONGEST_PREFIX:
        return whole
    cut = f"{workload}-"[:_LONGEST_PREFIX]
    return f"{re.escape(cut)}[a-z0-9-]{{0,{_LONGEST_PREFIX - len(cut)}}}{_HASH}{{5}}"


def _reader(section: AnalysisSection) -> PrometheusTraffic:
    given = section.prometheus
    client = Prometheus(given.url, headers(given.headers))
    return PrometheusTraffic(client, _source(given), given.interval.total_seconds())


def _source(given: PrometheusSection) -> MetricSource:
    return SOURCES[given.source] if given.metrics is None else _own(given.metrics)


def _own(given: MetricsSection) -> MetricSource:
    unit_ms = 1000.0 if given.unit == "s" else 1.0
    buckets = given.buckets or ""
    sums = buckets.replace("_bucket{", "_sum{", 1)
    return MetricSource(given.requests, given.errors, buckets=buckets, sums=sums, unit_ms=unit_ms)
