"""Machines of one console: each a web server and a worker with folders and an environment of their own."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.deploy.machine import HOST, PASSWORD, ROOT
from tests.deploy.visitor import Visitor
from tests.servers import free_port, wait_until

WEB = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--workers", "1", "--worker-tmp-dir", "/dev/shm")
WORKER = ("manage.py", "db_worker", "--no-reload", "--interval", "0.1", "--no-startup-delay")


def make_certificate(folder: Path) -> Path:
    """Make a certificate of the host, with its key beside it."""
    certificate = folder / "tls.pem"
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    made = ["-keyout", certificate.with_suffix(".key"), "-out", certificate, "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *made], check=True,
                   capture_output=True)  # fmt: skip
    return certificate


class ConsoleMachine:
    """A machine that serves the console of a database by the address in `url`."""

    def __init__(self, folder: Path, url: str, *, share: Path, certificate: Path, cache: str, **more: str) -> None:
        self.folder, self.certificate, self.port = folder, certificate, free_port()
        self.processes: dict[str, subprocess.Popen] = {}
        folder.mkdir()
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "tests.deploy.machine_settings",
            "PYTHONPATH": str(ROOT),
            "SECRET_KEY": "a key of one console, which all of its machines have, " * 2,
            "BACKUP_SIGNING_KEY": "another key that all of them have",
            "ALLOWED_HOSTS": HOST,
            "DATABASE_URL": url,
            "CACHE_URL": cache,
            "VAR_DIR": str(folder / "var"),
            "BACKUP_DIR": str(folder / "backups"),
            "MACHINES_SHARE": str(share),
            **more,
        }

    def manage(self, *arguments: str) -> str:
        """Run a command, and return what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        person = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment | person, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serve(self) -> None:
        """Start the web server, and return when it answers."""
        tls = ["--certfile", self.certificate, "--keyfile", self.certificate.with_suffix(".key")]
        self._start("web", *WEB, "--bind", f"127.0.0.1:{self.port}", *tls)
        wait_until(self._answers, f"{self.folder.name} does not serve: {self.log('web')}")

    def work(self) -> None:
        """Start the worker."""
        self._start("worker", *WORKER)

    def stop(self, *names: str) -> None:
        """Stop these processes, or all."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            process.send_signal(signal.SIGINT if name == "worker" else signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ana(self) -> "Person":
        """Return Ana, who has logged in at this machine."""
        ana = Person(HOST, self.port, self.certificate)
        answer, _page = ana.send("/admin/login/?next=/admin/", {"username": "ana", "password": PASSWORD})
        assert answer.url.endswith("/admin/"), answer.url
        return ana

    def log(self, name: str) -> str:
        """Return the end of what a process wrote."""
        file = self.folder / f"{name}.log"
        return file.read_text()[-3000:] if file.exists() else ""

    def _start(self, name: str, *arguments: object) -> None:
        with (self.folder / f"{name}.log").open("a") as log:
            command = [sys.executable, *map(str, arguments)]
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _answers(self) -> bool:
        assert self.processes["web"].poll() is None, self.log("web")
        try:
            return Visitor(HOST, self.port, self.certificate).open("/healthz")[0].status == 200
        except OSError:
            return False


class Person(Visitor):
    """Somebody with a browser at one of the machines."""

    def take(self, cookies_of: Visitor) -> "Person":
        """Go on with the session of another one: a proxy sends one browser now here, now there."""
        for cookie in cookies_of.cookies:
            self.cookies.set_cookie(cookie)
        return self

    def read(self, path: str) -> str:
        """Return the text of a page that is there."""
        answer, page = self.open(path)
        assert answer.status == 200, f"{path}: {answer.status} {page[-2000:]}"
        return page

    def progress(self, run: str) -> dict[str, object]:
        """Return how far a run is, as its page asks for it."""
        return json.loads(self.read(f"{run}progress/"))

    def confirm(self, page: str, address: str, **fields: str) -> str:
        """Confirm what a page shows, and return the address that this leads to."""
        seen = re.search(r'name="seen" value="([^"]+)"', self.read(page))[1]
        answer, text = self.send(address, {"seen": seen, "reason": "a test", **fields}, form=page)
        assert answer.status == 200, text[-2000:]
        return answer.url.removeprefix(self.base)
