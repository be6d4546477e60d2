"""Writes values.schema.json, values.yaml and README.md of the chart: `generate.py [--check]`.

All three come from helm/values/*.yaml and the table of settings in docs/configuration.md. With `--check` nothing is
written, and a file that is not what would be written is an error.
"""

import json
import pathlib
import sys
import textwrap
from typing import Any

import schema as sources
import yaml
from schema import ROOT, Schema

CHART = ROOT / "helm" / "chatbridge"
WIDTH = 118
AGAIN = "`make generate-chart`"


def schema_json(values: dict[str, Schema], definitions: dict[str, Schema]) -> str:
    """values.schema.json."""
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the Chatbridge chart",
        "type": "object",
        "additionalProperties": False,
        "properties": values,
        "$defs": definitions,
    }
    missing = sources.undescribed(whole, "") + [
        place for name, part in definitions.items() for place in sources.undescribed(part, f"$defs.{name}")
    ]
    if missing:
        raise sources.SourceError(f"these values have no description: {', '.join(missing)}")
    return json.dumps(sources.stripped(whole), indent=2, ensure_ascii=False) + "\n"


def comment(text: str, indent: int) -> list[str]:
    """A description as lines of a comment."""
    prefix = " " * indent + "# "
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )


def yaml_of(value: Any) -> str:
    """A value on one line, as YAML."""
    return json.dumps(value, ensure_ascii=False)


def value_lines(name: str, part: Schema, definitions: dict[str, Schema], default: Any, indent: int) -> list[str]:
    """A value of values.yaml, with its comment."""
    space = " " * indent
    lines = comment(part["description"], indent)
    properties = sources.resolved(part, definitions).get("properties", {})
    if not (isinstance(default, dict) and default and properties):
        return [*lines, *plain_lines(name, default, indent)]
    lines.append(f"{space}{name}:")
    for key, inner in default.items():
        if key in properties and properties[key].get("description"):
            lines += value_lines(key, properties[key], definitions, inner, indent + 2)
        else:
            lines += plain_lines(key, inner, indent + 2)
    return lines


def plain_lines(name: str, default: Any, indent: int) -> list[str]:
    """A value without a description of its parts."""
    space = " " * indent
    if isinstance(default, (dict, list)) and default:
        block = yaml.safe_dump(default, sort_keys=False, allow_unicode=True, width=WIDTH).rstrip()
        return [f"{space}{name}:", *(f"{space}  {line}" for line in block.splitlines())]
    return [f"{space}{name}: {yaml_of(default)}"]


def values_yaml(values: dict[str, Schema], definitions: dict[str, Schema]) -> str:
    """values.yaml."""
    lines = comment(
        f"The chart's values and their defaults. Written by {AGAIN} from helm/values: change them there.", 0
    )
    for name, part in values.items():
        default = sources.default(part, definitions)
        if default is not None and name != "global":
            lines += ["", *value_lines(name, part, definitions, default, 0)]
    return "\n".join(lines) + "\n"


def kind(part: Schema) -> str:
    """What a value is, in a word or two."""
    if "enum" in part:
        return ", ".join(f"`{choice}`" for choice in part["enum"])
    word: Any = part.get("type", "any")
    if isinstance(word, list):
        return " or ".join(word)
    if word == "integer" and "maximum" in part:
        return f"{part['minimum']} to {part['maximum']}"
    return "list" if word == "array" else str(word)


def rows(name: str, part: Schema, definitions: dict[str, Schema], default: Any) -> list[str]:
    """The rows of a value and its parts in the README's table."""
    whole = sources.resolved(part, definitions)
    properties = whole.get("properties", {})
    described = " ".join(whole["description"].split()).replace("|", "\\|")
    if whole.get("type") == "object" and properties:
        lines = [f"| **`{name}`** | | | {described} |"]
        for key, inner in properties.items():
            given = default.get(key) if isinstance(default, dict) else None
            lines += rows(f"{name}.{key}", inner, definitions, given)
        return lines
    shown = "" if default is None else f"`{yaml_of(default)}`".replace("|", "\\|")
    lines = [f"| `{name}` | {kind(whole)} | {shown} | {described} |"]
    items = whole.get("items")
    if isinstance(items, dict):
        for key, inner in sources.resolved(items, definitions).get("properties", {}).items():
            if inner.get("description"):
                lines += rows(f"{name}[].{key}", inner, definitions, None)
    return lines


def readme(values: dict[str, Schema], definitions: dict[str, Schema]) -> str:
    """README.md: what is in README.md.in, and the tables."""
    table = ["| value | what it takes | default | what it is |", "| --- | --- | --- | --- |"]
    for name, part in values.items():
        table += rows(name, part, definitions, sources.default(part, definitions))
    text = (ROOT / "helm" / "README.md.in").read_text()
    return text.replace("@VALUES@", "\n".join(table))


def main(arguments: list[str]) -> None:
    """Writes the files, or checks them."""
    try:
        values, definitions = sources.load()
        made = {
            CHART / "values.schema.json": schema_json(values, definitions),
            CHART / "values.yaml": values_yaml(values, definitions),
            CHART / "README.md": readme(values, definitions),
        }
    except sources.SourceError as error:
        sys.exit(f"error: helm/values: {error}")
    for path, text in made.items():
        if arguments == ["--check"]:
            check(path, text)
        else:
            path.write_text(text)


def check(path: pathlib.Path, text: str) -> None:
    """Stops where a file is not what would be written."""
    if not path.exists() or path.read_text() != text:
        sys.exit(f"error: {path.relative_to(ROOT)} is not what its sources say; run: make generate-chart")


if __name__ == "__main__":
    main(sys.argv[1:])
