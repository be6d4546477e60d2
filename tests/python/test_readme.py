"""The client's README says what works."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "clients/python/README.md"


def test_the_first_example_runs_as_it_is_written(dev_in_memory: Mapping[str, str]) -> None:
    example = README.read_text().split("```python\n")[1].split("```")[0]
    assert "127.0.0.1:50051" in example
    here = example.replace("127.0.0.1:50051", dev_in_memory["grpc"])
    done = subprocess.run([sys.executable, "-c", here], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Ada" in done.stdout
