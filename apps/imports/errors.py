"""What can go wrong with an import, each with one sentence that says what to do."""


class ImportFailure(Exception):
    """Base of all errors of this app: nothing was applied, and the text is for the person who is told."""


class SourceUnavailable(ImportFailure):
    """The file is not there, or cannot be fetched."""


class FileRefused(ImportFailure):
    """The file as a whole cannot be read: damaged, not CSV, not UTF-8, or without rows."""


class ColumnsMissing(FileRefused):
    """The file lacks columns that the import needs."""


class RowsRefused(ImportFailure):
    """With strict: some rows break rules, so none was taken."""


class LocalEditsInTheWay(ImportFailure):
    """With policy abort: the file differs from corrections that people made."""


class OptionsContradict(ImportFailure):
    """Two options that do not go together."""


class PlanIsGone(ImportFailure):
    """The plan's staged rows were discarded, or replaced by those of a later plan."""


class FileIsGone(ImportFailure):
    """The file of a run is not kept any more, or is not what was uploaded."""


class MissingAboveLimit(ImportFailure):
    """More objects would be deactivated or deleted for being missing than the person allowed."""


class RunRefused(ImportFailure):
    """A run is not in a state, or not this person's, for what was asked of it."""


class RunCancelled(ImportFailure):
    """Somebody asked the run to stop, and it has; nothing was written."""
