# Written from cards.py by tools/synchronous.py: change that instead.
"""Adaptive cards."""

from __future__ import annotations

from collections.abc import Iterator

from chatbridge.sync.calls import Calls, pages
from chatbridge.v1 import (
    Card,
    ExecuteCardActionRequest,
    ExecuteCardActionResponse,
    ListCardsRequest,
    ListCardsResponse,
    SubmitCardActionRequest,
    SubmitCardActionResponse,
)


class CardCalls(Calls):
    """Calls of `ConversationService` about cards."""

    def list_cards(
        self,
        conversation_id: str,
        message_id: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListCardsResponse:
        """Reads one page of a message's cards from the vendor, the newest first unless `order_by` says."""
        request = ListCardsRequest(
            tenant=tenant,
            conversation_id=conversation_id,
            message_id=message_id,
            page_size=page_size,
            page_token=page_token,
            order_by=order_by,
        )
        return self._call(request, ListCardsResponse, timeout)

    def iterate_cards(
        self,
        conversation_id: str,
        message_id: str,
        *,
        page_size: int = 100,
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> Iterator[Card]:
        """Every card of a message, page after page; `timeout` is that of each page."""
        for page in pages(
            lambda token: self.list_cards(
                conversation_id,
                message_id,
                page_size=page_size,
                page_token=token,
                order_by=order_by,
                tenant=tenant,
                timeout=timeout,
            )
        ):
            for card in page.cards:
                yield card

    def submit_card_action(
        self, conversation_id: str, card_id: str, name: str = "", *, tenant: str = "", timeout: float | None = None
    ) -> None:
        """Tells the vendor that the customer submitted an adaptive card (`Action.Submit`).

        `name` is the vendor's, which does not document it.
        """
        request = SubmitCardActionRequest(tenant=tenant, conversation_id=conversation_id, card_id=card_id, name=name)
        self._call(request, SubmitCardActionResponse, timeout)

    def execute_card_action(
        self, conversation_id: str, card_id: str, name: str = "", *, tenant: str = "", timeout: float | None = None
    ) -> None:
        """Tells the vendor that an adaptive card's action was executed (`Action.Execute`).

        `name` is the vendor's, which does not document it.
        """
        request = ExecuteCardActionRequest(tenant=tenant, conversation_id=conversation_id, card_id=card_id, name=name)
        self._call(request, ExecuteCardActionResponse, timeout)
