"""Latent vectors as numpy arrays: z from a seed, truncation, spherical interpolation.

The generators take z ~ N(0, I) of shape (z_dim,) directly; they have no mapping network. The z of a seed
depends only on (seed, z_dim), on every platform and for years.

Philox (Salmon et al. 2011) gives the random bits. Numpy guarantees a bit generator's raw stream (NEP 19), but
not its normal numbers. torch.randn differs between vector widths. Box-Muller in float64 makes the bits
normal. Rounding to float32 hides differences in the last bit of a platform's libm.
"""

from collections.abc import Sequence

import numpy as np

NOISE_STREAM, CLASS_STREAM = 0, 1
PARALLEL = 1e-6  # radians: below this, line and great circle agree to the last float32 digit


def latent(seed: int, z_dim: int) -> np.ndarray:
    """z of a seed (0 <= seed < 2^64): (z_dim,) float32 from N(0, I).

    A smaller z_dim gives the first numbers of a larger one.
    """
    return _normal(seed, NOISE_STREAM, z_dim).astype(np.float32)


def latents(seeds: Sequence[int], z_dim: int) -> np.ndarray:
    """z of each seed: (N, z_dim) float32."""
    return np.stack([latent(seed, z_dim) for seed in seeds])


def mixed_label(seed: int, num_classes: int) -> int:
    """The class that a seed chooses, uniform over 0..num_classes - 1 and independent of its z."""
    return int(_bits(seed, CLASS_STREAM, 1)[0] % np.uint64(num_classes))


def truncate(z: np.ndarray, psi: float) -> np.ndarray:
    """psi * z: 1 is the training distribution, 0 the single image of z = 0.

    BigGAN (Brock et al. 2019) instead redraws numbers beyond a threshold. Scaling is the truncation of
    StyleGAN (Karras et al. 2019) with the mean of N(0, I), which is 0. It changes images continuously, so it
    suits a slider.
    """
    return (z * np.float32(psi)).astype(np.float32)


def slerp(a: np.ndarray, b: np.ndarray, amounts: Sequence[float] | np.ndarray) -> np.ndarray:
    """The great circle from a to b, both (z_dim,), at T amounts in [0, 1]: (T, z_dim) float32.

    Directions follow Shoemake 1985. Lengths change linearly, so the path stays where N(0, I) has its mass
    (White 2016). If a and b are parallel, or one of them is zero, the path is a straight line. If they are
    opposite, a fixed rule chooses the great circle.
    """
    a64, b64, t = a.astype(np.float64), b.astype(np.float64), np.asarray(amounts, np.float64)[:, None]
    norm_a, norm_b = np.linalg.norm(a64), np.linalg.norm(b64)
    if min(norm_a, norm_b) == 0:
        return ((1 - t) * a64 + t * b64).astype(np.float32)
    unit_a, unit_b = a64 / norm_a, b64 / norm_b
    # The half-chord form is exact near 0 and near pi, where arccos of the dot product loses half its digits.
    angle = 2 * np.arctan2(np.linalg.norm(unit_a - unit_b), np.linalg.norm(unit_a + unit_b))
    if angle < PARALLEL:
        return ((1 - t) * a64 + t * b64).astype(np.float32)
    across = _across(unit_a, unit_b, angle)
    walk = np.cos(t * angle) * unit_a + np.sin(t * angle) * across
    return (walk * ((1 - t) * norm_a + t * norm_b)).astype(np.float32)


def _across(unit_a: np.ndarray, unit_b: np.ndarray, angle: float) -> np.ndarray:
    """The unit vector orthogonal to unit_a in the plane of both.

    If they are opposite, it points towards the axis along which unit_a is smallest.
    """
    towards = unit_b if angle < np.pi - PARALLEL else np.eye(len(unit_a))[np.argmin(np.abs(unit_a))]
    across = towards - (towards @ unit_a) * unit_a
    return across / np.linalg.norm(across)


def _bits(seed: int, stream: int, count: int) -> np.ndarray:
    return np.random.Philox(key=np.array([seed, stream], np.uint64)).random_raw(count)


def _normal(seed: int, stream: int, count: int) -> np.ndarray:
    """(count,) float64 from N(0, 1): Box and Muller 1958 turns pairs of 53-bit uniforms into pairs of
    normals.
    """
    uniform = (_bits(seed, stream, 2 * -(-count // 2)) >> np.uint64(11)).astype(np.float64).reshape(
        -1, 2
    ) * 2.0**-53
    length, angle = np.sqrt(-2 * np.log1p(-uniform[:, 0])), 2 * np.pi * uniform[:, 1]
    return np.stack([length * np.cos(angle), length * np.sin(angle)], axis=1).reshape(-1)[:count]
