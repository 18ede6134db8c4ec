"""From what a generator returns to bytes that a browser shows: 8-bit pixels, grids, PNG and WebP.

Every picture carries the mark that it was drawn by a trained model: IPTC's DigitalSourceType in an XMP
packet, and PNG's Software text.
"""

import io
import json
from typing import Any

import torch
from PIL import Image, PngImagePlugin

from gan.provenance import MAKER, XMP

SMALL_PIXELS = 128 * 128
GREY, COLOUR = 1, 3


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Pixels 0..255 of images in [-1, 1], any shape, on the same device: -1 -> 0, 0 -> 128, 1 -> 255, halves
    round up, the rest is clamped.

    NaN becomes the middle grey, because what the cast would make of it differs between processors. It tells
    nobody: that numbers exploded is seen before anything is drawn, by the trainer's `healthy` after each
    chunk and by `load_generator`.
    """
    return images.detach().float().nan_to_num(nan=0.0).mul(127.5).add(128.0).clamp(0, 255).to(torch.uint8)


def grid(images: torch.Tensor, columns: int, padding: int = 0) -> torch.Tensor:
    """Lay uint8 images (N, C, H, W) out row by row: (C, rows * (H + padding) - padding, columns * (W +
    padding) - padding).

    Padding in pixels stands between the cells only and is white, as are the empty cells at the end of the
    last row. Raises ValueError where there is no image, no column or a negative padding.
    """
    count, channels, height, width = images.shape
    if count < 1 or columns < 1 or padding < 0:
        raise ValueError(
            f"a grid of {count} images in {columns} columns with padding {padding} has no pixels"
        )
    rows = -(-count // columns)
    canvas = images.new_full((rows * columns, channels, height + padding, width + padding), 255)
    canvas[:count, :, :height, :width] = images
    sheet = canvas.view(rows, columns, channels, height + padding, width + padding).permute(2, 0, 3, 1, 4)
    sheet = sheet.reshape(channels, rows * (height + padding), columns * (width + padding))
    return sheet[:, : sheet.shape[1] - padding, : sheet.shape[2] - padding]


def encode_png(image: torch.Tensor) -> bytes:
    """PNG of one uint8 picture (C, H, W), C = 1 as grey or 3 as RGB, with its provenance. Raises ValueError
    for another shape or type.
    """
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", MAKER)
    info.add_itxt("XML:com.adobe.xmp", XMP)
    buffer = io.BytesIO()
    _pillow(image).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def encode_webp(image: torch.Tensor, lossless: bool | None = None) -> bytes:
    """WebP of one uint8 picture (C, H, W), with its provenance.

    lossless None keeps every pixel of grey and of small pictures (up to 128x128), and gives large colour ones
    quality 90. The effort is set for speed: a trainer waits for each grid, and a slower method saves under 2
    % of the bytes. Raises ValueError for another shape or type.
    """
    picture = _pillow(image)
    if lossless is None:
        lossless = picture.mode == "L" or picture.width * picture.height <= SMALL_PIXELS
    options = {"lossless": True, "quality": 20, "method": 2} if lossless else {"quality": 90, "method": 1}
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", xmp=XMP.encode(), **options)
    return buffer.getvalue()


def _pillow(image: torch.Tensor) -> Image.Image:
    if image.dtype != torch.uint8 or image.dim() != 3 or image.shape[0] not in (GREY, COLOUR):
        raise ValueError(
            f"a picture is uint8 of shape (1 or 3, H, W), not {image.dtype} of shape {tuple(image.shape)}"
        )
    pixels = image.detach().cpu().permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels[:, :, 0] if image.shape[0] == GREY else pixels)


def pack(told: dict[str, Any], picture: bytes = b"") -> bytes:
    """The bytes of an answer."""
    text = json.dumps(told, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + picture
