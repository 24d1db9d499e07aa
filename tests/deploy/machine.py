"""A folder that stands for the machine: few programs are stood in for, the others are the real ones."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "deploying.md"
HOST = "console.example.com"
PASSWORD = "a password for tests only"
DATABASE = "travelmathlite_deploying"
SERVER = os.environ.get("POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
_PART = re.compile(
    r"^## (?P<title>[^\n]*)$"
    r"|^(?P<not_run><!-- not run: [^\n]*-->\n)?```bash\n(?P<text>.*?)^```$",
    re.M | re.S,
)
# The programs that would change the machine itself, and what is done here in their place.
STAND_INS = {
    "useradd": 'mkdir -p "$DEPLOY_ROOT/var/lib/travelmathlite"',
    "runuser": (
        'if [ "$2" = postgres ]; then export PGHOST={host} PGPORT={port} PGUSER={user}; fi\n'
        'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'
    ),
    "install": 'exec /usr/bin/install $(printf "%s\\n" "$@" | sed -e "/^-[og]$/,+1d")',
    "systemctl": 'exec {python} {here}/systemctl.py "$@"',
    "nginx": 'exec {nginx} -p "$DEPLOY_ROOT/nginx/" -c "$DEPLOY_ROOT/nginx/nginx.conf" "$@"',
    "git": '{git} "$@" || exit; [ "$1" != clone ] || exec {python} -m tests.deploy.machine',
}
FOLDERS = (
    *("bin", "nginx", "run", "srv", "etc/ssl/private", "etc/ssl/certs", "etc/systemd/system", "etc/pgbouncer"),
    *("etc/nginx/sites-available", "etc/nginx/sites-enabled", "var/log/nginx", "var/log/pg"),
)
NGINX = """
user root;
pid {root}/nginx/nginx.pid;
error_log {root}/nginx/error.log;
events {{}}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path {root}/nginx/body;
    proxy_temp_path {root}/nginx/proxy;
    fastcgi_temp_path {root}/nginx/fastcgi;
    uwsgi_temp_path {root}/nginx/uwsgi;
    scgi_temp_path {root}/nginx/scgi;
    include {root}/etc/nginx/sites-enabled/*;
}}
"""


def blocks() -> list[tuple[str, str]]:
    """Return each block that is run, with the title of its section."""
    found, title = [], ""
    for part in _PART.finditer(DOCUMENT.read_text(encoding="utf-8")):
        title = part["title"] or title
        if part["text"] and not part["not_run"]:
            found.append((title, part["text"]))
    return found


class Machine:
    """Runs the blocks of the document."""

    def __init__(self, root: Path) -> None:
        self.root = root
        server = urlsplit(SERVER)
        self.words = {"host": server.hostname, "port": server.port or 5432, "user": server.username or "postgres"}
        names = ("https", "http", "gunicorn", "pgbouncer")
        self.ports = dict(zip(names, _free_ports(len(names)), strict=True))

    @classmethod
    def make(cls) -> "Machine":
        """Return a machine with its folders and nothing installed."""
        machine = cls(Path(tempfile.mkdtemp(prefix="deploy-")))
        machine.root.chmod(0o755)
        for folder in FOLDERS:
            (machine.root / folder).mkdir(parents=True)
        words = {"python": sys.executable, "here": Path(__file__).parent, **machine.words}
        words |= {name: shutil.which(name) for name in ("nginx", "git")}
        for name, text in STAND_INS.items():
            for word, value in words.items():
                text = text.replace(f"{{{word}}}", str(value))
            (machine.root / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
            (machine.root / "bin" / name).chmod(0o755)
        for folder in ("run", "var/log/pg"):
            shutil.chown(machine.root / folder, "postgres", "postgres")
        (machine.root / "nginx" / "nginx.conf").write_text(NGINX.format(root=machine.root))
        machine.drop_database()
        return machine

    def meant(self, text: str) -> str:
        """Return a text with the places and ports of this machine."""
        server = f"{self.words['host']}:{self.words['port']}"
        for pattern, real in {
            r"https://example\.com/travelmathlite-console\.git": str(ROOT),
            r"//var/run/postgresql/travelmathlite": f"{server}/{DATABASE}",
            r"(--owner console|DATABASE) travelmathlite": rf"\1 {DATABASE}",
            r"(:6432/)travelmathlite": rf"\1{DATABASE}",
            r"host=127\.0\.0\.1 port=5432": f"host={self.words['host']} port={self.words['port']}",
            r"/srv/travelmathlite": f"{self.root}/srv/travelmathlite",
            r"(?<![\w/])/etc/": f"{self.root}/etc/",
            r"(?<![\w/])/var/lib/": f"{self.root}/var/lib/",
            r"/var/log/postgresql": f"{self.root}/var/log/pg",
            r"/var/log/nginx": f"{self.root}/var/log/nginx",
            r"/var/run/postgresql": f"{self.root}/run",
            r"/usr/local/bin/|/usr/sbin/(?=runuser)": f"{self.root}/bin/",
            r"\b6432\b": str(self.ports["pgbouncer"]),
            r"127\.0\.0\.1:8000": f"127.0.0.1:{self.ports['gunicorn']}",
            r"listen 443": f"listen 127.0.0.1:{self.ports['https']}",
            r"listen 80": f"listen 127.0.0.1:{self.ports['http']}",
            rf"{HOST}:443": f"{HOST}:{self.ports['https']}",
            rf"https://{HOST}/": f"https://{HOST}:{self.ports['https']}/",
            # The same lock with the same hashes, in a tenth of the time.
            r"python3 -m venv \.venv": "uv venv --quiet .venv",
            r"\.venv/bin/pip install": "uv pip install --python .venv",
            r"WEB_CONCURRENCY='\d'": "WEB_CONCURRENCY='1'",
            # No test reaches the network, and there is no server for e-mail here.
            r"#EMAIL_URL='.*'": "EMAIL_URL='consolemail://'",
            r"update_airports --url": f"update_airports --file {self.root}/airports.csv",
        }.items():
            text = re.sub(pattern, real, text)
        return text

    def run(self, text: str) -> subprocess.CompletedProcess:
        """Run what is typed into one shell, which stops at the first command that fails."""
        clean = {name: value for name, value in os.environ.items() if name not in self._not_theirs()}
        environment = {
            **clean,
            "PATH": f"{self.root}/bin:{os.environ['PATH']}",
            "DEPLOY_ROOT": str(self.root),
            "DEPLOY_PORTS": ",".join(map(str, self.ports.values())),
            "PYTHONPATH": "",
        }
        return subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", self.meant(text)],
            cwd=ROOT,
            env=environment,
            input=f"{PASSWORD}\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
            check=False,
        )

    def drop_database(self) -> None:
        """Drop the database and the role of the document."""
        with psycopg.connect(SERVER, dbname="postgres", autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            server.execute("DROP ROLE IF EXISTS console")

    def close(self) -> None:
        """Stop what was started, and leave nothing."""
        self.run("systemctl kill travelmathlite-web.service travelmathlite-worker.service; nginx -s stop || true")
        if (pid := self.root / "run" / "pgbouncer.pid").exists():
            os.kill(int(pid.read_text()), 9)
        self.drop_database()
        shutil.rmtree(self.root)

    def _not_theirs(self) -> set[str]:
        """Return the variables that the console reads: it has them from its file alone."""
        listed = re.findall(r"^#?([A-Z_]+)=", (ROOT / "deploy" / "travelmathlite.env").read_text(), re.M)
        return {*listed, "DJANGO_SETTINGS_MODULE", "VIRTUAL_ENV"}


def _free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _move_in() -> None:
    """Write the places and ports of this machine into the files that were cloned."""
    machine = Machine(Path(os.environ["DEPLOY_ROOT"]))
    machine.ports = dict(zip(machine.ports, map(int, os.environ["DEPLOY_PORTS"].split(",")), strict=True))
    for file in (machine.root / "srv" / "travelmathlite" / "deploy").rglob("*"):
        if file.is_file():
            file.write_text(machine.meant(file.read_text()))


if __name__ == "__main__":
    _move_in()
