"""The admin on a database of its own, and the pages that a foreign file passes, driven in a browser."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
TRACKED = ("base_country", "base_city", "airports_airport")
LISTS = {"airport": "airports/airport", "city": "base/city", "country": "base/country"}
MINUTES = 60_000
PASSWORD = "only here"
Look = Callable[[str], None]
# Widths of a window, and whether it is dark.
LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


class Console:
    """The admin on a database of its own, with a worker: a file, or the one of PostgreSQL at an address."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self.database, self.address = folder / "console.sqlite3", address
        self.environment = {
            **os.environ,
            "DATABASE_URL": address or f"sqlite:///{self.database}",
            "BACKUP_DIR": str(folder / "backups"),
            "VAR_DIR": str(folder / "var"),
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "DEBUG": "on",
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.admin = f"http://127.0.0.1:{self.port}/admin"

    def manage(self, *words: str) -> None:
        """Run a command to its end."""
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, check=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve pages, and work in the background, for the length of the block."""
        log = (self.database.parent / "log").open("w")
        words = (["runserver", f"127.0.0.1:{self.port}", "--noreload"], ["db_worker", "--no-reload"])
        processes = [
            subprocess.Popen([sys.executable, "manage.py", *w], cwd=ROOT, env=self.environment, stdout=log, stderr=log)
            for w in words
        ]
        try:
            for _ in range(1200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                        break
                time.sleep(0.25)
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=60)
            log.close()

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Return the rows of a query, read beside the console."""
        if self.address:
            with psycopg.connect(self.address) as connection:
                return connection.execute(statement.replace("?", "%s"), values).fetchall()
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(statement, values).fetchall()

    def columns(self, table: str) -> list[str]:
        """Return the names of the columns of a table, in order."""
        if self.address:
            of = "FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position"
            return [name for (name,) in self.rows(f"SELECT column_name {of}", table)]
        return [column[1] for column in self.rows(f"PRAGMA table_info({table})")]

    def make_from(self, base: str) -> bool:
        """Make PostgreSQL's database anew as a copy of another one, or empty; return whether that was there."""
        server, _, name = self.address.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [base]).fetchone()
            connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{base}"' if known else ""))
        return known is not None

    def keep_as(self, base: str) -> None:
        """Keep a copy of PostgreSQL's database."""
        server, _, name = self.address.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{base}" TEMPLATE "{name}"')

    def tables(self) -> dict[str, list[Any]]:
        """Return every row of the tracked tables."""
        return {table: self.rows(f"SELECT * FROM {table} ORDER BY 1") for table in TRACKED}

    def last_run(self) -> dict[str, Any]:
        """Return the newest run as it is stored."""
        plain, as_json = ("id", "status", "changeset_id", "error"), ("counts", "mapping", "options", "header")
        columns = ", ".join((*plain, *as_json))
        (row,) = self.rows(f"SELECT {columns} FROM imports_importrun ORDER BY id DESC LIMIT 1")
        values = [*row[: len(plain)], *map(_from_json, row[len(plain) :])]
        return dict(zip((*plain, *as_json), values, strict=True))


def _from_json(value: Any) -> Any:
    """Return what is stored as JSON, which SQLite gives as text."""
    return (json.loads(value) if value else None) if isinstance(value, str) else value


def prepare(console: Console, base: Path | None) -> None:
    """Make the database that each file starts from, or copy it where it was made before."""
    name = f"{console.address.rpartition('/')[2]}_base"
    if console.address and console.make_from(name):
        return
    if not console.address and base is not None and base.exists():
        shutil.copy(base, console.database)
        return
    console.manage("migrate", "-v0")
    console.manage("import_airports", "--bundled")
    console.manage("createsuperuser", "--no-input", "--username", "admin", "--email", "a@example.com")
    if console.address:
        console.keep_as(name)
    elif base is not None:
        with closing(sqlite3.connect(console.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(console.database, base)


def log_in(console: Console, page: Page) -> None:
    """Log in as the one who may everything."""
    page.goto(f"{console.admin}/login/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")


def plan(console: Console, page: Page, about: str, by_hand: dict[str, str], path: Path, look: Look) -> None:
    """Upload the file, accept what is guessed but for the corrections by hand, and wait for the plan."""
    page.goto(f"{console.admin}/{LISTS[about]}/import/")
    page.get_by_label("File", exact=True).set_input_files(path)
    if about == "airport":
        page.get_by_role("radio", name="Corrections by hand").check()
    page.get_by_label("Why").fill("what a colleague sent")
    look("upload")
    page.get_by_role("button", name="Look at the file").click()
    heading = page.get_by_role("heading", name=re.compile("^(This import will mean|Nothing to change|Which column)"))
    wait_for(console, page, heading)
    if page.url.endswith("/mapping/"):
        for name, value in by_hand.items():
            choose(page, name, value)
        look("reading")
        page.get_by_role("button", name="Show the plan").click()
        heading = page.get_by_role("heading", name=re.compile("^(This import will mean|Nothing to change)"))
        wait_for(console, page, heading)
    look("plan")


def choose(page: Page, name: str, value: str) -> None:
    """Choose a value of a field of the page on which the file is read, and wait until it is shown."""
    control = page.locator(f"#id_{name}")
    if control.count() == 0:
        page.locator(f"[name={name}][value={value}]").check()
    else:
        control.select_option(value)
    page.wait_for_timeout(1500)


def wait_for(console: Console, page: Page, heading: Any) -> None:
    """Wait for a heading; say why it does not come."""
    for _ in range(600):
        if heading.count():
            return
        errors = page.locator(".errornote, .errorlist, .field-error, .callout.refused")
        if errors.count() and "/import/" in page.url:
            raise RuntimeError("; ".join(errors.all_inner_texts()))
        if page.url.endswith("/mapping/") and page.locator("[role=alert]").count():
            raise RuntimeError("; ".join(page.locator("[role=alert]").all_inner_texts()))
        run = console.last_run()
        if run["status"] in ("failed", "cancelled"):
            raise RuntimeError(f"{run['status']}: {run['error']}")
        page.wait_for_timeout(500)
    raise RuntimeError(f"{page.url} shows no {heading}")


def confirm(console: Console, page: Page, look: Look) -> None:
    """Import what the plan says, and wait until it is done."""
    if (past := page.locator("#id_past_limits")).count():
        past.check()
    page.get_by_role("button", name=re.compile(r"^Import [\d,]+ changes?$")).click()
    for _ in range(600):
        run = console.last_run()
        if run["status"] == "applied":
            break
        if run["status"] in ("failed", "cancelled"):
            raise RuntimeError(f"{run['status']}: {run['error']}")
        page.wait_for_timeout(500)
    page.goto(f"{console.admin}/changesets/changeset/{run['changeset_id']}/change/")
    look("changeset")


def revert(console: Console, page: Page, changeset: int, look: Look) -> None:
    """Revert a changeset from its page."""
    page.goto(f"{console.admin}/changesets/changeset/{changeset}/change/")
    page.get_by_role("button", name="Revert…").first.click(timeout=5 * MINUTES)
    page.get_by_label("Why").fill("they sent another file")
    page.get_by_role("button", name=re.compile(r"^Revert [\d,]+ ")).click(timeout=5 * MINUTES)
    page.get_by_role("heading", name="What this revert did").wait_for(timeout=5 * MINUTES)
    look("revert")


def looking(page: Page, stem: str, folder: Path | None) -> Look:
    """Return a function that takes pictures of a page in each look."""

    def look(name: str) -> None:
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for width, theme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(200)
            page.screenshot(path=folder / f"{stem}-{name}-{width}-{theme}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")

    return look
