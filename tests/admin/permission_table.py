"""Who may do what in the admin: for each address the least of the groups that may read it and post to it.

`importer 200` is answered with 200 to importers and to all groups after them, and with 403 to the others, but where the
line goes on for these; `nobody` to no group, `staff` to everybody who may enter the admin. Whoever has not logged in is
always led to the login.
"""

from collections.abc import Iterable

PEOPLE = ("anonymous", "outsider", "viewer", "editor", "importer", "steward", "approver")
# Who uploaded a file may decide about it, and who approves imports of others.
OTHERS = {"uploader": {"importer", "approver"}, "staff": set(PEOPLE), "nobody": set()}

READ = ("viewer 200", "viewer 405")
LIST = ("viewer 200", "viewer 200")
ADMINS_ONLY = ("nobody 403", "nobody 403")
DECIDED = ("uploader 405", "uploader 302")

PAGES = {
    # -- tracked models ----------------------------------------------------------------------------------------
    "<model>_changelist": LIST,
    "<model>_views": ("viewer 405", "viewer 302"),
    "<model>_add": ("editor 200", "editor 200"),
    "<model>_change": ("viewer 200", "editor 200"),
    "<model>_delete": ("steward 200", "steward 200"),
    "<model>_history": READ,
    "<model>_simple_history": READ,
    "<model>_as_of": READ,
    "<model>_as_of_list": READ,
    "<model>_between": READ,
    "<model>_go_back": ("editor 200", "editor 200"),
    "<model>_import": ("importer 200", "importer 200"),
    "<model>_export": ("importer 200", "importer 200"),
    "<model>_corrections": READ,
    "<model>_corrections_file": READ,
    # Without a source there is nothing to end.
    "<model>_end_corrections": ("editor 404", "editor 404"),
    "<model>_pin": ("viewer 200", "editor 200"),
    "<model>_keep_deleted": ("viewer 200", "steward 200"),
    "<model>_relink_missing": ("importer 200", "importer 200"),
    "<model>_neighbours": ("viewer 200", "viewer 405"),
    "<model>_actions backup": ("editor 200", "editor 200"),
    "<model>_actions restore": ("steward 200", "steward 200"),
    "<model>_actions relink": ("importer 200", "importer 200"),
    "<model>_actions clear_country": ("steward 200", "steward 200"),
    "<model>_actions clear_city": ("steward 200", "steward 200"),
    "<model>_actions undo_last_change": ("steward 302", "steward 302"),
    # -- changesets --------------------------------------------------------------------------------------------
    "changesets_changeset_changelist": LIST,
    "changesets_changeset_views": ("viewer 405", "viewer 302"),
    "changesets_changeset_add": ADMINS_ONLY,
    "changesets_changeset_change": READ,
    "changesets_changeset_delete": ADMINS_ONLY,
    "changesets_changeset_history": ("staff 302", "viewer 405"),
    "changesets_changeset_changes": ("viewer 200", "staff 405"),
    "changesets_changeset_result": ("viewer 302", "viewer 405"),
    "changesets_changeset_revert": ("steward 200", "steward 200"),
    "changesets_changeset_revert_many": ("steward 200", "steward 200"),
    "changesets_changeset_hanging": READ,
    "changesets_changeset_row": READ,
    "changesets_changeset_following": READ,
    "changesets_changeset_follow": ("viewer 405", "viewer 302"),
    "changesets_changeset_feed_token": ("viewer 405", "viewer 200"),
    # Everybody has only their own edits to undo, and there is none in this world.
    "changesets_changeset_undo": ADMINS_ONLY,
    "changesets_changeset_comment": ("viewer 405", "viewer 302"),
    # Nobody asked for anything in this world.
    "changesets_changeset_proposal": ("staff 404", "staff 404"),
    # Each person sees their own plans only.
    "changesets_changeset_plan": ("staff 404", "staff 405"),
    "changesets_changeset_plan_work": ("steward 404", "steward 405"),
    "changesets_changeset_plan_progress": ("steward 404", "steward 405"),
    "changesets_changeset_plan_stop": ("steward 405", "steward 404"),
    "changesets_changeset_review": ("steward 405", "steward 302"),
    "changesets_changeset_unreview": ("steward 405", "steward 302"),
    "changesets_changeset_name": ("steward 405", "steward 302"),
    **dict.fromkeys(
        ("<model>_map", "<model>_findings_map", "changesets_changeset_map", "changesets_changeset_map_data"),
        ("viewer 200", "staff 405"),
    ),
    # It tells names only to who asks for one of a model that they may see.
    "changesets_changeset_name_of": ("nobody 403", "staff 405"),
    "changesets_recycle_bin": READ,
    "changesets_recycle_bin_restore": ("steward 200", "steward 200"),
    # -- imports -----------------------------------------------------------------------------------------------
    "imports_importrun_changelist": READ,
    "imports_importrun_views": ("viewer 405", "viewer 302"),
    "imports_importrun_add": ADMINS_ONLY,
    "imports_importrun_change": READ,
    "imports_importrun_delete": ADMINS_ONLY,
    "imports_importrun_history": ("staff 302", "viewer 405"),
    "imports_importrun_progress": READ,
    **dict.fromkeys(("imports_importrun_map", "imports_importrun_map_data"), ("viewer 200", "staff 405")),
    "imports_importrun_plan_again": DECIDED,
    "imports_importrun_decide": DECIDED,
    "imports_importrun_confirm": DECIDED,
    "imports_importrun_cancel": DECIDED,
    "imports_importrun_start_again": DECIDED,
    # No file is kept in this world: those who may are told so.
    "imports_importrun_mapping": ("uploader 302", "uploader 302"),
    "imports_importrun_refused": ("uploader 302", "uploader 405"),
    "imports_importrun_file": ("uploader 302", "uploader 405"),
    # -- findings ----------------------------------------------------------------------------------------------
    "quality_finding_changelist": ("viewer 200", "viewer 405"),
    "quality_finding_views": ("viewer 405", "viewer 302"),
    "quality_findings": ("viewer 200", "viewer 405"),
    "quality_findings_file": ("viewer 200", "viewer 405"),
    "quality_rule": ("viewer 200", "viewer 405"),
    "quality_rule_file": ("viewer 200", "viewer 405"),
    "quality_keep": ("editor 405", "editor 204"),
    "quality_accept": ("editor 405", "editor 200"),
    "quality_withdraw": ("editor 405", "editor 302"),
    # -- backups: there is none in this world, and nothing is being done -----------------------------------------
    "backups_backup_changelist": ("viewer 200", "viewer 405"),
    "backups_backup_add": ("steward 200", "steward 200"),
    "backups_backup_work": ("viewer 404", "viewer 405"),
    "backups_backup_progress": ("viewer 404", "viewer 405"),
    "backups_backup_verify": ("steward 405", "steward 404"),
    "backups_backup_restore": ("approver 404", "approver 404"),
    "backups_backup_download": ADMINS_ONLY,
    # -- people and tasks: for superusers ----------------------------------------------------------------------
    **{f"{model}_{page}": ADMINS_ONLY for model in ("auth_user", "auth_group", "django_tasks_database_dbtaskresult",
       "axes_accessattempt", "axes_accesslog", "axes_accessfailurelog", "otp_totp_totpdevice")
       for page in ("changelist", "add", "change", "delete", "history")},
    # There is no task in this world, and nobody has a second factor or failed to log in.
    **{f"{model}_history": ("staff 302", "nobody 403") for model in ("django_tasks_database_dbtaskresult",
       "axes_accessattempt", "axes_accesslog", "axes_accessfailurelog", "otp_totp_totpdevice")},
    "second_factor_setup": ("staff 200", "staff 200"),
    "second_factor_check": ("staff 302", "staff 302"),
    "auth_user_password_change": ADMINS_ONLY,
    # -- Django's own ------------------------------------------------------------------------------------------
    "home": ("staff 302", "staff 405"),
    # A feed is opened by its token, and there is none in this world.
    "feed": ("staff 404", "staff 405"),
    "index": ("staff 200", "staff 405"),
    "looked_for": ("staff 200", "staff 405"),
    "search": ("staff 200", "staff 405"),
    "app_list": ("viewer 200 staff 404", "staff 405"),
    "autocomplete": ("nobody 403", "staff 405"),
    "jsi18n": ("staff 200", "staff 405"),
    "password_change": ("staff 200", "staff 200"),
    "password_change_done": ("staff 200", "staff 405"),
    "view_on_site": ("staff 404", "staff 405"),
}  # fmt: skip

_COMMON = {
    "set_active": "editor",
    "set_inactive": "editor",
    "set_field": "editor",
    "relink": "importer",
    "delete_recent_import": "steward",
    "delete_selected": "steward",
}
# The actions of each list, and the least of the groups that may do each.
ACTIONS = {
    "airport": {
        **_COMMON,
        **dict.fromkeys(("clear_country", "clear_city", "clear_iata", "resolve_duplicates"), "steward"),
    },
    "country": {**_COMMON, "clear_country": "steward"},
    "city": {**_COMMON, "clear_city": "steward", "merge_city": "steward"},
    "operator": {"set_field": "editor", "delete_recent_import": "steward", "delete_selected": "steward"},
    "station": {name: least for name, least in _COMMON.items() if name != "relink"},
}


def line_of(page: str) -> str:
    """Return the line of the table that an address of the matrix has; those of tracked tables share one."""
    return page.rpartition(" ")[0] if page.startswith("<model>") else page


def expected(pages: Iterable[str], method: str) -> dict[tuple[str, str], int]:
    """Return what each page should answer everybody, as the table has it."""
    answers = {}
    for page in pages:
        words = PAGES[line_of(page)][method == "post"].split()
        for who in PEOPLE:
            statuses = (int(status) for least, status in zip(words[::2], words[1::2], strict=True) if may(who, least))
            answers[page, who] = next(statuses, 403)
            if who == "anonymous" and page not in ("home", "feed"):
                answers[page, who] = 302
    return answers


def may(who: str, least: str) -> bool:
    """Whether somebody is among those that a line of the table means."""
    return who in OTHERS[least] if least in OTHERS else PEOPLE.index(who) >= PEOPLE.index(least)
