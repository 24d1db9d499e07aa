"""Write the table of all settings in docs/settings.md: `uv run python docs/settings_page.py`.

Settings that stand together are one row, under the comment above them.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"
SOURCES = [ROOT / "travelmathlite" / name for name in ("settings.py", "logins.py")]
MARK = "<!-- from here on made by docs/settings_page.py -->\n"
LONGEST = 60
SAID = ("from the environment", "see the file")


@dataclass
class Group:
    """Settings that stand together, each with its value as it is written, and what the comment above them says."""

    meaning: str
    last_line: int
    settings: dict[str, str] = field(default_factory=dict)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page_of(PAGE.read_text(encoding="utf-8"), source()), encoding="utf-8")
    return 0


def source() -> str:
    """Return the text of the settings, all files of them in one."""
    return "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)


def page_of(page: str, source: str) -> str:
    """Return the page with its table made anew."""
    rows = "".join(f"| {' | '.join(cells_of(group))} |\n" for group in groups_of(source))
    return f"{page.partition(MARK)[0]}{MARK}\n| setting | as it stands | meaning |\n|---|---|---|\n{rows}"


def groups_of(source: str) -> list[Group]:
    """Return the settings in the order of the file."""
    lines, groups = source.splitlines(), list[Group]()
    for node, name, value in _assignments(ast.parse(source).body):
        above = _comment_above(lines, node.lineno)
        if above or not groups or groups[-1].last_line + 1 < node.lineno:
            groups.append(Group(above, node.lineno))
        groups[-1].last_line = node.end_lineno or node.lineno
        groups[-1].settings.setdefault(name, _short(value, source))
    return groups


def cells_of(group: Group) -> list[str]:
    """Return the cells of a row."""
    names = ", ".join(f"`{name}`" for name in group.settings)
    values = ", ".join(_cell(value) for value in group.settings.values())
    return [cell.replace("|", "\\|") for cell in (names, values, group.meaning or "as Django or its package has it")]


def _cell(value: str) -> str:
    return value if value in SAID else f"`{value}`"


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _assignments([*node.body, *node.orelse])
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            yield from ((node, name, node.value) for name in names if name.isupper() and not name.startswith("_"))


def _comment_above(lines: list[str], number: int) -> str:
    found = list[str]()
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#"):
            break
        found.append(line.strip().removeprefix("#").strip())
    return " ".join(reversed(found))


def _short(value: ast.expr, source: str) -> str:
    text = ast.get_source_segment(source, value) or ""
    if "read_" in text or "os.environ" in text:
        return SAID[0]
    return text if len(text) <= LONGEST and "\n" not in text and "`" not in text else SAID[1]


if __name__ == "__main__":
    sys.exit(main())
