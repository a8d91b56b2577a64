"""A release on its way onto a cluster. Read rollout.py first."""
