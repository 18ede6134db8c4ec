"""Build the bundled emoji, Google's Noto Emoji at 64x64, from the npm package emoji-datasource-google 16.0.0.

    npm install emoji-datasource-google@16.0.0
    python -m gan.data.build.emoji node_modules/emoji-datasource-google

It takes four groups, on white: animals and nature, food and drink, flags, smileys. It omits variants of skin
tone.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from gan import console
from gan.data.build.pack import asked, write_set

GROUPS = {
    "Animals & Nature": "animals",
    "Food & Drink": "food",
    "Flags": "flags",
    "Smileys & Emotion": "smileys",
}
CLASSES = tuple(GROUPS.values())
LICENCE_NOTE = """
Google's Noto Emoji (https://github.com/googlefonts/noto-emoji), images under the Apache License 2.0, as packed in npm emoji-datasource-google
16.0.0 (MIT, Cal Henderson). Changed here: laid on white, four groups chosen, stored as one lossless WebP sheet.

"""  # noqa: E501


def main(package: Path) -> None:
    images, labels = [], []
    for entry in sorted(
        json.loads((package / "emoji.json").read_text(encoding="utf-8")),
        key=lambda entry: entry["sort_order"],
    ):
        if entry["category"] not in GROUPS or not entry["has_img_google"]:
            continue
        with Image.open(package / "img" / "google" / "64" / entry["image"]) as opened:
            picture = opened.convert("RGBA")
        assert picture.size == (64, 64), entry["image"]
        images.append(
            np.asarray(
                Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
            ).transpose(2, 0, 1)
        )
        labels.append(CLASSES.index(GROUPS[entry["category"]]))
    meta = {
        "name": "emoji",
        "size": 64,
        "classes": list(CLASSES),
        "attributes": {},
        "licence": "Apache-2.0",
        "credit": "Noto Emoji, by Google",
        "source": "npm emoji-datasource-google 16.0.0",
    }
    licence = Path(__file__).with_name("apache-2.0.txt").read_text(encoding="utf-8")
    write_set("emoji", np.stack(images), {"label": np.array(labels)}, meta, LICENCE_NOTE + licence)


if __name__ == "__main__":
    console.prepare()
    main(asked(__doc__, "folder").folder)
