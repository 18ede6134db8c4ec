"""Write vectors.json: Python's answers, which the JavaScript twins must repeat.

    python -m tests.web.make_vectors

tests/unit/latent/directions/test_twins.py compares the file with Python, tests/web/twins.test.js with
JavaScript.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from gan.latent import loop, point
from gan.latent.loop import Loop
from gan.latent.point import Point, parse_at, write_at
from gan.latent.sampling import latent, mixed_label, slerp
from gan.models import ModelSpec

VECTORS = Path(__file__).with_name("vectors.json")
SPEC = ModelSpec("dcgan", 32, 1, 12, 8, num_classes=3)  # only z_dim and num_classes matter here
SEEDS = (0, 1, 7, 12345, 2**31 - 1)
# The ids of the directions that the points below name, each with the seed of its vector.
WAYS = {"s0": 21, "night": 22}
PRINCIPAL = (23, 24)
AT = write_at(latent(77, 12) * 1.5)
QUERIES: tuple[dict[str, str], ...] = (
    {"seed": "5"},
    {"seed": "5", "psi": "0.4"},
    {"seed": "5", "d": "1.5,0"},
    {"seed": "5", "d": "0,-2"},
    {"seed": "5", "to": "9", "t": "0.35"},
    {"seed": "5", "to": "9", "t": "0.7"},
    {"seed": "5", "z": "3:1.5,11:-2"},
    {"seed": "6", "psi": "0.7", "d": "0,1", "to": "2", "t": "0.8", "z": "0:3"},
    {"seed": "5", "x": "s0:1.5,night:-2.25"},
    {"seed": "5", "at": AT},
    {"seed": "5", "at": AT, "psi": "0.6", "d": "1", "to": "2", "t": "0.3"},
    {"seed": "3", "label": "1"},
    {"seed": "3", "label": "0", "label2": "1", "mix": "0.4"},
    {"seed": "3", "label2": "2", "mix": "0.25"},
    {"seed": "3", "label": "1", "label2": "2", "mix": "0"},
    {"seed": "3", "u": "0.2:0,1.11:4"},
)
# Classes and units of the keys of a loop: label, label2, mix, u.
KEYS = ("0,,,", "1,2,0.25,1.11:4,0.2:0", "2,,,", "2,1,0.6,0.2:2")


def vectors() -> dict[str, Any]:
    """Return all vectors, by their function."""
    return {
        "limits": _limits(),
        "latent": [{"seed": seed, "size": 65, "z": _numbers(latent(seed, 65))} for seed in SEEDS],
        "mixedLabel": [
            {"seed": seed, "classes": classes, "label": mixed_label(seed, classes)}
            for seed in SEEDS
            for classes in (2, 10)
        ],
        "slerp": _slerps(),
        "written16": _texts(),
        "directions": {
            "principal": [_numbers(_way(seed)) for seed in PRINCIPAL],
            "named": {name: _numbers(_way(seed)) for name, seed in WAYS.items()},
        },
        "points": [_point(query) for query in QUERIES],
        "loop": _loop(),
    }


def write() -> None:
    """Write vectors.json, one vector a line."""
    lines = []
    for name, value in vectors().items():
        if isinstance(value, list):
            text = "[\n    " + ",\n    ".join(json.dumps(one) for one in value) + "\n  ]"
        else:
            text = json.dumps(value)
        lines.append(f"  {json.dumps(name)}: {text}")
    VECTORS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _limits() -> dict[str, Any]:
    return {
        "MAX_SEED": point.MAX_SEED,
        "MOST_FACTOR": point.MAX_FACTOR,
        "MOST_UNITS": point.MAX_UNITS,
        "MOST_MOVES": point.MAX_MOVES,
        "UNITS": point.UNITS,
        "DIRECTION": point.DIRECTION_ID.pattern,
        "MOST_KEYS": loop.MAX_KEYS,
        "MOST_STEPS": loop.MAX_STEPS,
        "MOST_FRAMES": loop.MAX_FRAMES,
        "MOST_FPS": loop.MAX_FPS,
    }


def _slerps() -> list[dict[str, Any]]:
    a, b = latent(3, 12), latent(4, 12)
    ends = [(a, b), (b, a), (a, a), (a, 0 * a), (a, -a), (a, (a * np.float32(2)))]
    return [
        {"from": _numbers(start), "to": _numbers(end), "part": part, "z": _numbers(z)}
        for start, end in ends
        for part, z in zip((0, 0.3, 1), slerp(start, end, [0, 0.3, 1]), strict=True)
    ]


def _texts() -> list[dict[str, Any]]:
    found = []
    for z in ([0, 1, -1, 7.75, -8, 9, 1 / 3], [-9.0, 0.1], latent(5, 12).tolist()):
        text = write_at(np.array(z, np.float32))
        read = parse_at({"at": text}, ModelSpec("dcgan", 32, 1, len(z), 8))
        found.append({"z": _numbers(np.array(z, np.float32)), "text": text, "read": list(read)})
    return found


def _point(query: dict[str, str]) -> dict[str, Any]:
    parsed = Point.parse(query, SPEC)
    principal = np.stack([_way(seed) for seed in PRINCIPAL])
    z = parsed.z(SPEC.z_dim, lambda: principal, lambda name: _way(WAYS[name]))
    other, share = parsed.blend(SPEC.num_classes)
    return {
        "query": query,
        "z": _numbers(z),
        "label": parsed.class_label(SPEC.num_classes),
        "other": other,
        "share": share,
        "units": {f"{layer}.{unit}": factor for layer, unit, factor in parsed.units},
    }


def _loop() -> dict[str, Any]:
    texts = [f"{write_at(latent(seed, SPEC.z_dim))},{key}".rstrip(",") for seed, key in enumerate(KEYS)]
    frames = Loop.parse({"keys": ";".join(texts), "steps": "6"}, SPEC).points(SPEC.num_classes)
    found = []
    for frame in frames:
        other, share = frame.blend(SPEC.num_classes)
        units = {f"{layer}.{unit}": factor for layer, unit, factor in frame.units}
        found.append(
            {
                "z": _numbers(np.array(frame.at)),
                "label": frame.label,
                "other": other,
                "share": share,
                "units": units,
            }
        )
    return {"keys": texts, "steps": 6, "size": SPEC.z_dim, "frames": found}


def _way(seed: int) -> np.ndarray:
    """Return a direction (z_dim,) of length 1."""
    z = latent(seed, SPEC.z_dim)
    return (z / np.linalg.norm(z)).astype(np.float32)


def _numbers(values: np.ndarray) -> list[float]:
    """Return numbers in the shortest decimals that name the same float32."""
    return [float(str(value)) for value in values.astype(np.float32)]


if __name__ == "__main__":
    write()
