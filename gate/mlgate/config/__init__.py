"""mlgate.yaml → Config → core types. The only room that knows pydantic and YAML."""
