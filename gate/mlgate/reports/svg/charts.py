"""The pictures of a verdict, for whoever keeps or shows them: the same SVG document for the same report."""

from __future__ import annotations

from mlgate.reports.svg.latency import latency
from mlgate.reports.svg.measurements import measurements

__all__ = ["latency", "measurements"]
