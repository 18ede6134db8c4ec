"""Mistakes that a person can correct, told in one sentence.

An engine module raises `UserError("some.key", value=...)`; the English sentence stands here, the other languages stand in
`gan/ui/strings/`, and a test holds the sets of keys equal. The terminal prints the sentence and exits with status 2; the page shows it
beside the control that caused it. A `UserError` is never used for a defect of ours: those keep their traceback.
"""

MESSAGES = {
    "config.unknown_recipe": "There is no recipe called “{name}”. Choose one of: {choices}.",
    "config.unknown_field": "There is no setting called “{name}”.",
    "config.other_version": "This config was written by another version of GANarium (it differs in: {fields}). Start a new run with the settings you want.",
    "config.type": "The setting {name} = “{value}” is not of the type {kind}. Correct it and try again.",
    "config.choice": "The setting {name} can't be “{value}”. Choose one of: {choices}.",
    "config.range": "The setting {name} = {value} is out of range. Choose a value from {min} to {max}.",
    "config.dcgan_size": "The textbook DCGAN draws 64x64 pictures and can't do {size}x{size}. Choose the size 64 or another recipe.",
    "config.penalty_loss": "The penalty wgan_gp belongs to the Wasserstein loss, not to “{loss}”. Choose another penalty or loss.",
    "models.other_version": "The generator in “{path}” has the format “{found}”, this version reads “{wanted}”. Train it again, or update GANarium.",
    "models.damaged": "The generator in “{path}” can't be read ({reason}). Choose another model, or copy the file again.",
    "train.batch_too_large": "The batch of {batch} is larger than the data set of {count} pictures. Choose a batch of at most {count}.",
    "train.no_labels": "“{data}” has no class labels, so a class-conditional run can't learn from it. Switch the setting “conditional” off.",
    "train.not_a_run": "“{path}” is not a run: it has no readable config.json. Start a new run, or give the directory of one.",
    "train.run_exists": "“{path}” already holds a run. Give another directory, or continue it with: python -m gan.train {path}",
    "train.two_ways": "“{path}” keeps the settings it was started with. Give it alone to go on with it, or use --out for a new run.",
    "train.bad_state": "The checkpoint of this run can't be read ({reason}). Delete its folder “{path}” to start the run again from nothing.",
    "train.diverged": "The losses became NaN at step {step}, so the run was stopped and nothing more was saved. Try half the learning rate or double gamma.",
    "train.out_of_memory": "The device ran out of memory. Choose a smaller batch or width and start again.",
}


class UserError(Exception):
    """A correctable mistake: `key` names a sentence of MESSAGES, `values` fill its gaps."""

    def __init__(self, key: str, **values: object):
        self.key = key
        self.values = values
        super().__init__(MESSAGES[key].format(**values))
