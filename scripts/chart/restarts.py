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
# The same beside Chat API v2.
KEEP_OF_CHAT_V2: dict[str, dict[str, Any]] = {
    "a client of Chat API v2": {"chatV2": {"clients": [{"id": "app", "tenants": ["*"], "secretSha256": [HASH]}]}},
    "the webhook of a tenant's channels": {"tenants": [{"id": "acme", "webhookId": "another"}, {"id": "globex"}]},
}
REPLACE: dict[str, dict[str, Any]] = {
    "a setting that is read at the start": {"settings": {"heartbeat_ms": 9000}},
    "how long it drains": {"shutdown": {"drainSpreadMs": 9000}},
    "another Redis": {"redis": {"url": "redis://other:6379"}},
    "an API key in another Secret": {"tenants": [{"id": "acme", "apiKey": {"name": "other", "key": "k"}}]},
    "the path secret": {"webhook": {"pathSecret": {"enabled": True}}},
    "a port for Chat API v2": {"chatV2": {"enabled": True, **KEEP_OF_CHAT_V2["a client of Chat API v2"]["chatV2"]}},
}
REPLACE_OF_CHAT_V2: dict[str, dict[str, Any]] = {
    "networks that webhooks of Chat API v2 may be in": {"settings": {"chat_v2_webhook_allow": "10.9.0.0/16"}},
    "no key that signs webhooks of Chat API v2": {"chatV2": {"signingKey": {"enabled": False}}},
}
# Of a Secret that the chart makes, only these are read at the start.
SECRETS: dict[str, Any] = {"existingSecret": "", "values": {"api-key-acme": "k", "redis-url": "redis://r:6379"}}
SECRETS_OF_CHAT_V2: dict[str, Any] = {
    "existingSecret": "",
    "values": {
        **SECRETS["values"],
        "api-key-globex": "k",
        "chat-v2-token-secret": "t",
        "chat-v2-signing-key": "s",
    },
}
# So that it is that Secret which they are in.
WITHOUT_NAMES = {
    "tokenSecret": {"name": "", "key": "chat-v2-token-secret"},
    "signingKey": {"secret": {"name": "", "key": "chat-v2-signing-key"}},
}


def template(helm: str, changes: dict[str, Any], name: str = "minimal") -> tuple[Any, str]:
    """The pod template, and the configuration, of ci/NAME.yaml with these changes."""
    objects = render(helm, name, changes)
    return deployment(objects)["spec"]["template"], configuration(objects)


def compared(helm: str, name: str, keep: dict[str, Any], replace: dict[str, Any]) -> list[str]:
    """What is wrong with how changes of ci/NAME.yaml are treated."""
    pods, text = template(helm, {}, name)
    wrong = []
    for what, changes in keep.items():
        changed_pods, changed_text = template(helm, changes, name)
        if changed_text == text:
            wrong.append(f"{what} does not change the configuration")
        if changed_pods != pods:
            wrong.append(f"{what} makes new pods, although the service takes it up while it runs")
    wrong += [f"{what} makes no new pods" for what, one in replace.items() if template(helm, one, name)[0] == pods]
    return wrong


def of_secrets(helm: str, name: str, base: dict[str, Any], expected: dict[str, bool]) -> list[str]:
    """What is wrong with how other texts in a Secret of the chart are treated: by key, whether pods are new."""
    values = base["secrets"]["values"]
    made, _ = template(helm, base, name)
    wrong = []
    for key, is_new in expected.items():
        other = {**base["secrets"], "values": {**values, key: "redis://changed:6379"}}
        changed, _ = template(helm, {**base, "secrets": other}, name)
        if (changed != made) != is_new:
            wrong.append(f"another {key} in secrets.values makes {'no ' if is_new else ''}new pods")
    return wrong


def main(helm: str) -> None:
    """Compares, and stops with every change that is treated otherwise."""
    of_chat_v2 = {"secrets": SECRETS_OF_CHAT_V2, "chatV2": WITHOUT_NAMES}
    wrong = compared(helm, "minimal", KEEP, REPLACE)
    wrong += compared(helm, "chat-v2", KEEP_OF_CHAT_V2, REPLACE_OF_CHAT_V2)
    wrong += of_secrets(helm, "minimal", {"secrets": SECRETS}, {"api-key-acme": False, "redis-url": True})
    wrong += of_secrets(helm, "chat-v2", of_chat_v2, {"chat-v2-token-secret": False, "chat-v2-signing-key": True})
    for sentence in wrong:
        print(f"error: {sentence}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    kept, replaced = len(KEEP) + len(KEEP_OF_CHAT_V2) + 2, len(REPLACE) + len(REPLACE_OF_CHAT_V2) + 2
    print(f"{kept} changes leave the pods alone, {replaced} replace them")


if __name__ == "__main__":
    main(*sys.argv[1:])
