"""The events of a run: one line each in its events.jsonl, in plain words.

An event is something that could have ended the run, or a fault in its images, with the worker's reaction. The
worker never removes a line from this file.
"""

RESTARTED = "restarted"  # everything before it belongs to a model that is gone
EVENTS = {
    "from_hub": (
        "The images are {count} of {name} on the Hub, at commit {commit}. Its card states the licence: "
        "{licence}."
    ),
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
        "The run kept no record of its data. It went on with the {count} examples that are there now, and "
        "records them from here on."
    ),
    "pictures_moved": "The data is the same as before, in a new place: {name}.",
    "other_machine": (
        "The run goes on with {now} instead of {began}, so no longer step for step as it would have there."
    ),
    "began_from": ("G and D began with the weights of “{title}”. The SHA-256 of its generator is {digest}."),
    "began_from_g": (
        "G began with the weights of “{title}”. D began anew, because the model has none that can be read. "
        "The SHA-256 of its generator is {digest}."
    ),
    "classes_anew": (
        "The model has other classes or clusters, so the weights of classes and clusters began anew."
    ),
    "more_minutes": (
        "The run was given {more} more minutes, {total} in all. Its schedules go by the whole budget."
    ),
    "more_images": (
        "The run was given a larger budget: {more} thousand more, {total} thousand in all. Its schedules go "
        "by the whole budget."
    ),
    "tracker_failed": (
        "The tracker {tracker} stopped: {reason}. The run goes on, and ganarium track can send the rest."
    ),
    "adjusted": "{name} was multiplied by {factor} at step {step}: it is {after} now, and was {before}.",
    "restored": "The run was restored from the mirror {place}, at step {step}.",
    "in_job": "The run trained in a job on the Hugging Face Hub, from step {step} on.",
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
    RESTARTED: "The run restarted from scratch with its settings. What it had learnt was deleted.",
    "lease_cut": "The lease of the GPU was cut off at step {at}. The run goes on from step {step}.",
    "disk_full": "The disk was full at step {at}. The run was paused and resumes from step {step}.",
}
