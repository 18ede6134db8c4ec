"""Read the files that TensorBoard reads."""

import struct
from pathlib import Path
from typing import Any

from gan.export import event_file


def read_events(path: Path) -> list[Any]:
    """Return the events in the whole records of a file, and check both checksums of each record."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import masked_crc32c

    data, start, found = path.read_bytes(), 0, []
    for place, content in event_file.records(path):
        head, tail = (struct.unpack("<I", data[at : at + 4])[0] for at in (start + 8, place - 4))
        assert (head, tail) == (masked_crc32c(data[start : start + 8]), masked_crc32c(content))
        found.append(Event.FromString(content))
        start = place
    return found
