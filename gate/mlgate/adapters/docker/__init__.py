"""The Docker engine: images that are found and built, models that run in a sandbox, the load generator beside them."""
