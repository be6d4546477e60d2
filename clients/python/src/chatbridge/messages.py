"""Short ways to write the messages of the contract that are needed most."""

from chatbridge.v1 import Assignment, AssignmentType, AuthorType, MessageInput


def from_user(text: str) -> MessageInput:
    """A text that the customer wrote."""
    return MessageInput(author_type=AuthorType.AUTHOR_TYPE_USER, text=text)


def from_bot(text: str) -> MessageInput:
    """A text that the bot wrote."""
    return MessageInput(author_type=AuthorType.AUTHOR_TYPE_BOT, text=text)


def to_queue(queue_id: str) -> Assignment:
    """Routes to the queue with the vendor's identifier `queue_id`."""
    return Assignment(type=AssignmentType.ASSIGNMENT_TYPE_QUEUE, id=queue_id)


def to_script(script_id: str) -> Assignment:
    """Routes to the script with the vendor's identifier `script_id`."""
    return Assignment(type=AssignmentType.ASSIGNMENT_TYPE_SCRIPT, id=script_id)
