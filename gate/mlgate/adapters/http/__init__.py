"""HTTP/1.1 to one server, with care."""
