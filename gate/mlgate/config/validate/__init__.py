"""What is wrong with a file that no section can know alone; every mistake with its place and the next step."""
