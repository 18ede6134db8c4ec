"""Draw landscapes by arithmetic: mountains and seas at every hour, 64 x 64, with known attributes.

An image is a stack of layers: boat, ridges, clouds, sun or moon, sky. The coverage of each layer is computed
analytically, so edges are smooth without supersampling. The image is then a matrix product of colours
(3, layers) and weights (layers, pixels). Ridges fade into haze with distance (aerial perspective). Water
mirrors the scene above it, with a streak of light under the sun.

The images depend only on SEED and on this code. The first drawing takes a second or two and goes to the
user's cache.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch

from gan.data import cache
from gan.data.procedural import scenery
from gan.data.procedural.scenery import RIDGES, SIDE, smooth

COUNT = 4000
SEED = 20
CHUNK = 16  # images painted at a time, so that their layers fit in the processor's cache
ATTRIBUTES = {
    "scene": "sea",
    "time_of_day": "hour",
    "horizon": "horizon",
    "sun_x": "sun_x",
    "sun_height": "sun_y",
    "clouds": "clouds",
    "relief": "relief",
    "snow": "snow",
    "lake": "lake",
    "trees": "trees",
    "shore": "shore",
    "boat": "boat",
    "aurora": "aurora",
}
WHOLE = ("scene", "lake", "trees", "shore", "boat", "aurora")  # attributes with the values yes and no

# No boat reaches above the first row, and neither trees nor sand above the second.
BOAT_TOP, SHORE_TOP = 16, 38
_Y = (np.arange(SIDE, dtype=np.float32) + 0.5)[None, :, None]
_X = (np.arange(SIDE, dtype=np.float32) + 0.5)[None, None, :]


def pictures() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Load or draw all COUNT landscapes: uint8 (COUNT, 3, 64, 64), and "label" and attributes (COUNT,).

    The attributes are int64 or float32. "time_of_day" is in hours 0..24, "horizon" goes from 0 (top) to 1,
    and "sun_x" from 0 (left) to 1. "sun_height" goes from 0 (on the horizon) to 1; at night it is the moon's.
    The images come from the user's cache. If they are not there, they are drawn and cached if possible.
    """
    code = b"".join(Path(module).read_bytes() for module in (__file__, scenery.__file__))
    name = f"landscapes-{hashlib.sha256(code).hexdigest()[:16]}"
    stored = cache.kept(name)
    if (
        stored
        and stored.keys() == {"images", "label", *ATTRIBUTES}
        and stored["images"].shape == (COUNT, 3, SIDE, SIDE)
    ):
        return stored.pop("images"), stored
    images, facts = draw(COUNT, SEED)
    cache.keep(name, {"images": images, **facts})
    return images, facts


def draw(count: int, seed: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Draw `count` landscapes with alternating classes. Returns (images, facts) like `pictures`."""
    rng = np.random.default_rng(seed)
    facts = scenery.scenes(count, rng)
    facts["peaks"] = scenery.profiles(count, rng, 0.5, peaked=True)
    facts["hills"] = scenery.profiles(count, rng, 0.38, peaked=False)
    facts["ripple"] = rng.random((count, SIDE), dtype=np.float32)
    facts |= scenery.palette(facts["hour"])
    textures = {
        "cloud": scenery.cloud_texture(rng),
        "rock": scenery.rock_texture(rng),
        "waves": scenery.wave_textures(rng),
    }
    facts["stars"] = rng.random((count, 70, 3), dtype=np.float32)
    room = np.empty((CHUNK, 40, SIDE, SIDE), np.float32)
    images = np.empty((count, 3, SIDE, SIDE), np.uint8)
    # Similar images form one chunk, so layers that none of them shows are skipped.
    for label in range(len(scenery.CLASSES)):
        alike = np.flatnonzero(facts["label"] == label)
        alike = alike[
            np.argsort(np.where(facts["sea"] > 0, facts["boat"], facts["lake"])[alike], kind="stable")
        ]
        for start in range(0, len(alike), CHUNK):
            chosen = alike[start : start + CHUNK]
            images[chosen] = _paint({key: value[chosen] for key, value in facts.items()}, textures, room)
    return torch.from_numpy(images), _attributes(facts)


def _attributes(facts: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Convert facts to attributes: in units, and 0 for things that the image does not show."""
    land, sea = 1 - facts["sea"], facts["sea"]
    shown = {
        **facts,
        "hour": facts["hour"] % 24,
        "horizon": facts["horizon"] / SIDE,
        "sun_x": facts["sun_x"] / SIDE,
        "lake": facts["lake"] * land,
        "trees": facts["trees"] * land,
        "snow": facts["snow"] * land,
        "shore": facts["shore"] * sea,
        "boat": facts["boat"] * sea,
        "aurora": facts["aurora"] * facts["night"],
    }
    out = {"label": torch.from_numpy(facts["label"].astype(np.int64))}
    for name, key in ATTRIBUTES.items():
        out[name] = torch.from_numpy(shown[key].astype(np.int64 if name in WHOLE else np.float32))
    return out


class _Layers:
    """Mix layers front to back in the rows `top` to `bottom`.

    Each layer takes its share of the light that the layers before it let through.
    """

    def __init__(self, count: int, room: np.ndarray, top: int = 0, bottom: int = SIDE):
        """`room` stores the weights, and every chunk reuses it.

        It has at least the shape (count, number of colours, SIDE, SIDE).
        """
        self.top, self.bottom = top, bottom
        self.y = _Y[:, top:bottom]
        self.through = np.ones((count, bottom - top, SIDE), np.float32)
        self.colours: list[np.ndarray] = []
        self.weights = room.ravel()[: count * room.shape[1] * (bottom - top) * SIDE].reshape(
            count, -1, bottom - top, SIDE
        )

    def crops(self, texture: np.ndarray, offsets: np.ndarray, shift: int = 0) -> np.ndarray:
        """Cut a window from a texture for each pair of offsets in 0..1, moved down by `shift` pixels."""
        down = (offsets[:, 0] * (texture.shape[0] - SIDE - 4)).astype(int) + shift
        across = (offsets[:, 1] * (texture.shape[1] - SIDE)).astype(int)
        return np.stack(
            [texture[y + self.top : y + self.bottom, x : x + SIDE] for y, x in zip(down, across, strict=True)]
        )

    def add(self, colour: np.ndarray, weight: np.ndarray) -> None:
        """Add light of a colour (N, 3) with a weight (N, y, x). It hides nothing behind it."""
        self._put(colour, self.through, weight)

    def cover(self, coverage: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray | float]]) -> None:
        """Add a layer that hides the layers behind it by `coverage`.

        `parts` are its colours and their shares, which sum to one.
        """
        share = self.through * coverage
        for colour, weight in parts:
            self._put(colour, share, weight)
        self.through -= share

    def _put(self, colour: np.ndarray, share: np.ndarray, weight: np.ndarray | float) -> None:
        np.multiply(share, weight, out=self.weights[:, len(self.colours)])
        self.colours.append(colour)

    def image(self) -> np.ndarray:
        """Mix the layers: float32 (N, 3, rows, x) in 0..255 or slightly above."""
        colours = np.stack(self.colours, 2)
        weights = self.weights[:, : len(self.colours)].reshape(len(colours), len(self.colours), -1)
        return (colours @ weights).reshape(len(colours), 3, -1, SIDE)


def _column(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]


def _paint(f: dict[str, np.ndarray], textures: dict[str, np.ndarray], room: np.ndarray) -> np.ndarray:
    """Paint a chunk of images from its facts: uint8 (N, 3, SIDE, SIDE)."""
    wet = np.flatnonzero((f["sea"] > 0) | (f["lake"] > 0))
    count = len(f["hour"])
    layers = _Layers(count, room, bottom=int(f["horizon"].max()) + 1 if len(wet) == count else SIDE)
    _add_ridges(layers, f, textures["rock"])
    _add_sky(layers, f, textures["cloud"])
    image = np.empty((count, 3, SIDE, SIDE), np.float32)
    image[:, :, : layers.bottom] = layers.image()
    if len(wet):
        top = int(f["horizon"][wet].min())
        image[wet, :, top:] = _with_water(
            image[wet], {key: value[wet] for key, value in f.items()}, textures["waves"], top
        )
    front = _Layers(count, room, top=BOAT_TOP if (f["boat"] * f["sea"]).any() else SHORE_TOP)
    _add_foreground(front, f)
    if front.colours:
        image[:, :, front.top :] = image[:, :, front.top :] * front.through[:, None] + front.image()
    return (image.clip(0, 255) + 0.5).astype(np.uint8)


def _ridge_lines(f: dict[str, np.ndarray]) -> np.ndarray:
    """Compute the height of each ridge in pixels from the top, float32 (N, RIDGES, SIDE), far to near."""
    horizon = f["horizon"][:, None, None]
    steps = np.arange(RIDGES, dtype=np.float32)[None, :, None]
    tall = (
        f["relief"][:, None, None]
        * f["ridge_height"][:, :, None]
        * np.array([34, 24, 13, 9], np.float32)[None, :, None]
    )
    wet = f["lake"][:, None, None]
    base = horizon + np.where(wet > 0, np.minimum(steps, 2) * 0.5, steps * 5 - 1)
    lines = base - tall * np.where(steps < 2, f["peaks"], f["hills"]) * np.where(wet > 0, 1 - 0.2 * steps, 1)
    # At sea, up to two headlands rise from the sides, and sometimes an island. The other horizon is open.
    reach = f["ridge_seed"][:, :, :1] * 84 - 22
    from_side = np.where(f["ridge_seed"][:, :, 1:2] < 0.5, reach - _X, reach - (SIDE - _X))
    island = 12 + 6 * f["ridge_seed"][:, :, 4:5] - np.abs(_X - 8 - 48 * f["ridge_seed"][:, :, 5:6])
    inland = np.where(f["ridge_seed"][:, :, 6:7] < 0.7, from_side, island - 4 * steps)
    slope = 1 - np.exp(-np.maximum(inland, 0) / 9)
    headland = horizon + 1 - slope * (2 + 0.8 * tall * (0.25 + 0.75 * f["peaks"])) + 3 * (inland < 0)
    return np.where(f["sea"][:, None, None] > 0, np.where(steps < 2, headland, 2.0 * SIDE), lines)


def _facing(line: np.ndarray, depth: np.ndarray, rough: np.ndarray) -> np.ndarray:
    """Compute how far the slope under a ridge line (N, SIDE) faces left: (N, y, x).

    It is the slope of the line above, shifted sideways at random with depth.
    """
    padded = np.pad(line, ((0, 0), (2, 2)), mode="edge")
    slope = (padded[:, 4:] - padded[:, :-4]) * 0.25
    at = (_X + rough * depth.clip(0, 14) * 0.3).clip(0, SIDE - 1).astype(np.intp)
    return -slope[np.arange(len(line))[:, None, None], at]


def _add_ridges(layers: _Layers, f: dict[str, np.ndarray], rock: np.ndarray) -> None:
    lines = _ridge_lines(f)
    light_left = np.sign(SIDE / 2 - f["sun_x"] + 0.01)[:, None, None]  # 1 if the light comes from the left
    aerial = np.array([0.62, 0.42, 0.26, 0.08], np.float32)
    haze = 0.55 * f["low"] + 0.45 * f["middle"]
    land = 1 - _column(f["sea"])
    for k in reversed(range(RIDGES if land.any() else 2)):
        depth = layers.y - lines[:, k : k + 1]
        rough = layers.crops(rock, f["ridge_seed"][:, k, 2:4])
        ground = f["rock"] * (1 - k / (RIDGES - 1)) + f["plant"] * (k / (RIDGES - 1))
        lit, dark = (
            side * (1 - aerial[k]) + haze * aerial[k]
            for side in (ground * f["light"] / 255, ground * f["shadow"] / 255)
        )
        mist = smooth(depth / 26) * (0.6 if k < 3 else 0.15)
        if k >= 2:
            shade = 0.5 + 0.3 * light_left * rough
            parts = [(lit, (1 - mist) * shade), (dark, (1 - mist) * (1 - shade))]
        else:
            shade = smooth(0.5 + light_left * (0.34 * _facing(lines[:, k], depth, rough) + 0.26 * rough))
            line = lines[:, k].min(1)[:, None, None] + _column(f["snow"]) * 22
            snow = smooth((line - layers.y) / 3 + 1.2 * rough) * (_column(f["snow"]) > 0) * land
            bare, white = (1 - snow) * (1 - mist), snow * (1 - mist)
            bright, blue = (
                side * (1 - 0.8 * aerial[k]) + haze * 0.8 * aerial[k]
                for side in (f["light"] * 0.98, 0.5 * f["shadow"] + 0.45 * f["zenith"] + 0.12 * f["light"])
            )
            parts = [
                (lit, bare * shade),
                (dark, bare * (1 - shade)),
                (bright, white * shade),
                (blue, white * (1 - shade)),
            ]
        layers.cover(np.clip(depth + 0.5, 0, 1), [*parts, (haze, mist)])


def _add_sky(layers: _Layers, f: dict[str, np.ndarray], cloud: np.ndarray) -> None:
    horizon, night = _column(f["horizon"]), _column(f["night"])
    sun_x, sun_y = _column(f["sun_x"]), _column(_sun_row(f))
    away = np.sqrt((_X - sun_x) ** 2 + (layers.y - sun_y) ** 2)
    low_sun = np.exp(-((_column(f["sun_y"]) / 0.35) ** 2)) * (1 - night)
    glow = (0.14 + 0.20 * low_sun) / (1 + (away / (6 + 10 * low_sun)) ** 2)
    band = low_sun * 0.22 / (1 + ((_X - sun_x) / 22) ** 2) * np.exp(-(((layers.y - horizon) / 9) ** 2))
    layers.add(f["glow"], glow + band)

    above = layers.y / horizon
    density = layers.crops(cloud, f["offsets"][:, :2])
    lit = smooth(0.5 + 2.2 * (density - layers.crops(cloud, f["offsets"][:, :2], shift=3)))
    cover = (
        smooth((density - 1 + _column(f["clouds"])) / 0.3)
        * smooth(above / 0.25 + 0.35)
        * smooth((1.02 - above) / 0.2)
    )
    layers.cover(0.88 * cover, [(f["cloud"], lit), (f["cloud_shade"], 1 - lit)])

    white = np.full_like(f["light"], 255)
    radius = 3.0 + 1.4 * low_sun - 0.2 * night
    disc = np.clip(radius - away + 0.5, 0, 1)
    bite = np.clip(
        3.4
        - np.sqrt((_X - sun_x - 2.2 * np.sign(_column(f["moon"]))) ** 2 + (layers.y - sun_y + 0.8) ** 2)
        + 0.5,
        0,
        1,
    )
    disc = disc * (1 - night * (np.abs(_column(f["moon"])) > 0.7) * bite)
    layers.cover(
        disc,
        [
            (white, 0.75 - 0.35 * low_sun),
            (f["glow"] * 0.4 + white * 0.6 * np.array([1, 0.93, 0.72], np.float32), 0.25 + 0.35 * low_sun),
        ],
    )
    if f["night"].any():
        layers.add(white, _starlight(f)[:, layers.top : layers.bottom] * (1 - disc))
        for colour, curtain in _aurora(layers, f):
            layers.add(colour, curtain)

    first, second = smooth(above / 0.7), smooth((above - 0.42) / 0.58)
    everywhere = np.ones_like(layers.through)
    layers.cover(
        everywhere,
        [(f["zenith"], 1 - first), (f["middle"], first * (1 - second)), (f["low"], first * second)],
    )


def _sun_row(f: dict[str, np.ndarray]) -> np.ndarray:
    """Return the row of the sun or moon in pixels: the horizon at height 0, near the top at 1."""
    return f["horizon"] - f["sun_y"] * (f["horizon"] - 7)


def _starlight(f: dict[str, np.ndarray]) -> np.ndarray:
    """Compute the brightness of stars (N, y, x) from three uniform draws a star: column, row, magnitude."""
    stars = f["stars"]
    light = np.zeros((len(stars), SIDE, SIDE), np.float32)
    dark = np.clip(np.abs(f["hour"] - 24.6) / -1.6 + 3.1, 0, 1)[:, None] * f["night"][:, None]
    x, y = (stars[:, :, 0] * SIDE).astype(int), (stars[:, :, 1] ** 1.3 * SIDE).astype(int)
    light[np.arange(len(stars))[:, None], y, x] = (0.15 + 0.85 * stars[:, :, 2] ** 3) * dark
    return light


def _aurora(layers: _Layers, f: dict[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw curtains of green light with a violet hem above, as colours and weights.

    Only some nights have them.
    """
    seed = f["offsets"][:, 7:11, None, None]
    hem = _column(f["horizon"]) * (0.34 + 0.3 * seed[:, 0])
    hem = (
        hem
        + 5 * np.sin(_X * (0.07 + 0.09 * seed[:, 1]) + 6.3 * seed[:, 2])
        + 2 * np.sin(_X * 0.31 + 6.3 * seed[:, 3])
    )
    up = hem - layers.y
    rays = 0.65 + 0.35 * np.sin(_X * (0.5 + 0.6 * seed[:, 3]) + 4 * np.sin(_X * 0.13 + 6.3 * seed[:, 1]))
    shown = _column(f["aurora"] * f["night"]) * rays * smooth((up + 1.5) / 4)
    tall = 5 + 9 * seed[:, 2]
    green = shown * np.exp(-np.maximum(up, 0) / tall)
    violet = shown * np.exp(-np.maximum(up - tall, 0) / tall) - green
    count = len(f["hour"])
    return [
        (np.tile(np.array([40, 190, 130], np.float32), (count, 1)), green),
        (np.tile(np.array([90, 50, 150], np.float32), (count, 1)), 0.6 * violet.clip(0)),
    ]


def _with_water(image: np.ndarray, f: dict[str, np.ndarray], waves: np.ndarray, top: int) -> np.ndarray:
    """Turn everything below the horizon into water that mirrors the scene above.

    Returns the rows from `top` down.
    """
    count = len(image)
    horizon, rows = f["horizon"].astype(int), np.arange(top, SIDE)
    below = rows[None, :] - horizon[:, None]  # (N, y)
    bank = (f["offsets"][:, 4] * len(waves)).astype(int)
    start = (f["offsets"][:, 5] * (waves.shape[2] - SIDE)).astype(int)
    surf = np.stack([waves[b, :, s : s + SIDE] for b, s in zip(bank, start, strict=True)])
    surf = surf[np.arange(count)[:, None], below.clip(0)]
    swell = _column(f["swell"]) * np.where(_column(f["sea"]) > 0, 1.0, 0.45)
    depth = below.clip(0) / (SIDE - f["horizon"])[:, None]
    squeeze = np.minimum(1.15, (f["horizon"] - 2) / (SIDE - f["horizon"]))[:, None]
    ripple = (f["ripple"][:, top:] - 0.5) * (1 + 5 * depth * f["swell"][:, None])
    mirror = (horizon[:, None] - 0.5 - below * squeeze + ripple).astype(int).clip(0, horizon[:, None])
    reflected = np.take_along_axis(image, mirror[:, None, :, None], 2)
    depth = depth[:, :, None]
    clear = (0.82 - 0.5 * depth * swell - 0.34 * swell * (surf - 0.5))[:, None]
    body = (
        0.42 * f["zenith"] + 0.2 * f["shadow"] + 0.1 * f["light"] * np.array([0.1, 0.75, 0.8], np.float32)
    )[:, :, None, None]
    crest = (smooth((surf - 0.62) / 0.25) * swell * (0.12 + 0.25 * depth))[:, None]
    sun_height = f["sun_y"].clip(0.03, 1)[:, None, None]
    width = 1.6 + depth * (5 + 12 * sun_height)
    road = (
        np.exp(-(((_X - _column(f["sun_x"])) / width) ** 2))
        * smooth((surf - 0.42) / 0.3)
        * (1 - 0.45 * depth)
    )
    road *= (0.8 - 0.4 * sun_height) * (_column(f["sun_y"]) > -0.08)
    shine = (f["glow"] * 0.75 + 60)[:, :, None, None]
    water = reflected * clear + body * (1 - clear)
    water += crest * f["light"][:, :, None, None] + road[:, None] * shine
    return np.where((below >= 0)[:, None, :, None], water, image[:, :, top:])


def _add_foreground(layers: _Layers, f: dict[str, np.ndarray]) -> None:
    for nearness in (1, 0):
        _add_trees(layers, f, nearness)
    _add_shore(layers, f)
    _add_boat(layers, f)


def _add_trees(layers: _Layers, f: dict[str, np.ndarray], nearness: int) -> None:
    """Add a row of conifers on a hill line, as triangles of random height.

    The near row (1) is taller and darker than the far one (0).
    """
    wooded = _column(f["trees"] * (1 - f["sea"]))
    if not wooded.any():
        return
    hill = (
        SIDE
        - 7
        + 6 * nearness
        - 7 * f["hills"][:, 3 - nearness, None, ::-1] * (0.6 + 0.4 * _column(f["relief"]))
    )
    cells = _X / (3.2 + 1.6 * nearness) + _column(f["offsets"][:, 6 - nearness])
    number = cells.astype(int)
    heights = f["ridge_seed"].reshape(len(hill), 1, -1)[:, :, :: 1 if nearness else -1]
    tall = (2.5 + 4.5 * nearness) + (3 + 5 * nearness) * np.take_along_axis(heights, number % 32, 2)
    top = hill - tall * (1 - 2 * np.abs(cells - number - 0.5))
    crown = f["plant"] * (0.45 * f["light"] + 0.55 * f["shadow"]) / 255 * (0.42 if nearness else 0.62)
    crown = crown + (0.02 if nearness else 0.2) * f["middle"]
    ground = crown * 0.8 + 0.06 * f["light"]
    deep = smooth((layers.y - hill) / 10)
    layers.cover(np.clip(layers.y - top + 0.5, 0, 1) * wooded, [(crown, 1 - deep), (ground, deep)])


def _add_shore(layers: _Layers, f: dict[str, np.ndarray]) -> None:
    """Add a strip of sand with a line of foam to some seas. It rises to the left or the right."""
    sandy = _column(f["shore"] * f["sea"])
    if not sandy.any():
        return
    lean = np.where(_column(f["offsets"][:, 8]) < 0.5, SIDE - _X, _X) / SIDE
    edge = SIDE + 1 - 17 * lean**1.7 * (0.5 + 0.5 * _column(f["relief"])) - 2.5 * f["hills"][:, 2:3] - 2
    sand = np.array([232, 205, 160], np.float32) * (0.8 * f["light"] + 0.2 * f["shadow"]) / 255
    wet = smooth((layers.y - edge) / 6)
    layers.cover(np.clip(layers.y - edge + 0.5, 0, 1) * sandy, [(sand, wet), (0.62 * sand, 1 - wet)])
    foam = np.clip(1.2 - np.abs(layers.y - edge + 0.8), 0, 1) * (0.55 + 0.45 * f["hills"][:, 1:2])
    layers.cover(foam * sandy, [(0.85 * f["light"] + 25, 1.0)])


def _add_boat(layers: _Layers, f: dict[str, np.ndarray]) -> None:
    """Add a small sailing boat to some seas, larger if it is nearer."""
    afloat = _column(f["boat"] * f["sea"])
    if not afloat.any():
        return
    middle, foot = _column(f["boat_x"]), _column(f["horizon"] + f["boat_y"] * (SIDE - f["horizon"]))
    scale = 0.8 + 1.6 * _column(f["boat_y"])
    up, aside = (foot - layers.y) / scale, (_X - middle) / scale
    hull = (
        np.clip(2.6 + up * 0.7 - np.abs(aside) + 0.5, 0, 1)
        * np.clip(up + 1.1, 0, 1)
        * np.clip(0.9 - up, 0, 1)
    )
    wood = np.array([120, 70, 50], np.float32) * (0.5 * f["light"] + 0.5 * f["shadow"]) / 255
    layers.cover(hull * afloat, [(wood, 1.0)])
    sail = np.clip((7 - up) * 0.36 * scale - np.abs(_X - middle + 0.3 * scale) + 0.5, 0, 1) * np.clip(
        up - 0.5, 0, 1
    )
    layers.cover(sail * afloat, [(0.88 * f["light"] + 24, 1.0)])
