"""Makes a bill of materials true: `sbom.py BILL TREE LOCK` prints the bill, checked.

It reads what cargo-cyclonedx wrote, the packages that cargo builds for the binary (`cargo tree --prefix none --format
{p}`), and Cargo.lock. cargo-cyclonedx goes by all that Cargo.lock could bring, so optional dependencies are in its
bill that no feature turns on. Those go. A package that is missing, has another checksum than the lock file, or no
licence is an error, and so is what the schema of CycloneDX does not allow.
"""

import json
import pathlib
import re
import sys
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

Package = tuple[str, str]


class UntrueError(Exception):
    """A bill that says something else than cargo, or is none."""


def built(tree: str) -> set[Package]:
    """Name and version of each package in what `cargo tree` printed."""
    lines = re.findall(r"^(\S+) v(\S+)", tree, flags=re.MULTILINE)
    return set(lines)


def checksums(lock: str) -> dict[Package, str]:
    """The checksum of each package that comes from a registry; Python 3.10 has no reader of TOML."""
    entry = r'\[\[package\]\]\nname = "(.+)"\nversion = "(.+)"\n(?:source = .+\n)?checksum = "([0-9a-f]+)"'
    return {(name, version): checksum for name, version, checksum in re.findall(entry, lock)}


def pruned(bill: dict[str, Any], packages: set[Package]) -> dict[str, Any]:
    """The bill without what is not built, and without a path of this machine."""
    root = bill["metadata"]["component"]
    names = {root["bom-ref"]: f"pkg:cargo/{root['name']}@{root['version']}"}
    components = [c for c in bill["components"] if (c["name"], c["version"]) in packages]
    names |= {c["bom-ref"]: c["bom-ref"] for c in components}
    dependencies = [
        {
            "ref": names[d["ref"]],
            "dependsOn": [names[on] for on in d.get("dependsOn", []) if on in names],
        }
        for d in bill["dependencies"]
        if d["ref"] in names
    ]
    whole = {key: root[key] for key in ("type", "name", "version", "description")}
    whole |= {"bom-ref": names[root["bom-ref"]], "purl": names[root["bom-ref"]]}
    metadata = {**bill["metadata"], "component": whole}
    return {
        **bill,
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
    }


def check(bill: dict[str, Any], packages: set[Package], locked: dict[Package, str]) -> None:
    """Raises `UntrueError` where the bill says something else than cargo."""
    root = bill["metadata"]["component"]
    components = {(c["name"], c["version"]): c for c in bill["components"]}
    missing = packages - components.keys() - {(root["name"], root["version"])}
    if missing:
        raise UntrueError(f"these packages are built and not in the bill: {sorted(missing)}")
    for package, component in components.items():
        hashes = [h["content"] for h in component.get("hashes", []) if h["alg"] == "SHA-256"]
        if hashes != [locked.get(package)]:
            raise UntrueError(f"the checksum of {package} is not the one in Cargo.lock")
        if not component.get("licenses"):
            raise UntrueError(f"{package} has no licence")
    error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(bill))
    if error is not None:
        raise UntrueError(f"the schema of CycloneDX 1.5 does not allow it: {error.data}")


def main(bill: str, tree: str, lock: str) -> None:
    """Prints the bill, or stops with what is wrong."""
    packages = built(pathlib.Path(tree).read_text())
    true = pruned(json.loads(pathlib.Path(bill).read_text()), packages)
    try:
        check(true, packages, checksums(pathlib.Path(lock).read_text()))
    except UntrueError as error:
        sys.exit(f"error: {error}")
    json.dump(true, sys.stdout, indent=2, ensure_ascii=False)
    print(f"{len(true['components'])} packages", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
