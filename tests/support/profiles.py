"""Build ICC colour profiles (version 2 or 4) as bytes for test images."""

import itertools
import struct

# The columns of a display's matrix to XYZ, adapted to D50, from the published specifications.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
D50 = (0.9642, 1.0, 0.8249)
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(*values)


def curve(gamma: float | None) -> bytes:
    """Return a tone curve: a power, or sRGB's for None."""
    if gamma is None:
        return b"para\0\0\0\0\0\3\0\0" + fixed(*SRGB_CURVE)
    return b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(gamma * 256)) + b"\0\0"


def profile(space: bytes, pcs: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a complete profile with these tags."""
    tags = {
        b"desc": b"desc\0\0\0\0\0\0\0\2a\0" + bytes(80),
        b"cprt": b"text\0\0\0\0none",
        b"wtpt": xyz(D50),
        **tags,
    }
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content
    header = (
        bytes(4)
        + bytes(4)
        + b"\2\x40\0\0"
        + kind
        + space
        + pcs
        + bytes(12)
        + b"acsp"
        + bytes(28)
        + fixed(*D50)
        + bytes(48)
    )
    whole = header + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def display(matrix: tuple[tuple[float, ...], ...], gamma: float | None = None) -> bytes:
    """Return the profile of a display, as cameras and phones embed it."""
    columns = {name: xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix, strict=True)}
    return profile(
        b"RGB ", b"XYZ ", b"mntr", {**columns, **{name: curve(gamma) for name in (b"rTRC", b"gTRC", b"bTRC")}}
    )


def grey(gamma: float) -> bytes:
    return profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": curve(gamma)})


def press(paper: int = 255, steps: int = 2) -> bytes:
    """Return the profile of a printing press with a dark black, whose inks have no colour.

    Its table maps inks to lightness alone, from `paper` for no ink down to 0.
    """
    nodes = b"".join(
        bytes([round(paper * max(0, 1 - sum(ink) / (steps - 1))), 128, 128])
        for ink in itertools.product(range(steps), repeat=4)
    )
    ramp = bytes(range(256))
    table = (
        b"mft1\0\0\0\0"
        + bytes([4, 3, steps, 0])
        + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
        + ramp * 4
        + nodes
        + ramp * 3
    )
    return profile(b"CMYK", b"Lab ", b"prtr", {b"A2B0": table})
