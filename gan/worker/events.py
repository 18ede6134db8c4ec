"""The events of a run: one line each in its events.jsonl, in plain words.

An event is something that could have ended the run, or a fault in its images, with the worker's reaction. The
worker never removes a line from this file.
"""

from collections.abc import Iterator
from typing import Any

from gan.data.own.report import Report, grouped, told_left_out

EVENTS = {
    "skipped": "{skipped} of {total} images could not be used: {why}.",
    "copies": "{copies} of {total} images are copies of another one.",
    "checkpoint_missing": (
        "The newest checkpoint was missing. The run went on from the previous one, at step {step}."
    ),
    "checkpoint_changed": (
        "The newest checkpoint was damaged. The run went on from the previous one, at step {step}."
    ),
    "decoded_anew": (
        "The images decode differently than before. The run goes on, but no longer step for step as it "
        "would have."
    ),
    "set_changed": (
        "The data set “{name}” has another version than before. The run goes on, but no longer step for "
        "step as it would have."
    ),
    "pictures_unknown": (
        "The run kept no record of its images. It went on with the {count} that are there now, and records "
        "them from here on."
    ),
    "pictures_moved": "The images are the same as before, in a new place: {name}.",
    "other_machine": (
        "The run goes on with {now} instead of {began}, so no longer step for step as it would have there."
    ),
    "rolled_back": (
        "Training diverged (NaN/inf) at step {at}. The run went back to step {step} and goes on with "
        "{percent} % of the learning rate."
    ),
    "in_parts": (
        "The memory was full at step {at}. The run went back to step {step} and now splits each batch into "
        "{parts} micro-batches."
    ),
    "went_on": "The machine or the server stopped. The run resumed from its checkpoint, at step {step}.",
    "began_anew": (
        "The machine or the server stopped before the first checkpoint. The run restarted from scratch."
    ),
    "disk_full": "The disk was full at step {at}. The run was paused and resumes from step {step}.",
}


def about_pictures(report: Report | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an event (key, values) for each fault in a run's own images; nothing for a built-in data set.

    `why` is English, for the log. The page builds the same sentence from `left_out` in the reader's language.
    """
    if report is None:
        return
    if report.left_out:
        skipped = len(report.left_out)
        groups = [
            {"reason": reason, "detail": detail, "names": names, "count": count}
            for reason, detail, names, count in grouped(report.left_out)
        ]
        yield (
            "skipped",
            {
                "skipped": skipped,
                "total": skipped + report.count,
                "why": told_left_out(report.left_out),
                "left_out": groups,
            },
        )
    if report.copies:
        yield "copies", {"copies": report.copies, "total": report.count}
