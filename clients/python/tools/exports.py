"""Prints an `__init__.py` that names every message and enum of the contract in one place.

Usage: exports.py DESCRIPTOR_SET
"""

import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

HEADER = '"""The contract `chatbridge.v1`: every message and enum. Generated from proto/; do not edit."""\n'


def main() -> None:
    """Reads the descriptors and prints the module."""
    files = FileDescriptorSet.FromString(Path(sys.argv[1]).read_bytes()).file
    lines = [HEADER]
    exported: list[str] = []
    for file in sorted(files, key=lambda file: file.name):
        names = sorted([message.name for message in file.message_type] + [enum.name for enum in file.enum_type])
        module = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        if names:
            lines += [f"from {module} import (", *(f"    {name}," for name in names), ")"]
            exported += names
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in sorted(exported)), "]"]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
