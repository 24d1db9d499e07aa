"""Which column of a file most likely fills which field: by its title and its values, and why."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from apps.changesets.text import counted
from apps.imports.looks import LooksLike
from apps.imports.mapping.changes import CHANGES, ValueChange, changed, shares
from apps.imports.mapping.columns import Column
from apps.imports.mapping.layout import columns_found, titles_of
from apps.imports.results import NULL_WORDS, ImportOptions
from apps.imports.spec import ImportSpec

_SHOWN = 3
# A number under such a title is anybody's.
_ANYBODYS = {"id", "key", "pk", "no", "nr", "number", "index"}
# What the columns of a file without titles are called.
_UNTITLED = re.compile("column[0-9]+|[0-9]+")
# An object or a list, of which no value is taken.
_NESTED = {"{...}", "[...]"}
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_THREE = re.compile(r"[+-]?[0-9]{1,3},[0-9]{3}")
# Only where a sign comes twice, or is none of a decimal, it must stand between thousands.
_GROUPED = {
    "comma": re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3}){2,}(\.[0-9]+)?"),
    "point": re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3}){2,}(,[0-9]+)?"),
    "space": re.compile(r"[+-]?[0-9]{1,3}([ \u00a0\u202f\u2009][0-9]{3})+([.,][0-9]+)?"),
    "apostrophe": re.compile(r"[+-]?[0-9]{1,3}(['\u2019][0-9]{3})+([.,][0-9]+)?"),
}


@dataclass(frozen=True)
class Guess:
    """The column at `place` fills `field`: why that is likely, and which change its values need first."""

    field: str
    place: int
    title: str
    why: str
    change: ValueChange | None = None


def guess_columns(header: Sequence[str], rows: Sequence[Sequence[str]], spec: ImportSpec) -> list[Guess]:
    """Return the columns that most likely fill fields, in the order of the spec; `rows` are a sample of the file.

    Titles of ours come first, then those in which case and punctuation differ, then those that others use, then the
    values. A column whose values are as the field takes them comes before one whose values must become so. A title
    does not count where the values look like something else. A column is guessed once, unless each field takes
    another part of it.
    """
    work = _Work(header, rows, spec)
    for changing in (False, True):
        work.by_our_titles(changing=changing)
        work.by_titles_like_ours(changing=changing)
    work.without_foreign_numbers()
    work.by_values()
    work.by_country()
    return [work.guesses[column.field] for column in spec.columns if column.field in work.guesses]


def plain_title(title: str) -> str:
    """Return a title without case, spaces and punctuation: `Airport-Name` and `airport name` are the same."""
    return re.sub(r"[\W_]+", "", title.casefold())


class _Work:
    """The guesses so far, and the sample that speaks for or against others."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]], spec: ImportSpec) -> None:
        self.header, self.rows, self.spec = header, rows, spec
        self.samples = [_filled(rows, place) for place in range(len(header))]
        self.guesses: dict[str, Guess] = {}
        # Fields that were guessed by a title which is not exactly ours.
        self.foreign: set[str] = set()

    def by_our_titles(self, *, changing: bool) -> None:
        """Guess what an import takes unasked; the field's own title counts whatever its values are."""
        for column, place in columns_found(self.header, self.spec, ImportOptions()):
            ours = self.header[place].casefold() in {column.header.casefold(), column.field.casefold()}
            if column.field in self.guesses:
                continue
            if self._by_title(column, place, "its title is ours", changing=changing, certain=ours) and not ours:
                self.foreign.add(column.field)

    def by_titles_like_ours(self, *, changing: bool) -> None:
        """Guess by titles like ours, then by those of others, then by those whose values need a change."""
        places = self._plain_places()
        for why, names_of in _TITLES:
            for column in self.spec.columns:
                for name, change in names_of(column):
                    place = places.get(plain_title(name))
                    if place is None or column.field in self.guesses:
                        continue
                    if self._by_title(column, place, why, changing=changing, change=change):
                        self.foreign.add(column.field)

    def without_foreign_numbers(self) -> None:
        """Drop a number that another list gave its rows: one beside foreign titles, and one of the database's own
        unless the file has just the columns of an export."""
        spec, own = self.spec, [column.field for column in self.spec.columns if column.stored]
        for field in spec.key_fields:
            guess = self.guesses.get(field)
            if guess is None or plain_title(guess.title) not in _ANYBODYS:
                continue
            if self.foreign - {field} or (spec.automatic and field == spec.pk and list(self.header) != own):
                del self.guesses[field]

    def by_values(self) -> None:
        """Guess by what the values look like, where that is enough; values that need no change come first."""
        for changing in (False, True):
            for column in self.spec.columns:
                for place in range(len(self.header)):
                    if column.field not in self.guesses and self.header[place] and self.samples[place]:
                        self._by_values(column, place, changing=changing)

    def by_country(self) -> None:
        """Let the two numbers of one cell change places where more of the points are in their country then."""
        evidence = self.spec.evidence
        if evidence is None or evidence.lies_in is None or not evidence.position:
            return
        latitude, longitude, country = map(self.guesses.get, (*evidence.position, evidence.country))
        if not (latitude and longitude and country) or latitude.place != longitude.place:
            return
        rows = [row for row in zip(*map(self._cells_of, (country, latitude, longitude)), strict=True) if _is_point(row)]
        straight = sum(evidence.lies_in(code, float(one), float(other)) for code, one, other in rows)
        swapped = sum(evidence.lies_in(code, float(other), float(one)) for code, one, other in rows)
        if swapped > straight:
            first = "latitude" if longitude.change == ValueChange("part", "1") else "longitude"
            why = f"two numbers, the {first} first: {swapped} of {counted(len(rows), 'point')} lie in their country so"
            self.guesses[latitude.field] = replace(latitude, why=why, change=longitude.change)
            self.guesses[longitude.field] = replace(longitude, why=why, change=latitude.change)

    def _cells_of(self, guess: Guess) -> list[str]:
        cells = [row[guess.place].strip() if guess.place < len(row) else "" for row in self.rows]
        return changed(cells, [guess.change] if guess.change else [])

    def _by_values(self, column: Column, place: int, *, changing: bool) -> None:
        sample = self.samples[place]
        cells, number = self._numbers(column, sample)
        untitled = _UNTITLED.fullmatch(plain_title(self.header[place])) is not None
        looks = [look for look in column.looks_like if look.alone and (untitled or not look.untitled)]
        look = next((look for look in looks if look.test(cells)), None)
        if look and bool(look.change or number) is changing:
            self._note(column, place, _looks(look, sample), look.change or number)

    def _by_title(
        self,
        column: Column,
        place: int,
        why: str,
        *,
        changing: bool,
        certain: bool = False,
        change: ValueChange | None = None,
    ) -> bool:
        sample = self.samples[place]
        cells, number = self._numbers(column, sample)
        looks = [look for look in column.looks_like if not look.untitled]
        look = next((look for look in looks if look.test(cells)), None) if cells else None
        if cells and column.looks_like and not look and not certain:
            return False
        if look and look.change and not changing:
            return False
        change = change or (look.change if look else None) or number
        if look and look.change:
            why = f"{why}; {_looks(look, sample)}"
        elif number:
            why = f"{why}; its numbers need {CHANGES[number.name].label}: {', '.join(sample[:_SHOWN])}"
        return self._note(column, place, why, change)

    def _numbers(self, column: Column, sample: list[str]) -> tuple[list[str], ValueChange | None]:
        """Return the cells as numbers where the field holds some, and the change that it takes."""
        whole = self.spec.numbers.get(column.field)
        change = None if whole is None else number_change(sample, whole=whole)
        return changed(sample, [change]) if change else sample, change

    def _note(self, column: Column, place: int, why: str, change: ValueChange | None) -> bool:
        """Keep the guess, unless another field has the column and does not share it."""
        if not _NESTED.isdisjoint(self.samples[place]):
            return False
        for other in self.guesses.values():
            if other.place == place and not (change and other.change and change != other.change and shares([change])):
                return False
        self.guesses[column.field] = Guess(column.field, place, self.header[place], why, change)
        return True

    def _plain_places(self) -> dict[str, int]:
        model = plain_title(str(self.spec.model._meta.verbose_name))
        places: dict[str, int] = {}
        for place, title in enumerate(self.header):
            for name in (plain_title(title), plain_title(title).removeprefix(model)):
                if name:
                    places.setdefault(name, place)
        return places


def number_change(sample: Sequence[str], *, whole: bool) -> ValueChange | None:
    """Return the change that makes these cells numbers, None where they are or where it is not sure."""
    for sign, pattern in _GROUPED.items():
        if any(map(pattern.fullmatch, sample)):
            return ValueChange("thousands", sign)
    commas = [cell for cell in sample if _COMMA.fullmatch(cell)]
    if not commas or not all(cell in commas or cell.isdigit() for cell in sample):
        return None
    # In whole numbers three digits after a comma may be thousands.
    return None if whole and all(map(_THREE.fullmatch, commas)) else ValueChange("decimal_comma")


def _is_point(row: Sequence[str]) -> bool:
    return all(map(_NUMBER.fullmatch, row[1:]))


def _looks(look: LooksLike, sample: Sequence[str]) -> str:
    return f"its values look like {look.words}: {', '.join(sample[:_SHOWN])}"


def _unchanged(names: Iterable[str]) -> list[tuple[str, None]]:
    return [(name, None) for name in names]


# Why a title may be meant, and which titles of a column these are, each with the change that its values need.
_TITLES: tuple[tuple[str, Callable[[Column], Iterable[tuple[str, ValueChange | None]]]], ...] = (
    ("its title is ours but for case and punctuation", lambda column: _unchanged(titles_of(column))),
    ("others call it so", lambda column: _unchanged(column.guesses)),
    ("others call it so", lambda column: column.changed_guesses),
)


def _filled(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    cells = [row[place].strip() for row in rows if place < len(row)]
    return [cell for cell in cells if cell and cell not in NULL_WORDS]
