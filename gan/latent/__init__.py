"""Everything that reads a generator: sampling, directions, walks. Headless; `explorer` and `catalogue` import
torch only when a model is opened.
"""
