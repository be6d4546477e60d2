"""Webhooks, channels and keys of the tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator

from google.protobuf.struct_pb2 import Struct

from chatbridge.calls import Calls, pages
from chatbridge.v1 import (
    Channel,
    CreateChannelRequest,
    CreateChannelResponse,
    CreateWebhookRequest,
    CreateWebhookResponse,
    DeleteChannelRequest,
    DeleteChannelResponse,
    DeleteWebhookRequest,
    DeleteWebhookResponse,
    GetChannelRequest,
    GetChannelResponse,
    GetSigningKeyRequest,
    GetSigningKeyResponse,
    GetWebhookRequest,
    GetWebhookResponse,
    ListChannelsRequest,
    ListChannelsResponse,
    ListWebhooksRequest,
    ListWebhooksResponse,
    ReplaceChannelRequest,
    ReplaceChannelResponse,
    ReplaceWebhookRequest,
    ReplaceWebhookResponse,
    VerifyWebhookRequest,
    VerifyWebhookResponse,
    Webhook,
)


class ConfigurationCalls(Calls):
    """Calls of `ConfigurationService`."""

    async def list_webhooks(
        self,
        *,
        page_size: int = 0,
        page_token: str = "",
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListWebhooksResponse:
        """Reads one page of the tenant's webhooks from the vendor. `filter` is FIQL."""
        request = ListWebhooksRequest(
            tenant=tenant, page_size=page_size, page_token=page_token, filter=filter, order_by=order_by
        )
        return await self._call(request, ListWebhooksResponse, timeout)

    async def iterate_webhooks(
        self,
        *,
        page_size: int = 100,
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Webhook]:
        """Every webhook of the tenant, page after page; `timeout` is that of each page. `filter` is FIQL."""
        async for page in pages(
            lambda token: self.list_webhooks(
                page_size=page_size,
                page_token=token,
                filter=filter,
                order_by=order_by,
                tenant=tenant,
                timeout=timeout,
            )
        ):
            for webhook in page.webhooks:
                yield webhook

    async def create_webhook(
        self, webhook: Webhook, *, request_id: str = "", tenant: str = "", timeout: float | None = None
    ) -> Webhook:
        """Creates a webhook, and answers it as the vendor has it; its `id` is not read.

        `request_id` is a UUID that makes a repeat harmless; empty: a new one.
        """
        request = CreateWebhookRequest(tenant=tenant, request_id=request_id, webhook=webhook)
        return (await self._call(request, CreateWebhookResponse, timeout)).webhook

    async def get_webhook(self, webhook_id: str, *, tenant: str = "", timeout: float | None = None) -> Webhook:
        """Reads a webhook from the vendor."""
        request = GetWebhookRequest(tenant=tenant, webhook_id=webhook_id)
        return (await self._call(request, GetWebhookResponse, timeout)).webhook

    async def replace_webhook(self, webhook: Webhook, *, tenant: str = "", timeout: float | None = None) -> Webhook:
        """Replaces a webhook as a whole; its `id` says which. Answers it as the vendor has it."""
        request = ReplaceWebhookRequest(tenant=tenant, webhook=webhook)
        return (await self._call(request, ReplaceWebhookResponse, timeout)).webhook

    async def delete_webhook(self, webhook_id: str, *, tenant: str = "", timeout: float | None = None) -> None:
        """Deletes a webhook. One that a channel uses the vendor may refuse to delete."""
        request = DeleteWebhookRequest(tenant=tenant, webhook_id=webhook_id)
        await self._call(request, DeleteWebhookResponse, timeout)

    async def list_channels(
        self,
        *,
        page_size: int = 0,
        page_token: str = "",
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> ListChannelsResponse:
        """Reads one page of the tenant's channels from the vendor. `filter` is FIQL."""
        request = ListChannelsRequest(
            tenant=tenant, page_size=page_size, page_token=page_token, filter=filter, order_by=order_by
        )
        return await self._call(request, ListChannelsResponse, timeout)

    async def iterate_channels(
        self,
        *,
        page_size: int = 100,
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        tenant: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Channel]:
        """Every channel of the tenant, page after page; `timeout` is that of each page. `filter` is FIQL."""
        async for page in pages(
            lambda token: self.list_channels(
                page_size=page_size,
                page_token=token,
                filter=filter,
                order_by=order_by,
                tenant=tenant,
                timeout=timeout,
            )
        ):
            for channel in page.channels:
                yield channel

    async def create_channel(
        self, channel: Channel, *, request_id: str = "", tenant: str = "", timeout: float | None = None
    ) -> Channel:
        """Creates a channel, and answers it as the vendor has it; its `id` is not read.

        `request_id` is a UUID that makes a repeat harmless; empty: a new one.
        """
        request = CreateChannelRequest(tenant=tenant, request_id=request_id, channel=channel)
        return (await self._call(request, CreateChannelResponse, timeout)).channel

    async def get_channel(self, channel_id: str, *, tenant: str = "", timeout: float | None = None) -> Channel:
        """Reads a channel from the vendor."""
        request = GetChannelRequest(tenant=tenant, channel_id=channel_id)
        return (await self._call(request, GetChannelResponse, timeout)).channel

    async def replace_channel(self, channel: Channel, *, tenant: str = "", timeout: float | None = None) -> Channel:
        """Replaces a channel as a whole; its `id` says which. Answers it as the vendor has it."""
        request = ReplaceChannelRequest(tenant=tenant, channel=channel)
        return (await self._call(request, ReplaceChannelResponse, timeout)).channel

    async def delete_channel(self, channel_id: str, *, tenant: str = "", timeout: float | None = None) -> None:
        """Deletes a channel. One that is in use the vendor may refuse to delete."""
        request = DeleteChannelRequest(tenant=tenant, channel_id=channel_id)
        await self._call(request, DeleteChannelResponse, timeout)

    async def verify_webhook(
        self, uri: str, *, version: str = "", tenant: str = "", timeout: float | None = None
    ) -> None:
        """Has the vendor send a verification to a URL, which must be answered with 2xx."""
        request = VerifyWebhookRequest(tenant=tenant, uri=uri, version=version)
        await self._call(request, VerifyWebhookResponse, timeout)

    async def get_signing_key(self, key_id: str, *, tenant: str = "", timeout: float | None = None) -> Struct:
        """Reads the key, as a JWK (RFC 7517), with which the vendor signs webhooks and that the `kid` names."""
        request = GetSigningKeyRequest(tenant=tenant, key_id=key_id)
        return (await self._call(request, GetSigningKeyResponse, timeout)).jwk
