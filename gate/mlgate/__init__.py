"""mlgate: the gate between a pull request and production."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__version__ = "0.1.0"


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make `pytest -p mlgate` load the plug-in; nothing is imported until pytest asks.

    The command line has the last word: settings of a change that block the plug-in's module do not count.
    """
    pluginmanager.unblock("mlgate.pytest_plugin")
    pluginmanager.import_plugin("mlgate.pytest_plugin")
