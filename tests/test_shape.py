"""Guards of the shape: small modules and functions that say what they promise; nothing strange in the tree."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
MODULES = [
    path
    for folder in ("apps", "travelmathlite", "benchmarks")
    for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
    if "migrations" not in path.parts
]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions_of(path: Path) -> list[Function]:
    """Return every function and method of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_one_thing(path: Path):
    lines = path.read_text(encoding="utf-8").count("\n")
    long = [f.name for f in functions_of(path) if f.end_lineno - f.lineno + 1 > LONGEST_FUNCTION]

    assert lines <= LONGEST_MODULE
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_promises(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = [node for node in tree.body if isinstance(node, Function) and not node.name.startswith("_")]

    assert not tree.body or ast.get_docstring(tree)
    assert not [f.name for f in public if not ast.get_docstring(f) and f.name != "main"]
    assert not [f.name for f in functions_of(path) if f.returns is None and f.name != "__init__"]


@pytest.mark.skipif(not TRACKED, reason="no git here")
def test_nothing_is_tracked_that_belongs_to_one_machine():
    assert not [name for name in TRACKED if re.search(r"(^|/)(uv\.lock|\.env|\.secret_key|.*\.sqlite3.*)$", name)]


@pytest.mark.skipif(not TRACKED, reason="no git here")
def test_no_file_names_a_package_registry():
    # Put together here, so that this file does not name them itself.
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"))]
    texts = [ROOT / name for name in TRACKED if not name.endswith((".gz", ".png")) and (ROOT / name).is_file()]

    assert not [name_of(path) for path in texts if any(host in path.read_text(encoding="utf-8") for host in hosts)]
