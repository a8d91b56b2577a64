"""The order of things: use cases as plain functions over ports. Read check.py first."""
