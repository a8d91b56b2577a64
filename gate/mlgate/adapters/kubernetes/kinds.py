"""The kinds of object that mlgate reads and writes, by group, version and plural."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of namespaced object."""

    group: str
    """Empty for the core group."""
    version: str
    name: str
    plural: str

    @property
    def api_version(self) -> str:
        """Return what stands in an object: `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str = "") -> str:
        """Return the address of the collection, or of one object."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")

    def __str__(self) -> str:
        return self.name


POD = Kind("", "v1", "Pod", "pods")
SERVICE = Kind("", "v1", "Service", "services")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
EVENT = Kind("", "v1", "Event", "events")
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets")
DISRUPTION_BUDGET = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
AUTOSCALER = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
SCALED_OBJECT = Kind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects")
HTTP_ROUTE = Kind("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")
INFERENCE_SERVICE = Kind("serving.kserve.io", "v1beta1", "InferenceService", "inferenceservices")
VERTICAL_AUTOSCALER = Kind("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler", "verticalpodautoscalers")
TRAINED_MODEL = Kind("serving.kserve.io", "v1alpha1", "TrainedModel", "trainedmodels")
INFERENCE_GRAPH = Kind("serving.kserve.io", "v1alpha1", "InferenceGraph", "inferencegraphs")
KNATIVE_SERVICE = Kind("serving.knative.dev", "v1", "Service", "services")
KNATIVE_REVISION = Kind("serving.knative.dev", "v1", "Revision", "revisions")

WORKLOADS = (INFERENCE_SERVICE, DEPLOYMENT)
"""What runs a model. A manifest has exactly one of them."""
BESIDE_WORKLOAD = (SERVICE, DISRUPTION_BUDGET, AUTOSCALER, SCALED_OBJECT)
"""What a manifest may have besides. Each release gets its own."""
MANIFEST_KINDS = {(kind.api_version, kind.name): kind for kind in (*WORKLOADS, *BESIDE_WORKLOAD)}
