"""Turn a generator's output into bytes that a browser shows: 8-bit pixels, grids, PNG and WebP.

Each image says that a trained model made it: IPTC's DigitalSourceType in an XMP packet, and PNG's Software
text.
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
    """Map images in [-1, 1] to pixels 0 to 255 (-1 -> 0, 0 -> 128, 1 -> 255), any shape, on the same device.

    Halves round up, and values outside are clamped. NaN becomes middle grey, because the result of casting
    NaN depends on the processor. This does not hide divergence: the trainer's `healthy` checks after each
    chunk, and `load_generator` checks as well.
    """
    return images.detach().float().nan_to_num(nan=0.0).mul(127.5).add(128.0).clamp(0, 255).to(torch.uint8)


def grid(images: torch.Tensor, columns: int, padding: int = 0) -> torch.Tensor:
    """Lay uint8 images (N, C, H, W) out row by row in `columns`, `padding` pixels apart.

    Returns (C, rows * (H + padding) - padding, columns * (W + padding) - padding). Padding is only between
    cells. It is white, as are the empty cells of the last row. Raises ValueError without an image or a
    column, or for a negative padding.
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
    """Encode a uint8 image (C, H, W), C = 1 for grey or 3 for RGB, as PNG with its provenance.

    Raises ValueError for another shape or dtype.
    """
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", MAKER)
    info.add_itxt("XML:com.adobe.xmp", XMP)
    buffer = io.BytesIO()
    _pillow(image).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def encode_webp(image: torch.Tensor, lossless: bool | None = None) -> bytes:
    """Encode a uint8 image (C, H, W) as WebP with its provenance. Raises ValueError for any other tensor.

    lossless=None means lossless for grey and for small images (up to 128x128), and quality 90 for large
    colour ones. The method is fast, because a trainer waits for each grid. A slower one saves under 2 % of
    the bytes.
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


def pack(header: dict[str, Any], picture: bytes = b"") -> bytes:
    """Return a server's answer: the length of the JSON (4 bytes, little-endian), the JSON, and the image."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + picture
