"""Explore a generator: sampling, directions, searches, maps and loops.

No module here needs a user interface. `model_cache` and `catalogue` import no torch before a model is opened.
"""
