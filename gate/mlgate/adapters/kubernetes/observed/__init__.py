"""A rollout that somebody else moves, as the cluster shows it. Nothing here writes."""
