"""One outside thing a file, translated to core types and GateError."""
