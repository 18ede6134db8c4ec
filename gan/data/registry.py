"""Describe the data sets without loading any of them.

The web server calls `catalogue()` at its start. So this module imports no torch, numpy or image library, and
loads in milliseconds. A new bundled set is a folder in bundled/, written by a script in build/, and a name in
BUNDLED. A new downloaded set is an entry in DOWNLOADS and a loader in downloads.py.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from gan.errors import UserError, refuse_if_full

# The 40 attributes of list_attr_celeba.txt.
CELEBA_ATTRIBUTES = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)

# By label, from https://www.robots.ox.ac.uk/~vgg/data/flowers/102/categories.html.
FLOWERS = (
    "pink primrose",
    "hard-leaved pocket orchid",
    "canterbury bells",
    "sweet pea",
    "english marigold",
    "tiger lily",
    "moon orchid",
    "bird of paradise",
    "monkshood",
    "globe thistle",
    "snapdragon",
    "colt's foot",
    "king protea",
    "spear thistle",
    "yellow iris",
    "globe-flower",
    "purple coneflower",
    "peruvian lily",
    "balloon flower",
    "giant white arum lily",
    "fire lily",
    "pincushion flower",
    "fritillary",
    "red ginger",
    "grape hyacinth",
    "corn poppy",
    "prince of wales feathers",
    "stemless gentian",
    "artichoke",
    "sweet william",
    "carnation",
    "garden phlox",
    "love in the mist",
    "mexican aster",
    "alpine sea holly",
    "ruby-lipped cattleya",
    "cape flower",
    "great masterwort",
    "siam tulip",
    "lenten rose",
    "barbeton daisy",
    "daffodil",
    "sword lily",
    "poinsettia",
    "bolero deep blue",
    "wallflower",
    "marigold",
    "buttercup",
    "oxeye daisy",
    "common dandelion",
    "petunia",
    "wild pansy",
    "primula",
    "sunflower",
    "pelargonium",
    "bishop of llandaff",
    "gaura",
    "geranium",
    "orange dahlia",
    "pink-yellow dahlia?",
    "cautleya spicata",
    "japanese anemone",
    "black-eyed susan",
    "silverbush",
    "californian poppy",
    "osteospermum",
    "spring crocus",
    "bearded iris",
    "windflower",
    "tree poppy",
    "gazania",
    "azalea",
    "water lily",
    "rose",
    "thorn apple",
    "morning glory",
    "passion flower",
    "lotus",
    "toad lily",
    "anthurium",
    "frangipani",
    "clematis",
    "hibiscus",
    "columbine",
    "desert-rose",
    "tree mallow",
    "magnolia",
    "cyclamen",
    "watercress",
    "canna lily",
    "hippeastrum",
    "bee balm",
    "ball moss",
    "foxglove",
    "bougainvillea",
    "camellia",
    "mallow",
    "mexican petunia",
    "bromelia",
    "blanket flower",
    "trumpet creeper",
    "blackberry lily",
)


# The folders of images_background.zip, sorted. Each holds the characters of one alphabet.
OMNIGLOT_ALPHABETS = (
    "Alphabet_of_the_Magi",
    "Anglo-Saxon_Futhorc",
    "Arcadian",
    "Armenian",
    "Asomtavruli_(Georgian)",
    "Balinese",
    "Bengali",
    "Blackfoot_(Canadian_Aboriginal_Syllabics)",
    "Braille",
    "Burmese_(Myanmar)",
    "Cyrillic",
    "Early_Aramaic",
    "Futurama",
    "Grantha",
    "Greek",
    "Gujarati",
    "Hebrew",
    "Inuktitut_(Canadian_Aboriginal_Syllabics)",
    "Japanese_(hiragana)",
    "Japanese_(katakana)",
    "Korean",
    "Latin",
    "Malay_(Jawi_-_Arabic)",
    "Mkhedruli_(Georgian)",
    "N_Ko",
    "Ojibwe_(Canadian_Aboriginal_Syllabics)",
    "Sanskrit",
    "Syriac_(Estrangelo)",
    "Tagalog",
    "Tifinagh",
)


BUNDLED_DIR = Path(__file__).parent / "bundled"
BUNDLED = ("digits", "fashion", "faces", "emoji", "landscapes")
META_KEYS = {"size", "channels", "count", "classes", "attributes", "licence", "credit"}


@dataclass(frozen=True)
class Info:
    """A data set as the page shows it before loading.

    `size` is the native side in pixels, `channels` is 1 or 3.
    """

    name: str
    source: str  # "bundled", "torchvision" or "files"
    size: int
    channels: int
    count: int
    classes: tuple[str, ...]
    licence: str
    attribute_names: tuple[str, ...] = ()
    thumbnail: Path | None = None
    credit: str = ""  # who made the images


_FASHION = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
_DIGITS = tuple("0123456789")


def _download(
    name: str,
    size: int,
    channels: int,
    count: int,
    classes: tuple[str, ...],
    licence: str,
    credit: str,
    attribute_names: tuple[str, ...] = (),
) -> Info:
    return Info(name, "torchvision", size, channels, count, classes, licence, attribute_names, None, credit)


DOWNLOADS = {
    entry.name: entry
    for entry in (
        _download("mnist", 28, 1, 60_000, _DIGITS, "CC BY-SA 3.0", "Yann LeCun, Corinna Cortes"),
        _download("fashion-mnist", 28, 1, 60_000, _FASHION, "MIT", "Zalando SE"),
        _download(
            "kmnist",
            28,
            1,
            60_000,
            ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            "CC BY-SA 4.0",
            "ROIS-DS Center for Open Data in the Humanities",
        ),
        _download(
            "omniglot",
            28,  # the files have 105
            1,
            19_280,
            tuple(name.replace("_", " ") for name in OMNIGLOT_ALPHABETS),
            "MIT",
            "Brenden Lake et al. 2015",
        ),
        _download(
            "cifar10",
            32,
            3,
            50_000,
            ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
            "no licence stated; cite Krizhevsky 2009",
            "Alex Krizhevsky",
        ),
        _download("svhn", 32, 3, 73_257, _DIGITS, "non-commercial use only", "Netzer et al. 2011"),
        _download(
            "flowers102",
            64,
            3,
            8_189,
            FLOWERS,
            "no licence stated; research use",
            "Nilsback and Zisserman 2008",
        ),
        _download(
            "celeba",
            64,
            3,
            162_770,
            ("not smiling", "smiling"),
            "non-commercial research only",
            "Liu et al. 2015",
            CELEBA_ATTRIBUTES,
        ),
    )
}


def read_meta(name: str) -> dict:
    """Read meta.json of a bundled set. Raises UserError if the file is missing or damaged."""
    path = BUNDLED_DIR / name / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        refuse_if_full(error)
        raise UserError("data.damaged", file=path) from error
    if not isinstance(meta, dict) or not meta.keys() >= META_KEYS:
        raise UserError("data.damaged", file=path)
    return meta


def bundled_info(name: str) -> Info:
    """Describe a bundled set by its meta.json. Raises UserError if the file is missing or damaged."""
    meta = read_meta(name)
    return Info(
        name,
        "bundled",
        meta["size"],
        meta["channels"],
        meta["count"],
        tuple(meta["classes"]),
        meta["licence"],
        tuple(meta["attributes"]),
        BUNDLED_DIR / name / "thumbnail.webp",
        meta["credit"],
    )


def catalogue() -> dict[str, Info]:
    """Describe every named data set, the bundled ones first.

    Bundled sets with a damaged meta.json are omitted.
    """
    found = {}
    for name in BUNDLED:
        try:
            found[name] = bundled_info(name)
        except UserError:
            continue
    return found | DOWNLOADS


def info(name: str) -> Info:
    """Describe one named set. Raises UserError for an unknown name or a damaged bundled set."""
    if name in BUNDLED:
        return bundled_info(name)
    if name in DOWNLOADS:
        return DOWNLOADS[name]
    raise UserError("data.unknown", name=name, choices=", ".join((*BUNDLED, *DOWNLOADS)))
