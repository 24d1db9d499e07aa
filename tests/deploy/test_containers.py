"""The steps of deploy/Containerfile and the services of deploy/compose.yaml, carried out as they are written.

No registry of images is asked: the image that they begin from is this machine with a Python of its own, under a layer
that takes what is written (overlayfs), so that each path is the real one and nothing of it stays.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.deploy.machine import HOST, ROOT, SERVER
from tests.servers import at, drop_database, free_port, redis_server, wait_until

DATABASE = "travelmathlite_container"
IMAGE = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
# What is typed into a shell of the namespace before anything else: the layer, and what the runtime of containers gives.
LAYER = """
set -euo pipefail
mount --make-rprivate /
mount -t overlay overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work {folder}/root
for name in proc sys dev; do mount --rbind /$name {folder}/root/$name; done
"""
RUNNING = """
mount --bind {folder}/files {folder}/root/var/lib/travelmathlite
mount -t tmpfs tmpfs {folder}/root/tmp
mount -o remount,ro,bind {folder}/root
exec chroot {folder}/root setpriv --reuid=10001 --regid=10001 --clear-groups --bounding-set=-all --no-new-privs \\
    --inh-caps=-all sh -c 'cd /srv/travelmathlite && exec "$@"' sh {command}
"""
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.environ.get("REQUIRE_DEPLOY"), reason="takes half a minute: the lane deploy runs it"),
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="it takes root to mount a layer"),
]


def steps() -> list[tuple[str, str]]:
    """Return the instructions of the image with what they say."""
    lines = re.sub(r"\\\n", " ", IMAGE).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


def said_once(instruction: str) -> str:
    """Return what the one instruction of this name says."""
    (text,) = [text for name, text in steps() if name == instruction]
    return text


class Image:
    """A folder with the layer of an image, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        for name in ("upper", "work", "root", "files", "context"):
            (folder / name).mkdir()
        shutil.chown(folder / "files", 10001, 10001)

    def build(self) -> None:
        """Carry the steps out in their order, as root, each in a shell of its own."""
        self._copy_context()
        place, script = "/", [f"chroot {self.folder}/root /usr/bin/python3 -m venv /usr/local/image"]
        for name, text in steps():
            if name == "WORKDIR":
                place = text
                script.append(f"mkdir -p {self.folder}/root{place}")
            elif name == "COPY":
                source, target = text.split()
                script.append(f"cd {self.folder}/context && mkdir -p {self.folder}/root{place}/{target}")
                script.append(f"cp -r {source} {self.folder}/root{place}/{target}")
            elif name == "RUN":
                script.append(f"chroot {self.folder}/root sh -euc {_quoted(f'cd {place}; {text}')}")
        done = subprocess.run(self._in_namespace("\n".join(script)), **_QUIET, env=self._environment(), check=False)
        assert done.returncode == 0, done.stdout[-4000:]

    def start(self, command: list[str], **environment: str) -> subprocess.Popen:
        """Run a service: not as root, on a root that is only read, without capabilities."""
        running = RUNNING.format(folder=self.folder, command=" ".join(map(_quoted, command)))
        process = subprocess.Popen(
            self._in_namespace(running), **_QUIET, env=self._environment() | environment, start_new_session=True
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            if not process.stdout.closed:
                process.communicate()

    def _copy_context(self) -> None:
        ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        kept = [line.removeprefix("!") for line in ignored if line.startswith("!")]
        files = subprocess.run(["git", "ls-files", "-z", *kept], cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, files.decode().split("\0")):
            target = self.folder / "context" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)

    def _in_namespace(self, script: str) -> list[str]:
        return ["unshare", "--mount", "bash", "-c", LAYER.format(folder=self.folder) + script]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        places = "/usr/local/image/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return kept | {"PATH": places, "DEBIAN_FRONTEND": "noninteractive"}


_QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image, with a database and what compose.yaml says of the environment."""
    folder = Path(tempfile.mkdtemp(prefix="image-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Image(folder)
    try:
        made.build()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def command_of(service: str) -> list[str]:
    """Return the command of a service, or that of the image."""
    part = re.search(rf"^  {service}:\n((?:    .*\n)+)", COMPOSE, re.M)[1]
    found = re.search(r"command: \[(.*)\]", part)
    return [word.strip() for word in found[1].split(",")] if found else json.loads(said_once("CMD"))


def environment_of(redis: str) -> dict[str, str]:
    """Return what the environment file says as it is printed, and what compose.yaml says besides."""
    printed = (ROOT / "deploy" / "travelmathlite.env").read_text(encoding="utf-8")
    values = dict(re.findall(r"^([A-Z_]+)='(.*)'$", printed, re.M))
    assert "DATABASE_URL: postgres://console:" in COMPOSE, "which database compose.yaml names"
    server = at(SERVER, DATABASE)
    keys = {"SECRET_KEY": "a key for this test alone " * 3, "BACKUP_SIGNING_KEY": "another key for this test alone"}
    return {**values, **keys, "DATABASE_URL": server, "CACHE_URL": redis, "WEB_CONCURRENCY": "1"}


def test_the_services_of_the_image_run_as_compose_says(image: Image, tmp_path: Path):
    drop_database(SERVER, DATABASE)
    with psycopg.connect(SERVER, dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
    port = free_port()
    web = [word.replace(":8000", f":{port}") for word in command_of("web")]
    probe = [word.replace(":8000/", f":{port}/") for word in json.loads(said_once("HEALTHCHECK").removeprefix("CMD "))]
    with redis_server(tmp_path, port=free_port()) as cache:
        environment = environment_of(cache)
        try:
            migrated = image.start(command_of("migrate"), **environment)
            assert migrated.wait() == 0, migrated.communicate()[0][-3000:]
            serving = image.start(web, **environment)
            wait_until(lambda: _answers(port) or serving.poll() is not None, "it does not serve", seconds=60)
            assert serving.poll() is None, serving.communicate()[0][-3000:]
            probed = image.start(probe, **environment)
            assert probed.wait() == 0, probed.communicate()[0][-3000:]
            working = image.start(command_of("worker"), **environment)
            heard = ["python", "manage.py", "health", "--json"]
            wait_until(lambda: '"A worker was heard of' in _told(image, heard, environment), "no worker", seconds=60)
            assert working.poll() is None
            version = ["python", "-c", "from travelmathlite.version import version; print(version())"]
            assert (
                _told(image, version, environment | {"DJANGO_SETTINGS_MODULE": "travelmathlite.settings"})[:-1]
                == (tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
            )
            backup = image.start(["python", "manage.py", "backup", "create", "--json"], **environment)
            told = backup.communicate()[0]
            assert backup.returncode == 0, told[-3000:]
        finally:
            image.stop()
            drop_database(SERVER, DATABASE)


def _told(image: Image, command: list[str], environment: dict[str, str]) -> str:
    return image.start(command, **environment).communicate()[0]


def _answers(port: int) -> bool:
    asked = ["curl", "--silent", "--fail", "--header", f"Host: {HOST}", f"http://127.0.0.1:{port}/healthz"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0
