"""Measures, as medians over repeated runs; `docs/benchmarks.md` says what they mean."""
