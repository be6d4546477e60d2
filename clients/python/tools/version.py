"""Prints the version of the package in a directory; fails where its files do not agree on it.

Usage: version.py DIRECTORY
"""

import re
import sys
from pathlib import Path

# Where the version is written, and how.
PLACES = {
    "pyproject.toml": r'^version = "([^"]+)"$',
    "src/chatbridge/version.py": r'^__version__ = "([^"]+)"$',
    "CHANGELOG.md": r"^## (\S+)$",
}


def main() -> str | None:
    """Reads the first version of each file."""
    directory = Path(sys.argv[1])
    found = {}
    for name, pattern in PLACES.items():
        match = re.search(pattern, (directory / name).read_text(), re.MULTILINE)
        found[name] = match[1] if match else "none"
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name} has {version}" for name, version in found.items())
        return f"error: the versions are not the same: {told}"
    print(found["pyproject.toml"])
    return None


if __name__ == "__main__":
    sys.exit(main())
