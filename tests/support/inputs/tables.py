"""Write tables of images as data sets on the Hub have them. Needs pyarrow."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from PIL import Image


def picture(number: int, side: int = 28, kind: str = "PNG") -> bytes:
    """Return an encoded grey image that differs for each number."""
    out = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def table(
    images: Sequence[bytes | None],
    labels: Sequence[int | None] = (),
    classes: Sequence[str] = (),
    group: int = 64,
    **others: Any,
) -> bytes:
    """Return a parquet file of image bytes, with class labels if there are any, and other columns.

    group: rows of a row group.
    """
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [None if content is None else {"bytes": content, "path": "x.png"} for content in images]
    columns: dict[str, pa.Array] = {name: pa.array(values) for name, values in others.items()}
    columns["image"] = pa.array(rows, image)
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if classes:
        columns["label"] = pa.array(labels, pa.int64())
        features["label"] = {"_type": "ClassLabel", "names": list(classes)}
    made = pa.table(columns).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    out = io.BytesIO()
    parquet.write_table(made, out, row_group_size=group)
    return out.getvalue()
