"""Measurements of PERFORMANCE.md, each a ratio in one run: ``python -m tests.benchmarks``."""
