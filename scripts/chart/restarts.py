"""Holds the chart to which changes need new pods: `restarts.py HELM`.

What the service takes up while it runs must leave the pod template as it is; what it reads at the start must change
it.
"""

import sys
from typing import Any

from rendered import configuration, deployment, render

HASH = "7" * 64
KEEP: dict[str, dict[str, Any]] = {
    "another tenant": {"tenants": [{"id": "acme"}, {"id": "globex"}]},
    "a tenant's limits": {"tenants": [{"id": "acme", "settings": {"gateway_in_flight": 8}}]},
    "another token": {"tokenSha256": ["6e1f" + "0" * 60, HASH]},
    "a caller": {"callers": [{"name": "bot", "role": "reader", "tenants": ["*"], "tokenSha256": [HASH]}]},
    "limits of requests to 8x8": {"settings": {"gateway_rate_per_second": 9}},
    "an issuer": {
        "jwtIssuers": [
            {
                "issuer": "i",
                "audiences": ["a"],
                "algorithms": ["RS256"],
                "jwksUrl": "https://i.example.com/",
                "grants": [{"claim": "c", "value": "v", "role": "reader", "tenants": ["*"]}],
            }
        ]
    },
}
REPLACE: dict[str, dict[str, Any]] = {
    "a setting that is read at the start": {"settings": {"heartbeat_ms": 9000}},
    "how long it drains": {"shutdown": {"drainSpreadMs": 9000}},
    "another Redis": {"redis": {"url": "redis://other:6379"}},
    "an API key in another Secret": {"tenants": [{"id": "acme", "apiKey": {"name": "other", "key": "k"}}]},
    "the path secret": {"webhook": {"pathSecret": {"enabled": True}}},
}
# Of a Secret that the chart makes, only these are read at the start.
SECRETS = {"existingSecret": "", "values": {"api-key-acme": "k", "redis-url": "redis://r:6379"}}


def template(helm: str, changes: dict[str, Any]) -> tuple[Any, str]:
    """The pod template, and the configuration."""
    objects = render(helm, "minimal", changes)
    return deployment(objects)["spec"]["template"], configuration(objects)


def main(helm: str) -> None:
    """Compares, and stops with every change that is treated otherwise."""
    pods, text = template(helm, {})
    wrong = []
    for what, changes in KEEP.items():
        changed_pods, changed_text = template(helm, changes)
        if changed_text == text:
            wrong.append(f"{what} does not change the configuration")
        if changed_pods != pods:
            wrong.append(f"{what} makes new pods, although the service takes it up while it runs")
    wrong += [f"{what} makes no new pods" for what, changes in REPLACE.items() if template(helm, changes)[0] == pods]
    made, _ = template(helm, {"secrets": SECRETS})
    for key, is_new in (("api-key-acme", False), ("redis-url", True)):
        other = {**SECRETS["values"], key: "redis://changed:6379"}  # type: ignore[dict-item]
        changed, _ = template(helm, {"secrets": {**SECRETS, "values": other}})
        if (changed != made) != is_new:
            wrong.append(f"another {key} in secrets.values makes {'no ' if is_new else ''}new pods")
    for sentence in wrong:
        print(f"error: {sentence}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    print(f"{len(KEEP) + 1} changes leave the pods alone, {len(REPLACE) + 1} replace them")


if __name__ == "__main__":
    main(*sys.argv[1:])
