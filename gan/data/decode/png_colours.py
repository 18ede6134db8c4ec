"""Build an ICC profile from the PNG chunks that describe colours by numbers.

Imports neither torch nor Pillow.
"""

import struct

import numpy as np

CHUNKS = (b"cICP", b"sRGB", b"gAMA", b"cHRM")

# x and y of white, red, green and blue.
_SRGB = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_DISPLAY_P3 = ((0.3127, 0.3290), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
_BT2020 = ((0.3127, 0.3290), (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_PRIMARIES = {1: _SRGB, 9: _BT2020, 12: _DISPLAY_P3}  # keys of ITU-T H.273
# Keys of ITU-T H.273 too; each value holds the parameters of an ICC parametric curve. Film and television are
# made for displays with gamma 2.4 (ITU-R BT.1886), and browsers follow that.
_CURVES = {
    **dict.fromkeys((1, 6, 14, 15), (2.4,)),
    4: (2.2,),
    8: (1.0,),
    13: (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
}
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

GAMMA_OF_SRGB = 45455  # written for sRGB, though its curve is no power function
GAMMAS = (10_000, 1_000_000)  # outside this range no image would be recognisable
SAME = 0.002  # tolerance of x and y, because files round them


def profile_of(chunks: dict[bytes, bytes], embedded: bytes = b"") -> bytes:
    """Return the profile of a PNG from its CHUNKS and its embedded profile; b"" means sRGB.

    cICP takes precedence over the embedded profile, then sRGB, then gAMA with cHRM. Invalid values are
    ignored, and so is cICP for high dynamic range. Like viewers, it ignores cHRM without gAMA.
    """
    code = chunks.get(b"cICP", b"")
    if len(code) == 4 and code[0] in _PRIMARIES and code[1] in _CURVES and code[2:] == b"\0\1":
        return b"" if code[:2] == b"\1\15" else _profile(_PRIMARIES[code[0]], _CURVES[code[1]])
    if embedded or b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return embedded
    (gamma,) = struct.unpack(">I", chunks[b"gAMA"])
    if not GAMMAS[0] <= gamma <= GAMMAS[1]:
        return b""
    chunk = chunks.get(b"cHRM", b"")
    primaries = (
        np.array(struct.unpack(">8I", chunk)).reshape(4, 2) / 1e5 if len(chunk) == 32 else np.array(_SRGB)
    )
    if abs(gamma - GAMMA_OF_SRGB) <= 500 and np.abs(primaries - _SRGB).max() <= SAME:
        return b""
    return _profile(primaries, (1e5 / gamma,))


def _profile(primaries: np.ndarray | tuple, curve: tuple[float, ...]) -> bytes:
    """Build the ICC profile of a display; b"" if the primaries span no colours.

    `primaries` are x and y of white, red, green and blue.
    """
    matrix = _to_d50(np.array(primaries, dtype=float))
    if matrix is None:
        return b""
    tone = b"para" + bytes(4) + struct.pack(">HH", 0 if len(curve) == 1 else 3, 0) + _fixed(curve)
    columns = {
        name: b"XYZ " + bytes(4) + _fixed(column)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), (*matrix.T, _D50), strict=True)
    }
    tags = {**columns, b"rTRC": tone, b"gTRC": tone, b"bTRC": tone}
    place, table = 132 + 12 * len(tags), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place, len(content))
        place += len(content)
    header = (
        struct.pack(">I4sI4s4s4s12x4s28x", place, b"", 0x04000000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
        + _fixed(_D50)
        + bytes(48)
    )
    return header + struct.pack(">I", len(tags)) + table + b"".join(tags.values())


def _fixed(values: tuple[float, ...] | np.ndarray) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _to_d50(primaries: np.ndarray) -> np.ndarray | None:
    """Compute the matrix (3, 3) from linear red, green and blue to XYZ with white D50.

    Returns None if white does not lie well inside the primaries.
    """
    if (primaries[:, 1] <= 0).any():
        return None
    xyz = np.stack([primaries[:, 0], primaries[:, 1], 1 - primaries.sum(1)]) / primaries[:, 1]
    white, colours = xyz[:, 0], xyz[:, 1:]
    if abs(np.linalg.det(colours)) < 1e-3:
        return None
    shares = np.linalg.solve(colours, white)
    cones = _BRADFORD @ white
    if shares.min() < 1e-3 or cones.min() < 1e-3:
        return None
    adapted = np.linalg.solve(_BRADFORD, np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD)
    matrix = adapted @ colours * shares
    return matrix if np.abs(matrix).max() < 10 else None
