"""Score generated images by pure functions from tensors to numbers, without files or clocks.

The functions work on features (N, D): one row an image, from a feature extractor or from raw pixels.
`frechet`, `kernel`, `manifold` and `two_sample` compare generated with real features. `modes` compares
predicted classes. `memory` tests whether G copies training images. `distances` also measures the diversity of
images. All computations are in float64, on the CPU or CUDA device of the features.
"""
