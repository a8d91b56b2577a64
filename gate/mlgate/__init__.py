"""mlgate: the gate between a pull request and production."""

__version__ = "0.1.0"

pytest_plugins = ("mlgate.pytest_plugin",)
"""What makes `pytest -p mlgate` load the plug-in; nothing is imported until pytest asks."""
