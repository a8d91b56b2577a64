"""The load generator: a process of its own, standard library only, and what talks to it."""
