package io.chatbridge.client;

import io.chatbridge.v1.Channel;
import io.chatbridge.v1.ConfigurationServiceGrpc;
import io.chatbridge.v1.CreateChannelRequest;
import io.chatbridge.v1.CreateChannelResponse;
import io.chatbridge.v1.CreateWebhookRequest;
import io.chatbridge.v1.CreateWebhookResponse;
import io.chatbridge.v1.DeleteChannelRequest;
import io.chatbridge.v1.DeleteChannelResponse;
import io.chatbridge.v1.DeleteWebhookRequest;
import io.chatbridge.v1.DeleteWebhookResponse;
import io.chatbridge.v1.GetChannelRequest;
import io.chatbridge.v1.GetChannelResponse;
import io.chatbridge.v1.GetSigningKeyRequest;
import io.chatbridge.v1.GetSigningKeyResponse;
import io.chatbridge.v1.GetWebhookRequest;
import io.chatbridge.v1.GetWebhookResponse;
import io.chatbridge.v1.ListChannelsRequest;
import io.chatbridge.v1.ListChannelsResponse;
import io.chatbridge.v1.ListWebhooksRequest;
import io.chatbridge.v1.ListWebhooksResponse;
import io.chatbridge.v1.ReplaceChannelRequest;
import io.chatbridge.v1.ReplaceChannelResponse;
import io.chatbridge.v1.ReplaceWebhookRequest;
import io.chatbridge.v1.ReplaceWebhookResponse;
import io.chatbridge.v1.VerifyWebhookRequest;
import io.chatbridge.v1.VerifyWebhookResponse;
import io.chatbridge.v1.Webhook;

/** Calls about webhooks, channels and keys. */
abstract class ConfigurationCalls extends SubscriptionCalls {
  ConfigurationCalls(Transport transport) {
    super(transport);
  }

  /** Lists a tenant's webhooks. */
  public ListWebhooksResponse listWebhooks(ListWebhooksRequest request) {
    return call(ConfigurationServiceGrpc.getListWebhooksMethod(), request);
  }

  /**
   * All items of {@link #listWebhooks}, page by page as they are asked for, from the page that the
   * request names.
   */
  public Iterable<Webhook> iterateWebhooks(ListWebhooksRequest request) {
    return pages(
        request,
        this::listWebhooks,
        ListWebhooksResponse::getWebhooksList,
        ListWebhooksResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /** Creates a webhook. */
  public CreateWebhookResponse createWebhook(CreateWebhookRequest request) {
    return call(ConfigurationServiceGrpc.getCreateWebhookMethod(), request);
  }

  /** Reads a webhook. */
  public GetWebhookResponse getWebhook(GetWebhookRequest request) {
    return call(ConfigurationServiceGrpc.getGetWebhookMethod(), request);
  }

  /** Replaces a webhook as a whole. */
  public ReplaceWebhookResponse replaceWebhook(ReplaceWebhookRequest request) {
    return call(ConfigurationServiceGrpc.getReplaceWebhookMethod(), request);
  }

  /**
   * Deletes a webhook. One that a channel uses the vendor may refuse to delete: ABORTED ({@code
   * UPSTREAM_CONFLICT}).
   */
  public DeleteWebhookResponse deleteWebhook(DeleteWebhookRequest request) {
    return call(ConfigurationServiceGrpc.getDeleteWebhookMethod(), request);
  }

  /** Has the vendor send a verification to a URL, which must be answered with 2xx. */
  public VerifyWebhookResponse verifyWebhook(VerifyWebhookRequest request) {
    return call(ConfigurationServiceGrpc.getVerifyWebhookMethod(), request);
  }

  /** Lists a tenant's channels. */
  public ListChannelsResponse listChannels(ListChannelsRequest request) {
    return call(ConfigurationServiceGrpc.getListChannelsMethod(), request);
  }

  /**
   * All items of {@link #listChannels}, page by page as they are asked for, from the page that the
   * request names.
   */
  public Iterable<Channel> iterateChannels(ListChannelsRequest request) {
    return pages(
        request,
        this::listChannels,
        ListChannelsResponse::getChannelsList,
        ListChannelsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /** Creates a channel. */
  public CreateChannelResponse createChannel(CreateChannelRequest request) {
    return call(ConfigurationServiceGrpc.getCreateChannelMethod(), request);
  }

  /** Reads a channel. */
  public GetChannelResponse getChannel(GetChannelRequest request) {
    return call(ConfigurationServiceGrpc.getGetChannelMethod(), request);
  }

  /** Replaces a channel as a whole. */
  public ReplaceChannelResponse replaceChannel(ReplaceChannelRequest request) {
    return call(ConfigurationServiceGrpc.getReplaceChannelMethod(), request);
  }

  /** Deletes a channel. */
  public DeleteChannelResponse deleteChannel(DeleteChannelRequest request) {
    return call(ConfigurationServiceGrpc.getDeleteChannelMethod(), request);
  }

  /** Reads a public key with which the vendor signs webhooks. */
  public GetSigningKeyResponse getSigningKey(GetSigningKeyRequest request) {
    return call(ConfigurationServiceGrpc.getGetSigningKeyMethod(), request);
  }
}
