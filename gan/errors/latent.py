"""English sentences about exploring a generator."""

MESSAGES = {
    "latent.bad_z": "The latent vector in this address does not belong to this model. Choose a sample.",
    "latent.plain_picture": (
        "This image has only one colour, so there is nothing to match. Draw something, or choose another "
        "image."
    ),
    "latent.search_over": (
        "The search or drag ended: somebody stopped it, or no page watched it for some seconds. Start it "
        "again."
    ),
    "latent.bad_pairs": (
        "These points can't be read: each needs a start and a target in the sample. Clear them and draw "
        "them again."
    ),
    "latent.too_many_pairs": "At most {most} points can be dragged or pinned at once. Remove the others.",
    "latent.nothing_moves": (
        "No point moves: all of them are pinned. Draw an arrow from a point to its target."
    ),
    "latent.unknown_layer": "This generator has no layer {layer}, only {count}. Choose one of those.",
    "latent.unknown_unit": (
        "This generator has no unit {unit} in layer {layer}. Press Reset to undo the changed units."
    ),
    "latent.unknown_layout": "There is no map called “{name}” here. Choose one of: {choices}.",
    "latent.keys": "A loop needs 2 to {most} key frames, and this one has {count}. Add or remove some.",
    "latent.frames": (
        "This loop has {count} frames; at most {most} are allowed. Use fewer frames between key frames, or "
        "fewer key frames."
    ),
    "latent.film_pixels": (
        "{count} frames of {side} pixels are too much for one file. Choose the smaller size, or fewer frames."
    ),
    "latent.unknown_form": "A loop can't be saved as “{name}”. Choose one of: {choices}.",
    "latent.film_failed": (
        "The loop could not be encoded as a file; the log on the server says why. Try another file format."
    ),
    "latent.unknown_model": "There is no model called “{name}”. Choose one from the list.",
    "latent.unknown_direction": "This model has no direction “{name}”. Choose one in the view Directions.",
    "latent.finding": (
        "The server is still analysing the directions of this model. The page tries again by itself."
    ),
    "latent.bad_choice": (
        "This is not a list of sliders: its directions or names are too many, too long, or unreadable. "
        "Reload the page and try again."
    ),
    "latent.not_yet": "The run “{name}” has no samples yet. Wait a few seconds and try again.",
    "latent.run_failed": "The run “{name}” has no samples, because it failed: {reason}",
    "latent.run_queued": (
        "The run “{name}” has no samples yet, because it waits in the queue. Try again once it trains."
    ),
    "latent.run_paused": (
        "The run “{name}” was paused before its first sample. Resume it, and try again once it trains."
    ),
    "latent.run_stopped": (
        "The run “{name}” was stopped before its first sample. Start it again, and try again once it trains."
    ),
    "latent.run_unborn": (
        "The run “{name}” was never started, so it has no samples. Train it with: python -m gan train {path}"
    ),
    "latent.run_lost": (
        "The generator of the run “{name}” is missing. Restore {file} from a copy, or train on for a moment."
    ),
    "latent.other_kind": (
        "The run “{name}” is of the kind “{kind}”, and only generators of images can be explored, scored "
        "and exported."
    ),
    "latent.not_a_number": "“{value}” is not a number that {name} can take. Give a plain decimal number.",
    "latent.not_whole": "“{value}” is not a whole number that {name} can take. Give digits only.",
    "latent.range": "{name} = {value} is out of range. Choose a value from {min} to {max}.",
    "latent.too_many": "{name} has {count} values, but this model takes at most {max}. Leave the others out.",
    "latent.twice": "{name} sets the same thing twice. Leave one of the two out.",
    "latent.no_classes": (
        "This model was trained without class labels, so it can't generate a chosen class. Leave the class "
        "out."
    ),
    "latent.too_large": (
        "This generator has more than {most} million parameters, too many for a browser. Let the server "
        "generate the samples."
    ),
    "latent.unknown_file": "A generator can't be exported as “{name}”. Choose one of: {choices}.",
    "latent.unknown_class": "This model has no class “{name}”. Choose one of: {choices}.",
    "latent.unknown_place": (
        "“{place}” is neither a run, nor a checkpoint, nor a model that ships with GANarium ({choices}). "
        "Correct the path or the name."
    ),
    "latent.unknown_snapshot": "There is no snapshot of step {step} in “{place}”. Choose one of: {choices}.",
    "latent.bad_snapshot": "The snapshot of step {step} of “{place}” can't be read. Choose another step.",
    "latent.no_snapshots": "“{name}” is no run here, so it has no snapshots of its training. Choose a run.",
    "latent.suffix": "A sample can't be written to “{path}”. Give a file name that ends in .png or .webp.",
    "latent.cannot_write": "“{path}” can't be written ({reason}). Choose another place.",
    "latent.damaged": (
        "The model “{name}” can't be read: its file is damaged or incomplete. Choose another one, or copy "
        "the file again."
    ),
    "latent.other_version": (
        "The model “{name}” was made by another version of GANarium, and this one can't read it. Train it "
        "again, or update GANarium."
    ),
    "latent.not_finite": (
        "The model “{name}” diverged: some of its weights are NaN or infinite, so it can't generate "
        "samples. Choose another one."
    ),
}
