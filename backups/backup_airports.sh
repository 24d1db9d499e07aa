#!/usr/bin/env bash
# Back up the whole database before something risky: once as the database keeps it, once as portable data; then let go
# what has had its time. What is given goes to the first `backup create`, for example --label "before the move".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
manage() { if [ -n "${VIRTUAL_ENV:-}" ] || ! command -v uv >/dev/null; then python manage.py "$@"; else uv run -q python manage.py "$@"; fi; }

manage backup create "$@"
manage backup create --kind data
manage backup prune
manage backup list
