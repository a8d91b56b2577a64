"""What is remembered of a verdict, and which version of a model was live when. Pure."""
