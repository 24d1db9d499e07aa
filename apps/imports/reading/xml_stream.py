"""XML without a tree: a handler gets each element as it is read, so that memory stays flat."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.parsers import expat

from apps.imports.errors import FileDamaged, FileTooLarge

DEEPEST = 256
# Real sheets use some dozens of names; the parser remembers every one.
MOST_NAMES = 10_000
# A small archive can hold elements without end; a value of the table makes up for those around it.
MOST_EMPTY = 4_000_000
AROUND_A_VALUE = 10
# The parser reads a tag that has not ended again with each block.
LONGEST_PIECE = 2**20


class _Names(dict[str, str]):
    """Names of elements and attributes without their namespace."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __missing__(self, name: str) -> str:
        if len(self) > MOST_NAMES:
            raise FileDamaged(f"{self._part} has too many kinds of elements: save it again.")
        local = self[name] = name.rpartition(" ")[2]
        return local


class Handler:
    """Base of the handlers of elements; `names` takes the namespace off a name."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.names = _Names(part)
        self._depth = self._empty = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; raises FileDamaged when too many are open, FileTooLarge when too many hold nothing."""
        self._depth += 1
        self._empty += 1
        if self._empty > MOST_EMPTY:
            raise FileTooLarge(
                f"{self.part} has more than {MOST_EMPTY:,} elements beside its values: save the table as CSV."
            )
        if self._depth > DEEPEST:
            raise FileDamaged(f"{self.part} is nested too deeply: save it again.")

    def end(self, name: str) -> None:
        """An element ends."""
        self._depth -= 1

    def text(self, data: str) -> None:
        """Text stands between two tags."""

    def filled(self) -> None:
        """A value of the table was found."""
        self._empty = max(0, self._empty - AROUND_A_VALUE)


def parsed(blocks: Iterable[bytes], handler: Handler) -> Iterator[None]:
    """Give the elements in `blocks` to `handler`, and yield after each block; raises FileDamaged."""
    part = handler.part
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    # Nothing that writes sheets declares a document type; without one, no entity can grow.
    parser.StartDoctypeDeclHandler = _refuse(f"{part} declares a document type, which sheets do not: save it again.")
    given = 0
    try:
        for block in blocks:
            given += len(block)
            parser.Parse(block, False)
            if given - parser.CurrentByteIndex > LONGEST_PIECE:
                raise FileDamaged(
                    f"{part} has a piece of more than {LONGEST_PIECE // 2**20} MB between two tags: save it again."
                )
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise FileDamaged(f"{part} is damaged ({error}): save it again.") from error
    yield


def _refuse(sentence: str) -> Callable[..., None]:
    def refuse(*_declared: Any) -> None:
        raise FileDamaged(sentence)

    return refuse


class _Starts(Handler):
    """Collects the elements that begin, each with the name of its parent."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.elements: list[tuple[str, str, dict[str, str]]] = []
        self._parents = [""]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        local = self.names[name]
        self.elements.append((self._parents[-1], local, {self.names[key]: value for key, value in attributes.items()}))
        self._parents.append(local)

    def end(self, name: str) -> None:
        super().end(name)
        self._parents.pop()


def elements(blocks: Iterable[bytes], part: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield each element as the name of its parent, its own name and its attributes."""
    handler = _Starts(part)
    for _block in parsed(blocks, handler):
        yield from handler.elements
        handler.elements.clear()
