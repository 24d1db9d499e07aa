"""What can go wrong with an import, each with one sentence that says what to do."""

from collections.abc import Sequence

from apps.changesets.errors import ChangesetError, WorkCancelled


class ImportFailure(Exception):
    """Base of all errors of this app: nothing was applied, and the text is what a person reads."""


class SourceUnavailable(ImportFailure):
    """The file is not there, or cannot be fetched."""


class FileRefused(ImportFailure):
    """The file as a whole cannot be read; each reason has a class of its own below."""


class FileEmpty(FileRefused):
    """The file holds nothing at all."""


class TitlesRefused(FileRefused):
    """The first row of the table does not do as titles: perhaps the file has none."""

    def __init__(self, sentence: str, titles: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.titles = list(titles)


class NoRows(TitlesRefused):
    """The file has a header and nothing below it."""


class FileTooLarge(FileRefused):
    """The file, or what it unpacks to, is beyond a limit."""


class TooManyRows(FileRefused):
    """The file has more rows than its format is read for."""


class FileDamaged(FileRefused):
    """The file is cut short, or does not follow its own format."""


class FileLocked(FileRefused):
    """The file is protected by a password."""


class NotATable(FileRefused):
    """The file is no table but a picture, a document, or JSON that is no list of objects."""


class EncodingRefused(FileRefused):
    """The bytes of the file are not text in the encoding found or chosen."""


class ChoiceContradicts(FileRefused):
    """A person chose a format, encoding or delimiter that the file does not have."""


class CellRefused(FileRefused):
    """One cell stops the reading: too long, or a formula without a value."""


class ColumnsMissing(FileRefused):
    """The file lacks columns that the import needs."""


class ColumnTwice(TitlesRefused, ColumnsMissing):
    """Two columns of the file have the same name, so nobody knows which one is meant."""


class RowsRefused(ImportFailure):
    """With strict: some rows break rules, so none was taken."""


class LocalEditsInTheWay(ImportFailure):
    """With policy abort: the file differs from corrections that people made."""


class OptionsContradict(ImportFailure):
    """Two options that do not go together."""


class PlanIsGone(ImportFailure):
    """The plan's staged rows were discarded, or replaced by those of a later plan."""


class LockTaken(ImportFailure):
    """Another import holds the lock that this one asks for."""


class TooManyRefused(ImportFailure):
    """So many rows are refused that the file may be the wrong one."""


class NumbersContradicted(ImportFailure):
    """So many rows of a snapshot are disputed that its keys are not those of upstream."""


class FileIsGone(ImportFailure):
    """The file of a run is not kept any more, or is not what was uploaded."""


class MissingAboveLimit(ImportFailure):
    """More objects would be deactivated or deleted for being missing than the person allowed."""


class BeyondLimits(ImportFailure, ChangesetError):
    """The plan goes past a limit of the settings; nothing was written, and no failed changeset is left."""


class RunRefused(ImportFailure):
    """The state of a run, or the permissions of the person, do not allow what was asked."""


class RunCancelled(ImportFailure, WorkCancelled):
    """Somebody asked the run to stop, and it stopped; nothing was written, and no failed changeset is left."""


class PinFailure(Exception):
    """Base of what can go wrong with pins; nothing was changed."""


class NotPinnable(PinFailure):
    """The field is none that an import fills."""


class NoteMissing(PinFailure):
    """A pin needs a note that says why."""


class NotPinned(PinFailure):
    """There is no such pin."""


class NotDeleted(PinFailure):
    """The object exists, so its deletion cannot be pinned."""
