"""A shop's bot, written with the Python client, for the tests of the sandbox's pages.

It serves two kinds of customers. Those of the shop's own app talk with it here: each line of standard input is a JSON
object that says what the customer does (see `App`), with an `id` that its answer carries. Those of the widget reach
it by events. What it hears on AgentEvents goes to standard output, each event as `{"heard": …}`. It ends with
standard input.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatbridge import Chatbridge, File, from_bot, from_user, to_queue
from chatbridge.v1 import (
    AgentEvent,
    AssignmentType,
    Attachment,
    AuthorType,
    Card,
    ConversationState,
    MessageInput,
    Property,
    User,
)
from google.protobuf.json_format import MessageToDict, ParseDict

TARGET = os.environ["CHATBRIDGE_TARGET"]
APP_CHANNEL = "sandbox-chat"
# Where the sandbox's channels post: who takes a conversation back hears of it there.
WEBHOOK = "sandbox-webhook"
ORDERS = "100"
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def card(content_type: str, content: Any) -> Card:
    """A card of any kind."""
    made = Card(content_type=content_type)
    ParseDict(content, made.content)
    return made


def parcel(order: str) -> Card:
    """Says where a parcel is."""
    facts = [{"title": "Order", "value": order}, {"title": "Arrives", "value": "Tuesday"}]
    body = [{"type": "TextBlock", "text": "On its way", "weight": "Bolder"}, {"type": "FactSet", "facts": facts}]
    content = {"type": "AdaptiveCard", "version": "1.5", "body": body}
    return card("application/vnd.microsoft.card.adaptive", content)


def choices(question: str, *titles: str) -> MessageInput:
    """A question with answers to choose from."""
    options = [{"title": title, "payload": title.lower()} for title in titles]
    replies = card("application/8x8.quick.replies", {"options": options})
    return MessageInput(author_type=AuthorType.AUTHOR_TYPE_BOT, text=question, cards=[replies])


@dataclass
class App:
    """The shop's own app, with one customer. What a command's `do` names is a method."""

    chatbridge: Chatbridge
    transcript: list[MessageInput] = field(default_factory=list)
    conversation_id: str = ""

    async def write(self, text: str) -> None:
        """The customer writes: to the bot, and once there is a conversation to the agent."""
        if self.conversation_id:
            await self.chatbridge.send_message(self.conversation_id, text)
            return
        self.transcript.append(from_user(text))
        answer = from_bot("It is on its way:")
        answer.cards.append(parcel("4711"))
        self.transcript.append(answer)

    async def hand_over(self, user: dict[str, Any], context: dict[str, str], file: dict[str, str]) -> str:
        """The customer wants a person, who is to see what was said, whom it is about, and a file."""
        self.transcript.append(from_user("I want a person."))
        self.transcript.append(from_bot("I am looking for somebody."))
        handed = await self.chatbridge.hand_over_conversation(
            APP_CHANNEL,
            user=user_of(user, context),
            assignment=to_queue(ORDERS),
            history=self.transcript,
            files=[File(base64.b64decode(file["content"]), file["name"], text="This is how it looks.")],
        )
        self.conversation_id = handed.conversation_id
        if handed.files[0].error_message:
            raise RuntimeError(handed.files[0].error_message)
        return self.conversation_id

    async def change(self, user: dict[str, Any], context: dict[str, str]) -> None:
        """The bot has learnt more about the customer."""
        await self.chatbridge.update_conversation(self.conversation_id, user=user_of(user, context))

    async def types(self) -> None:
        """The customer types."""
        await self.chatbridge.send_typing_indicator(self.conversation_id)

    async def reads(self) -> None:
        """The customer has read all."""
        await self.chatbridge.send_read_receipt(self.conversation_id)

    async def uses_card(self, name: str) -> None:
        """The customer uses the latest card that is there to be used."""
        async for message in self.chatbridge.iterate_messages(self.conversation_id):
            for it in message.cards:
                if message.author.type == AuthorType.AUTHOR_TYPE_AGENT:
                    await self.chatbridge.submit_card_action(self.conversation_id, it.id, name)
                    return
        raise RuntimeError("the agent has sent no card")

    async def sends_file(self, name: str, content: str, text: str) -> None:
        """The customer sends a file."""
        file = File(base64.b64decode(content), name)
        sent = await self.chatbridge.upload_attachment(self.conversation_id, file)
        message = from_user(text)
        message.attachments.append(Attachment(id=sent.id))
        await self.chatbridge.send_message(self.conversation_id, message)

    async def opens_file(self, name: str) -> str:
        """The customer opens a file that came."""
        async for it in self.chatbridge.iterate_attachments(self.conversation_id):
            if it.file_name == name:
                with tempfile.TemporaryDirectory() as directory:
                    path = Path(directory) / "file"
                    await self.chatbridge.download_attachment_to(self.conversation_id, it.id, path)
                    return base64.b64encode(path.read_bytes()).decode()
        raise RuntimeError(f"there is no file {name}")


def user_of(given: dict[str, Any], context: dict[str, str]) -> User:
    """The customer, and what the agent should know."""
    user: User = ParseDict(given, User())
    user.additional_properties.extend(Property(key=key, value=value) for key, value in context.items())
    return user


@dataclass
class Visitor:
    """A customer in the vendor's widget."""

    greeted: bool = False
    with_agent: bool = False
    with_bot: bool = True


class Widget:
    """The bot's half of conversations that begin in the widget."""

    def __init__(self, chatbridge: Chatbridge) -> None:
        """Nobody is there yet."""
        self._chatbridge = chatbridge
        self._visitors: dict[str, Visitor] = {}

    async def hear(self, event: AgentEvent) -> None:
        """Does what is to be done about an event."""
        if event.conversation_updated.channel_type == "WebChat":
            self._visitors.setdefault(event.conversation_id, Visitor())
        visitor = self._visitors.get(event.conversation_id)
        if visitor is None:
            return
        if event.HasField("conversation_updated"):
            await self._updated(event, visitor)
        elif event.HasField("quick_reply"):
            await self._chosen(event, event.quick_reply.title)
        elif event.message.sender.type == AuthorType.AUTHOR_TYPE_USER:
            await self._written(event, visitor)

    async def _updated(self, event: AgentEvent, visitor: Visitor) -> None:
        update = event.conversation_updated
        if update.state != ConversationState.CONVERSATION_STATE_ACTIVE:
            return
        assigned = update.assignment.type
        if assigned == AssignmentType.ASSIGNMENT_TYPE_AGENT:
            visitor.with_agent = True
        visitor.with_bot = assigned in (
            AssignmentType.ASSIGNMENT_TYPE_SCRIPT,
            AssignmentType.ASSIGNMENT_TYPE_UNSPECIFIED,
        )
        if visitor.with_bot and visitor.with_agent:
            visitor.with_agent = False
            await self._say(event, choices("You are with the bot again. Did that help?", "Yes", "No"))

    async def _written(self, event: AgentEvent, visitor: Visitor) -> None:
        found = EMAIL.search(event.message.text)
        if found:
            user = User(email=found[0], additional_properties=[Property(key="orderId", value="4711")])
            await self._chatbridge.update_conversation(event.conversation_id, user=user)
        elif visitor.with_bot and not visitor.greeted:
            visitor.greeted = True
            await self._say(event, choices("Hello! What is it about?", "My parcel", "A person"))

    async def _chosen(self, event: AgentEvent, title: str) -> None:
        conversation_id = event.conversation_id
        if title == "My parcel":
            message = from_bot("It is on its way:")
            message.cards.append(parcel("4711"))
            await self._say(event, message)
        elif title == "Yes":
            await self._say(event, from_bot("I am glad. Goodbye!"))
            await self._chatbridge.end_conversation(conversation_id)
        else:
            await self._say(event, from_bot("I am looking for somebody. What is your e-mail address?"))
            await self._chatbridge.create_post_agent_assignment(conversation_id, WEBHOOK)
            await self._chatbridge.update_conversation(conversation_id, assignment=to_queue(ORDERS))

    async def _say(self, event: AgentEvent, message: MessageInput) -> None:
        await self._chatbridge.send_message(event.conversation_id, message)


def tell(line: dict[str, Any]) -> None:
    """Writes a line of standard output."""
    print(json.dumps(line), flush=True)


async def listen(chatbridge: Chatbridge) -> None:
    """Tells of every event, and has the bot answer those of the widget."""
    widget = Widget(chatbridge)
    async with chatbridge.agent_events() as stream:
        async for response in stream:
            if not response.HasField("event"):
                # The first response says that the stream is open.
                tell({"ready": True})
                continue
            tell({"heard": MessageToDict(response.event)})
            await widget.hear(response.event)


async def obey(app: App) -> None:
    """Does what standard input says, line by line."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        number = command.pop("id")
        try:
            tell({"done": number, "with": await getattr(app, command.pop("do"))(**command)})
        except Exception as error:
            tell({"done": number, "failed": f"{type(error).__name__}: {error}"})


async def main() -> None:
    """Serves until standard input ends."""
    async with Chatbridge(TARGET) as chatbridge:
        listening = asyncio.create_task(listen(chatbridge))
        obeying = asyncio.create_task(obey(App(chatbridge)))
        done, _ = await asyncio.wait([listening, obeying], return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        for task in done:
            task.result()


asyncio.run(main())
