"""The bill of materials says what cargo builds, or is refused."""

import json
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PATH_REF = "path+file:///somewhere/app#0.1.0"

LOCK = "".join(
    f"""
[[package]]
name = "{name}"
version = "1.0.0"
source = "registry+https://registry.invalid"
checksum = "{digit * 64}"
"""
    for name, digit in [("used", "a"), ("deep", "b"), ("optional", "c")]
)
TREE = "app v0.1.0 (/somewhere/app)\nused v1.0.0\ndeep v1.0.0 (proc-macro)\nused v1.0.0\n"


def component(name: str, digit: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": f"{name}@1.0.0",
        "name": name,
        "version": "1.0.0",
        "hashes": [{"alg": "SHA-256", "content": digit * 64}],
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
    }


def bill() -> dict[str, Any]:
    app = {"type": "application", "bom-ref": PATH_REF, "name": "app", "version": "0.1.0", "description": "An app."}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": app},
        "components": [component("used", "a"), component("deep", "b"), component("optional", "c")],
        "dependencies": [
            {"ref": PATH_REF, "dependsOn": ["used@1.0.0", "optional@1.0.0"]},
            {"ref": "used@1.0.0", "dependsOn": ["deep@1.0.0"]},
            {"ref": "deep@1.0.0"},
            {"ref": "optional@1.0.0", "dependsOn": ["deep@1.0.0"]},
        ],
    }


def judged(directory: pathlib.Path, given: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    files = {"bill.json": json.dumps(given), "tree": TREE, "Cargo.lock": LOCK}
    for name, text in files.items():
        (directory / name).write_text(text)
    script = [sys.executable, str(ROOT / "scripts" / "sbom.py")]
    return subprocess.run([*script, *files], cwd=directory, capture_output=True, text=True, check=False, timeout=60)


def test_what_is_not_built_goes_and_no_path_stays(tmp_path: pathlib.Path) -> None:
    done = judged(tmp_path, bill())
    assert done.returncode == 0, done.stderr
    true = json.loads(done.stdout)
    assert [c["name"] for c in true["components"]] == ["used", "deep"]
    assert true["dependencies"] == [
        {"ref": "pkg:cargo/app@0.1.0", "dependsOn": ["used@1.0.0"]},
        {"ref": "used@1.0.0", "dependsOn": ["deep@1.0.0"]},
        {"ref": "deep@1.0.0", "dependsOn": []},
    ]
    assert "somewhere" not in done.stdout


def without_deep(bill: dict[str, Any]) -> None:
    del bill["components"][1]


def with_another_checksum(bill: dict[str, Any]) -> None:
    bill["components"][0]["hashes"][0]["content"] = "d" * 64


def without_a_licence(bill: dict[str, Any]) -> None:
    del bill["components"][0]["licenses"]


def against_the_schema(bill: dict[str, Any]) -> None:
    bill["components"][0]["type"] = "nonsense"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (without_deep, "built and not in the bill: [('deep', '1.0.0')]"),
        (with_another_checksum, "the checksum of ('used', '1.0.0')"),
        (without_a_licence, "('used', '1.0.0') has no licence"),
        (against_the_schema, "the schema of CycloneDX 1.5"),
    ],
)
def test_an_untrue_bill_is_refused(
    tmp_path: pathlib.Path, spoil: Callable[[dict[str, Any]], None], problem: str
) -> None:
    spoiled = bill()
    spoil(spoiled)
    done = judged(tmp_path, spoiled)
    assert done.returncode != 0
    assert problem in done.stderr
    assert done.stdout == ""
