"""Arguments of every command: those that its parser knows, with values that nobody means."""

import argparse
import random
from typing import Any

from tests.fuzz.values import nasty

# They start servers, or ask a person; the worker ends with the last task.
NOT_RUN = {"demo", "runserver", "test", "createsuperuser", "changepassword"}
ALWAYS = {"db_worker": ["--batch", "--no-reload", "--no-startup-delay"]}


def command_names() -> list[str]:
    """Return the commands of the console, Django's that it extends among them."""
    from django.core.management import get_commands

    ours = {
        name
        for name, app in get_commands().items()
        if isinstance(app, str) and app.startswith(("apps.", "travelmathlite"))
    }
    return sorted(ours - NOT_RUN)


def arguments(draw: random.Random, name: str, known: list[str]) -> list[str]:
    """Return arguments of a command, some of them bad."""
    from django.core.management import load_command_class
    from django.core.management.base import BaseCommand

    command: BaseCommand = load_command_class(_app_of(name), name)
    parser = command.create_parser("manage.py", name)
    return [*_given(draw, parser, known), *ALWAYS.get(name, [])]


def _app_of(name: str) -> str:
    from django.core.management import get_commands

    return str(get_commands()[name])


def _given(draw: random.Random, parser: argparse.ArgumentParser, known: list[str]) -> list[str]:
    words: list[str] = []
    standard = {
        "--settings",
        "--pythonpath",
        "--traceback",
        "-h",
        "--version",
        "-v",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }
    actions = [action for action in parser._actions if not standard & set(action.option_strings)]
    for action in actions:
        if isinstance(action, argparse._SubParsersAction):
            verb = draw.choice([*action.choices, *action.choices, nasty(draw)])
            words.append(verb)
            if verb in action.choices:
                words += _given(draw, action.choices[verb], known)
        elif not action.option_strings:
            words += [_value(draw, action, known)] if draw.random() < 0.9 else []
        elif draw.random() < min(0.5, 2 / len(actions)):
            words.append(action.option_strings[-1])
            words += [_value(draw, action, known)] if action.nargs != 0 else []
    return words


def _value(draw: random.Random, action: Any, known: list[str]) -> str:
    if action.choices and draw.random() < 0.6:
        return str(draw.choice(list(action.choices)))
    return draw.choice(known) if draw.random() < 0.35 else nasty(draw)
