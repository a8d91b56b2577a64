"""Prometheus, or what speaks its API: Thanos, Mimir, VictoriaMetrics."""
