"""Guards of the shape: small modules and functions that say what they promise; nothing strange in the tree."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50
LONGEST_TEMPLATE_LINE = 160
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
MODULES = [
    path
    for folder in ("apps", "travelmathlite", "benchmarks")
    for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
    if "migrations" not in path.parts
]
Function = ast.FunctionDef | ast.AsyncFunctionDef


TEMPLATES = sorted(ROOT.glob("templates/**/*.html"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def where(path: Path, function: Function) -> str:
    return f"{name_of(path)}:{function.lineno} {function.name}"


def length(function: Function) -> int:
    return function.end_lineno - function.lineno + 1


def top_level_of(path: Path) -> list[Function]:
    """Return the functions of a module that are no methods."""
    return [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, Function)]


def functions_of(path: Path) -> list[Function]:
    """Return every function and method of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def test_a_module_is_one_thing():
    long = [name_of(path) for path in MODULES if path.read_text(encoding="utf-8").count("\n") > LONGEST_MODULE]

    assert not long


def test_a_function_is_one_thing():
    long = [where(path, f) for path in MODULES for f in functions_of(path) if length(f) > LONGEST_FUNCTION]

    assert not long


def test_a_module_says_what_it_is_for():
    trees = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

    assert not [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)]


def test_a_public_function_says_what_it_promises():
    public = [(path, f) for path in MODULES for f in top_level_of(path) if not f.name.startswith("_")]

    assert not [where(path, f) for path, f in public if not ast.get_docstring(f) and f.name != "main"]


def test_a_function_says_what_it_returns():
    untyped = [(path, f) for path in MODULES for f in functions_of(path) if f.returns is None]

    assert not [where(path, f) for path, f in untyped if f.name != "__init__"]


def test_a_line_of_a_template_can_be_read():
    numbered = [
        (path, *line) for path in TEMPLATES for line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
    ]

    assert not [f"{name_of(path)}:{number}" for path, number, line in numbered if len(line) > LONGEST_TEMPLATE_LINE]


@pytest.mark.parametrize("other_way", [r"\|pluralize", r"\|length == 1", r"ngettext"])
def test_a_plural_is_made_in_one_way(other_way):
    modules = [path for path in MODULES if path.parts[-2] != "migrations"]

    assert not [
        name_of(path) for path in [*TEMPLATES, *modules] if re.search(other_way, path.read_text(encoding="utf-8"))
    ]


def test_a_part_of_pages_is_used():
    texts = "".join(path.read_text("utf-8") for path in [*MODULES, *TEMPLATES])
    parts = [f"admin/parts/{path.name}" for path in TEMPLATES if path.parent.name == "parts"]

    assert not [part for part in parts if part not in texts]


def test_one_admin_says_that_forms_change_nothing():
    """What the console writes by itself derives from it."""
    deny = [
        where(path, node)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function)
        and re.fullmatch("has_(add|change|delete)_permission", node.name)
        and ast.unparse(node.body[-1]) == "return False"
    ]

    assert {place.partition(":")[0] for place in deny} == {"apps/changesets/pages/read_only.py"}


def test_pages_of_failures_have_one_frame():
    for number in (400, 403, 404, 500, 503):
        page = (ROOT / f"templates/{number}.html").read_text(encoding="utf-8")

        assert page.startswith('{% extends "admin/failure.html" %}')
        assert "content-main" not in page


def test_what_types_leave_out_has_a_code_and_a_reason():
    texts = [path.read_text(encoding="utf-8") for path in MODULES]
    left_out = [line for text in texts for line in text.splitlines() if "type: ignore" in line]

    assert len(left_out) <= 8
    assert [line for line in left_out if not re.search(r"# type: ignore\[[a-z-]+\]  # \w+", line)] == []


@pytest.mark.skipif(not TRACKED, reason="no git here")
def test_nothing_is_tracked_that_belongs_to_one_machine():
    assert not [name for name in TRACKED if re.search(r"(^|/)(uv\.lock|\.env|\.secret_key|.*\.sqlite3.*)$", name)]


@pytest.mark.skipif(not TRACKED, reason="no git here")
def test_no_file_names_a_package_registry():
    # Put together here, so that this file does not name them itself.
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"))]
    texts = [ROOT / name for name in TRACKED if not name.endswith((".gz", ".png", ".webp")) and (ROOT / name).is_file()]

    assert not [name_of(path) for path in texts if any(host in path.read_text(encoding="utf-8") for host in hosts)]
