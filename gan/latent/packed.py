"""Numbers and a picture in one answer: 4 bytes of length, little end first, that many of JSON, then the picture's file."""

import json
from typing import Any


def pack(told: dict[str, Any], picture: bytes = b"") -> bytes:
    """The bytes of an answer."""
    text = json.dumps(told, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + picture
