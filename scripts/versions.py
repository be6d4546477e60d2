"""Says where the clients' versions and changelogs are not in step, and fails then."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_CLIENTS = _ROOT / "clients"
_MAVEN = "{http://maven.apache.org/POM/4.0.0}"


def _toml(path: Path) -> str:
    """The first version in a file, which is the package's own. Python 3.10 cannot read TOML."""
    found = re.search(r'^version = "([^"]+)"$', path.read_text(), re.MULTILINE)
    return found[1] if found else "none"


def _npm() -> str:
    return str(json.loads((_CLIENTS / "typescript/package.json").read_text())["version"])


def _go() -> str:
    # A Go module has its version from a tag; the constant is what it tells servers.
    for file in sorted((_CLIENTS / "go").rglob("*.go")):
        if found := re.search(r'^const [vV]ersion = "([^"]+)"$', file.read_text(), re.MULTILINE):
            return found[1]
    return "none: no `const Version` was found"


def _maven() -> str:
    root = ElementTree.parse(_CLIENTS / "java/pom.xml").getroot()
    return (root.findtext(f"{_MAVEN}version") or "none").strip()


def _changelog(language: str) -> str:
    found = re.search(r"^## (\S+)", (_CLIENTS / language / "CHANGELOG.md").read_text(), re.MULTILINE)
    return found[1] if found else "none"


def main() -> int:
    """Compares all with the service's own version."""
    wanted = _toml(_ROOT / "Cargo.toml")
    versions = {
        "python": _toml(_CLIENTS / "python/pyproject.toml"),
        "typescript": _npm(),
        "go": _go(),
        "java": _maven(),
        "rust": _toml(_CLIENTS / "rust/Cargo.toml"),
    }
    wrong = 0
    for language, version in versions.items():
        for what, told in (("version", version), ("changelog's first version", _changelog(language))):
            if told != wanted:
                print(f"clients/{language}: its {what} is {told}, and the service's is {wanted}", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
