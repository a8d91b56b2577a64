"""The model under test, wherever it runs."""
