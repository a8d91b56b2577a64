"""The checks that ask the model, as items of pytest: one a batch of examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mlgate.adapters.executors.pytest_selection import batches, node
from mlgate.core.check import Check, Example
from mlgate.pytest_plugin.collector import Collector


def plan_items(session: pytest.Session, collector: Collector) -> Iterator[pytest.Item]:
    """Yield one item a batch of examples. Which examples share a batch never changes a number."""
    for name, check, examples in batches(collector.plan):
        item: BatchItem = BatchItem.from_parent(session, name=name, nodeid=node(name))
        item.batch(collector, check, examples)
        yield item


class BatchItem(pytest.Item):
    """Observes one batch. It passes when it was carried out: what the answers are worth is judged later, once."""

    def batch(self, collector: Collector, check: Check, examples: Sequence[Example]) -> None:
        """Say what to observe."""
        self._collector, self._check, self._examples = collector, check, examples

    def runtest(self) -> None:
        """Ask, and send each row as it comes."""
        from mlgate.wiring.kinds import ASKING

        kind = ASKING[self._check.kind]
        for row in kind.observe(self._check, self._examples, self._collector.model):
            self._collector.rows.append(row)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the item in pytest's output."""
        return self.path, None, f"mlgate {self.name}"
