"""Measurements to repeat by hand: each prints a table and asserts nothing."""
