"""What else is on a cluster that meets a rollout: autoscalers, and what asks a model by name. Only read, to warn."""
