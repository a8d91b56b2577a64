"""Who carries out what a suite asks: this process, the workers of pytest, a load generator."""
