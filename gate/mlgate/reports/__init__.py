"""From a Report to text, one format a file: rendering and escaping, never deciding."""
