"""Reverting changesets: a three-way merge per object and field, planned first, then applied in one transaction.

`plan_revert` tells what would happen and writes nothing to the tracked tables; `revert` does it as a new changeset.
"""

from apps.changesets.revert.plan import changesets_since, newest_revertable, plan_revert
from apps.changesets.revert.run import carry_out, revert
from apps.changesets.revert.stored import newest_seen
from apps.changesets.revert.verdicts import Bucket, OnConflict, RevertPlan, Scope, Verdict, Window

__all__ = [
    "Bucket",
    "OnConflict",
    "RevertPlan",
    "Scope",
    "Verdict",
    "Window",
    "carry_out",
    "changesets_since",
    "newest_revertable",
    "newest_seen",
    "plan_revert",
    "revert",
]
