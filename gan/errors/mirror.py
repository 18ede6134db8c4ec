"""English sentences about moving runs, the mirror, jobs and Spaces."""

MESSAGES = {
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
    "mirror.outgrown": (
        "The run “{run}” has more than {gigabytes} GB without its snapshots. That is too much to move or "
        "mirror it, so keep a copy of its folder."
    ),
    "mirror.outgrown_file": (
        "“{name}” of the run “{run}” has more than {megabytes} MB. That is too much to move or mirror the "
        "run, so keep a copy of its folder."
    ),
    "mirror.restless": "The run “{name}” went back while it was copied. Try again in a moment.",
    "mirror.too_large": (
        "This run has more than {megabytes} MB, too much for an upload. Use “python -m gan move unpack” "
        "on the server."
    ),
    "mirror.one_leaves": "A run is already on its way to your network. Try again when it has arrived.",
    "mirror.no_room": (
        "The server's disk has no room to pack this run. Try again later, or delete runs that you no longer "
        "need."
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
    "jobs.not_copied": (
        "The mirror lacks the last checkpoint of the run “{id}”. The job begins again from the one there."
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
}
