"""Recognise the type of a file by its first bytes. Imports only the standard library."""

from pathlib import PurePosixPath

HEAD = 64  # bytes that suffice to recognise any file
READ = ("PNG", "JPEG", "WebP")  # image formats that are opened
_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF87a": "GIF", b"GIF89a": "GIF",
    b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF",
    b"MM\0+": "TIFF", b"8BPS": "PSD", b"\0\0\1\0": "ICO", b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL", b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xffO\xffQ": "JPEG 2000", b"qoif": "QOI", b"\x76\x2f\x31\x01": "EXR", b"FUJIFILMCCD-RAW": "RAW",
    b"IIRO": "RAW", b"IIU\0": "RAW",
}  # fmt: skip
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC",
    b"heis": "HEIC", b"hevc": "HEIC", b"hevx": "HEIC",
           b"crx ": "RAW", b"mif1": "HEIC", b"msf1": "HEIC"}  # fmt: skip
# Camera files. Most have the first bytes of a TIFF.
_RAW = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw")
# Suffixes of images. They tell the intended format of a file whose bytes are unrecognisable.
SUFFIXES = {
    ".png": "PNG",
    ".apng": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".jpe": "JPEG",
    ".pjpeg": "JPEG",
    ".webp": "WebP",
}
_OTHER_SUFFIXES = {
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".avif": "AVIF",
    ".svg": "SVG",
    ".psd": "PSD",
    ".jxl": "JPEG XL",
    ".jp2": "JPEG 2000",
    ".ico": "ICO",
    **dict.fromkeys(_RAW, "RAW"),
}
_SYSTEM = (
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "@eadir",
    "$recycle.bin",
    "system volume information",
    "icon\r",
)

_ARCHIVES = {
    b"Rar!\x1a\x07": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}


def kind_of(head: bytes) -> str:
    """Name the image format whose first HEAD bytes these are; "" for any other file."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    # The MPEG-4 box of brands. The first brand is the file's own; another may be more specific.
    if head[4:8] == b"ftyp":
        length = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))]
        return (
            next((kind for brand, kind in _BRANDS.items() if brand in brands), "")
            if brands[0] in _BRANDS
            else ""
        )
    if (
        head[:2] == b"BM"
        and head[6:10] == bytes(4)
        and len(head) >= 18
        and 12 <= int.from_bytes(head[14:18], "little") <= 124
    ):
        return "BMP"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:4] == b"<svg" or (text[:5] == b"<?xml" and b"<svg" in text):
        return "SVG"
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), "")


def archive_of(head: bytes) -> str:
    """Name the archive format, except zip, whose first 300 bytes these are; "" for any other file."""
    if head[257:262] == b"ustar":
        return "tar"
    return next((kind for start, kind in _ARCHIVES.items() if head.startswith(start)), "")


def named(place: PurePosixPath) -> str:
    """Name the image format that a file's suffix promises; "" if it promises none."""
    suffix = place.suffix.lower()
    return SUFFIXES.get(suffix) or _OTHER_SUFFIXES.get(suffix, "")


def judge(place: PurePosixPath, head: bytes) -> tuple[str, str] | None:
    """Return reason and detail of a `LeftOut` by a file's name and first bytes; None if it may be usable."""
    found = kind_of(head)
    if found in READ:
        return None
    if place.suffix.lower() in _RAW and found in ("TIFF", ""):
        return "kind", "RAW"
    if found:
        return "kind", found
    if (promised := named(place)) in READ:
        return "damaged", ""
    return ("kind", promised) if promised else ("other", "")


def is_system(place: PurePosixPath) -> bool:
    """Whether the operating system made the file by itself. Hidden files count too."""
    return any(part.startswith(".") or part.lower() in _SYSTEM for part in place.parts)
