"""The schema of the chart's values, from helm/values/*.yaml and the service's table of settings."""

import copy
import pathlib
import re
from typing import Any

import yaml

Schema = dict[str, Any]

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "helm" / "values"
SETTINGS = ROOT / "docs" / "configuration.md"

# Settings that the chart writes itself, from values of another name or since they say where it mounts things.
OWN = {
    *("tenant", "api_key", "token_sha256"),
    *("redis_url", "redis_tls_ca_file", "redis_tls_cert_file", "redis_tls_key_file"),
    *("master_keys", "master_keys_file", "webhook_path_secret", "agent_names_file", "agent_names_url"),
    *("grpc_listen", "webhook_listen", "admin_listen", "drain_spread_ms", "drain_deadline_ms"),
    *("grpc_tls_cert_file", "grpc_tls_key_file", "grpc_tls_client_ca_file", "grpc_tls_client_auth"),
    *("webhook_tls_cert_file", "webhook_tls_key_file", "webhook_tls_client_ca_file", "webhook_tls_client_auth"),
    *("chat_v2_listen", "chat_v2_token_secret", "chat_v2_signing_key_file"),
    *("chat_v2_tls_cert_file", "chat_v2_tls_key_file", "chat_v2_tls_client_ca_file", "chat_v2_tls_client_auth"),
    # Of each tenant, since the chart writes tenants as tables.
    "webhook_id",
    # A secret, which is for a variable from a Secret.
    "otlp_headers",
}
OWN_OF_TENANTS = {"id", "api_key", "channels", "webhook_id"}


class SourceError(Exception):
    """Something in the sources that no schema can be made of."""


def tables(text: str) -> list[list[tuple[str, str, str]]]:
    """The tables of settings in the document: name, default and description of each row."""
    found: list[list[tuple[str, str, str]]] = []
    row = re.compile(r"^\| `([a-z0-9_]+)` \| (?:none|`([^`]*)`) \| (.+) \|$")
    inside = False
    for line in text.splitlines():
        if line.startswith("| setting |"):
            found.append([])
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and (match := row.match(line)):
            found[-1].append((match[1], match[2] or "", match[3]))
    return found


def setting(default: str, description: str) -> Schema:
    """The schema of one setting, by its default and the range in its description."""
    text = description[0].upper() + description[1:] + "."
    if default:
        text += f" The service's default is `{default}`."
    if default in ("true", "false"):
        return {"type": "boolean", "description": text}
    limits = re.search(r"\((-?\d+) to (\d+)[;)]", description)
    if limits:
        return {
            "type": "integer",
            "minimum": int(limits[1]),
            "maximum": int(limits[2]),
            "description": text,
        }
    return {"type": "string", "description": text}


def settings() -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The settings that values may give: of the service, and of a tenant."""
    top, tenant = tables(SETTINGS.read_text())[:2]
    known = {name: setting(default, text) for name, default, text in top}
    unknown = OWN - known.keys()
    if unknown:
        raise SourceError(f"these are no settings of the service any more: {sorted(unknown)}")
    of_tenants = {name: known[name] for name, _, _ in tenant if name not in OWN_OF_TENANTS}
    return {name: known[name] for name in known if name not in OWN}, of_tenants


def sources() -> Schema:
    """All sources in one: top-level values, and `$defs`."""
    whole: Schema = {}
    for path in sorted(SOURCES.glob("*.yaml")):
        part = yaml.safe_load(path.read_text())
        if twice := whole.keys() & part.keys():
            raise SourceError(f"{path.name}: {sorted(twice)} are in another file, too")
        whole |= part
    return whole


def filled(schema: Schema, whole: dict[str, Schema], tenant: dict[str, Schema]) -> Schema:
    """The same with the settings put in, and with every object closed that does not say otherwise."""
    made = {key: value for key, value in schema.items() if key != "x-settings"}
    if "x-settings" in schema:
        made["properties"] = copy.deepcopy(tenant if schema["x-settings"] == "tenant" else whole)
    if "properties" in made:
        made["properties"] = {name: filled(part, whole, tenant) for name, part in made["properties"].items()}
    if isinstance(made.get("items"), dict):
        made["items"] = filled(made["items"], whole, tenant)
    if made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def load() -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The values by name, and the definitions that they refer to, with the `x-defaults` still in."""
    whole = sources()
    definitions = whole.pop("$defs")
    of_service, of_tenants = settings()
    values = {name: filled(part, of_service, of_tenants) for name, part in whole.items()}
    return values, {name: filled(part, of_service, of_tenants) for name, part in definitions.items()}


def resolved(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """The schema with what its `$ref` says."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    name = reference.removeprefix("#/$defs/")
    if name not in definitions:
        raise SourceError(f"there is no definition {name}")
    own = {key: value for key, value in schema.items() if key != "$ref"}
    return {**definitions[name], **own}


def default(schema: Schema, definitions: dict[str, Schema]) -> Any:
    """The default of a value, which of an object may be that of its parts."""
    if "default" in schema:
        return schema["default"]
    whole = resolved(schema, definitions)
    if whole.get("type") == "object" and ("$ref" not in schema or "x-defaults" in schema):
        overriding = schema.get("x-defaults")
        parts = {name: default(part, definitions) for name, part in whole.get("properties", {}).items()}
        if isinstance(overriding, dict):
            parts |= overriding
        return {name: part for name, part in parts.items() if part is not None}
    return None


def stripped(schema: Any) -> Any:
    """The schema without what only the generator reads."""
    if isinstance(schema, dict):
        return {key: stripped(value) for key, value in schema.items() if not key.startswith("x-")}
    if isinstance(schema, list):
        return [stripped(part) for part in schema]
    return schema


def undescribed(schema: Schema, at: str) -> list[str]:
    """The values below that have no description."""
    missing = []
    for name, part in schema.get("properties", {}).items():
        here = f"{at}.{name}".lstrip(".")
        if not part.get("description"):
            missing.append(here)
        missing += undescribed(part, here)
    if isinstance(schema.get("items"), dict):
        missing += undescribed(schema["items"], f"{at}[]")
    return missing
