"""The READMEs say what works."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("readme", ["README.md", "clients/python/README.md"])
def test_the_first_example_runs_as_it_is_written(readme: str, dev_in_memory: Mapping[str, str]) -> None:
    example = (ROOT / readme).read_text().split("```python\n")[1].split("```")[0]
    assert "127.0.0.1:50051" in example
    here = example.replace("127.0.0.1:50051", dev_in_memory["grpc"])
    done = subprocess.run([sys.executable, "-c", here], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Ada" in done.stdout
