"""What a browser would send of the forms of a page."""

from html.parser import HTMLParser


class Forms(HTMLParser):
    """The fields of the forms of a page, with the values that a browser would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select = self._textarea = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        ticked = given.get("type") not in ("checkbox", "radio") or "checked" in given
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields.append((self._select, given.get("value") or ""))
        elif tag in ("input", "button", "textarea") and name and ticked:
            self.fields.append((name, given.get("value") or ""))
