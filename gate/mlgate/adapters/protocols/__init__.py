"""What is said to a model server, and how its replies are read."""
