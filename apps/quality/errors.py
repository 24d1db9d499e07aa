"""What can go wrong with findings, each with one sentence that says what to do."""


class QualityError(Exception):
    """Base of all errors of this app; nothing was changed."""


class ReasonMissing(QualityError):
    """Accepting a finding needs a reason."""


class UntilPast(QualityError):
    """A finding cannot be accepted until a day that is over."""


class NotFound(QualityError):
    """There is no such finding any more."""


class NotAccepted(QualityError):
    """There is no such acceptance to take back."""
