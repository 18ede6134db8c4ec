"""English sentences about the server, its uploads, its visitors and its API."""

MESSAGES = {
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
    "ui.no_classes": (
        "These images are not in class folders, so training can't be class-conditional. Switch “Class-"
        "conditional” off, or give each class a folder."
    ),
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
    "access.own_images": (
        "Everybody controls the runs of this server, so it shows nobody's own images. Start it with "
        "--teacher-token."
    ),
    "access.long_run": (
        "Runs of visitors last at most {most} minutes here. Choose fewer minutes, or duplicate the Space."
    ),
    "access.one_score": "One of your runs is being scored. Wait until it is done.",
    "access.one_waits": (
        "One of your runs already waits. Start the next one when that has begun, or cancel it first."
    ),
    "access.no_place": (
        "Visitors have no place left for another run here. Try again later, or duplicate the Space."
    ),
    "access.many_wait": (
        "{most} runs from your network already wait. Try again when one has begun, or cancel one of yours."
    ),
    "access.no_bytes": (
        "The runs of visitors need {used} GB of the {allowed} GB that they share. Delete one of yours, or "
        "try again later."
    ),
    "access.large_run": (
        "A checkpoint of this run has about {megabytes} MB, and {most} MB are the most for visitors. Choose "
        "a smaller width."
    ),
    "access.large_arrival": (
        "This file has {megabytes} MB, and runs of visitors with its settings have at most {most} MB. "
        "Download the run again."
    ),
    "access.slow_run": (
        "A step of this run takes about {seconds} s, and {most} s are the most for visitors. Choose a "
        "smaller batch or width."
    ),
    "access.heavy_run": (
        "This run needs about {needed} GB of memory, and {most} GB are the most for visitors. Choose a "
        "smaller size, batch or width."
    ),
    "access.sign_in_failed": (
        "The sign-in with Hugging Face failed. Close this tab and click Sign in again, later if need be."
    ),
    "access.no_sign_in": (
        "The owner can't sign in, because a package is missing. Install it with “pip install gradio[oauth]”."
    ),
    "access.no_token": "There is no teacher token. Set TEACHER_TOKEN, or type it when asked for.",
    "access.short_token": "A teacher token needs at least {least} characters. Choose a longer one.",
    "api.not_text": "The argument {name} needs a text, not “{value}”. Correct it and try again.",
    "api.arguments": "The endpoint {name} takes these arguments: {names}. Correct the call and try again.",
    "api.format": "Images can't come as “{name}”. Choose one of: {choices}.",
    "api.too_heavy": (
        "These {count} images are more than {kilobytes} KB in base64. Ask for fewer, or for their addresses."
    ),
    "api.bad_call": "This is no call of the API. The page lists the endpoints under “Use via API”.",
    "api.unknown_call": "There is no such call, or its result was fetched already. Make the call again.",
    "api.too_many": "Too many calls of the API are open. Fetch their results, and try again.",
    "api.data": (
        "There is no data set called “{name}”. Choose one of: {choices}. Or name one of the Hugging Face "
        "Hub, as hub:OWNER/NAME."
    ),
    "api.token_needed": (
        "This needs the teacher token. Send it in the header X-GANarium-Token (see gan/ui/README.md)."
    ),
    "api.no_mcp": "This server has no MCP. Install the package mcp (see gan/ui/README.md) and restart it.",
}
