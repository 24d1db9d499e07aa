"""The errors of this app; the text of each is one sentence that says what to do."""


class QualityError(Exception):
    """Base of all errors of this app; nothing was changed."""
