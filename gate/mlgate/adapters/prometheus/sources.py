"""Where requests are counted: by the model's server, by Knative, by a mesh or by a gateway. One entry each.

`$pods` and `$workloads` stand for what names one model: label matchers' regular expressions. They are filled in for
each of the two models of a rollout. Seen on the real thing: `kserve` and `traefik`; the others follow the projects' own
documents and sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricSource:
    """Which counters say what of one model. Selectors of PromQL; those of one field are added up."""

    requests: tuple[str, ...]
    errors: tuple[str, ...] = ()
    successes: tuple[str, ...] = ()
    """Where failures are not counted: what is counted of the others, and the rest failed."""
    buckets: str = ""
    """A histogram of times; empty: there is none."""
    sums: str = ""
    """How long the requests of that histogram took together."""
    unit_ms: float = 1000.0
    """Milliseconds in one unit of the histogram's `le`."""

    def of(self, names: Mapping[str, str]) -> MetricSource:
        """Return the source with the names of one model filled in."""

        def filled(selectors: Sequence[str]) -> tuple[str, ...]:
            return tuple(_filled(one, names) for one in selectors)

        return MetricSource(
            filled(self.requests),
            filled(self.errors),
            filled(self.successes),
            _filled(self.buckets, names),
            _filled(self.sums, names),
            self.unit_ms,
        )


def _filled(selector: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        selector = selector.replace(f"${name}", value.replace("\\", "\\\\").replace('"', '\\"'))
    return selector


_PODS = 'namespace="$namespace",pod=~"$pods"'
_TRAEFIK = 'service=~".*-svc-$namespace-$workloads-[0-9]+@kubernetesgateway"'
_ISTIO = 'reporter="destination",destination_workload_namespace="$namespace",destination_workload=~"$workloads"'

SOURCES: Mapping[str, MetricSource] = {
    "kserve": MetricSource(
        requests=(f"request_preprocess_seconds_count{{{_PODS}}}",),
        successes=(f"request_postprocess_seconds_count{{{_PODS}}}",),
        buckets=f"request_predict_seconds_bucket{{{_PODS}}}",
        sums=f"request_predict_seconds_sum{{{_PODS}}}",
    ),
    "knative": MetricSource(
        requests=(f"kn_serving_invocation_duration_seconds_count{{{_PODS}}}",),
        errors=(f'kn_serving_invocation_duration_seconds_count{{{_PODS},http_response_status_code=~"5.."}}',),
        buckets=f"kn_serving_invocation_duration_seconds_bucket{{{_PODS}}}",
        sums=f"kn_serving_invocation_duration_seconds_sum{{{_PODS}}}",
    ),
    "knative-1.18": MetricSource(
        requests=(f"revision_request_count{{{_PODS}}}",),
        errors=(f'revision_request_count{{{_PODS},response_code_class="5xx"}}',),
        buckets=f"revision_request_latencies_bucket{{{_PODS}}}",
        sums=f"revision_request_latencies_sum{{{_PODS}}}",
        unit_ms=1.0,
    ),
    "istio": MetricSource(
        requests=(f"istio_requests_total{{{_ISTIO}}}",),
        errors=(f'istio_requests_total{{{_ISTIO},response_code=~"0|5.."}}',),
        buckets=f"istio_request_duration_milliseconds_bucket{{{_ISTIO}}}",
        sums=f"istio_request_duration_milliseconds_sum{{{_ISTIO}}}",
        unit_ms=1.0,
    ),
    "traefik": MetricSource(
        requests=(f"traefik_service_requests_total{{{_TRAEFIK}}}",),
        errors=(f'traefik_service_requests_total{{{_TRAEFIK},code=~"5.."}}',),
        buckets=f"traefik_service_request_duration_seconds_bucket{{{_TRAEFIK}}}",
        sums=f"traefik_service_request_duration_seconds_sum{{{_TRAEFIK}}}",
    ),
    "vllm": MetricSource(
        requests=(f"vllm:request_success_total{{{_PODS}}}",),
        errors=(f'vllm:request_success_total{{{_PODS},finished_reason=~"abort|error"}}',),
        buckets=f"vllm:e2e_request_latency_seconds_bucket{{{_PODS}}}",
        sums=f"vllm:e2e_request_latency_seconds_sum{{{_PODS}}}",
    ),
    "triton": MetricSource(
        requests=(f"nv_inference_request_success{{{_PODS}}}", f"nv_inference_request_failure{{{_PODS}}}"),
        errors=(f"nv_inference_request_failure{{{_PODS}}}",),
    ),
}
