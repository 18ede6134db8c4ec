"""What befell a run beside training, in plain words: a line each in its events.jsonl, which nothing ever takes back.

Each is something that could have ended the run, or that its pictures hold, and what was done about it.
"""

from collections.abc import Iterator
from typing import Any

from gan.data.report import Report, grouped, told_left_out

EVENTS = {
    "skipped": "{skipped} of {total} pictures could not be used: {why}.",
    "copies": "{copies} of {total} pictures are copies of another one.",
    "checkpoint_missing": "The newest checkpoint was missing. The run went on from the one before, at step {step}.",
    "checkpoint_changed": "The newest checkpoint was not what had been written. The run went on from the one before, at step {step}.",
    "other_machine": "The run goes on with {now} instead of {began}, and no longer exactly as it would have there.",
    "rolled_back": "The numbers exploded at step {at}. The run went back to step {step} and goes on with {percent} % of the learning rate.",
    "in_parts": "The memory was full at step {at}. The run went back to step {step}, and works on each batch in {parts} parts from now on.",
    "went_on": "The machine or the server ended. The run went on from its checkpoint, at step {step}.",
    "began_anew": "The machine or the server ended before the first checkpoint. The run began anew.",
    "disk_full": "The disk was full at step {at}. The run was paused, and goes on from step {step}.",
}


def about_pictures(report: Report | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events, as (key, values), that the pictures of a run give cause for; none for a set of the catalogue.

    `why` is English for the log; the page says the same of `left_out` in the reader's language.
    """
    if report is None:
        return
    if report.left_out:
        skipped = len(report.left_out)
        groups = [{"reason": reason, "detail": detail, "names": names, "count": count} for reason, detail, names, count in grouped(report.left_out)]
        yield "skipped", {"skipped": skipped, "total": skipped + report.count, "why": told_left_out(report.left_out), "left_out": groups}
    if report.copies:
        yield "copies", {"copies": report.copies, "total": report.count}
