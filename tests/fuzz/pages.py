"""Parameters of every page: each address of the console, mostly about what is there, and what it is asked and sent."""

import random
import re
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.admin.addresses import url_names
from tests.fuzz.forms import Forms
from tests.fuzz.values import HUGE, RAW, nasty

ROOT = Path(__file__).resolve().parents[2]
_IN_CODE = re.compile(
    r'(?:GET|POST|asked|address|posted)\.get(?:list)?\(\s*"([\w-]+)"|"([\w-]+)" in request\.|parameter_name = "(\w+)"'
)
_IN_TEMPLATES = re.compile(r'name="([a-z][\w-]*)"|[?&;]([a-z][\w-]*)=')
_IN_LINKS = re.compile(r"(?:\?|&amp;)([\w-]+)=")
_ALWAYS = [
    *("q", "p", "o", "all", "e", "term", "app_label", "model_name", "field_name", "_popup", "_to_field", "_facets"),
    *("_changelist_filters", "pk", "id", "pk__in", "id__in", "pk__gt", "next", "action", "_selected_action", "index"),
    *("select_across", "part", "elsewhere", "download"),
]
MORE_CONTENT_TYPES = ["text/html; charset=utf-7", "text/html; charset=utf-16", "text/html; charset=hex", "x", ""]


def query_keys() -> list[str]:
    """Return every name that a page looks for in an address or a form, as code, templates and admins have them."""
    from django.contrib import admin

    keys = set(_ALWAYS)
    for pattern, paths in (
        (_IN_CODE, "apps/**/*.py"),
        (_IN_CODE, "travelmathlite/*.py"),
        (_IN_TEMPLATES, "templates/**/*.html"),
    ):
        for path in ROOT.glob(paths):
            keys.update(*pattern.findall(path.read_text("utf-8")))
    for model, of in admin.site._registry.items():
        filtered = [name for name in of.list_filter if isinstance(name, str)]
        for name in [*filtered, *(field.name for field in model._meta.concrete_fields)]:
            keys |= {name, *(f"{name}__{lookup}" for lookup in ("exact", "in", "isnull", "id__exact", "gt"))}
    return sorted(keys - {""})


class Pages:
    """Draws an address, and what it is asked and sent."""

    def __init__(self) -> None:
        self.keys = query_keys()
        self.known = _known()
        self.patterns = sorted(
            {(name, pattern) for name, pattern in url_names()}, key=lambda pair: (pair[0], str(pair[1]))
        )

    def address(self, draw: random.Random) -> str:
        """Return an address, mostly about something that is there."""
        from django.urls import NoReverseMatch, reverse

        while True:
            name, pattern = draw.choice(self.patterns)
            wanted = getattr(pattern, "converters", None) or dict.fromkeys(pattern.regex.groupindex)
            model = next((model for model in self.known if name.startswith(f"{model}_")), "")
            about: dict[str, Any] = {"kwargs": {key: self._argument(draw, key, model) for key in wanted}}
            if not wanted and hasattr(pattern, "regex"):
                about = {"args": [self._argument(draw, "pk", model) for _ in range(pattern.regex.groups)]}
            for prefix in ("admin:", ""):
                with suppress(NoReverseMatch):
                    return reverse(prefix + name, **about).replace(RAW, draw.choice(["%ff%fe", "%ff%fe%00"]))

    def query(self, draw: random.Random, page: str) -> str:
        """Return the query of an address, mostly of names that its page has."""
        own = sorted({name for name, _ in Forms(page).fields} | {*_IN_LINKS.findall(page)}) or self.keys
        keys = [draw.choice(draw.choice([own, own, self.keys])) for _ in range(draw.choice([0, 1, 1, 1, 2, 3]))]
        given = [(key, self._value(draw)) for key in keys]
        return urlencode(given, errors="surrogatepass").replace("%28raw%29", "%ff%fe")

    def sent(self, draw: random.Random, page: str) -> list[tuple[str, str]]:
        """Return what is posted: the fields of the page, of which some are changed, and others."""
        fields = Forms(page).fields
        for _ in range(draw.choice([0, 1, 1, 2, 3])):
            if fields and draw.random() < 0.7:
                place = draw.randrange(len(fields))
                fields[place] = (fields[place][0], self._value(draw))
            else:
                fields.append((draw.choice(self.keys), self._value(draw)))
        return [field for field in fields if field[0] != "csrfmiddlewaretoken"]

    def _value(self, draw: random.Random) -> str:
        if draw.random() < 0.3:
            return str(draw.choice(self.known[draw.choice(sorted(self.known))] or [""]))
        return nasty(draw)

    def _argument(self, draw: random.Random, name: str, model: str) -> Any:
        if draw.random() < 0.12:
            return draw.choice([nasty(draw), HUGE, "0"])
        named = {
            "field": "fields",
            "form": "forms",
            "code": "rules",
            "tool": "tools",
            "name": "backups",
            "app_label": "apps",
        }
        if name in ("row", "version_id"):
            return draw.choice(self.known.get(f"{model} history") or [1])
        return draw.choice(self.known.get(named.get(name, model)) or self.known["keys"])


def _known() -> dict[str, list[Any]]:
    """Return what is there: keys by table, rows of history, names of fields, rules, tools and backups."""
    from django.apps import apps
    from django.contrib import admin

    from apps.backups.catalogue.folder import backup_folder
    from apps.changesets.tracking import tracked_models
    from apps.quality.rules import all_rules

    known: dict[str, list[Any]] = {}
    for meta in [model._meta for model in admin.site._registry if model._meta.managed]:
        known[_name(meta)] = list(meta.model._base_manager.values_list("pk", flat=True)[:20])
    for tracked in tracked_models():
        meta, history = tracked.model._meta, tracked.history_model.objects
        known[f"{_name(meta)} history"] = list(history.values_list("history_id", flat=True)[:50])
        known[_name(meta)] += history.filter(history_type="-").values_list(meta.pk.attname, flat=True)
    known["keys"] = [key for keys in known.values() for key in keys]
    known["fields"] = sorted(
        {field.name for tracked in tracked_models() for field in tracked.model._meta.concrete_fields}
    )
    known["forms"] = ["csv", "json"]
    known["rules"] = [rule.code for rule in all_rules()]
    known["tools"] = sorted(
        {tool for of in admin.site._registry.values() for tool in getattr(of, "change_actions", ())}
    )
    known["backups"] = sorted(file.stem for file in backup_folder().rglob("*.json"))
    known["apps"] = sorted(config.label for config in apps.get_app_configs())
    known["labels"] = [tracked.label for tracked in tracked_models()]
    # The longest name first: an address belongs to the model that its name begins with.
    return dict(sorted(known.items(), key=lambda pair: -len(pair[0])))


def _name(meta: Any) -> str:
    return f"{meta.app_label}_{meta.model_name}"
