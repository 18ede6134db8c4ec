"""Draw the random facts of landscapes, the colours of the hour, and the noise textures of surfaces."""

import numpy as np

SIDE = 64
KINDS = ("mountains", "sea")
# First and last hour of each time of day.
PHASES = {"at dawn": (5.2, 6.8), "by day": (8.0, 16.5), "at dusk": (17.9, 19.6), "at night": (21.0, 28.0)}
CLASSES = tuple(f"{kind} {phase}" for kind in KINDS for phase in PHASES)
RIDGES = 4  # far to near

# One row of colours for each hour of the day. The columns are those of _ROLES: zenith, middle and horizon of
# the sky, glow around the sun. Then follow light and shadow on surfaces, and the lit and shaded side of
# clouds. Other hours are interpolated.
_ROLES = ("zenith", "middle", "low", "glow", "light", "shadow", "cloud", "cloud_shade")
_HOURS = {
    0.0: ("070c28", "101c4a", "2c4078", "6a80bc", "6478b0", "0c1430", "34446e", "182248"),
    4.2: ("0a1236", "1a2a62", "3e4c8a", "6a7cb4", "6474ac", "0e1636", "3a4578", "1c2450"),
    5.3: ("2c4690", "8a7cb8", "f0a0a0", "ffb090", "8a80a8", "20264e", "e8a0b0", "6a6498"),
    6.1: ("5a86cc", "c8b4d8", "ffd0a8", "ffd890", "d8a8a0", "3a4270", "ffc8b8", "a08cb8"),
    7.0: ("5a9ade", "b8d4ee", "ffeac4", "ffeeb0", "f0d4b0", "46547e", "fff0dc", "b4b4d0"),
    9.0: ("2f80d8", "84bcf0", "d6ecf4", "fff8d8", "fff4dc", "48608c", "ffffff", "b8c6dc"),
    12.0: ("1668cc", "5aa4ec", "bce0f6", "fffce8", "fffaea", "4a6694", "ffffff", "b0c2dc"),
    16.0: ("3080d0", "8cbce4", "f0e6cc", "fff0b8", "ffedc4", "4c5c86", "fff6e4", "b4b8cc"),
    17.8: ("4a78b8", "d8b098", "ffcf78", "ffc050", "ffc884", "483e62", "ffdca0", "a88a98"),
    18.6: ("3c4690", "d06878", "ff9c48", "ff7a28", "f08850", "2e2650", "ff9468", "74507c"),
    19.3: ("22286c", "7c3c80", "f0685c", "f05838", "a85460", "1a1a40", "d85c6c", "4a3468"),
    20.4: ("0c1440", "242c6c", "584c88", "705890", "44487c", "0c1030", "3c3a70", "1c2050"),
    21.2: ("070c28", "101c4a", "2c4078", "6a80bc", "6478b0", "0c1430", "34446e", "182248"),
    28.2: ("0a1236", "1a2a62", "3e4c8a", "6a7cb4", "6474ac", "0e1636", "3a4578", "1c2450"),
}

# Colours of rock or earth, and of the plants on the near ridges.
_SURFACES = (
    ("5f6672", "2f4a38"),
    ("6e5c52", "3a4a2c"),
    ("4a6a4c", "26402c"),
    ("a8623e", "5c4630"),
    ("5a6a88", "24404a"),
    ("7a7a5a", "4a5630"),
)


def _rgb(code: str) -> tuple[int, int, int]:
    return int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)


def palette(hours: np.ndarray) -> dict[str, np.ndarray]:
    """Interpolate the colours of each role at these hours (N,), 0 to 28: float32 (N, 3) in 0..255."""
    at = np.array(list(_HOURS))
    table = np.array([[_rgb(code) for code in codes] for codes in _HOURS.values()], float)
    return {
        role: np.stack([np.interp(hours, at, table[:, k, c]) for c in range(3)], 1).astype(np.float32)
        for k, role in enumerate(_ROLES)
    }


def smooth(value: np.ndarray) -> np.ndarray:
    """Apply smoothstep to `value`, clipped to 0..1."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


def scenes(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the random facts of `count` images: float32 (count, ...) arrays by name.

    The classes alternate, so they are balanced.
    """

    def uniform(low, high, *shape):
        return (low + (high - low) * rng.random((count, *shape))).astype(np.float32)

    label = np.arange(count) % len(CLASSES)
    phases = np.array(list(PHASES.values()))[label % len(PHASES)]
    hour = (phases[:, 0] + (phases[:, 1] - phases[:, 0]) * rng.random(count)).astype(np.float32)
    sea = (label >= len(PHASES)).astype(np.float32)
    surfaces = np.array([[_rgb(rock), _rgb(plant)] for rock, plant in _SURFACES], np.float32)
    kind = (rng.random(count) * len(_SURFACES)).astype(int)
    night = (hour > 20).astype(np.float32)
    arc = np.where(night > 0, (hour - 20.2) / 8.6, (hour - 5.75) / 13.2)
    return {
        "label": label,
        "sea": sea,
        "hour": hour,
        "night": night,
        "horizon": np.where(sea > 0, uniform(26, 42), uniform(36, 48)).round().astype(np.float32),
        "relief": uniform(0.4, 1.0),
        "snow": uniform(-0.5, 1.0).clip(0),
        "clouds": uniform(-0.15, 0.62).clip(0),
        "lake": (rng.random(count) < 0.35).astype(np.float32),
        "trees": (rng.random(count) < 0.55).astype(np.float32),
        "aurora": (rng.random(count) < 0.3).astype(np.float32),
        "shore": (rng.random(count) < 0.3).astype(np.float32),
        "boat": (rng.random(count) < 0.3).astype(np.float32),
        "boat_x": uniform(10, 54),
        "boat_y": uniform(0.08, 0.4),
        "sun_x": uniform(8, 56),
        "sun_y": np.sin(np.pi * arc).astype(np.float32),
        "moon": uniform(-1.6, 1.6),
        "rock": surfaces[kind, 0] + uniform(-14, 14, 3),
        "plant": surfaces[kind, 1] + uniform(-10, 10, 3),
        "ridge_height": uniform(0.55, 1.0, RIDGES),
        "ridge_seed": rng.random((count, RIDGES, 8)).astype(np.float32),
        "swell": uniform(0.3, 1.0),
        "offsets": rng.random((count, 12)).astype(np.float32),
    }


def profiles(count: int, rng: np.random.Generator, rough: float, peaked: bool) -> np.ndarray:
    """Draw ridge lines (count, RIDGES, SIDE), float32, each from 0 to 1, as octaves of value noise.

    `peaked` folds the first two octaves (1 - |2v - 1|) and interpolates linearly, which gives summits.
    Otherwise the hills are round. `rough` is the ratio between the heights of successive octaves.
    """
    total = np.zeros((count, RIDGES, SIDE), np.float32)
    weight = 1.0
    for octave, length in enumerate((40, 20, 10, 5, 2.5)):
        nodes = int(SIDE / length) + 3
        heights = rng.random((count, RIDGES, nodes), dtype=np.float32)
        at = rng.random((count, RIDGES, 1), dtype=np.float32) + np.arange(
            SIDE, dtype=np.float32
        ) / np.float32(length)
        left = at.astype(np.int64)
        part = at - left
        if not peaked:
            part = part * part * (3 - 2 * part)
        low, high = np.take_along_axis(heights, left, 2), np.take_along_axis(heights, left + 1, 2)
        value = low + (high - low) * part
        total += weight * (1 - np.abs(2 * value - 1) if peaked and octave < 2 else value)
        weight *= rough
    lowest, highest = total.min(2, keepdims=True), total.max(2, keepdims=True)
    return (total - lowest) / (highest - lowest)


def _lattice_noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> np.ndarray:
    """Draw smooth periodic noise in 0..1.

    It interpolates a random lattice of `cells` by smoothstep to `shape`.
    """
    lattice = rng.random(cells)
    for axis in (0, 1):
        at = np.arange(shape[axis]) * (cells[axis] / shape[axis])
        left = at.astype(int)
        part = smooth(at - left)
        part = part[:, None] if axis == 0 else part[None, :]
        lattice = (
            np.take(lattice, left, axis) * (1 - part)
            + np.take(lattice, (left + 1) % cells[axis], axis) * part
        )
    return lattice


def _octaves(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int], octaves: int, fade: float
) -> np.ndarray:
    total = np.zeros(shape)
    for k in range(octaves):
        total += fade**k * _lattice_noise(rng, shape, (cells[0] << k, cells[1] << k))
    return total.astype(np.float32)


def _ranked(texture: np.ndarray) -> np.ndarray:
    """Replace the values of a texture by their rank in 0..1. A threshold is then a share of the area."""
    rank = np.empty(texture.size, np.float32)
    rank[np.argsort(texture, axis=None, kind="stable")] = np.linspace(0, 1, texture.size, dtype=np.float32)
    return rank.reshape(texture.shape)


def cloud_texture(rng: np.random.Generator) -> np.ndarray:
    """Draw cloud density, float32 (256, 512) in 0..1, wider than tall."""
    return _ranked(_octaves(rng, (256, 512), (14, 12), 5, 0.55))


def rock_texture(rng: np.random.Generator) -> np.ndarray:
    """Draw the direction of rock faces, float32 (256, 512), about -1 to 1.

    1 faces a light on the left, and -1 faces away from it.
    """
    height = _octaves(rng, (256, 512), (16, 40), 4, 0.7)
    return (_ranked(height - np.roll(height, 1, 1)) * 2 - 1).astype(np.float32)


def wave_textures(rng: np.random.Generator, count: int = 24) -> np.ndarray:
    """Draw waves in perspective, float32 (count, SIDE, 256), 0..1.

    Row 0 lies at the horizon, and the waves grow towards the last row.
    """
    noise = _octaves(rng, (512, 512), (128, 24), 3, 0.6)
    noise = (noise - noise.min()) / (noise.max() - noise.min())
    rows = np.arange(SIDE)
    depth = 150 / (rows + 2.5)  # distance of the water in a row
    columns = np.arange(256) - 128
    out = np.empty((count, SIDE, 256), np.float32)
    for k in range(count):
        across = (columns[None, :] * (0.35 + depth[:, None] / 26) + rng.random() * 512).astype(int) % 512
        along = (depth[:, None] * 7 + rng.random() * 512).astype(int) % 512
        out[k] = noise[along, across]
    return out
