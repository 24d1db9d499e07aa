"""Twenty people browse and edit through gunicorn: alone, while a whole file is imported, and while that is reverted.

Each looks at three pages and saves an airport of its own, with pauses between as people make them. What counts: no page
fails, nothing saved is lost, and the pages wait little longer than before. A page that says in a sentence who writes is
no failure: such answers are counted apart. The people are threads of a process of their own, on the same machine.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from benchmarks.measure import MANAGE, ROOT, ChildFailed, run_child
from benchmarks.run import IMPORT, ROLLBACK, Run
from tests.fuzz.forms import Forms

AIRPORTS = "/admin/airports/airport/"
PAGES = (AIRPORTS, f"{AIRPORTS}?q=denver", "/admin/changesets/changeset/", f"{AIRPORTS}?airport_type__exact=heliport")
PAUSE, ALONE_SECONDS, ALONE_QUICK = 0.5, 30, 3
# Where many wait at once, their machine gives up after this long, as the proxy in front of a console does.
GIVES_UP_SECONDS = 60
FORM = re.compile(r'<form[^>]*id="airport_form".*?</form>', re.S)
PREFIX = "Saved by "
BEHIND_PROXY = {"X-Forwarded-Proto": "https"}


@dataclass
class Seen:
    """What one person met: the seconds of pages and saves, what was told instead, what failed, what was saved."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"page": [], "save": []})
    told: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    saved: dict[str, str] = field(default_factory=dict)


def measure_load(run: Run) -> None:
    """Note what people meet in each phase."""
    run.take("updated" if run.update is None else "first")
    made = run.plain(["-m", "benchmarks.people", str(run.scratch), "make", str(run.people)]).printed
    saved: dict[str, str] = {}
    with gunicorn(run) as address:
        crowd = [Person(address, session, idents) for session, idents in made["people"]]
        over = threading.Event()
        threading.Timer(ALONE_QUICK if run.quick else ALONE_SECONDS, over.set).start()
        _note(run, "nobody else writes", together(crowd, over), None, saved)
        for name, arguments in (
            ("during an import", [*IMPORT, str(run.update or run.first)]),
            ("during its revert", ROLLBACK),
        ):
            over, took = threading.Event(), []
            other = threading.Thread(target=lambda a=arguments, o=over, t=took: _act(run, a, o, t))
            other.start()
            _note(run, name, together(crowd, over), took, saved)
            other.join()
    (run.scratch / "saved.json").write_text(json.dumps(saved), encoding="utf-8")
    lost = run.plain(["-m", "benchmarks.people", str(run.scratch), "lost"]).printed
    run.add("lost", {"printed": {**lost, "saved": len(saved)}})


def _act(run: Run, arguments: list[str], over: threading.Event, took: list) -> None:
    try:
        took.append(run_child(arguments, url=run.url).seconds)
    except Exception as error:
        took.append(f"{error}")
    finally:
        over.set()


def _note(run: Run, name: str, met: list[Seen], took: list | None, saved: dict[str, str]) -> None:
    """Keep what all people met in a phase, and what they saved."""
    told = Counter(words for seen in met for words in seen.told)
    errors = Counter(words for seen in met for words in seen.errors)
    for seen in met:
        saved.update(seen.saved)
    figure: dict[str, Any] = {
        "people": len(met),
        "other": took[0] if took else None,
        "told": told.total(),
        "told_words": [words for words, _ in told.most_common(3)],
        "errors": errors.total(),
        "error_words": [words for words, _ in errors.most_common(3)],
    }
    for kind in ("page", "save"):
        seconds = sorted(second for seen in met for second in seen.seconds[kind]) or [0.0]
        parts = quantiles(seconds, n=20) if len(seconds) > 1 else [seconds[0]] * 19
        figure[kind] = {"number": len(seconds), "median": parts[9], "p95": parts[18], "longest": seconds[-1]}
    run.add(name, {"printed": figure})
    run.say(json.dumps(figure)[:400])


def together(crowd: list["Person"], over: threading.Event) -> list[Seen]:
    """Let all people work until it is over; return what each met."""
    threads = [threading.Thread(target=person.work, args=(over,)) for person in crowd]
    for person in crowd:
        person.seen = Seen()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [person.seen for person in crowd]


class Person:
    """A browser with a session of its own, and airports that nobody else edits."""

    def __init__(self, address: str, session: str, idents: list[str]) -> None:
        import requests

        self.address, self.idents, self.seen, self.turn = address, idents, Seen(), 0
        self.browser = requests.Session()
        # A connection for each page, as a proxy makes them: one that is kept may be closed just when it is used again.
        self.browser.headers.update(
            {**BEHIND_PROXY, "Connection": "close", "Referer": address.replace("http:", "https:")}
        )
        self.cookies = {"sessionid": session}

    def work(self, over: threading.Event) -> None:
        """Look at pages and save a row, again and again."""
        while not over.is_set():
            self.turn += 1
            self.ask("page", PAGES[self.turn % len(PAGES)])
            over.wait(PAUSE)
            ident = self.idents[self.turn % len(self.idents)]
            page = self.ask("page", f"{AIRPORTS}{ident}/change/")
            over.wait(PAUSE)
            if page and (form := FORM.search(page)):
                self.save(ident, form.group())
            over.wait(PAUSE)

    def save(self, ident: str, form: str) -> None:
        """Send the form with a value that nobody else writes."""
        fields = {name: value for name, value in Forms(form).fields if not name.startswith("_")}
        # Nobody else writes this value.
        typed = f"{PREFIX}{self.turn}"
        self.cookies["csrftoken"] = self.browser.cookies.get("csrftoken") or self.cookies.get("csrftoken", "")
        if self.ask("save", f"{AIRPORTS}{ident}/change/", {**fields, "municipality": typed, "_save": "Save"}) == "":
            self.seen.saved[ident] = typed

    def ask(self, kind: str, path: str, sent: dict[str, str] | None = None) -> str | None:
        """Open a page or send a form; return its text, which is empty where a form was taken; None where it was not."""
        began = time.perf_counter()
        try:
            answer = self.browser.request(
                "POST" if sent else "GET",
                self.address + path,
                data=sent,
                cookies=self.cookies,
                allow_redirects=False,
                timeout=GIVES_UP_SECONDS,
            )
        except OSError as error:
            self.seen.errors.append(f"{type(error).__name__}")
            return None
        self.seen.seconds[kind].append(time.perf_counter() - began)
        leads_to = answer.headers.get("Location", "") if answer.status_code == 302 else ""
        if sent and leads_to.partition("?")[0].endswith(AIRPORTS):
            return ""
        if answer.status_code == 200 and not sent:
            if token := answer.cookies.get("csrftoken"):
                self.cookies["csrftoken"] = token
            return answer.text
        # The import gave the airport another ident, and its page leads there: what was sent is not saved.
        moved = "It has another ident now." if leads_to.endswith("/change/") else ""
        if moved and not sent:
            return None
        words = moved or sentence_of(answer.text)
        (self.seen.told if words else self.seen.errors).append(f"{answer.status_code} {words or path}"[:200])
        return None


def sentence_of(page: str) -> str:
    """Return what a page says of why it did not do something; nothing where it does not say."""
    found = re.findall(r'class="(?:[^"]* )?(?:errornote|errorlist|refusal)[^"]*"[^>]*>(.*?)</', page, re.S)
    found = found or re.findall(r"<main.*?<h1[^>]*>.*?</h1>\s*(.*?)</p>", page, re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", " ".join(found)).split())


@contextmanager
def gunicorn(run: Run) -> Iterator[str]:
    """Serve the console as deploy/ does, with two processes; give its address."""
    from tests.servers import free_port, wait_until

    port, log = free_port(), (run.scratch / "gunicorn.log").open("ab")
    environment = {
        **os.environ,
        "DATABASE_URL": run.url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.console_settings",
        "SECRET_KEY": os.environ["BENCHMARK_SECRET"],
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "WEB_CONCURRENCY": "2",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    collect = [sys.executable, *MANAGE, "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: server.poll() is not None or _answers(port), "gunicorn does not answer", seconds=120)
        if server.poll() is not None:
            raise ChildFailed((run.scratch / "gunicorn.log").read_text(encoding="utf-8")[-2000:])
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
        log.close()


def _answers(port: int) -> bool:
    import requests

    try:
        answer = requests.get(f"http://127.0.0.1:{port}/healthz", headers=BEHIND_PROXY, timeout=20)
    except OSError:
        return False
    return answer.status_code == 200
