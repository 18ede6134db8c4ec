"""Scores of generated pictures: pure functions from tensors to numbers."""
