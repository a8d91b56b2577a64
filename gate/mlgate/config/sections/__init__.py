"""One file a section of mlgate.yaml: its keys, and what their values may be."""
