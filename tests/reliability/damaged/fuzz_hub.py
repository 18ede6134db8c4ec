"""Targets of tests.reliability.fuzz that read what somebody put on the Hub: a model, a table, a card."""

import contextlib
import io
import json
import shutil
from pathlib import Path, PurePosixPath
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from gan.data.own.source import SUFFIX, Source, classes_of, read_source, write_source
from gan.errors import UserError
from gan.hub import table
from gan.hub.folder import CARD, CONFIG, DISCRIMINATOR, GENERATOR, check
from gan.latent.catalogue import read_pulled
from gan.latent.origins import origin_of
from gan.recipes import make_config
from gan.spec import FORMAT
from gan.train.origin import RECORD, START, describe, plain_record
from tests.reliability.damaged.damage import VALUES, Target, as_json, damaged, deep, like
from tests.support.inputs.generators import tiny_spec, write_weights
from tests.support.inputs.tables import picture
from tests.support.inputs.tables import table as write_table

NAME = "hub:bob/cats"


def pulled(folder: Path) -> Target:
    """The files of a pulled model: it can be shown and be started from, or check raises UserError."""
    model = folder / "model"
    config = make_config("digits", size=28, channels=1, width=8, z_dim=6, clusters=1).to_json()
    card = {
        "format": FORMAT, "title": "Cats", "data": "digits", "classes": ["a", "b"], "licence": "MIT",
        "scored": {"net": "x", "pictures": 100}, "scores": {"fd": 1.5},
        "started_from": {"id": "hub:a/b", "title": "B", "weights": "0", "earlier": [{"id": "hub:c/d"}]},
    }  # fmt: skip
    write_weights(model / GENERATOR, tiny_spec())
    weights = (model / GENERATOR).read_bytes()
    whole = {CONFIG: as_json(config), CARD: as_json(card), GENERATOR: weights, DISCRIMINATOR: weights}
    check_files(model, whole)

    def content(name: str) -> st.SearchStrategy[bytes]:
        odd = damaged([whole[name]]) | st.binary(max_size=60)
        if name in (CONFIG, CARD):
            value = json.loads(whole[name])
            odd |= like(value).map(as_json) | deep(value)
        return odd

    changes = st.sampled_from(sorted(whole)).flatmap(lambda name: st.tuples(st.just(name), content(name)))

    def act(change: tuple[str, bytes]) -> None:
        check_files(model, {**whole, **dict([change])})

    return changes, act


def check_files(model: Path, files: dict[str, bytes]) -> None:
    """Write a pulled model, check it, and read what Explore, a card and a new run take from it."""
    for name, content in files.items():
        (model / name).write_bytes(content)
    check(model, NAME, with_d=False)
    entry = read_pulled(NAME, model)
    origin = origin_of(entry)
    shown = (entry.title, entry.data, entry.classes, entry.scored, origin.recipe, origin.classes)
    json.dumps([shown, origin.earlier], allow_nan=False).encode("utf-8")
    with contextlib.suppress(UserError):
        check(model, NAME, with_d=True)


class Local(io.BytesIO):
    """A file of the Hub whose content is in memory, in place of gan.hub.table's."""

    content = b""

    def __init__(self, api: Any, name: str, url: str, size: int, *_: Any):
        super().__init__(self.content)
        self.called, self.size = name, size


def rows(folder: Path) -> Target:
    """A parquet table: gives rows of bytes and class numbers, or raises UserError."""
    images = [picture(number, 8) for number in range(5)]
    whole = [
        write_table(images, [0, 1, 0, 1, None], ("cat", "dog"), group=2, path=["x"] * 5),
        write_table([*images[:2], None], value=[1.5, 2.5, 3.5]),
    ]

    def act(content: bytes) -> None:
        with mock.patch.object(Local, "content", content), mock.patch.object(table, "_Remote", Local):
            found = list(table.read_rows(None, NAME, [("http://x", len(content))]))
        columns, *read = found
        assert isinstance(columns, table.Columns)
        for number, row in enumerate(read):
            assert row.number == number
            assert row.content is None or isinstance(row.content, bytes)
            assert row.label is None or type(row.label) is int

    return damaged(whole) | st.binary(max_size=60), act


def source(folder: Path) -> Target:
    """The description beside a pulled zip: is read and survives a round trip, or counts as none."""
    archive = folder / "cats.zip"
    sound = {
        "name": "hub:bob/cats", "commit": "0" * 40, "licence": "MIT", "title": "Cats", "count": 2,
        "classes": ["cat", "dog"], "left_out": [{"name": "row-1", "reason": "bytes", "detail": "65"}],
    }  # fmt: skip
    assert Source.from_json(sound).left_out

    def act(content: bytes) -> None:
        archive.with_name(archive.name + SUFFIX).write_bytes(content)
        found = read_source(archive)
        if found is None:
            return
        write_source(archive, found)
        assert read_source(archive) == found
        json.dumps(found.facts()).encode("utf-8")
        classes = classes_of([PurePosixPath("00000-x/1.png"), PurePosixPath("00001-y/2.png")],
                             found.classes, 10)  # fmt: skip
        assert len(set(classes.names)) == len(classes.names)

    texts = like(sound).map(as_json) | deep(sound) | damaged([as_json(sound)])
    return st.binary(max_size=60) | VALUES.map(as_json) | texts, act


def origin(folder: Path) -> Target:
    """start/origin.json of a run: a card and a new run take from it what has the right types."""
    run = folder / "run"
    record = {
        "id": "shipped:digits", "title": "Digits", "data": "digits", "weights": "0" * 64,
        "classes": ["a", "b"], "earlier": [{"id": "x", "title": "X", "weights": "1"}],
        "discriminator": "loaded", "conditioning": "anew",
    }  # fmt: skip

    def act(content: bytes) -> None:
        (run / START).mkdir(parents=True)
        try:
            (run / START / RECORD).write_bytes(content)
            shown = describe(run)
            assert shown is None or isinstance(shown, dict)
            plain = plain_record(shown or {})
            assert plain_record(plain) == plain
            json.dumps(plain, allow_nan=False)
        finally:
            shutil.rmtree(run)

    texts = like(record).map(as_json) | deep(record) | damaged([as_json(record)])
    return st.binary(max_size=60) | VALUES.map(as_json) | texts, act
