"""A Kubernetes cluster: its API, and the ways in which two models can share traffic there."""
