"""The check of dependencies finds what it is there for: each fault is planted once."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
DENY = ROOT / "scripts" / "deny.sh"


def git(directory: pathlib.Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *identity, "-C", str(directory), *arguments], check=True, capture_output=True)


def database(directory: pathlib.Path, package: str) -> pathlib.Path:
    """An advisory database that knows one thing, about all versions of a package."""
    advisory = directory / "crates" / package / "RUSTSEC-2999-0001.md"
    advisory.parent.mkdir(parents=True)
    advisory.write_text(f"""```toml
[advisory]
id = "RUSTSEC-2999-0001"
package = "{package}"
date = "2999-01-01"

[versions]
patched = []
```

# Made up

For a test.
""")
    git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "add", ".")
    git(directory, "commit", "--quiet", "--message", "One advisory")
    return directory


def deny(script: pathlib.Path = DENY, **environment: str) -> tuple[bool, str]:
    """Whether all is well, and what was printed."""
    done = subprocess.run(
        [script],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode == 0, done.stdout


def test_what_is_known_against_a_dependency_is_found(tmp_path: pathlib.Path) -> None:
    is_well, printed = deny(ADVISORY_DB=str(database(tmp_path, "tokio")))
    assert not is_well
    assert "RUSTSEC-2999-0001" in printed
    assert "advisories FAILED" in printed


def test_what_is_known_against_others_is_not(tmp_path: pathlib.Path) -> None:
    is_well, printed = deny(ADVISORY_DB=str(database(tmp_path, "a-package-that-nobody-uses")))
    assert is_well, printed
    assert "advisories ok" in printed


def test_what_is_no_database_is_no_success(tmp_path: pathlib.Path) -> None:
    is_well, printed = deny(ADVISORY_DB=str(tmp_path))
    assert not is_well
    assert "is no git repository" in printed


@pytest.mark.parametrize(
    ("pattern", "replacement", "problem"),
    [
        ('^    "MIT",\n', "", "error[rejected]"),
        ('^    "ISC",\n', '    "ISC",\n    "GPL-3.0-only",\n', "error[license-not-encountered]"),
        ('^    { crate = "rsa".*\n', '    { crate = "tokio", reason = "test" },\n', "error[banned]"),
        ('^    { crate = "tower-http@0.6".*\n', "", "error[duplicate]"),
        ("^skip = \\[\n", 'skip = [\n    { crate = "nobody@1", reason = "test" },\n', "error[unmatched-skip]"),
        ("^unknown-registry = .*\n", 'unknown-registry = "deny"\nallow-registry = []\n', "error[source-not-allowed]"),
    ],
    ids=["licence", "unused licence", "ban", "duplicate", "unused exception", "source"],
)
def test_each_rule_counts(tmp_path: pathlib.Path, pattern: str, replacement: str, problem: str) -> None:
    rules, count = re.subn(pattern, replacement, (ROOT / "deny.toml").read_text(), flags=re.MULTILINE)
    assert count == 1
    # The script of a tree that is this one but for its rules.
    manifests = ["Cargo.toml", "Cargo.lock", "build.rs"]
    for name in [*manifests, "src", "bench", "fuzz", "clients", "tests", "proto", ".tools"]:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "deny.toml").write_text(rules)
    (tmp_path / "scripts").mkdir()
    for script in ["deny.sh", "lib.sh"]:
        (tmp_path / "scripts" / script).write_bytes((ROOT / "scripts" / script).read_bytes())
        (tmp_path / "scripts" / script).chmod(0o755)
    is_well, printed = deny(tmp_path / "scripts" / "deny.sh")
    assert not is_well
    assert problem in printed
