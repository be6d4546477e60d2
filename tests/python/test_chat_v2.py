"""A client of Chat API v2 runs unchanged against Chatbridge, with the sandbox's agents behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chat_v2_client import ChatApi, ChatApiError, ForgedEventError, WebhookEvent, WebhookServer
from chat_v2_service import AGENTS, Service, running_chat_v2, until

HISTORY = [{"type": "bot", "text": "How can I help?"}, {"type": "user", "text": "A person, please."}]
ORDERS = {"queueId": "100", "queueName": "Orders"}
RETURNS = {"queueId": "200", "queueName": "Returns"}
MARIA = {"agentId": "maria", "agentName": AGENTS["maria"]}
IVAN = {"agentId": "ivan", "agentName": AGENTS["ivan"]}
CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Which size?"}]},
}
# What only 8x8 knows: the test looks it up there.
LINK = "the link of the file"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_chat_v2(tmp_path_factory.mktemp("chat-v2")) as service:
        yield service


def texts(messages: list[dict[str, Any]], author_type: str) -> list[str]:
    return [message["originalText"] for message in messages if message["authorType"] == author_type]


@dataclass
class Talk:
    """A conversation, and the webhook that hears of it and of nothing else."""

    service: Service
    hook: WebhookServer
    conversation: str

    def hears(self, event_type: str, **fields: str) -> WebhookEvent:
        """The next event must be this one, with these fields and no others."""
        event = self.hook.next_event()
        assert self.hook.forged == []
        upstream = self.service.upstream_event(event.id)
        if fields.get("message", "").endswith(LINK):
            link = upstream["data"]["attachments"][0]["preSignedUrl"]
            fields["message"] = fields["message"].removesuffix(LINK) + link
        assert event.body == {
            "eventType": event_type,
            "messageType": "AGENT" if event_type == "TEXT" else "SYSTEM",
            "conversationId": self.conversation,
            "timestamp": upstream["timestamp"],
            **fields,
        }
        assert event.tenant == "sandbox"
        return event

    def hears_script(self, agent: dict[str, str], *words: str) -> None:
        """The next event must be what the sandbox's agent says of itself, with these words."""
        event = self.hook.next_event()
        said = self.service.upstream_event(event.id)
        assert all(word in event.body["message"] for word in words)
        assert event.body == {
            "eventType": "TEXT",
            "messageType": "AGENT",
            "conversationId": self.conversation,
            "timestamp": said["timestamp"],
            "message": said["data"]["text"],
            **agent,
        }

    def act(self, **action: Any) -> None:
        """Lets whatever agent is there do something."""
        self.service.control("POST", f"/conversations/{self.conversation}/agent", action)


def begin(service: Service, hook: WebhookServer, customer: dict[str, str]) -> tuple[Talk, str, str]:
    """A conversation with webhook and channel of its own; their identifiers."""
    webhook = service.api.create_webhook("App", hook.uri)
    channel = service.api.create_channel("App", webhook["id"], "100")
    conversation = service.api.create_conversation(channel["id"], customer, HISTORY)
    return Talk(service, hook, conversation), webhook["id"], channel["id"]


def test_a_client_of_v2_from_its_first_request_to_its_customers_leaving(service: Service) -> None:
    api = service.api
    with WebhookServer(api) as hook:
        api.verify_webhook(hook.uri)
        assert hook.next_event().body == {
            "eventType": "WEB_HOOK_VERIFY",
            "messageType": "SYSTEM",
            "notificationVersion": "v2.0",
        }
        customer = {"name": "Ada", "customerId": "u-1", "language": "en", "orderId": "4711"}
        talk, webhook, channel = begin(service, hook, customer)
        conversation = talk.conversation
        assert webhook in [known["id"] for known in api.webhooks()]
        assert channel in [known["id"] for known in api.channels()]

        # The agent joins, sees what the customer brought along, and greets.
        talk.hears("QUEUED", **ORDERS)
        talk.hears("AGENT_JOINED", **MARIA)
        talk.hears_script(MARIA, "Ada", "4711")
        assert "agent" in [participant["type"] for participant in api.participants(conversation)]
        assert conversation in [known["id"] for known in api.conversations(status="handling", userId="u-1")]

        api.send(conversation, "Where is my parcel?")
        talk.hears_script(MARIA, "Where is my parcel?")
        talk.act(action="say", text="Ivan knows more.")
        talk.hears("TEXT", **MARIA, message="Ivan knows more.")
        talk.act(action="transfer", queueId="200")
        talk.hears("TRANSFER")
        talk.hears("AGENT_LEFT", **MARIA)
        talk.hears("QUEUED", **RETURNS)
        talk.hears("AGENT_JOINED", **IVAN)
        talk.act(action="say", text="It arrives today.")
        talk.hears("TEXT", **IVAN, message="It arrives today.")

        talk.act(action="leave")
        talk.hears("AGENT_LEFT", **IVAN)
        first = until(
            lambda: [one for one in api.conversation(conversation)["interactions"] if "endTime" in one],
            "the interaction ends",
        )[0]
        until(lambda: conversation in [it["id"] for it in api.conversations(status="deleted")], "it is over")

        api.send(conversation, "One thing more.")
        talk.hears("QUEUED", **RETURNS)
        talk.hears("AGENT_JOINED", **IVAN)
        talk.act(action="say", text="Here I am.")
        talk.hears("TEXT", **IVAN, message="Here I am.")
        interactions = api.conversation(conversation)["interactions"]
        assert len(interactions) == 2
        of_the_first, of_the_second = (
            [message["originalText"] for message in api.messages(conversation, one["id"])] for one in interactions
        )
        assert [said["text"] for said in HISTORY] == of_the_first[:2]
        assert "Where is my parcel?" in of_the_first
        assert of_the_second == ["One thing more.", "Here I am."]

        api.leave(conversation)
        talk.hears("AGENT_LEFT", **IVAN)
        until(lambda: "endTime" in api.conversation(conversation)["interactions"][1], "the customer has left")
        shown = api.conversation(conversation)
        assert shown["customer"] == customer
        assert shown["startTime"] == first["startTime"]

        with pytest.raises(ChatApiError) as refused:
            api.delete_webhook(webhook)
        assert refused.value.status == 409
        api.delete_channel(channel)
        api.delete_webhook(webhook)
        with pytest.raises(ChatApiError) as refused:
            api.delete_webhook(webhook)
        assert refused.value.status == 404


# What happens, and what the webhook hears of it: nothing else comes in between.
Step = tuple[str, Callable[[Talk], None], list[tuple[str, dict[str, str]]]]


def sits(agent: str, **action: Any) -> Callable[[Talk], None]:
    return lambda talk: talk.service.sits(agent, talk.conversation, action)


def accepts(agent: str) -> Callable[[Talk], None]:
    def accept(talk: Talk) -> None:
        path = f"/conversations/{talk.conversation}"
        until(lambda: (talk.service.control("GET", path).get("offer") or {}).get("agentId") == agent, "an offer")
        talk.service.sits(agent, talk.conversation, {"action": "accept"})

    return accept


def sends_a_file(talk: Talk) -> None:
    path = f"/agents/maria/conversations/{talk.conversation}/files"
    added = talk.service.control(
        "POST", path, b"%PDF-", x_sandbox_filename="bill.pdf", content_type="application/pdf"
    )
    talk.service.sits("maria", talk.conversation, {"action": "say", "text": "Here:", "attachments": [added["id"]]})


def comes_again(talk: Talk) -> None:
    """8x8 delivers all of it once more, as it does where an answer is lost."""
    log = talk.service.control("GET", f"/deliveries?conversationId={talk.conversation}")["deliveries"]
    for event_id in [record["eventId"] for record in log if record["direction"] == "out"]:
        talk.service.control("POST", f"/deliveries/{event_id}/redeliver", b"")


STEPS: list[Step] = [
    ("a conversation begins", lambda talk: None, [("QUEUED", ORDERS)]),
    ("an agent joins", accepts("maria"), [("AGENT_JOINED", MARIA)]),
    (
        "says something",
        sits("maria", action="say", text='Grüß "Gott",\nwas fehlt? 🙂'),
        [("TEXT", {**MARIA, "message": 'Grüß "Gott",\nwas fehlt? 🙂'})],
    ),
    ("types", sits("maria", action="typing"), []),
    ("stops typing", sits("maria", action="typing", stopped=True), []),
    ("has read it", sits("maria", action="read"), []),
    ("a bot writes", lambda talk: talk.service.api.send(talk.conversation, "Beep.", "bot"), []),
    ("the customer writes", lambda talk: talk.service.api.send(talk.conversation, "Hello?"), []),
    (
        "sends a card",
        sits("maria", action="say", cards=[CARD]),
        [("TEXT", {**MARIA, "message": "[Card: Which size?]"})],
    ),
    (
        "sends a file",
        sends_a_file,
        [("TEXT", {**MARIA, "message": f"Here:\n[File: bill.pdf] {LINK}"})],
    ),
    ("all of it comes again", comes_again, []),
    (
        "passes it on",
        sits("maria", action="transfer", queueId="200"),
        [("TRANSFER", {}), ("AGENT_LEFT", MARIA), ("QUEUED", RETURNS)],
    ),
    ("another joins", accepts("ivan"), [("AGENT_JOINED", IVAN)]),
    ("leaves", sits("ivan", action="leave"), [("AGENT_LEFT", IVAN)]),
    ("writes it up", sits("ivan", action="wrapUp", code="resolved"), []),
    (
        "the customer writes again",
        lambda talk: talk.service.api.send(talk.conversation, "Still there?"),
        [("QUEUED", RETURNS)],
    ),
]


def test_a_webhook_hears_of_each_thing_in_v2s_words_and_of_nothing_else(service: Service) -> None:
    for agent in AGENTS:
        service.control("POST", f"/agents/{agent}/sign-in", {})
    try:
        with WebhookServer(service.api) as hook:
            talk, _, _ = begin(service, hook, {"name": "Ada"})
            for what, step, events in STEPS:
                print(what)
                step(talk)
                for event_type, fields in events:
                    talk.hears(event_type, **fields)
    finally:
        for agent in AGENTS:
            service.control("POST", f"/agents/{agent}/sign-out", {})


def test_an_event_that_was_not_taken_comes_again_before_those_behind_it(service: Service) -> None:
    with WebhookServer(service.api) as hook:
        hook.fails = 2
        talk, _, _ = begin(service, hook, {"name": "Ada"})
        assert talk.hears("QUEUED", **ORDERS).retry == 2
        assert talk.hears("AGENT_JOINED", **MARIA).retry == 0
        attempts = [service.api.read_event(headers, body) for headers, body in hook.attempts]
    first = attempts[:3]
    assert [attempt.retry for attempt in first] == [0, 1, 2]
    assert len({attempt.id for attempt in first}) == 1
    assert len({attempt.sent_ms for attempt in first}) == 3
    assert all(attempt.body == first[0].body for attempt in first)


def test_a_receiver_tells_what_was_changed_on_the_way(service: Service) -> None:
    api = service.api
    with WebhookServer(api) as hook:
        talk, _, _ = begin(service, hook, {"name": "Ada"})
        talk.hears("QUEUED", **ORDERS)
        talk.hears("AGENT_JOINED", **MARIA)
        (headers, body), (other, _) = hook.attempts[:2]
        assert api.read_event(headers, body).body["queueId"] == "100"

        changed = body.replace(b'"100"', b'"200"')
        assert changed != body
        forgeries = [
            (headers, changed),
            (headers, body + b" "),
            ({**headers, "x-8x8-retry": "1"}, body),
            ({**headers, "x-8x8-event-id": "another"}, body),
            ({**headers, "x-8x8-tenant-id": "another"}, body),
            ({**headers, "x-8x8-customer-id": "another"}, body),
            ({**headers, "x-8x8-transmission-time": str(int(headers["x-8x8-transmission-time"]) + 1)}, body),
            ({**headers, "x-8x8-signature": other["x-8x8-signature"]}, body),
            ({name: value for name, value in headers.items() if name != "x-8x8-signature"}, body),
        ]
        for forged in forgeries:
            with pytest.raises(ForgedEventError):
                api.read_event(*forged)


def test_a_wrong_secret_gets_no_token(service: Service) -> None:
    api = ChatApi(service.api.base_url, tenant="sandbox", client_id="college-app", client_secret="wrong")
    with pytest.raises(ChatApiError) as refused:
        api.webhooks()
    assert refused.value.status == 401
    assert refused.value.body["ErrorCode"] == "invalid_client"
    counted = 'chatbridge_chat_v2_requests_total{operation="create_access_token",status="401"}'
    until(lambda: any(line.startswith(counted) for line in service.metrics().splitlines()), "it is counted")
