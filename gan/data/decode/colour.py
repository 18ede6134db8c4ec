"""Convert an image to sRGB by the colour profile in its file. Imports no torch.

Profiles come from untrusted uploads. Like image viewers, this module ignores a profile that is broken, huge
or made for another kind of image.
"""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

from gan.data.decode.containers import MAX_PROFILE
from gan.errors import refuse_if_full

# Largest change, of 255, that still counts as none. sRGB profiles have many variants.
SAME = 2
HEADER = 128  # bytes of a profile before its table of tags
MAX_TAGS = 100
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
# Colour modes of the profiles that suit each image mode.
_FITTING = {"RGB": ("RGB",), "L": ("L", "RGB"), "CMYK": ("CMYK",)}


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert an image of mode RGB, L or CMYK to sRGB, as RGB or L.

    `profile` comes from the image's file, b"" if it has none. A million pixels take 50 ms, and CMYK takes
    four times that, so shrink large images first.
    """
    mode = _MODES.get(profile[16:20])
    if mode not in _FITTING[picture.mode] or not HEADER < len(profile) <= MAX_PROFILE:
        return picture if picture.mode == "L" else picture.convert("RGB")
    transform = _transform(_plain(profile), mode)
    if transform is None:
        return picture if picture.mode == "L" else picture.convert("RGB")
    converted = transform.apply(picture.convert(mode))
    return converted.convert("L") if mode == picture.mode == "L" else converted


def _plain(profile: bytes) -> bytes:
    """Remove the tables of floating-point elements from a profile, so that lcms uses the integer ones.

    Hardly any profile has such tables, and a crafted one of 4 MB costs 12 s.
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
    """Build the transform from pixels of `mode` to sRGB.

    Returns None if the profile is unusable or changes nothing. Results are cached, because all images of a
    camera share a profile.
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
        found = np.asarray(transform.apply(Image.fromarray(colours))).astype(int)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, SyntaxError) as error:
        refuse_if_full(error)
        return None
    apart = np.abs(found - (colours if mode == "RGB" else colours[..., None]))
    return None if apart.max() <= SAME else transform
