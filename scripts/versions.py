"""Holds the clients' versions in step with the service's: fails where a file says another one, changelogs among them.

Usage: versions.py             checks all clients
       versions.py LANGUAGE    checks one, and prints its version
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_CARGO = r'^version = "([^"]+)"$'
# Where each client tells its version, and how; the first that is found counts. Go has it from a tag as well.
_PLACES = {
    "python": {"pyproject.toml": _CARGO, "src/chatbridge/version.py": r'^__version__ = "([^"]+)"$'},
    "typescript": {
        "package.json": r'^  "version": "([^"]+)",$',
        "src/version.ts": r'^export const VERSION = "([^"]+)";$',
    },
    "go": {"version.go": r'^const Version = "([^"]+)"$'},
    "java": {
        "pom.xml": r"^  <version>([^<]+)</version>$",
        "src/main/java/io/chatbridge/client/Version.java": r'VERSION = "([^"]+)";$',
    },
    "rust": {"Cargo.toml": _CARGO},
}
_CHANGELOG = {"CHANGELOG.md": r"^## (\S+)"}


def _told(path: Path, pattern: str) -> str:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    return found[1] if found else "none"


def main(languages: list[str]) -> int:
    """Compares what each of them says with the service's own version."""
    wanted = _told(_ROOT / "Cargo.toml", _CARGO)
    wrong = 0
    for language in languages or _PLACES:
        for file, pattern in (_PLACES[language] | _CHANGELOG).items():
            told = _told(_ROOT / "clients" / language / file, pattern)
            if told != wanted:
                print(
                    f"clients/{language}/{file} says {told}, and the service's version is {wanted}", file=sys.stderr
                )
                wrong += 1
    if languages and not wrong:
        print(wanted)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
