"""Write meta.json, LICENSE and thumbnail of the drawn landscapes.

    python -m gan.data.build.landscapes

The images themselves are drawn when first needed.
"""

from gan import console
from gan.data.build.pack import asked, write_thumbnail, write_words
from gan.data.procedural import landscapes, scenery
from gan.data.registry import BUNDLED_DIR

LICENCE = """
These landscapes are drawn by gan/data/procedural/landscapes.py and gan/data/procedural/scenery.py, part of GANarium, and contain nothing from elsewhere.
The pictures (not the program) are dedicated to the public domain: CC0 1.0, https://creativecommons.org/publicdomain/zero/1.0/
"""  # noqa: E501


def main() -> None:
    images, facts = landscapes.draw(landscapes.COUNT, landscapes.SEED)
    folder = BUNDLED_DIR / "landscapes"
    folder.mkdir(parents=True, exist_ok=True)
    attributes = {name: ["no", "yes"] if name in landscapes.WHOLE else None for name in landscapes.ATTRIBUTES}
    attributes["scene"] = list(scenery.KINDS)
    meta = {
        "name": "landscapes",
        "size": landscapes.SIDE,
        "channels": 3,
        "count": landscapes.COUNT,
        "classes": list(scenery.CLASSES),
        "attributes": attributes,
        "licence": "CC0 1.0",
        "credit": "drawn by GANarium",
        "source": "gan/data/procedural/landscapes.py",
    }
    write_words(folder, meta, LICENCE)
    write_thumbnail(folder, images.numpy(), facts["label"].numpy(), skip=3)


if __name__ == "__main__":
    console.prepare()
    asked(__doc__)
    main()
