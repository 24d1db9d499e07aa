"""Write requirements.lock from pyproject.toml, and the versions it holds back into pyproject.toml as constraints.

What a server needs, and no tool of development, is in deploy/requirements.lock, in the same versions.

`python .ci/lock.py` keeps the versions already locked, `--upgrade` takes the newest allowed ones, and `--check` writes
nothing and fails when the two files do not say the same.
"""

import argparse
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
SERVER_LOCK = ROOT / "deploy" / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
BLOCK = re.compile(r"^constraint-dependencies = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"[A-Za-z0-9._-]+==[^ /]+( ; [^/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def main() -> int:
    """Lock or check; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the files disagree")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    options = parser.parse_args()
    if options.check:
        lock, server = LOCK.read_text(encoding="utf-8"), SERVER_LOCK.read_text(encoding="utf-8")
        faults = [*faults_of(lock, PROJECT.read_text(encoding="utf-8")), *faults_of_server(server, lock)]
        sys.stderr.writelines(f"{fault}\n" for fault in faults)
        return 1 if faults else 0
    compile_lock(LOCK, "dev", upgrade=options.upgrade)
    compile_lock(SERVER_LOCK, "production", "--constraint", str(LOCK), upgrade=options.upgrade)
    PROJECT.write_text(
        with_constraints(PROJECT.read_text(encoding="utf-8"), pins_of(LOCK.read_text(encoding="utf-8"))),
        encoding="utf-8",
    )
    return 0


def compile_lock(lock: Path, group: str, *constraint: str, upgrade: bool) -> None:
    """Resolve a group for every platform and write its lock, with hashes and without addresses."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--group", group, "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    # Without configuration: the constraints to be written must not hold the resolution where it was.
    command += ["--no-config", "--output-file", str(lock), *constraint]
    if upgrade:
        command.append("--upgrade")
    # Extra indexes and folders of this machine must not leak into hashes that hold everywhere.
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
    subprocess.run(command, cwd=ROOT, env=clean, check=True)  # noqa: S603


def pins_of(lock: str) -> list[str]:
    """Return `name==version ; marker` of each locked requirement, in the order of the lock."""
    return [
        line.removesuffix("\\").strip() for line in lock.splitlines() if line and not line.startswith((" ", "\t", "#"))
    ]


def with_constraints(project: str, pins: list[str]) -> str:
    """Return the text of pyproject.toml with the locked versions as uv's constraints."""
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    return BLOCK.sub(lambda _: f"constraint-dependencies = [\n{lines}]\n", project, count=1)


def faults_of(lock: str, project: str) -> Iterator[str]:
    """Yield a sentence for each way in which the lock and pyproject.toml disagree."""
    strange = [line for line in lock.splitlines() if not ENTRY.fullmatch(line)]
    if strange:
        yield f"requirements.lock: only pinned versions and hashes belong in it, not {strange[0]!r}"
        return
    pins = pins_of(lock)
    if not BLOCK.search(project) or with_constraints(project, pins) != project:
        yield "pyproject.toml: constraint-dependencies is not what requirements.lock says: run python .ci/lock.py"
    locked = {normal(NAME.match(pin).group()) for pin in pins}
    declared = tomllib.loads(project)
    # The packages that benchmarks compare with are no part of what runs: their group pins them itself.
    groups = [group for name, group in declared["dependency-groups"].items() if name != "peers"]
    for requirement in [*declared["project"]["dependencies"], *(each for group in groups for each in group)]:
        if isinstance(requirement, str) and normal(NAME.match(requirement).group()) not in locked:
            yield f"requirements.lock: {requirement} is not locked: run python .ci/lock.py"


def faults_of_server(server: str, lock: str) -> Iterator[str]:
    """Yield a sentence when the lock of servers has another version or hash than the lock of everything."""
    known = {line.removesuffix(" \\") for line in lock.splitlines()}
    strange = [line for line in server.splitlines() if line.removesuffix(" \\") not in known]
    if strange or not server:
        yield "deploy/requirements.lock: it is no part of requirements.lock: run python .ci/lock.py"


def normal(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
