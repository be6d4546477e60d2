# Written from sessions.py by tools/synchronous.py: change that instead.
"""What Chatbridge itself knows of conversations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chatbridge.sync.calls import Calls, pages
from chatbridge.v1 import (
    EraseConversationRequest,
    EraseConversationResponse,
    GetSessionRequest,
    GetSessionResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    Session,
    SessionState,
)


class SessionCalls(Calls):
    """Calls of `SessionService`."""

    def get_session(self, conversation_id: str, *, tenant: str = "", timeout: float | None = None) -> Session:
        """Reads what Chatbridge itself knows of a conversation."""
        request = GetSessionRequest(tenant=tenant, conversation_id=conversation_id)
        return self._call(request, GetSessionResponse, timeout).session

    def erase_conversation(self, conversation_id: str, *, tenant: str = "", timeout: float | None = None) -> int:
        """Erases what Chatbridge keeps of a conversation, and answers how many events that were.

        It cannot be undone, and the vendor's data are not touched. It may be repeated.
        """
        request = EraseConversationRequest(tenant=tenant, conversation_id=conversation_id)
        return self._call(request, EraseConversationResponse, timeout).erased_events

    def list_sessions(
        self,
        *,
        states: Iterable[SessionState.ValueType] = (),
        page_size: int = 0,
        page_token: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListSessionsResponse:
        """Reads one page of the tenant's sessions, the last active first. No `states`: all."""
        request = ListSessionsRequest(tenant=tenant, states=states, page_size=page_size, page_token=page_token)
        return self._call(request, ListSessionsResponse, timeout)

    def iterate_sessions(
        self,
        *,
        states: Iterable[SessionState.ValueType] = (),
        page_size: int = 100,
        tenant: str = "",
        timeout: float | None = None,
    ) -> Iterator[Session]:
        """Every session, page after page, the last active first; `timeout` is that of each page."""
        wanted = list(states)
        for page in pages(
            lambda token: self.list_sessions(
                states=wanted, page_size=page_size, page_token=token, tenant=tenant, timeout=timeout
            )
        ):
            for session in page.sessions:
                yield session
