"""What leaves PostgreSQL's history with one writer: proof of marks, guarded changesets, the function that prunes.

Who runs the console need not own its tables: history rows are written by functions that run as the owner, and nobody
else may fire those at tables of their own.
"""

from collections.abc import Sequence

from apps.changesets.history.pruning import PRUNE
from apps.changesets.models import Kind, Status
from apps.changesets.recording.postgresql import (
    DIRECT_SETTING,
    OPEN_SETTING,
    OWN_XID,
    PROOF,
    function,
    is_proven,
    qualified,
)
from apps.changesets.recording.statements import PREFIX, Names, Recording

GUARD = f"{PREFIX}guard"
# What the console writes to a changeset after the transaction that made it; who, what and when stay.
_LATER = (
    "status counts field_counts summary finished_at "
    "reviewed_by_id reviewed_by_name reviewed_at review_comment review_verdict"
)
# What people may say of a direct write, of which the database knows little.
_NAMED = "actor_name reason"


def guard_objects(names: Names, deletions: Sequence[str]) -> Recording:
    """Return the functions and triggers that guard history; `deletions` delete the rows of pruned changesets."""
    guard, proof = f"{qualified(names, GUARD)}()", f"{qualified(names, PROOF)}()"
    prune = f"{qualified(names, PRUNE)}(numbers bigint[])"
    create = {
        PROOF: function(proof, "trigger", _proof(names)),
        GUARD: function(guard, "trigger", _guard(names), definer=False),
        PRUNE: function(prune, "void", _prune(names, deletions)),
    }
    for table in (names.changeset_table, names.transaction_table):
        name = f"{GUARD}_{table}"
        create[f"{name} trigger"] = (
            f"CREATE TRIGGER {names.quote(name)} BEFORE DELETE OR UPDATE ON {qualified(names, table)} "
            f"FOR EACH ROW EXECUTE FUNCTION {guard}"
        )
    # The function that prunes is replaced, never dropped: who may call it stays.
    return Recording(create=create, drop=[f"DROP FUNCTION IF EXISTS {name} CASCADE" for name in (proof, guard)])


def _proof(names: Names) -> str:
    """Return the body that proves marks once a statement: a false one is taken away before, and refused afterwards.

    Afterwards it is one that an expression of the statement set, behind the back of the proof before.
    """
    checks = "".join(
        f"""
    mark := current_setting('{setting}', true);
    IF mark <> '' AND NOT {is_proven(names)} THEN
        IF TG_WHEN = 'AFTER' THEN
            RAISE EXCEPTION '{setting} names a changeset that this transaction did not open: nothing was written.';
        END IF;
        PERFORM set_config('{setting}', '', true);
    END IF;"""
        for setting in (OPEN_SETTING, DIRECT_SETTING)
    )
    return f"\nDECLARE\n    mark text;\nBEGIN{checks}\n    RETURN NULL;\nEND\n"


def _guard(names: Names) -> str:
    """Return the body that lets the owner do all, others what their own transaction made, or what comes later."""
    transaction = qualified(names, names.transaction_table)
    return f"""
DECLARE
    old_row jsonb := to_jsonb(OLD);
    new_row jsonb := to_jsonb(NEW);
    later text[] := string_to_array('{_LATER}', ' ');
    number bigint := coalesce(old_row ->> 'changeset_id', old_row ->> 'id');
BEGIN
    IF pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF EXISTS (
        SELECT FROM {transaction} t WHERE t.changeset_id = number AND t.joined_at IS NULL AND {OWN_XID}
    ) THEN
        -- What notes the transaction stays until its changeset is deleted: it is the proof for that.
        RETURN CASE WHEN TG_RELID <> '{transaction}'::regclass THEN coalesce(NEW, OLD) END;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF old_row ->> 'kind' = '{Kind.DIRECT}' THEN
            later := later || string_to_array('{_NAMED}', ' ');
        END IF;
        -- Whose user is deleted keeps the name.
        later := later || ARRAY(SELECT p FROM unnest(ARRAY['actor_id', 'asked_by_id']) p WHERE new_row ->> p IS NULL);
        IF old_row - later = new_row - later THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Changeset #% is history: who, what and when stay as they were recorded.', number;
END
"""


def _prune(names: Names, deletions: Sequence[str]) -> str:
    """Return the body that marks changesets as pruned and deletes the rows that nothing later needs."""
    statements = "\n".join(f"    {statement.strip()};" for statement in deletions)
    return f"""
BEGIN
    UPDATE {qualified(names, names.changeset_table)} SET pruned_at = clock_timestamp()
        WHERE id = ANY (numbers) AND pruned_at IS NULL AND counts IS NOT NULL AND status <> '{Status.FAILED}';
{statements}
END
"""
