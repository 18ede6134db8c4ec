"""Benchmarks that a person runs by hand: each prints a table and asserts nothing."""
