"""JSON Schemas of Kubernetes objects, for kubeconform: `schemas.py OUT VERSION=SWAGGER... CRD...`.

From the OpenAPI file of each version of Kubernetes it writes OUT/VERSION/KIND-GROUP-VERSION.json, and from each
file of custom resource definitions OUT/crds/GROUP/KIND-VERSION.json. They are strict: a field that is not known
is an error, as a typing mistake in a template would make one.
"""

import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import yaml

Schema = dict[str, Any]

# Written as either in manifests.
INT_OR_STRING = {"type": ["integer", "string"]}
QUANTITY = {"type": ["number", "string"]}
# Types that are not what their OpenAPI says.
SPECIAL = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": INT_OR_STRING,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": QUANTITY,
}


def strict(schema: Any) -> Any:
    """The schema with every object closed that names its fields."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return INT_OR_STRING
    made = {key: strict(value) for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    made.pop("description", None) if isinstance(made.get("description"), str) else None
    kept = schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in schema and isinstance(schema["properties"], dict) and not kept:
        made.setdefault("additionalProperties", False)
    if made.pop("nullable", None) is True:
        made["type"] = [made["type"], "null"]
    return made


def references(schema: Any) -> Iterator[str]:
    """The names of the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix("#/definitions/")
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from references(part)


def closure(name: str, definitions: dict[str, Schema]) -> dict[str, Schema]:
    """The definition and all that it needs."""
    needed: dict[str, Schema] = {}
    open_names = [name]
    while open_names:
        one = open_names.pop()
        if one not in needed:
            needed[one] = definitions[one]
            open_names += references(definitions[one])
    return needed


def fixed(schema: Schema, api_version: str, kind: str) -> Schema:
    """The schema of one kind in one version of its API, and of no other."""
    properties = {**schema["properties"], "apiVersion": {"enum": [api_version]}, "kind": {"enum": [kind]}}
    required = sorted({*schema.get("required", []), "apiVersion", "kind", "metadata"})
    return {**schema, "properties": properties, "required": required}


def kubernetes(swagger: pathlib.Path, out: pathlib.Path) -> int:
    """Writes the schemas of one version of Kubernetes, and answers how many."""
    raw = json.loads(swagger.read_text())["definitions"]
    definitions = {name: SPECIAL.get(name) or strict(schema) for name, schema in raw.items()}
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, schema in raw.items():
        kinds = schema.get("x-kubernetes-group-version-kind", [])
        if len(kinds) != 1 or "metadata" not in schema.get("properties", {}):
            continue
        group, version, kind = kinds[0]["group"], kinds[0]["version"], kinds[0]["kind"]
        whole = fixed(definitions[name], f"{group}/{version}".lstrip("/"), kind)
        needed = closure(name, definitions)
        needed.pop(name)
        # kubeconform leaves all behind the first dot of a group out.
        file = "-".join(part for part in (kind, group.split(".")[0], version) if part).lower()
        (out / f"{file}.json").write_text(json.dumps({**whole, "definitions": needed}))
        written += 1
    return written


def custom(file: pathlib.Path, out: pathlib.Path) -> int:
    """Writes the schemas of a file of custom resource definitions, and answers how many."""
    written = 0
    for document in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
        if not document or document.get("kind") != "CustomResourceDefinition":
            continue
        spec = document["spec"]
        group, kind = spec["group"], spec["names"]["kind"]
        folder = out / "crds" / group
        folder.mkdir(parents=True, exist_ok=True)
        for version in spec["versions"]:
            if version["served"]:
                whole = strict(version["schema"]["openAPIV3Schema"])
                whole = fixed(whole, f"{group}/{version['name']}", kind)
                (folder / f"{kind.lower()}-{version['name']}.json").write_text(json.dumps(whole))
                written += 1
    return written


def main(out: str, *sources: str) -> None:
    """Writes all, and stops where a source gives nothing."""
    for source in sources:
        version, _, swagger = source.rpartition("=")
        file = pathlib.Path(swagger)
        written = kubernetes(file, pathlib.Path(out) / version) if version else custom(file, pathlib.Path(out))
        if not written:
            sys.exit(f"error: {file} has no schema of an object")


if __name__ == "__main__":
    main(*sys.argv[1:])
