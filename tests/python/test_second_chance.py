"""What scripts/cargo_test.py makes of tests that fail, with a crate of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).resolve().parents[2] / "scripts/cargo_test.py"
_PASSES = "#[test] fn steady() {}"
# Fails as long as its file is not there, and makes it.
_UNSTEADY = """
#[test] fn unsteady{n}() {{
    let seen = concat!(env!("CARGO_MANIFEST_DIR"), "/seen{n}");
    if !std::path::Path::new(seen).exists() {{ std::fs::write(seen, "").unwrap(); panic!("not yet"); }}
}}
"""
_FAILS = '#[test] fn wrong() { panic!("always"); }'


def _crate(directory: Path, library: str, integration: str) -> None:
    (directory / "Cargo.toml").write_text(
        '[package]\nname = "probe"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
    )
    (directory / "src").mkdir()
    (directory / "tests").mkdir()
    (directory / "src/lib.rs").write_text(library)
    (directory / "tests/whole.rs").write_text(integration)
    subprocess.run(["cargo", "generate-lockfile", "--offline"], cwd=directory, check=True, capture_output=True)


def _cargo_test(directory: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.CompletedProcess[str]:
    monkeypatch.setenv("CARGO_TARGET_DIR", str(directory / "target"))
    return subprocess.run([sys.executable, str(_SCRIPT)], cwd=directory, capture_output=True, text=True, timeout=300)


def test_what_passes_alone_passes_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _crate(tmp_path, _PASSES + _UNSTEADY.format(n=1), _PASSES + _UNSTEADY.format(n=2))
    ran = _cargo_test(tmp_path, monkeypatch)
    assert ran.returncode == 0, ran.stdout
    assert "UNSTEADY: passed alone, and not beside all others: --lib unsteady1, --test whole unsteady2" in ran.stdout


def test_what_fails_alone_too_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _crate(tmp_path, _FAILS, _PASSES + _UNSTEADY.format(n=1))
    ran = _cargo_test(tmp_path, monkeypatch)
    assert ran.returncode != 0, ran.stdout
    assert "UNSTEADY" not in ran.stdout


def test_more_than_a_few_have_no_second_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _crate(tmp_path, "".join(_UNSTEADY.format(n=n) for n in range(4)), _PASSES)
    ran = _cargo_test(tmp_path, monkeypatch)
    assert ran.returncode != 0, ran.stdout
    assert "once more" not in ran.stdout


def test_what_does_not_compile_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _crate(tmp_path, "fn wrong( {", _PASSES)
    assert _cargo_test(tmp_path, monkeypatch).returncode != 0
