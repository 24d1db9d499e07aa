"""The errors of this app; the text of each is one sentence that says what to do."""


class QualityError(Exception):
    """Base of all errors of this app; nothing was changed."""


class ReasonMissing(QualityError):
    """Accepting a finding needs a reason."""


class UntilPast(QualityError):
    """The last day of an acceptance is over."""


class NotFound(QualityError):
    """There is no such finding any more."""


class NotAccepted(QualityError):
    """There is no such acceptance to take back."""
