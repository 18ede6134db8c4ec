"""Mistakes that a person can correct, told in one sentence.

An engine module raises `UserError("some.key", value=...)`; the English sentence stands here, the other languages stand in
`gan/ui/strings/`, and a test holds the sets of keys equal. The terminal prints the sentence and exits with status 2; the page shows it
beside the control that caused it. A `UserError` is never used for a defect of ours: those keep their traceback.
"""

MESSAGES = {
    "config.unknown_recipe": "There is no recipe called “{name}”. Choose one of: {choices}.",
    "config.unknown_field": "There is no setting called “{name}”.",
    "config.other_version": "This config was written by another version of GANarium (it differs in: {fields}). Start a new run with the settings you want.",
    "config.not_a_number": "The setting {name} needs a number, not “{value}”. Correct it and try again.",
    "config.not_whole": "The setting {name} needs a whole number, not “{value}”. Correct it and try again.",
    "config.not_yes_no": "The setting {name} can only be on or off (true or false), not “{value}”. Correct it and try again.",
    "config.not_text": "The setting {name} needs a text, not “{value}”. Correct it and try again.",
    "config.choice": "The setting {name} can't be “{value}”. Choose one of: {choices}.",
    "config.range": "The setting {name} = {value} is out of range. Choose a value from {min} to {max}.",
    "config.dcgan_size": "The textbook DCGAN draws 64x64 pictures and can't do {size}x{size}. Choose the size 64 or another recipe.",
    "config.penalty_loss": "The penalty wgan_gp belongs to the Wasserstein loss, not to “{loss}”. Choose another penalty or loss.",
    "export.not_finished": "The run “{path}” is {state}. Let it finish, or stop it, before a checkpoint is made of it.",
    "latent.unknown_model": "There is no model called “{name}”. Choose one from the list.",
    "latent.not_yet": "The run “{name}” has no pictures yet. Wait a few seconds and try again.",
    "latent.not_a_number": "“{value}” is not a number that {name} can take. Give a plain decimal number.",
    "latent.not_whole": "“{value}” is not a whole number that {name} can take. Give digits only.",
    "latent.range": "{name} = {value} is out of range. Choose a value from {min} to {max}.",
    "latent.too_many": "{name} has {count} values, but this model takes at most {max}. Leave the others out.",
    "latent.twice": "{name} sets one number of the latent vector twice. Leave one of the two out.",
    "latent.no_classes": "This model was trained without class labels, so it can't draw a chosen class. Leave the class out.",
    "latent.unknown_class": "This model has no class “{name}”. Choose one of: {choices}.",
    "latent.unknown_place": "“{place}” is neither a run, nor a checkpoint, nor a model that ships with GANarium ({choices}). Correct the path or the name.",
    "latent.unknown_snapshot": "There is no snapshot of step {step} in “{place}”. Choose one of: {choices}.",
    "latent.suffix": "A picture can't be written to “{path}”. Give a file name that ends in .png or .webp.",
    "latent.cannot_write": "“{path}” can't be written ({reason}). Choose another place.",
    "models.other_version": "The generator in “{path}” has the format “{found}”, this version reads “{wanted}”. Train it again, or update GANarium.",
    "models.damaged": "The generator in “{path}” can't be read ({reason}). Choose another model, or copy the file again.",
    "train.batch_too_large": "The batch of {batch} is larger than the data set of {count} pictures. Choose a batch of at most {count}.",
    "train.no_labels": "“{data}” has no class labels, so a class-conditional run can't learn from it. Switch the setting “conditional” off.",
    "train.not_a_run": "“{path}” is not a run: it has no readable config.json. Start a new run, or give the directory of one.",
    "train.run_exists": "“{path}” already holds a run. Give another directory, or continue it with: python -m gan.train {path}",
    "train.already_training": "The run “{path}” is being trained by process {pid}. Let that one end, or stop it first.",
    "train.cannot_write": "The run “{path}” can't be written ({reason}). Free some space, or choose another directory.",
    "train.two_ways": "“{path}” keeps the settings it was started with. Give it alone to go on with it, or use --out for a new run.",
    "train.bad_state": "The checkpoint of this run can't be read ({reason}). Delete its folder “{path}” to start the run again from nothing.",
    "train.diverged": "The losses became NaN at step {step}, so the run was stopped and nothing more was saved. Try half the learning rate or double gamma.",
    "train.out_of_memory": "The device ran out of memory. Choose a smaller batch or width and start again.",
    "runs.unknown": "There is no run called “{id}”. Choose one from the list of runs.",
    "runs.unknown_command": "There is no command called “{name}” for a run. Use pause, resume, stop, cancel, sample or save.",
    "runs.damaged": "The file {file} of this run is missing or damaged. Restore it from a copy, or delete the run's folder.",
    "runs.no_sample": "There is no sample grid of step {step}; older grids are thinned. Choose another step.",
    "runs.cant_pause": "This run is {state}, so it can't be paused. Only a run that is training or waiting can.",
    "runs.cant_resume": "This run is {state}, so it can't be resumed. Only a paused run, or a failed one with a checkpoint, can.",
    "runs.cant_stop": "This run is {state}, so it can't be stopped. Only a run that is training, waiting or paused can.",
    "runs.cant_cancel": "This run is {state}, so it can't be taken out of the queue. Only a waiting run can.",
    "runs.cant_sample": "This run is {state}, so it can't draw samples now. Only a run that is training can.",
    "runs.cant_save": "This run is {state}, so it can't be saved now. Only a run that is training can.",
    "runs.no_checkpoint": "This run failed before its first checkpoint, so there is nothing to resume. Start a new run with the same settings.",
    "runs.in_use": "Another GANarium (process {pid}) already uses the folder “{path}”. Close that one, or set GANARIUM_RUNS to another folder.",
    "runs.start_failed": "The training process could not be started ({reason}). Check the installation, then start a new run.",
    "runs.worker_ended": "The training process ended unexpectedly with exit status {status}; its last lines tell why. Resume it if it has a checkpoint.",
    "runs.worker_killed": "The system ended the training process (signal {signal}), often for lack of memory. Resume it, or try a smaller batch or width.",
    "runs.worker_lost": "The training process ended without saying why; see its last lines. Resume it if it has a checkpoint.",
    "runs.interrupted": "The machine or the training process stopped before the first checkpoint. Start a new run with the same settings.",
    "data.unknown": "There is no data set, folder or zip called “{name}”. Choose one of: {choices}, or give the path of a folder or .zip of pictures.",
    "data.damaged": "The file “{file}” that comes with GANarium is missing or damaged. Restore it from a fresh copy of GANarium.",
    "data.size": "Pictures of {size} pixels aren't supported. Choose a size from {smallest} to {largest}.",
    "data.channels": "Pictures have 1 channel (grey) or 3 (colour), not {channels}. Choose 1 or 3.",
    "data.memory": "These pictures would take {gigabytes} GB of memory at {size} pixels. Choose a smaller size or fewer pictures.",
    "data.offline": "“{name}” could not be downloaded. Check the internet connection, or choose a data set that comes with GANarium.",
    "data.quota": "“{name}” could not be downloaded because Google Drive has reached its daily limit for it. Try again tomorrow, or choose another data set.",
    "data.torchvision": "“{name}” needs a working torchvision that fits the installed torch ({reason}). Install the matching pair, or choose a bundled set.",
    "data.package": "“{name}” needs the Python package {package}. Install it with: pip install {package}",
    "data.cache": "The folder “{folder}” for downloads can't be written ({reason}). Make room there, or set GANARIUM_CACHE to another folder.",
    "data.download_damaged": "The downloaded files of “{name}” can't be read. Delete the folder “{folder}” and try again.",
    "data.not_pictures": "“{path}” is neither a folder nor a zip of pictures. Give a folder or a .zip that holds PNG, JPEG or WebP files.",
    "data.too_few": "“{path}” holds {usable} usable pictures ({skipped} could not be used). Give at least 2 PNG, JPEG or WebP files.",
    "data.too_many": "“{path}” holds more than {limit} files. Split it, or keep only the pictures you want.",
    "data.too_large": "The pictures in “{path}” take more than {gigabytes} GB. Make them smaller, or use fewer.",
    "data.zip_bomb": "“{path}” was refused: its file “{member}” unpacks to far more than a picture should. Pack the pictures again without it.",
    "ui.bad_runs": "The folder “{path}” for runs can't be used ({reason}). Choose another with --runs or GANARIUM_RUNS.",
    "ui.bad_port": "GANarium can't listen on {host}, port {port}: it is in use, or no address of this machine. Choose another with --host or --port.",
    "ui.no_files": "There are no pictures yet. Add a zip or several picture files under “Your own pictures”, or choose a data set.",
    "ui.mixed_files": "A zip can't be mixed with other files. Add one zip, or picture files alone.",
}


class UserError(Exception):
    """A correctable mistake: `key` names a sentence of MESSAGES, `values` fill its gaps."""

    def __init__(self, key: str, **values: object):
        self.key = key
        self.values = values
        super().__init__(MESSAGES[key].format(**values))
