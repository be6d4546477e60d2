"""The signed webhooks that the service's own tests verify, verified by a library that is not ours."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from test_sandbox_signature import Delivery, protected_header, verify

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures/webhooks"
DELIVERIES = sorted((FIXTURES / "deliveries").glob("*.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: path.stem)
def test_a_fixture_is_signed_as_the_vendor_signs(path: Path) -> None:
    delivery = Delivery(read(path)["headers"], base64.b64decode(read(path)["body_base64"]))
    key = RSAKey.import_key(read(FIXTURES / "key.json"))
    header = protected_header(delivery.headers["x-8x8-signature"])
    assert header == {"b64": False, "crit": ["b64"], "kid": key.kid, "alg": "RS256"}
    verify(delivery, delivery.signed_payload(), key)


def test_there_are_fixtures() -> None:
    assert len(DELIVERIES) >= 20
