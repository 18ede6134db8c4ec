"""Test latent vectors: closed forms of truncation, slerp and neighbourhoods, and fixed numbers of seeds."""

import itertools
import math

import numpy as np
import pytest

from gan.latent.sampling import latent, latents, mixed_label, slerp, truncate


def angle(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return math.acos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))


def test_a_seed_gives_these_numbers_for_ever():
    # Computed once from Philox4x64-10 with the key (seed, 0). A change here would change every sample that
    # people have noted by its seed.
    assert latent(0, 4).tolist() == [
        0.00808869581669569,
        0.1521921306848526,
        -0.4468097388744354,
        -0.1914038062095642,
    ]
    assert latent(2**31 - 1, 4).tolist() == [
        -0.5533353090286255,
        0.08087830990552902,
        0.15827813744544983,
        -0.09763240814208984,
    ]
    assert [mixed_label(seed, 10) for seed in range(8)] == [8, 5, 3, 6, 1, 9, 3, 3]


def test_first_numbers_follow_box_and_muller():
    raw = np.random.Philox(key=np.array([5, 0], np.uint64)).random_raw(2)
    u, v = ((int(r) >> 11) / 2**53 for r in raw)
    length = math.sqrt(-2 * math.log(1 - u))
    assert latent(5, 2) == pytest.approx(
        [length * math.cos(2 * math.pi * v), length * math.sin(2 * math.pi * v)], rel=1e-6
    )


def test_latents_are_float32_and_do_not_depend_on_their_company():
    together = latents([3, 4, 3], 65)
    assert together.dtype == np.float32
    assert together.shape == (3, 65)
    assert np.array_equal(together[0], together[2])
    assert np.array_equal(together[1], latent(4, 65))
    assert np.array_equal(latent(4, 64), latent(4, 65)[:64])
    assert not np.array_equal(together[0], together[1])


def test_latents_are_standard_normal():
    z = latents(range(2000), 50).astype(np.float64).ravel()
    count = len(z)
    assert abs(z.mean()) < 4 / math.sqrt(count)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / count)
    assert abs((np.abs(z) < 1).mean() - math.erf(math.sqrt(0.5))) < 4 * math.sqrt(0.25 / count)
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96 / count)


def test_mixed_labels_are_uniform():
    counts = np.bincount([mixed_label(seed, 10) for seed in range(5000)], minlength=10)
    assert ((counts - 500) ** 2 / 500).sum() < 27.9  # chi-squared, 9 degrees of freedom, p = 0.001


def test_truncation_scales_and_zero_is_one_picture_for_all():
    z = latents([1, 2], 16)
    assert np.array_equal(truncate(z, 1.0), z)
    assert np.array_equal(truncate(z, 0.0), np.zeros_like(z))
    assert np.allclose(np.linalg.norm(truncate(z, 0.5), axis=1), np.linalg.norm(z, axis=1) / 2)
    assert truncate(z, 0.7).dtype == np.float32


def test_slerp_in_the_plane_is_the_circle():
    walk = slerp(np.array([2.0, 0.0], np.float32), np.array([0.0, 2.0], np.float32), [0, 1 / 3, 0.5, 1])
    assert walk == pytest.approx(
        np.array([[2, 0], [math.sqrt(3), 1], [math.sqrt(2), math.sqrt(2)], [0, 2]]), abs=1e-6
    )


def test_slerp_ends_norms_and_equal_angles():
    a, b = latent(1, 64), latent(2, 64) * np.float32(1.7)
    walk = slerp(a, b, np.linspace(0, 1, 9))
    assert walk[0] == pytest.approx(a, abs=1e-6)
    assert walk[-1] == pytest.approx(b, abs=1e-6)
    assert np.linalg.norm(walk, axis=1) == pytest.approx(
        np.linspace(np.linalg.norm(a), np.linalg.norm(b), 9), rel=1e-6
    )
    assert [angle(p, q) for p, q in itertools.pairwise(walk)] == pytest.approx(
        [angle(a, b) / 8] * 8, rel=1e-5
    )


def test_slerp_there_and_back_is_the_same_way():
    a, b = latent(8, 32), latent(9, 32)
    assert slerp(a, b, [0.25]) == pytest.approx(slerp(b, a, [0.75]), abs=1e-6)


@pytest.mark.parametrize("nudge", [0.0, 1e-9, 1e-7, 1e-5])
def test_slerp_of_parallel_vectors_is_the_straight_line(nudge):
    a = latent(1, 16).astype(np.float64)
    b = 3 * a + nudge * latent(2, 16)
    walk = slerp(a, b, [0, 0.25, 1])
    assert walk == pytest.approx(np.stack([a, 0.75 * a + 0.25 * b, b]), abs=1e-5)


@pytest.mark.parametrize("nudge", [0.0, 1e-9, 1e-7, 1e-5])
def test_slerp_of_opposite_vectors_stays_on_the_sphere(nudge):
    a = latent(1, 16).astype(np.float64)
    walk = slerp(a, -a + nudge * latent(2, 16), np.linspace(0, 1, 5))
    assert np.linalg.norm(walk, axis=1) == pytest.approx([np.linalg.norm(a)] * 5, rel=1e-5)
    assert [angle(p, q) for p, q in itertools.pairwise(walk)] == pytest.approx([math.pi / 4] * 4, rel=1e-4)


def test_slerp_from_zero_is_the_straight_line():
    b = latent(1, 8)
    assert np.array_equal(slerp(np.zeros(8, np.float32), b, [0, 0.5, 1]), np.stack([b * 0, b / 2, b]))
