"""The benchmark: what Cauri does in a second, beside what its parts could do. Run ``python -m bench``; docs/benchmarks.md explains it."""
