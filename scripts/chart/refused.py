"""Holds the chart to what it must refuse: `refused.py HELM...` tries helm/wrong-values.yaml with each Helm."""

import pathlib
import subprocess
import sys
import tempfile
from typing import Any

import yaml
from rendered import CHART, KUBERNETES, ROOT

# As Helm begins the message when the schema refused, and the chart itself.
BY = {"schema": "values don't meet the specifications of the schema", "chart": "The values do not fit together:"}


def complaint(helm: str, case: dict[str, Any], file: pathlib.Path) -> str:
    """What is wrong with how these values are treated; empty: nothing."""
    file.write_text(yaml.safe_dump(case["values"]))
    command = [helm, "template", "release", str(CHART), *KUBERNETES]
    command += ["-f", str(CHART / "ci" / "minimal.yaml"), "-f", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode == 0:
        return "was not refused"
    for part in [BY[case["by"]], *case["message"]]:
        if part not in ended.stderr:
            return f"was refused without the words {part!r}:\n{ended.stderr}"
    return ""


def main(helms: list[str]) -> None:
    """Tries all values, and stops where one was not refused as it must be."""
    cases = yaml.safe_load((ROOT / "helm" / "wrong-values.yaml").read_text())
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for helm in helms:
            for case in cases:
                problem = complaint(helm, case, pathlib.Path(folder) / "values.yaml")
                if problem:
                    wrong += 1
                    print(f"error: {pathlib.Path(helm).name}: {case['name']} {problem}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    by_schema = sum(case["by"] == "schema" for case in cases)
    print(f"{by_schema} wrong values refused by the schema, {len(cases) - by_schema} by the chart, by each Helm")


if __name__ == "__main__":
    main(sys.argv[1:])
