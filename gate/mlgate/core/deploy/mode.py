"""The ways in which two models share a service's traffic, by the names that a file and a record have."""

from __future__ import annotations

ROUTE, DEPLOYMENT, REPLICAS, KNATIVE, STANDARD = "route", "deployment", "replicas", "knative", "standard"

ROUTED = (ROUTE, DEPLOYMENT)
"""mlgate's own HTTPRoute shares the traffic, and reaches each model by name."""
ONE_OBJECT = (KNATIVE, STANDARD)
"""One InferenceService runs both models."""
