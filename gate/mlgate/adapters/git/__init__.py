"""The repository: its commits, its objects, and what of them judges a change."""
