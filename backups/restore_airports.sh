#!/usr/bin/env bash
# Restore the whole database from a backup. Without an argument: list what there is. With a backup's name, or the date and
# time in it (20261114-120000, or 20261114_120000): restore that one, after "yes".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
manage() { if [ -n "${VIRTUAL_ENV:-}" ] || ! command -v uv >/dev/null; then python manage.py "$@"; else uv run -q python manage.py "$@"; fi; }

if [ $# -ne 1 ]; then
  echo "Usage: $0 <backup>, for example $0 20261114_120000"
  echo
  manage backup list
  exit 1
fi

name=${1/_/-}
found=$(manage backup list --json | python3 -c '
import json, sys
wanted, said = sys.argv[1], json.load(sys.stdin)
names = [each["id"] for each in (said if isinstance(said, list) else said["backups"])]
print("\n".join([name for name in names if name == wanted] or [name for name in names if name.startswith(wanted)]))
' "$name")
case $(printf '%s' "$found" | grep -c .) in
  1) ;;
  0) echo "There is no backup called $1: without an argument, $0 lists those there are." >&2; exit 1 ;;
  *) printf 'Which one of these? Give its whole name.\n%s\n' "$found" >&2; exit 1 ;;
esac

echo "WARNING: this puts $found in place of what is in the database now (a safety backup of that is made first)."
read -r -p "Are you sure? (yes/no) " answer || answer=no
if [ "$answer" != yes ]; then
  echo "Cancelled: nothing was changed."
  exit 0
fi
manage backup restore "$found" --yes
