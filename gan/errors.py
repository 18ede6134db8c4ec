"""Mistakes that a person can correct, told in one sentence.

An engine module raises `UserError("some.key", value=...)`; the English sentence stands here, the other languages stand in
`gan/ui/strings/`, and a test holds the sets of keys equal. The terminal prints the sentence and exits with status 2; the page shows it
beside the control that caused it. A `UserError` is never used for a defect of ours: those keep their traceback.
"""

MESSAGES = {
    "config.unknown_recipe": "There is no recipe called “{name}”. Choose one of: {choices}.",
}


class UserError(Exception):
    """A correctable mistake: `key` names a sentence of MESSAGES, `values` fill its gaps."""

    def __init__(self, key: str, **values: object):
        self.key = key
        self.values = values
        super().__init__(MESSAGES[key].format(**values))
