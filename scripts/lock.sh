#!/usr/bin/env bash
# Resolve requirements*.txt to the lock files with uv; tell how old they were and what has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v uv >/dev/null || { echo "uv is missing: pip install uv, then run make lock again." >&2; exit 1; }

packages() { grep -oE '^[^ ;]+==[^ ;]+' "$1" || true; }

before=$(mktemp)
trap 'rm -f "$before"' EXIT
for name in requirements requirements-dev; do
    lock=$name.lock
    changed=$(git log -1 --format='%cs, %cr' -- "$lock" 2>/dev/null || true)
    echo "$lock: last changed ${changed:-at an unknown time}"
    packages "$lock" >"$before"
    uv pip compile --quiet --upgrade --universal --fork-strategy fewest --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header --no-annotate -o "$lock" "$name.txt"
    diff "$before" <(packages "$lock") | sed -n 's/^< /  was /p; s/^> /  now /p' || true
done
