"""Workloads in; a table of rates, latencies and ratios to the skeleton, out."""
