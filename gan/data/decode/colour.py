"""The colours of a picture in sRGB, by the profile that its file embeds. Imports no torch.

Profiles come from strangers like the pictures do. One that is broken, absurdly large or of another kind than
its picture is ignored, as viewers do.
"""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

from gan.data.decode.containers import MAX_PROFILE
from gan.errors import refuse_if_full

SAME = 2  # of 255: a profile that moves no colour further is sRGB, of which there are many variants
HEADER = 128  # bytes of a profile before its table of tags
MAX_TAGS = 100
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
# the profiles that a picture of each mode may have
_FITTING = {"RGB": ("RGB",), "L": ("L", "RGB"), "CMYK": ("CMYK",)}


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """A picture of mode RGB, L or CMYK in sRGB, as RGB or L. `profile` is that of its file, b"" where it has
    none.

    A million pixels take 50 ms, and four times that of CMYK, so that large pictures are better made smaller
    first.
    """
    mode = _MODES.get(profile[16:20])
    if mode not in _FITTING[picture.mode] or not HEADER < len(profile) <= MAX_PROFILE:
        return picture if picture.mode == "L" else picture.convert("RGB")
    transform = _transform(_plain(profile), mode)
    if transform is None:
        return picture if picture.mode == "L" else picture.convert("RGB")
    converted = ImageCms.applyTransform(picture.convert(mode), transform)
    return converted.convert("L") if mode == picture.mode == "L" else converted


def _plain(profile: bytes) -> bytes:
    """The profile without its tables of floating-point elements; lcms then takes the usual ones.

    Hardly any profile has such, and one of 4 MB can be made so that it costs 12 s.
    """
    count = int.from_bytes(profile[HEADER : HEADER + 4], "big")
    table = profile[HEADER + 4 : HEADER + 4 + 12 * min(count, MAX_TAGS)]
    for k in range(0, len(table), 12):
        if table[k : k + 3] in (b"D2B", b"B2D"):
            at = HEADER + 4 + k
            profile = profile[:at] + b"none" + profile[at + 4 :]
    return profile


@functools.lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """How to bring pixels of `mode` to sRGB; None where that changes nothing, or the profile can't be used.
    All pictures of a camera share one.
    """
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), mode, "RGB"
        )
        if mode == "CMYK":
            return transform
        steps = np.linspace(0, 255, 9).round().astype(np.uint8)
        colours = (
            np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
            if mode == "RGB"
            else np.arange(256, dtype=np.uint8)[None]
        )
        found = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform)).astype(int)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, SyntaxError) as error:
        refuse_if_full(error)
        return None
    apart = np.abs(found - (colours if mode == "RGB" else colours[..., None]))
    return None if apart.max() <= SAME else transform
