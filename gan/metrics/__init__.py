"""Scores of generated pictures: pure functions from torch tensors to numbers, with no file and no clock.

They work on features, (N, D): one row a picture, from a feature net or from raw pixels. `frechet`, `kernel`,
`manifold` and `two_sample` compare generated with real features, `modes` compares predicted classes, `memory`
asks whether training pictures were copied, and `diversity` looks at the pictures themselves. Everything is
computed in float64, on the CPU or CUDA device that holds the features.
"""
