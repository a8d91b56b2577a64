"""A manifest to begin with, from what the gate measured: what pods need, how long they load, when they are ready."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from mlgate.core.deploy.advice import Measured

Kind = Literal["inference-service", "deployment"]

_UNKNOWN_MEMORY_MI = 2048
_PERIOD_S = 5
_LEAST_STARTUP_S = 60


@dataclass(frozen=True, slots=True)
class StarterManifest:
    """What is written down."""

    name: str
    image: str
    """Without a digest: `mlgate deploy` fills in the one that was judged."""
    cpus: int
    gpus: int
    measured: Measured

    def render(self, kind: Kind) -> str:
        """Return the manifest's text."""
        template = _INFERENCE_SERVICE if kind == "inference-service" else _DEPLOYMENT
        indent = 8 if kind == "inference-service" else 10
        container = _indented(self._container(), indent)
        spread = _indented(_SPREAD.format(name=self.name), indent - 4)
        return (template + _BUDGET).format(
            name=self.name, container=container, spread=spread, tolerations=self._tolerations(indent - 4)
        )

    def _container(self) -> str:
        memory, why = self._memory()
        failures = math.ceil(max(_LEAST_STARTUP_S, 2 * self.measured.load_s) / _PERIOD_S)
        loads = f"measured: {self.measured.load_s:.0f} s" if self.measured.load_s else "not measured: it may need more"
        probe = "httpGet: {{path: {path}, port: {port}}}" if self.measured.ready_path else "tcpSocket: {{port: {port}}}"
        return _CONTAINER.format(
            image=self.image,
            port=self.measured.port,
            cpus=self.cpus,
            memory=memory,
            memory_why=why,
            gpu=f', nvidia.com/gpu: "{self.gpus}"' if self.gpus else "",
            probe=probe.format(path=self.measured.ready_path, port=self.measured.port),
            period=_PERIOD_S,
            failures=failures,
            budget=failures * _PERIOD_S,
            loads=loads,
        )

    def _memory(self) -> tuple[int, str]:
        peak = self.measured.peak_memory_mb
        if not peak:
            return _UNKNOWN_MEMORY_MI, "not measured: a guess"
        return self.measured.memory_limit_mi, f"measured: {peak:,.0f} MB at most, and a quarter more"

    def _tolerations(self, indent: int) -> str:
        line = "tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]"
        return f"\n{' ' * indent}{line}" if self.gpus else ""


def _indented(text: str, indent: int) -> str:
    return "\n".join(" " * indent + line if line else line for line in text.strip("\n").split("\n"))


_CONTAINER = """\
image: {image}                 # mlgate deploy fills in the digest that was judged
ports: [{{containerPort: {port}, protocol: TCP}}]
resources:
  requests: {{cpu: "{cpus}", memory: {memory}Mi{gpu}}}
  limits: {{cpu: "{cpus}", memory: {memory}Mi{gpu}}}    # {memory_why}
startupProbe:                  # {budget} s to load; {loads}
  {probe}
  periodSeconds: {period}
  failureThreshold: {failures}
readinessProbe:
  {probe}
  periodSeconds: {period}
"""

_SPREAD = """\
topologySpreadConstraints:     # the pods on nodes of their own, where there are several
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {{matchLabels: {{mlgate.dev/service: {name}}}}}
"""

_INFERENCE_SERVICE = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
spec:
  predictor:
    minReplicas: 2
    maxReplicas: 4
    autoScaling:               # up within half a minute, down after five
      metrics:
        - type: Resource
          resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 70}}}}
      behavior:
        scaleUp: {{stabilizationWindowSeconds: 30}}
        scaleDown: {{stabilizationWindowSeconds: 300}}
{spread}{tolerations}
    containers:
      - name: kserve-container
{container}
"""

_BUDGET = """\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {name}
spec:
  minAvailable: 1
"""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
{spread}{tolerations}
      containers:
        - name: model
{container}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {name}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  minReplicas: 2
  maxReplicas: 4
  metrics:
    - type: Resource
      resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 70}}}}
  behavior:                    # up within half a minute, down after five
    scaleUp: {{stabilizationWindowSeconds: 30}}
    scaleDown: {{stabilizationWindowSeconds: 300}}
"""
