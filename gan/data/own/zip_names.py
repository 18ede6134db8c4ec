"""Guess the code page of names in a zip that do not declare it. Imports only the standard library.

Only names with the UTF-8 flag are certain. The others are in the code page of the machine that packed the
zip. zipfile reads all of them as CP437. One machine packed the zip, so one code page must fit all of its
names.
"""

import math
import os
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from gan.data.own import zip_letters as known

UTF8_FLAG = 0x800
UNICODE_PATH = 0x7075  # Info-ZIP's extra field: version 1, CRC-32 of the plain name, the name in UTF-8
MAX_SCORED = 4000  # bytes of names that a guess uses; more do not improve it


def read_names(entries: Iterable[zipfile.ZipInfo]) -> tuple[list[str], str]:
    """Decode the names of a zip's entries, in order; also return the guessed code page.

    The code page is "UTF-8", another name, or "" if all names are certain. Names with the UTF-8 flag or in
    ASCII are certain. The others are UTF-8 if all of them decode as UTF-8 and no other code page is likelier.
    Otherwise their Unicode-path fields count, and one guess decodes the rest.
    """
    entries = list(entries)
    names = [entry.filename for entry in entries]
    raw = {
        k: _raw(entry)
        for k, entry in enumerate(entries)
        if not entry.flag_bits & UTF8_FLAG and not entry.orig_filename.isascii()
    }
    sure, read_as = {k: _utf8(name) for k, name in raw.items()}, "UTF-8"
    if None in sure.values() or not _is_utf8(names, raw.values()):
        sure = {k: _unicode_path(entries[k].extra, name) for k, name in raw.items()}
    decoded = {k: text for k, text in sure.items() if text is not None}
    rest = {k: name for k, name in raw.items() if k not in decoded}
    if rest:
        read_as, decode = guess(list(rest.values()))
        decoded |= {k: decode(name) for k, name in rest.items()}
    for k, text in decoded.items():
        names[k] = text.split("\0")[0]  # as zipfile does
    return names, read_as if raw else ""


def read_folder_names(names: list[str]) -> list[str]:
    """Decode names from a disk that are no UTF-8, by one guess for all. `names` come from os.fsdecode.

    Some tools unpack zips with undecoded names. The guessed page also decodes names that are UTF-8 by chance,
    if that gives a likelier text. For example, 猫 in GBK has the bytes of è in UTF-8.
    """
    certain = list(map(_encodable, names))
    if all(certain):
        return names
    page = _best(_parts(os.fsencode(name) for name, sure in zip(names, certain, strict=True) if not sure))

    @lru_cache(4096)
    def read(part: str) -> str:
        raw = os.fsencode(part)
        text = _decoded(page, raw)
        if not _encodable(part):
            return raw.decode(page.codec, "replace")
        return (
            text if text and not part.isascii() and page.likelihood(text) > _best_likelihood(part) else part
        )

    return ["/".join(map(read, name.split("/"))) for name in names]


def _is_utf8(names: list[str], raw: Iterable[bytes]) -> bool:
    """Whether names that decode as UTF-8 are UTF-8. 猫 in GBK has the bytes of è, the less likely name.

    `names` are all names of the zip. If several are single letters, the zip sorts an alphabet.
    """
    parts = _parts(raw)
    if not parts:
        return True
    page = _best(parts)
    texts = [unicodedata.normalize("NFC", part.decode()) for part in _first(parts)]
    plain = any(
        len(part) == 1 and part.isalpha() and part.isascii()
        for name in names
        for part in name.split("/")[:-1]
    )
    alphabet = plain or sum(len(text) == 1 for text in texts) > 2
    score = UTF8_PRIOR + sum(
        _utf8_likelihood(text, 4 if alphabet else k and PROOF[2]) for k, text in enumerate(texts)
    )
    return score >= _score(page, parts)


def _utf8_likelihood(text: str, letter: float) -> float:
    """Compute the log-likelihood of a name as UTF-8, in any language.

    Valid UTF-8 sequences rarely occur by chance, so each adds PROOF. `letter` is the PROOF of a single letter
    of two bytes.
    """
    score = max(
        _best_likelihood(text),
        sum(OF_ANY_SCRIPT[len(one.encode())] for one in text) - (4 if text[1:2] in ("", ".") else 0),
    )
    for before, one, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        long, alone = len(one.encode()), not before.isalpha() and not after.isalpha()
        score += PROOF[long] if long != 2 or not alone else letter
    return score


def _best_likelihood(text: str) -> float:
    """Compute the log-likelihood of a text in its likeliest language."""

    def of(page: _Page) -> float:
        try:
            text.encode(page.codec)
        except UnicodeEncodeError:
            return NEVER * len(text)
        return page.likelihood(text)

    return max(map(of, PAGES))


def _encodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:  # os.fsdecode represents invalid bytes by surrogates
        return False
    return True


def _raw(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("cp437")  # CP437 maps every byte, so this restores the bytes


def _utf8(name: bytes) -> str | None:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _unicode_path(extra: bytes, name: bytes) -> str | None:
    """Return the name in an entry's Unicode-path field.

    Returns None if there is no field, or if its CRC belongs to another name because a tool renamed it.
    """
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == UNICODE_PATH and len(field) > 5 and field[:5] == struct.pack("<BI", 1, zlib.crc32(name)):
            return _utf8(field[5:])
    return None


class _Page(NamedTuple):
    """A code page, and the likelihood of a text in its languages."""

    name: str  # shown to people
    codec: str  # Python's name
    likelihood: Callable[[str], float]  # log-probability of a text
    prior: float = 0.0  # log of its frequency in zips, relative to the other pages


def guess(names: list[bytes]) -> tuple[str, Callable[[bytes], str]]:
    """Guess the code page of names; return its name and a decoder that never fails.

    Every page is scored by the log-likelihood of the same bytes. So pages with one and with two bytes a
    letter are comparable. A folder that several names share counts once.
    """
    best = _best(_parts(names))
    return best.name, lambda name: name.decode(best.codec, "replace")


def _parts(names: Iterable[bytes]) -> list[bytes]:
    """List the folder and file names that are not ASCII, each once."""
    return list(
        dict.fromkeys(
            part for name in names for part in name.replace(b"/", b"\0").split(b"\0") if not part.isascii()
        )
    )


def _first(parts: list[bytes]) -> Iterator[bytes]:
    """Iterate over the first names, up to about MAX_SCORED bytes."""
    seen = 0
    for part in parts:
        if seen > MAX_SCORED:
            break
        seen += len(part)
        yield part


def _best(parts: list[bytes]) -> _Page:
    return max(PAGES, key=lambda page: _score(page, parts))


def _score(page: _Page, parts: list[bytes]) -> float:
    """Compute the log-likelihood of names in a code page.

    Undecodable names may be damaged. They cost much, but do not exclude a page.
    """
    texts = [(part, _decoded(page, part)) for part in _first(parts)]
    return page.prior + sum(
        NEVER * len(part) if text is None else page.likelihood(text) for part, text in texts
    )


def _decoded(page: _Page, part: bytes) -> str | None:
    """Decode a name in a code page; None if the bytes are invalid or unprintable there."""
    try:
        text = part.decode(page.codec)
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


NEVER = -18.0  # log-likelihood of a letter that these languages never use, such as box drawing
RARE = -16.5  # of a letter that they hardly use
SIGN = -5.0  # of digits, blanks and punctuation
LETTER = -3.2  # of a plain letter
MIXED = -3.0  # added for a plain letter next to one of another script in the same word
# Log-likelihood of a letter of any language, by its number of bytes in UTF-8.
OF_ANY_SCRIPT = {1: LETTER, 2: -8.0, 3: -9.5, 4: -11.0}
# Log of how much likelier a sequence of so many bytes is in UTF-8 than by chance.
PROOF = {1: 0.0, 2: 1.5, 3: 6.0, 4: 9.0}
UTF8_PRIOR = 2.4  # log of its frequency relative to GBK
HALF_WIDTH = -4.6  # of a half-width Japanese letter after another one
FULL_SIGNS = frozenset("（）【】《》、。·—，！？：；「」『』〈〉〔〕ー・～　＿－０１２３４５６７８９々〇")
KANA = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7))))
# First and last lead byte, smallest trail byte, log-likelihood of each letter.
Level = tuple[bytes, bytes, int, float]


def _east(codec: str, letters: dict[str, float], levels: list[Level]) -> Callable[[str], float]:
    """Build a likelihood for scripts of hundreds of letters.

    `letters` maps strings of frequent letters to their total probability. `levels` gives the others.
    """
    chance: dict[str, float] = {}
    for text, mass in letters.items():
        chance.update(dict.fromkeys(text, math.log(mass / len(set(text)))))

    def letter(one: str) -> float:
        if one in chance:
            return chance[one]
        if one in FULL_SIGNS:
            return SIGN - 3
        code = one.encode(codec)
        return next(
            (
                value
                for first, last, trail, value in levels
                if first <= code[:1] <= last and code[-1] >= trail
            ),
            RARE,
        )

    def likelihood(text: str) -> float:
        score, before = 0.0, " "
        for one in text:
            score += (HALF_WIDTH - levels[0][3]) * ("｡" <= one <= "ﾟ" and "｡" <= before <= "ﾟ")
            touches = one.isascii() != before.isascii() and (one if one.isascii() else before).isalpha()
            score += MIXED * touches + ((LETTER if one.isalpha() else SIGN) if one.isascii() else letter(one))
            before = one
        return score

    return likelihood


def _marked(weights: Mapping[str, float]) -> Callable[[str], float]:
    """Build a likelihood for Latin text.

    Letters with diacritics have these `weights`, and stand singly among plain letters.
    """
    whole = sum(weights.values())
    chance = {letter: math.log(0.12 * weight / whole) for letter, weight in weights.items()}

    def word(text: str) -> float:
        score = _cases(text) - 6 * text.startswith("ß")
        plain = sum(letter.isascii() for letter in text)
        for before, letter in zip(" " + text, text, strict=False):
            score += (
                LETTER
                if letter.isascii()
                else chance.get(letter.lower(), NEVER) - 1.5 * (before.isalpha() and not before.isascii())
            )
        return score - (0 if plain else 4 * len(text))

    return lambda text: _by_words(text, word, chance)


def _alphabet(
    weights: Mapping[str, float], vowels: str, spelling: Callable[[str], float] = lambda word: 0.0
) -> Callable[[str], float]:
    """Build a likelihood for a non-Latin alphabet with these letter weights.

    Its words contain vowels and no plain letters. `spelling` adds a score for each word.
    """
    whole = sum(weights.values())
    chance = {letter: math.log(weight / whole) for letter, weight in weights.items()}

    def word(text: str) -> float:
        if text.isascii():
            return LETTER * len(text)
        score = (
            spelling(text)
            + _cases(text)
            - {1: 4, 2: 2}.get(len(text), 0)
            - 4 * (not set(text.lower()) & set(vowels))
        )
        for before, letter in zip(" " + text, text, strict=False):
            score += MIXED * 2 * (before.isalpha() and before.isascii() != letter.isascii())
            score += LETTER if letter.isascii() else chance.get(letter.lower(), NEVER)
        return score

    return lambda text: _by_words(text, word, {})


def _greek(word: str) -> float:
    """Score the spelling of a Greek word.

    Words of several syllables have one accent unless in capitals, and a final sigma stands only at the end.
    """
    accents = sum(letter in "άέήίόύώ" for letter in word.lower())
    misplaced = word[:-1].count("ς") + word.endswith("σ")
    return (0.0 if word.isupper() or len(word) < 4 else 2.0 if accents == 1 else -3.0) - 4 * misplaced


def _thai(text: str) -> float:
    """Compute the log-likelihood of Thai text, whose signs above and below a letter are no letters.

    Such a sign follows a consonant or another sign, and ่ ้ ๊ ๋ ์ are never doubled. Plain letters stand apart.
    """
    score, before = 0.0, " "
    for one in text:
        if one.isascii():
            score += LETTER if one.isalpha() else SIGN
        else:
            score += _THAI.get(one, NEVER)
            loose = unicodedata.combining(one) or one in "ัิีึื็์ํ"
            score -= 6 * bool(loose and (before.isascii() or before in "าะเแโใไ" or before == one))
        score += MIXED * (before.isalpha() and one.isalpha() and before.isascii() != one.isascii())
        before = one
    return score


def _by_words(text: str, word: Callable[[str], float], signs: dict[str, float]) -> float:
    """Add up the likelihoods of the words of a text and of the characters between them."""
    words = "".join(letter if letter.isalpha() else " " for letter in text).split()
    others = [letter for letter in text if not letter.isalpha()]
    return sum(map(word, words)) + sum(
        SIGN if letter.isascii() else signs.get(letter, NEVER) for letter in others
    )


def _cases(word: str) -> float:
    """Compute the penalty for capitals: small for an initial one or all of them, large inside a word."""
    capitals = sum(map(str.isupper, word))
    if not capitals:
        return 0.0
    if word.isupper() or word.istitle():
        return -1.5 - 0.7 * (capitals - 1)
    return -1.5 - 3.5 * (capitals - word[0].isupper())


_CYRILLIC, _WEST, _CENTRAL = (
    _alphabet(known.RUSSIAN, "аеёиоуыэюяіїє"),
    _marked(known.WESTERN),
    _marked(known.CENTRAL),
)
_THAI = {letter: math.log(weight / sum(known.THAI.values())) for letter, weight in known.THAI.items()}
_GREEK, _TURKISH = _alphabet(known.GREEK, "αειοηυωάέήίόύώ", _greek), _marked(known.TURKISH)
_HEBREW, _ARABIC = (_alphabet(letters, "".join(letters)) for letters in (known.HEBREW, known.ARABIC))
PAGES = (
    _Page(
        "GBK",
        "gb18030",
        _east(
            "gb18030",
            {known.SIMPLIFIED_TOO: 0.22, known.SIMPLIFIED: 0.65, KANA: 0.003},
            [(b"\xb0", b"\xd7", 0xA1, -10.4), (b"\xd8", b"\xf7", 0xA1, -12.4)],
        ),
    ),
    _Page(
        "Shift-JIS",
        "cp932",
        _east(
            "cp932",
            {known.JAPANESE_TOO: 0.14, known.JAPANESE: 0.33, KANA: 0.42},
            [
                (b"\xa1", b"\xdf", 0xA1, -8.5),
                (b"\x88", b"\x98", 0x40, -10.2),
                (b"\x98", b"\xea", 0x40, -12.8),
            ],
        ),
        -0.5,
    ),
    _Page(
        "CP949",
        "cp949",
        _east(
            "cp949",
            {known.KOREAN_TOO: 0.14, known.KOREAN: 0.81},
            [(b"\xb0", b"\xc8", 0xA1, -10.5), (b"\xca", b"\xfd", 0xA1, -13.5)],
        ),
        -0.7,
    ),
    _Page(
        "Big5",
        "cp950",
        _east(
            "cp950",
            {known.TRADITIONAL_TOO: 0.22, known.TRADITIONAL: 0.65},
            [(b"\xa4", b"\xc6", 0x40, -10.8), (b"\xc9", b"\xf9", 0x40, -14.0)],
        ),
        -1.0,
    ),
    _Page("CP866", "cp866", _CYRILLIC, -0.7),
    _Page("Windows-1251", "cp1251", _CYRILLIC, -4.0),
    _Page("CP737", "cp737", _GREEK, -4.4),
    _Page("Windows-1253", "cp1253", _GREEK, -4.8),
    _Page("CP437", "cp437", _WEST),
    _Page("CP850", "cp850", _WEST, -0.3),
    _Page("Windows-1252", "cp1252", _WEST, -1.0),
    _Page("CP852", "cp852", _CENTRAL, -1.6),
    _Page("Windows-1250", "cp1250", _CENTRAL, -2.0),
    _Page("CP857", "cp857", _TURKISH, -3.3),
    _Page("Windows-1254", "cp1254", _TURKISH, -3.3),
    _Page("CP862", "cp862", _HEBREW, -5.5),
    _Page("Windows-1255", "cp1255", _HEBREW, -6.5),
    _Page("Windows-1256", "cp1256", _ARABIC, -6.0),
    _Page("CP720", "cp720", _ARABIC, -6.0),
    _Page("CP874", "cp874", _thai, -5.0),
)
