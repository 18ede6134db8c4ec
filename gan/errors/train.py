"""English sentences about settings and training."""

MESSAGES = {
    "config.unknown_recipe": "There is no recipe called “{name}”. Choose one of: {choices}.",
    "config.unknown_field": "There is no setting called “{name}”.",
    "config.other_version": (
        "This config was written by another version of GANarium (it differs in: {fields}). Start a new run "
        "with the settings you want."
    ),
    "config.not_a_number": "The setting {name} needs a number, not “{value}”. Correct it and try again.",
    "config.not_whole": "The setting {name} needs a whole number, not “{value}”. Correct it and try again.",
    "config.not_yes_no": (
        "The setting {name} can only be on or off (true or false), not “{value}”. Correct it and try again."
    ),
    "config.not_text": "The setting {name} needs a text, not “{value}”. Correct it and try again.",
    "config.choice": "The setting {name} can't be “{value}”. Choose one of: {choices}.",
    "config.range": "The setting {name} = {value} is out of range. Choose a value from {min} to {max}.",
    "config.pixel": (
        "Blocks of {pixel}x{pixel} do not fit this recipe at {size}x{size}. Choose the pixel block size 1."
    ),
    "config.dcgan_size": (
        "DCGAN generates samples of 32x32 or 64x64, not {size}x{size}. Choose one of these sizes or another "
        "recipe."
    ),
    "config.penalty_loss": (
        "The penalty wgan_gp belongs to the Wasserstein loss, not to “{loss}”. Choose another penalty or "
        "loss."
    ),
    "train.team_too_large": (
        "A batch of {batch} can't be shared by {size} processes. Start fewer, or a run with a larger batch."
    ),
    "train.batch_too_large": (
        "The batch of {batch} is larger than the data set of {count} images. Choose a batch of at most "
        "{count}."
    ),
    "train.too_many_classes": (
        "“{data}” holds {count} class folders, and a class-conditional run can learn at most {limit}. Join "
        "some of the folders, or switch the setting “conditional” off."
    ),
    "train.loose_images": (
        "{loose} of the {count} images of “{data}” lie outside its class folders, so a class-conditional run "
        "can't learn from them. Sort these into folders or leave them out, or switch the setting "
        "“conditional” off."
    ),
    "train.no_labels": (
        "“{data}” has no class labels, so a class-conditional run can't learn from it. Switch the setting "
        "“conditional” off."
    ),
    "train.not_a_run": (
        "“{path}” is not a run: it has no readable config.json. Start a new run, or give the directory of "
        "one."
    ),
    "train.run_exists": (
        "“{path}” already holds a run. Give another directory, or continue it with: python -m gan train "
        "{path}"
    ),
    "train.already_training": (
        "The run “{path}” is being trained by process {pid}. Let that one end, or stop it first."
    ),
    "train.cannot_write": (
        "The run “{path}” can't be written ({reason}). Free some space, or choose another directory."
    ),
    "train.two_ways": (
        "“{path}” keeps the settings it was started with. To resume it, give no settings, only --data if "
        "its images were moved. For a new run, use --out."
    ),
    "train.no_sound_checkpoint": (
        "Both checkpoints of this run are damaged, so it can't resume. Restart it from scratch."
    ),
    "train.pictures_gone": (
        "The images of this run are no longer at “{place}”. Put them back, or say where they are now: "
        "{command}"
    ),
    "train.pictures_unplaced": (
        "The settings of this run call its images “{name}” but don't say where they are. Say it with: "
        "{command}"
    ),
    "train.pictures_number": (
        "The images changed since this run began ({now}, were {were}). Put the old ones back, or start a "
        "new run."
    ),
    "train.pictures_new_class": (
        "The images changed since this run began ({now}, were {were}; class {new} is new). Put the old "
        "ones back, or start a new run."
    ),
    "train.pictures_lost_class": "The images changed since this run began ({now}, were {were}; class "
    "{lost} is missing). "
    "Put the old ones back, or start a new run.",
    "train.pictures_other_classes": "The images changed since this run began ({now}, were {were}; new "
    "classes: {new}; missing: "
    "{lost}). "
    "Put the old ones back, or start a new run.",
    "train.pictures_changed": "The images changed since this run began ({changed} of {now} are different, "
    "or in another class). "
    "Put the old ones back, or start a new run.",
    "train.pictures_other": (
        "The images changed since this run began, though their number did not. Put the old ones back, or "
        "start a new run."
    ),
    "train.pictures_order": (
        "The images are those that this run began with, but their order is lost: data.json is missing or "
        "damaged, and the files have another order. Restore that file, or the old folder."
    ),
    "train.other_checkpoint": (
        "The checkpoint of this run is sound, but belongs to other settings or images. Restore those, or "
        "start a new run."
    ),
    "train.other_version": (
        "Another version of GANarium began this run: its checkpoint has the format “{found}”, and this "
        "version reads “{wanted}”. So the run can't go on here, and nothing of it was changed. Resume it "
        "with that version, or start a new run."
    ),
    "train.no_file": (
        "A file of this run can't be read or written ({file}: {reason}). Solve that, then resume the run."
    ),
    "train.diverged": (
        "Training diverged (NaN/inf) {times} times, most recently at step {step}, despite ever smaller "
        "learning rates. Start a new run with lower ones, or change the recipe."
    ),
    "train.disk_full": "The disk is full, so the run was paused. Free some space, then resume it.",
    "train.out_of_memory": "The device ran out of memory. Choose a smaller batch or width and start again.",
    "train.in_a_job": (
        "The run {path} trains in the job {id}. Pause it first: “python -m gan train {path} --on hf-job "
        "FLAVOR” follows it, and Ctrl-C pauses it."
    ),
    "start.recipe": (
        "“{title}” has the networks “{theirs}”, and this recipe has “{ours}”. Choose a recipe with the same "
        "networks."
    ),
    "start.shape": (
        "“{title}” was trained with {name} = {theirs}, so this run can't have {name} = {ours}. Choose the "
        "same value."
    ),
    "start.gone": (
        "The model “{id}”, from which this run starts, is not here. Choose another one, or new weights."
    ),
    "start.other_kind": "Only runs on images can start from a model. Leave the setting start_from empty.",
}
