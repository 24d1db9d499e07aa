"""The three-way merge of staged rows with live rows: which objects change, and to which values.

Each merged field has three values: base is the last value of upstream, new is the value of the file, current is the
live value. If current equals base, new is taken. If new equals base or current, nothing happens. Otherwise somebody
corrected the value here and upstream changed it since: the correction is kept, or overwritten if the options say so.
The value of upstream is always updated, so a correction ends when upstream has the same value. Without a base, new is
taken.
"""

from apps.imports.mapping.columns import Derived
from apps.imports.plan.by_hand import by_hand
from apps.imports.plan.followers import follow
from apps.imports.plan.pinned_rows import is_pinned
from apps.imports.plan.upstream import new_upstream
from apps.imports.spec import Link
from apps.imports.staging.tables import Staging
from apps.imports.staging.upstream_values import base, corrected


def merge(staging: Staging) -> None:
    """Fill the table of objects that change, and make the views of what is to be written."""
    create_views(staging, matched=True)
    finals = {field: final(staging, field) for field in staging.values}
    kept = " + ".join(
        f"CASE WHEN {is_kept(staging, field)} THEN {1 << place} ELSE 0 END"
        for place, field in enumerate(staging.layout.merged)
    )
    wants = [wanted(staging, link, finals) for link in staging.links]
    # Matched rows that differ from their live object, or from the last values of upstream, or lack a link.
    staging.run(
        """
        INSERT INTO {changed} (line, old_pk, history_id, {fields}, {upstream}, kept{want_names})
        SELECT s.line, l.{pk}, {newest}, {finals}, {new_upstream}, {kept}{wants}
        FROM {matched} m JOIN {staged} s ON s.line = m.line JOIN {live} l ON l.{pk} = m.old_pk WHERE {differs}
        """,
        newest=staging.newest_history(staging.fill("l.{pk}")),
        fields=staging.names(staging.values),
        finals=", ".join(finals.values()),
        new_upstream=new_upstream(staging),
        kept=kept or "0",
        want_names="".join(f", {staging.want(link.field)}" for link in staging.links),
        wants="".join(f", {flag}" for flag in wants),
        differs=" OR ".join([*_differs(staging), *_base_moves(staging), *_lacks_link(staging, finals)]) or "FALSE",
    )
    staging.index_temp("imports_changed", ["old_pk"])
    follow(staging)
    _forget_unchanged(staging)
    staging.analyze("imports_changed", ["line"])


def _differs(staging: Staging) -> list[str]:
    """Return the conditions under which a staged row may change its live object."""
    derived = {derived.field for derived in staging.layout.derived if not derived.merged}
    unstored = set(staging.values) - set(staging.stored)
    conditions = []
    for field in staging.layout.staged:
        if field in derived or field in unstored or field in staging.layout.naming_only:
            continue
        filled = f"s.{staging.quote(field)} IS NOT NULL AND " if staging.layout.sparse else ""
        conditions.append(f"({filled}{staging.staged(field)} IS DISTINCT FROM l.{staging.column(field)})")
    return conditions


def _base_moves(staging: Staging) -> list[str]:
    if staging.layout.corrections or staging.spec.upstream is None:
        return []
    return [staging.fill("l.{upstream} IS DISTINCT FROM {new}", new=new_upstream(staging))]


def _lacks_link(staging: Staging, finals: dict[str, str]) -> list[str]:
    if staging.layout.corrections:
        return []
    links = [link for link in staging.links if link.field not in staging.options.skip_links]
    return [f"({_free(staging, link)}{_empty_but_possible(staging, link, finals)})" for link in links]


def _empty_but_possible(staging: Staging, link: Link, finals: dict[str, str]) -> str:
    possible = " AND ".join(f"COALESCE({finals[field]}, '') <> ''" for field in link.needs)
    return f"l.{staging.column(link.field)} IS NULL AND {possible}"


def _forget_unchanged(staging: Staging) -> None:
    """Drop the rows that differ only by corrections, where upstream has no new value."""
    same = [f"l.{staging.column(f)} IS NOT DISTINCT FROM x.{staging.quote(f)}" for f in staging.stored]
    if staging.spec.upstream:
        same.append(staging.fill("l.{upstream} IS NOT DISTINCT FROM x.{upstream}"))
    same += [f"NOT x.{staging.want(link.field)}" for link in staging.links]
    if staging.layout.corrections:
        # A pinned value that differs from the file is listed, though nothing is written.
        same.append("x.kept = 0")
    staging.run(
        """
        DELETE FROM {changed} WHERE line IN (
            SELECT x.line FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk WHERE {same}
        )
        """,
        same=" AND ".join(same),
    )


def final(staging: Staging, field: str) -> str:
    """Return the SQL for the value that this field of an object will have."""
    derived = next((derived for derived in staging.spec.derived if derived.field == field), None)
    if derived is not None:
        return _final_derived(staging, derived)
    staged = staging.staged(field)
    if field not in staging.stored:
        return staged if field in staging.layout.fields else "NULL"
    live = f"l.{staging.column(field)}"
    if field not in staging.layout.fields or field in staging.layout.naming_only:
        return live
    if not staging.layout.corrections and field in staging.layout.merged:
        return _merged(staging, field)
    if staging.layout.corrections:
        value = by_hand(staging, field)
    else:
        value = f"COALESCE({staged}, {live})" if staging.layout.sparse else staged
    return f"CASE WHEN {_is_held(staging, field)} THEN {live} ELSE {value} END" if field in staging.pinned else value


def _final_derived(staging: Staging, derived: Derived) -> str:
    live = f"l.{staging.column(derived.field)}" if derived.stored else "NULL"
    if derived.follows not in staging.layout.fields:
        return live
    staged, leader = f"s.{staging.quote(derived.field)}", final(staging, derived.follows)
    if not derived.stored:
        return f"CASE WHEN {leader} IS NOT DISTINCT FROM s.{staging.quote(derived.follows)} THEN {staged} END"
    if derived.merged and not staging.layout.corrections:
        kept = f"{leader} IS DISTINCT FROM s.{staging.quote(derived.follows)}"
        follows = _follows_what_is_taken(staging, derived, leader)
        return f"CASE WHEN {kept} THEN {live} {follows}ELSE {_merged(staging, derived.field)} END"
    moves = f"{leader} IS DISTINCT FROM l.{staging.column(derived.follows)}"
    if derived.field in staging.pinned:
        moves = f"{moves} AND NOT {_is_held(staging, derived.field)}"
    return f"CASE WHEN {moves} THEN {staged} ELSE {live} END"


def _follows_what_is_taken(staging: Staging, derived: Derived, leader: str) -> str:
    """Return the WHEN by which a derived value follows the value that a person takes, though it is unchanged itself."""
    if not staging.to_take:
        return ""
    moves = f"{_is_taken(staging)} AND {leader} IS DISTINCT FROM l.{staging.column(derived.follows)}"
    if derived.field in staging.pinned:
        moves += f" AND NOT {is_pinned(staging, derived.field)}"
    return f"WHEN {moves} THEN s.{staging.quote(derived.field)} "


def _merged(staging: Staging, field: str) -> str:
    live, staged, was = f"l.{staging.column(field)}", staging.staged(field), base(staging, field)
    conflict = staged if staging.options.on_local_edit == "overwrite" else live
    if staging.to_take:
        conflict = f"CASE WHEN {_is_taken(staging)} THEN {staged} ELSE {conflict} END"
    stays = f"{staged} IS NOT DISTINCT FROM {live}"
    if staging.layout.sparse:
        stays += f" OR {staged} IS NULL"
    if field in staging.pinned:
        stays += f" OR {_is_held(staging, field)}"
    return staging.fill(
        """
        CASE WHEN {stays} THEN {old} WHEN NOT {corrected} THEN {new}
             WHEN {new} IS NOT DISTINCT FROM {base} THEN {old} ELSE {conflict} END
        """,
        stays=stays,
        old=live,
        new=staged,
        corrected=corrected(staging, field),
        base=was,
        conflict=conflict,
    )


def _is_held(staging: Staging, field: str) -> str:
    """Return the SQL condition: this field is pinned, and nobody decided to take the file's value."""
    pinned = is_pinned(staging, field)
    return f"({pinned} AND NOT {_is_taken(staging)})" if staging.to_take else pinned


def _is_taken(staging: Staging) -> str:
    """Return the SQL condition: a person decided to take the values of the staged row `s`."""
    return staging.fill("EXISTS (SELECT 1 FROM {to_take} t WHERE t.line = s.line AND t.taken)")


def is_kept(staging: Staging, field: str) -> str:
    """Return the SQL condition: a correction of this field stands against a new value of upstream."""
    held = []
    if not staging.layout.corrections and staging.options.on_local_edit != "overwrite":
        held.append(corrected(staging, field))
    if field in staging.pinned:
        held.append(is_pinned(staging, field))
    if not held or field not in staging.layout.staged:
        return "FALSE"
    staged = staging.staged(field)
    filled = f"{staged} IS NOT NULL AND " if staging.layout.sparse else ""
    if staging.layout.corrections and field in staging.layout.fields:
        staged = by_hand(staging, field)
    news = "" if staging.layout.corrections else f"AND {staged} IS DISTINCT FROM {base(staging, field)} "
    return f"{filled}{staged} IS DISTINCT FROM l.{staging.column(field)} {news}AND ({' OR '.join(held)})" + (
        f" AND NOT {_is_taken(staging)}" if staging.to_take else ""
    )


def wanted(staging: Staging, link: Link, finals: dict[str, str]) -> str:
    """Return the SQL for the flag of a changed row: this link is to be made (again).

    Corrections change only their own values: they make no link that is merely missing.
    """
    if link.field in staging.options.skip_links:
        return "FALSE"
    moved = " OR ".join(f"{finals[field]} IS DISTINCT FROM l.{staging.column(field)}" for field in link.follows)
    if not staging.layout.corrections:
        moved = f"({moved}) OR ({_empty_but_possible(staging, link, finals)})"
    return f"({_free(staging, link)}({moved}))"


def _free(staging: Staging, link: Link) -> str:
    return f"NOT {is_pinned(staging, link.field)} AND " if link.field in staging.pinned else ""


def create_views(staging: Staging, *, matched: bool = False) -> None:
    """Make two views over the staged rows: those of new objects, and all that is written, new and changed.

    Once all rows are `matched`, the new ones are known: no statement has to look for them among all rows.
    """
    if staging.rows(_VIEW_EXISTS_POSTGRESQL if staging.postgresql else _VIEW_EXISTS_SQLITE):
        return
    values = [_initial(staging, field) for field in staging.values]
    wants = "".join(f", {_initially_wanted(staging, link)} AS {staging.want(link.field)}" for link in staging.links)
    # New objects: good rows that no live object matches.
    staging.run(
        """
        CREATE TEMP VIEW {created} AS
        SELECT s.line, CAST(NULL AS {type}) AS old_pk, {values}, {initial_upstream} AS {upstream}{wants}
        FROM {staged} s WHERE {new}
        """,
        new=_known_new(staging) if matched else staging.fill(_UNMATCHED),
        type=staging.column_type(staging.spec.pk),
        values=", ".join(values),
        initial_upstream=staging.fill("s.{upstream}"),
        wants=wants,
    )
    # Everything that is written.
    staging.run(
        """
        CREATE TEMP VIEW {writes} AS
        SELECT line, old_pk, {fields}, {upstream}{wants} FROM {created}
        UNION ALL
        SELECT line, old_pk, {fields}, {upstream}{wants} FROM {changed}
        """,
        fields=staging.names(staging.values),
        wants="".join(f", {staging.want(link.field)}" for link in staging.links),
    )


_UNMATCHED = "NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line)"


def _known_new(staging: Staging) -> str:
    """Return the SQL condition: the staged row `s` is about no live object; rows that are taken out later are gone."""
    if not staging.has_rows("imports_matched"):
        return "TRUE"
    unmatched = staging.fill(_UNMATCHED)
    new = staging.run("INSERT INTO {new} (line) SELECT s.line FROM {staged} s WHERE {unmatched}", unmatched=unmatched)
    return staging.fill("s.line IN (SELECT line FROM {new})") if new else "FALSE"


_VIEW_EXISTS_SQLITE = "SELECT 1 FROM sqlite_temp_master WHERE name = 'imports_created'"
_VIEW_EXISTS_POSTGRESQL = "SELECT 1 FROM pg_class WHERE oid = to_regclass('pg_temp.imports_created')"


def _initial(staging: Staging, field: str) -> str:
    """Return the SQL for the value that this field of a new object begins with, under its own name."""
    name = staging.quote(field)
    value = staging.staged(field) if field in staging.layout.staged else f"CAST(NULL AS {staging.column_type(field)})"
    if field in staging.stored and staging.spec.model._meta.get_field(field).empty_strings_allowed:
        nullable = staging.spec.model._meta.get_field(field).null
        value = value if nullable else f"COALESCE({value}, '')"
    return f"{value} AS {name}"


def _initially_wanted(staging: Staging, link: Link) -> str:
    if link.field in staging.options.skip_links or not set(link.needs) <= staging.layout.fields:
        return "FALSE"
    return "(" + " AND ".join(f"COALESCE(s.{staging.quote(field)}, '') <> ''" for field in link.needs) + ")"
