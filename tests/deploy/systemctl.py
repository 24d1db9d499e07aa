"""Stands in for systemctl: starts what units say, with their environment file and nothing else of the environment."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(os.environ["DEPLOY_ROOT"])
UNITS = ROOT / "etc" / "systemd" / "system"
OTHERS = {
    "nginx": [str(ROOT / "bin" / "nginx")],
    "pgbouncer": ["pgbouncer", "--user", "postgres", "--daemon", str(ROOT / "etc" / "pgbouncer" / "pgbouncer.ini")],
}


def directives_of(unit: str) -> dict[str, list[str]]:
    """Return the directives of a unit and of what holds for all, in the order in which they are given."""
    texts = [(UNITS / unit).read_text()]
    if unit.endswith(".service"):
        texts += [file.read_text() for file in sorted((UNITS / f"{unit.split('-')[0]}-.service.d").glob("*.conf"))]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", "\n".join(texts), re.M):
        found.setdefault(name, []).append(value)
    return found


def environment_of(file: Path) -> dict[str, str]:
    """Return what systemd reads in an environment file; a line that is none fails."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(re.fullmatch(r"(\w+)='([^'\\$]*)'", line).groups() for line in lines)


def start(unit: str) -> int:
    """Start a service, or see that a timer has something to start."""
    if unit in OTHERS:
        return subprocess.run(OTHERS[unit], check=False).returncode
    if unit.endswith(".timer"):
        return 0 if directives_of(unit)["OnCalendar"] and directives_of(unit.replace(".timer", ".service")) else 1
    said = directives_of(unit)
    environment = {"PATH": os.environ["PATH"], **environment_of(Path(said["EnvironmentFile"][0]))}
    how = {"cwd": said["WorkingDirectory"][0], "env": environment, "stdin": subprocess.DEVNULL}
    if said.get("Type") == ["oneshot"]:
        (command,) = said["ExecStart"]
        return subprocess.run(shlex.split(command), check=False, **how).returncode
    with (ROOT / f"{unit}.log").open("a") as log, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        notify = ROOT / "notify"
        notify.unlink(missing_ok=True)
        told.bind(str(notify))
        told.settimeout(60)
        if said.get("Type") == ["notify"]:
            environment["NOTIFY_SOCKET"] = str(notify)
        command = shlex.split(said["ExecStart"][0])
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **how)
        (ROOT / f"{unit}.pid").write_text(str(process.pid))
        while "NOTIFY_SOCKET" in environment and b"READY=1" not in told.recv(4096):
            pass
    return 0


def stop(unit: str, by: signal.Signals = signal.SIGTERM) -> None:
    """Stop a service, and wait for its end."""
    file = ROOT / f"{unit}.pid"
    if not file.exists():
        return
    number = int(file.read_text())
    file.unlink()
    os.killpg(number, by) if by == signal.SIGKILL else os.kill(number, by)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{number}").exists() and "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text():
        if time.monotonic() > deadline:
            os.killpg(number, signal.SIGKILL)
        time.sleep(0.05)


def main(verb: str, *units: str) -> int:
    """Do one of the verbs that the document uses."""
    for unit in units:
        if verb in ("restart", "kill"):
            stop(unit, signal.SIGKILL if verb == "kill" else signal.SIGTERM)
        if verb != "kill" and not unit.startswith("--") and (code := start(unit)):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
