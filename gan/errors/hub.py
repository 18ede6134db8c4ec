"""English sentences about models and data sets of the Hugging Face Hub."""

MESSAGES = {
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
    "hub.licence": "“{name}” is no licence that can be chosen here. Choose one of these: {choices}.",
    "hub.licence_known": (
        "The images have a licence already ({licence}), and the model keeps it. Choose no other one."
    ),
    "hub.sign_in": "A push goes to your own account. Sign in with Hugging Face first.",
    "hub.sign_in_again": "Hugging Face no longer accepts your sign-in. Sign in again, and push once more.",
    "hub.no_scope": (
        "You have signed in with your name alone. Sign in once more for the push, and allow this Space to "
        "create repositories."
    ),
    "hub.sign_in_forbids": (
        "Your sign-in may not write to “{name}”. Put your own name before the slash, or choose a name that "
        "is new."
    ),
    "hub.space_may_not": (
        "This Space may not ask for the right to push. Its owner adds “hf_oauth_scopes: [contribute-repos]” "
        "to its README."
    ),
    "hub.no_push_here": (
        "This page can't push, because other people reach it too. Push at the terminal: ganarium push RUN "
        "OWNER/NAME."
    ),
    "hub.there_already": "“{name}” comes from the Hub. Duplicate it there, or begin a run with it.",
    "hub.no_d_here": "This model has no discriminator that you may push. Leave it out.",
    "hub.pushing": "A push of yours is under way. Wait for its end, and try again.",
    "hub.many_pushes": "Too many pushes wait on this server. Try again in some minutes.",
    "hub.push_over": "This push is over, and the server has forgotten it. Look at your page on the Hub.",
    "hub.push_late": "The push of “{name}” was ended after {minutes} minutes. Try again later.",
    "hub.push_failed": "The push of “{name}” broke off on this server. Try again later.",
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
}
