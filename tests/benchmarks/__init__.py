"""The targets for speed, memory and bytes, each measured as a ratio in one run: ``python -m tests.benchmarks``."""
