"""A bot that hands a customer over and carries messages until the conversation is over."""

import asyncio
import os

from chatbridge import Chatbridge, from_bot, from_user, to_queue
from chatbridge.v1 import AuthorType, MemberChange, SessionState, User

TARGET = os.environ.get("CHATBRIDGE_TARGET", "127.0.0.1:50051")
TOKEN = os.environ.get("CHATBRIDGE_TOKEN") or None


async def main() -> None:
    """Hands Ada over to queue 100."""
    async with Chatbridge(TARGET, token=TOKEN) as chatbridge:
        chat = await chatbridge.hand_over_conversation(
            "sandbox-chat",
            user=User(name="Ada"),
            assignment=to_queue("100"),
            history=[from_bot("How can I help?"), from_user("A person, please.")],
        )
        answered = False
        async with chatbridge.agent_events([chat.conversation_id], start=chat.cursor) as stream:
            async for response in stream:
                event = response.event
                if event.member_changed.change == MemberChange.MEMBER_CHANGE_JOINED:
                    member = event.member_changed.member
                    if member.type == AuthorType.AUTHOR_TYPE_AGENT:
                        print("agent joined:", member.name or member.id, flush=True)
                elif event.message.sender.type == AuthorType.AUTHOR_TYPE_AGENT:
                    print("agent:", event.message.text, flush=True)
                    if not answered:
                        answered = True
                        await chatbridge.send_message(chat.conversation_id, "Thank you, bye")
                if event.state == SessionState.SESSION_STATE_IDLE:
                    print("ended", flush=True)
                    return


asyncio.run(main())
