"""One outside thing a folder, translated to core types and GateError."""
