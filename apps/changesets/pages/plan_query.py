"""What the address of a plan asks for: which changesets, which part of them, which policy, which rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core import signing
from django.http import HttpRequest, QueryDict
from django.utils.http import urlencode

from apps.changesets.errors import BadToken, EmptyScope
from apps.changesets.numbers import whole_number
from apps.changesets.revert import Bucket, OnConflict, RevertPlan, Scope, Window
from apps.changesets.tracking import tracked_by_name

MANY = 100
A_PAGE = 100
MOST_TICKED = 200
A_DAY = 24 * 60 * 60
SALT = "changesets.revert.plan"


@dataclass(frozen=True)
class AskedPlan:
    """The plan that an address asks for; `many` tells the page of several changesets from that of one."""

    changesets: tuple[int, ...]
    scope: Scope
    on_conflict: OnConflict
    window: Window
    many: bool = False

    def query(self, **changed: Any) -> str:
        """Return the query of the address that asks for the same plan but for what is given."""
        asked = replace(self, **changed)
        values: dict[str, Any] = {"ids": ",".join(map(str, asked.changesets))} if asked.many else {}
        if asked.scope.models:
            values["model"] = asked.scope.models[0]
        values |= {"field": asked.scope.fields, "only": asked.scope.pks, "not": asked.scope.leave}
        if asked.on_conflict != OnConflict.KEEP:
            values["on_conflict"] = str(asked.on_conflict)
        if asked.window.bucket:
            values["bucket"] = str(asked.window.bucket)
        if asked.window.start:
            values["start"] = asked.window.start
        return "?" + urlencode({name: value for name, value in values.items() if value}, doseq=True)


def read_asked(request: HttpRequest, changesets: tuple[int, ...], *, many: bool) -> AskedPlan:
    """Return what the address asks for; raises EmptyScope with a sentence where too much is ticked or nothing."""
    get = request.GET
    scope = _scope(get)
    if get.get("ticked"):
        scope = _with_ticked(scope, get)
    policy = get.get("on_conflict", "")
    bucket, start = get.get("bucket", ""), get.get("start", "")
    window = Window(
        bucket=Bucket(bucket) if bucket in list(Bucket) else None,
        start=whole_number(start, digits=9) or 0,
        limit=A_PAGE,
    )
    known = OnConflict(policy) if policy in list(OnConflict) else OnConflict.KEEP
    return AskedPlan(changesets, scope, known, window, many=many)


def _scope(get: QueryDict) -> Scope:
    model = get.get("model", "").strip()
    tracked = tracked_by_name(model) if model else None
    only = [key for key in (*get.getlist("only"), *get.getlist("pk")) if key]
    return Scope(
        # What does not exist is refused by its name, with the plan.
        models=(tracked.label if tracked else model,) if model else (),
        pks=tuple(only),
        fields=tuple(dict.fromkeys(name for name in get.getlist("field") if name)),
        leave=tuple(key for key in get.getlist("not") if key),
    )


def _with_ticked(scope: Scope, get: QueryDict) -> Scope:
    ticked = tuple(dict.fromkeys(key for key in get.getlist("tick") if key))
    if not ticked:
        raise EmptyScope("No row is ticked: tick the rows that you mean, then choose again.")
    if get["ticked"] == "only":
        scope = replace(scope, pks=ticked)
    else:
        scope = replace(scope, leave=tuple(dict.fromkeys((*scope.leave, *ticked))))
    if len(scope.pks) + len(scope.leave) > MOST_TICKED:
        raise EmptyScope(
            f"At most {MOST_TICKED} rows can be chosen one by one: choose a model or fields, or do it in parts."
        )
    return scope


def sign(plan: RevertPlan, *, user_id: int, seen: Mapping[str, int]) -> str:
    """Return the plan as the form carries it: what it is about, and the state of the tables that it saw."""
    shown = {
        "user": user_id,
        "changesets": sorted(plan.changesets),
        "scope": [plan.scope.models, plan.scope.pks, plan.scope.fields, plan.scope.leave],
        "on_conflict": str(plan.on_conflict),
        "counts": plan.counts,
        "seen": dict(seen),
    }
    return signing.dumps(shown, salt=SALT, compress=True)


def read_signed(token: str, *, user_id: int, changesets: tuple[int, ...]) -> tuple[RevertPlan, dict[str, int]]:
    """Return the plan that was shown and the state it saw; raises BadToken unless it was shown for this here."""
    again = "This is the plan as it is now: look at it, and confirm it again."
    try:
        shown = signing.loads(token, salt=SALT, max_age=A_DAY)
    except signing.SignatureExpired as error:
        raise BadToken(f"The plan that you confirmed is older than a day, so nothing was reverted. {again}") from error
    except signing.BadSignature as error:
        raise BadToken(f"What was confirmed is not a plan of this page, so nothing was reverted. {again}") from error
    if shown["user"] != user_id or shown["changesets"] != sorted(changesets):
        raise BadToken(f"The plan that was confirmed was shown to somebody else, or elsewhere. {again}")
    models, pks, fields, leave = map(tuple, shown["scope"])
    plan = RevertPlan(
        tuple(shown["changesets"]),
        Scope(models=models, pks=pks, fields=fields, leave=leave),
        OnConflict(shown["on_conflict"]),
        counts=shown["counts"],
    )
    return plan, shown["seen"]
