"""Decide which folders are classes, and label images by them.

The class folders form the first level with several folders. Levels that only split a set or number its parts
do not count. Imports only the standard library.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

MAX_CLASS_NAME = 60  # characters
MAX_DEPTH = 32  # deepest folder level that is considered

_TRAIN = (
    "train training trained trn labeled labelled annotated support addestramento "
    "训练 训 訓練 学習 훈련 학습 обучение обучающая entraînement entrainement "
    "entrenamiento treino"
)
_HELD_OUT = (
    "test testing tst valid validation validate val vali dev development eval evaluation holdout "
    "unlabeled unlabelled demo demos sample samples example examples query gallery probe ood convalida "
    "pred preds predict prediction predictions inference "
    "测试 验证 校验 评估 评测 开发 预测 推理 未标注 未標註 測試 驗證 評估 預測 検証 テスト 評価 予測 검증 테스트 평가 예측 "  # noqa: E501
    "тест тестовая валидация validación validação validierung prueba teste"
)
_WRAPPERS = (
    "images image imgs img pictures picture pics pic photos photo data dataset datasets set sets split "
    "splits "
    "图片 图像 照片 数据集 数据 集 圖片 圖像 資料集 資料 画像 写真 データ 이미지 사진 데이터 bilder fotos daten imágenes imagenes datos"  # noqa: E501
)
_PARTS = (
    "part parts shard shards batch batches chunk chunks fold folds subset volume vol disk disc tar 分卷 分片 "
    "部分 批次 批 子集"
)


_EITHER = {
    name: "|".join(sorted(words.split(), key=len, reverse=True))
    for name, words in (
        ("split", f"{_TRAIN} {_HELD_OUT}"),
        ("apart", _HELD_OUT),
        ("word", f"{_TRAIN} {_HELD_OUT} {_WRAPPERS}"),
        ("part", _PARTS),
    )
}
_NO_CLASS = re.compile(r"[\W\d_]*(?:(?:{word})[\W\d_]*)+".format(**_EITHER))
_SHARD = re.compile(
    r"[\W\d_]*(?:(?:{word})[\W_]*)*(?:{part})[\W_]*\d+[\W_]*(?:of[\W_]*\d+)?|\D*\d+[\W_]*of[\W_]*\d+|第\d+(?:{part})".format(
        **_EITHER
    )
)
# train_cat, cat-test, trainA
_OF_SPLIT = re.compile(r"(?i:{split})(?:[\W_]+(.+)|([A-D]))|(.+)[\W_]+(?i:{split})".format(**_EITHER))
# 100CANON, 101APPLE: a camera starts a new folder when one is full.
_CAMERA = re.compile(r"[1-9]\d\d[A-Z0-9_]{5}")
_NUMBER = re.compile(r"(\d{1,18})\D*$")
Path = tuple[str, ...]


class Classes(NamedTuple):
    """The class index of each image, None outside all class folders, and the class names.

    Both are empty if there are no classes. `doubtful` says that the folders may also be the parts of one set.
    `too_many` is the number of folders if there are too many to be classes. `loose` is the number of images
    outside all class folders if these are the majority, so that there are no classes.
    """

    labels: list[int | None]
    names: tuple[str, ...]
    doubtful: bool = False
    too_many: int = 0
    loose: int = 0


class _Level(NamedTuple):
    """The class folder of each image, or None outside all class folders.

    `apart` marks the images of a split that has no class folders. `doubtful` says that the folders may not be
    classes.
    """

    names: list[str | None]
    apart: list[bool]
    doubtful: bool = False


def find(places: list[PurePosixPath], most: int) -> Classes:
    """Find the classes of images by their folders. `places` are relative to the top of a folder or zip.

    The classes are the folders of the first level with more than one folder. Two kinds of levels are skipped:
    folders named train, validation, test and the like, and numbered parts of a set. Then the next level has
    the classes, and folders there with equal names are one class.

    Images outside all class folders get no class unless they are the majority. Images of a split without
    class folders do not count for that. There are no classes if loose images are the majority. There are none
    either if only one folder or more than `most` qualify.

    Class names are sorted. They are shown to people, so they are made printable and short.
    """
    paths = [tuple(map(_plain, place.parts[:-1][:MAX_DEPTH])) for place in places]
    level = _class_level(paths, [place.stem for place in places])
    inside = sum(name is not None for name in level.names)
    found = sorted({name for name in level.names if name is not None})
    loose = len(places) - sum(level.apart) - inside
    if len(found) < 2 or inside < loose:
        return Classes([], (), loose=loose if len(found) > 1 else 0)
    if len(found) > most:
        return Classes([], (), too_many=len(found))
    short = _shorten(found)
    names = tuple(sorted(set(short.values())))
    number = {name: k for k, name in enumerate(names)}
    return Classes(
        [None if name is None else number[short[name]] for name in level.names], names, level.doubtful
    )


def _class_level(paths: list[Path], stems: list[str]) -> _Level:
    """Find the level of folders that are classes. `stems` are the file names without suffixes."""
    whole, apart = paths, [False] * len(paths)
    while heads := {path[0] for path in paths if path}:
        if len(heads) == 1 or _numbers_parts(heads, paths, stems):
            paths = [path[1:] for path in paths]
        elif _splits(heads, paths):
            outside = _without_classes(heads, paths)
            left = [path[:1] != () and path[0] in outside for path in paths]
            apart = [before or now for before, now in zip(apart, left, strict=True)]
            paths = [() if now else _inside(path) for now, path in zip(left, paths, strict=True)]
        else:
            names = _one_spelling(paths, whole, _without_split(heads))
            return _Level(names, apart, _may_be_parts(heads, paths, stems))
    return _Level([None] * len(paths), apart)


def _is_no_class(name: str) -> bool:
    """Whether a folder's name only says which part of a set it holds, or that it holds images."""
    return len(name) <= MAX_CLASS_NAME and any(
        kind.fullmatch(name.casefold()) for kind in (_NO_CLASS, _SHARD)
    )


def _splits(heads: set[str], paths: list[Path]) -> bool:
    """Whether the first folders of the paths split a set.

    They do if all of their names say so, or if some say so and equal folders lie below. A folder called train
    is a class beside car and plane, but not beside a folder with the same classes. Where two names say so and
    share two classes, other folders beside them change nothing.
    """
    known = set(filter(_is_no_class, heads))
    if known == heads or _split_one_name(heads - known):
        return True
    if not known:
        return False
    below = _below(paths)
    full = [below[head] for head in known if below[head]]
    shared = set.intersection(*full) if full else set()
    if len(known) > 1:
        return len(shared) > 1 or (
            bool(shared) and all(not below[head] or below[head] & shared for head in heads)
        )
    return (
        len(shared) > 1
        and all(below[head] == shared for head in heads)
        and re.search(_EITHER["split"], min(known).casefold()) is not None
    )


def _without_classes(heads: set[str], paths: list[Path]) -> set[str]:
    """Return the first folders without classes, among those that split a set.

    They are splits like `predictions` with images alone, and folders beside the splits that share no class
    with them, like `my_outputs/run1`.
    """
    below, known = _below(paths), set(filter(_is_no_class, heads))
    of_splits = set().union(*(below[head] for head in known))
    flat = {head for head in heads if not below[head] and re.search(_EITHER["apart"], head.casefold())}
    return flat | {
        head for head in heads - known if of_splits and below[head] and not below[head] & of_splits
    }


def _split_one_name(heads: set[str]) -> bool:
    """Whether these are splits named after the set.

    For example seg_train and seg_test, or "train of pets" and "test of pets".
    """
    if len(heads) < 2 or max(map(len, heads)) > MAX_CLASS_NAME:
        return False
    words = [re.split(r"[\W_]+", head.casefold()) for head in heads]
    first = _in_common(words)
    last = _in_common([each[first:][::-1] for each in words])
    rest = [" ".join(each[first : len(each) - last]) for each in words]
    return all(map(_NO_CLASS.fullmatch, rest)) and all(re.search(_EITHER["split"], each) for each in rest)


def _in_common(lists: list[list[str]]) -> int:
    """Count the equal words at the start of all lists."""
    return next(
        (k for k, each in enumerate(zip(*lists, strict=False)) if len(set(each)) > 1), min(map(len, lists))
    )


def _without_split(heads: set[str]) -> dict[str, str]:
    """Map each folder to its class: its own name, or the rest of names like train_cat and test_cat.

    The rest counts only if every class has several splits.
    """
    matched = {head: _OF_SPLIT.fullmatch(head[:MAX_CLASS_NAME]) for head in heads}
    left = {head: next(filter(None, match.groups())) for head, match in matched.items() if match}
    often = Counter(name.casefold() for name in left.values())
    return (
        left
        if len(left) == len(heads) and min(often.values()) > 1 and len(often) > 1
        else {head: head for head in heads}
    )


def _one_spelling(paths: list[Path], whole: list[Path], classes: dict[str, str]) -> list[str | None]:
    """Return the class of each image by its folder in `classes`.

    Names of several splits that differ only in capitals become the most frequent one.
    """
    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for path, full in zip(paths, whole, strict=True):
        if path:
            name = classes[path[0]]
            spelt[name.casefold()][name] += 1
            key = (*full[: len(full) - len(path)], path[0].replace(name, ""), name.casefold())
            beside[key].add(name)
    for (*_, name), ways in beside.items():
        if len(ways) > 1:  # one folder holds both spellings, so the difference is intended
            spelt.pop(name, None)
    chosen = {name: max(sorted(ways), key=ways.__getitem__) for name, ways in spelt.items()}
    return [chosen.get(classes[path[0]].casefold(), classes[path[0]]) if path else None for path in paths]


def _below(paths: list[Path]) -> dict[str, set[str]]:
    """Map each first folder to the lower-case names of its sub-folders, except those that are no classes."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in {path[:8] for path in paths if path}:
        found[path[0]].update(map(str.casefold, _inside(path)[:1]))
    return found


def _inside(path: Path) -> Path:
    """Drop the first folder of a path, then leading folders such as `images` or with the first one's name."""
    head, path = path[:1], path[1:]
    while path and (path[:1] == head or _is_no_class(path[0])):
        path = path[1:]
    return path


def _numbers_parts(heads: set[str], paths: list[Path], stems: list[str]) -> bool:
    """Whether the first folders certainly number the parts of a set.

    They are hash prefixes, camera folders, or numbers with a folder of the same name in each.
    """
    if max(map(len, heads)) > MAX_CLASS_NAME:
        return False
    if all(map(_CAMERA.fullmatch, heads)) or _hashed(heads, paths, stems):
        return True
    if not _are_numbers(heads):
        return False
    below = [names for names in _below(paths).values() if names]
    return (
        len(below) == len(heads)
        and bool(set.intersection(*below))
        and not all(name.isdigit() for names in below for name in names)
    )


def _are_numbers(heads: set[str]) -> bool:
    """Whether all folders have numbers as names, but not exactly the ten digits."""
    return (
        all(head.isascii() and head.isdigit() for head in heads)
        and {str(digit) for digit in range(10)} != heads
    )


def _may_be_parts(heads: set[str], paths: list[Path], stems: list[str]) -> bool:
    """Whether class folders may also be parts of a set. Banknotes and years have names like shards.

    Three signs count. Two names or more repeat in every folder: monet/land and monet/sea beside hopper/land
    and hopper/sea. The numbers of the files continue from one numbered folder to the next. Or numbered
    folders are equally full, and their names are padded to three digits or more.
    """
    below = _below(paths)
    if len(set.intersection(*(below[head] for head in heads))) > 1:
        return True
    if (
        max(map(len, heads)) > MAX_CLASS_NAME
        or not _are_numbers(heads)
        or all(len(head) == 1 for head in heads)
    ):
        return False
    padded = len(min(heads, key=len)) >= 3 and any(head.startswith("0") for head in heads)
    return _numbered_on(paths, stems) or (padded and _equally_full(paths, stems))


def _numbered_on(paths: list[Path], stems: list[str]) -> bool:
    """Whether all files have numbers, and each folder continues the numbers of the folder before."""
    spans: dict[str, list[int]] = defaultdict(list)
    for path, stem in zip(paths, stems, strict=True):
        if path:
            last = _NUMBER.search(stem[-100:])
            if last is None:
                return False
            spans[path[0]].append(int(last[1]))
    ordered = [spans[head] for head in sorted(spans, key=int)]
    return all(max(one) < min(other) for one, other in pairwise(ordered))


def _equally_full(paths: list[Path], stems: list[str]) -> bool:
    """Whether all folders hold equally many files and the last no more, as when a set is cut into parts."""
    full = Counter(path[0] for path in paths if path)
    numbers = [full[head] for head in sorted(full, key=int)]
    return len(set(numbers[:-1])) == 1 and numbers[-1] <= numbers[0]


def _hashed(heads: set[str], paths: list[Path], stems: list[str]) -> bool:
    """Whether files named by hashes lie in folders named by the first digits of the hash."""
    return all(re.fullmatch("[0-9a-f]{1,3}", head.lower()) for head in heads) and all(
        re.fullmatch("[0-9a-f-]{16,}", stem.lower()) and stem.lower().startswith(path[0].lower())
        for path, stem in zip(paths, stems, strict=True)
        if path
    )


@lru_cache(4096)
def _plain(name: str) -> str:
    """Normalise a folder name to NFC and drop unprintable characters. A Mac writes é as two characters."""
    return (
        "".join(letter for letter in unicodedata.normalize("NFC", name) if letter.isprintable()).strip()
        or "?"
    )


def _shorten(names: list[str]) -> dict[str, str]:
    """Shorten each name to MAX_CLASS_NAME characters. Names with equal beginnings keep their end too."""
    short = {name: name[:MAX_CLASS_NAME].strip() for name in names}
    often = Counter(short.values())
    half = MAX_CLASS_NAME // 2
    return {
        name: first
        if often[first] == 1
        else f"{name[: half - 1]}…{name[-half:]}"
        if len(name) > MAX_CLASS_NAME
        else first
        for name, first in short.items()
    }
