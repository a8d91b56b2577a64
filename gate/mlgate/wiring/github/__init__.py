"""GitHub, as commands of a workflow reach it."""
