# Shared by the scripts beside it; sourced, after `set -euo pipefail`.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TOOLS="$ROOT/.tools"
VENV="$TOOLS/venv"
PYTHON="$VENV/bin/python"
CLIENT="$ROOT/clients/python"

# A heading, so that a long run can be read.
section() {
    printf '\n== %s\n' "$*"
}

# Stops with one line that says what to do.
stop() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Whether a program is there.
have() {
    command -v "$1" >/dev/null 2>&1
}
