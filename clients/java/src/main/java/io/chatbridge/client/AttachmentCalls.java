package io.chatbridge.client;

import io.chatbridge.v1.Attachment;
import io.chatbridge.v1.AttachmentServiceGrpc;
import io.chatbridge.v1.GetAttachmentRequest;
import io.chatbridge.v1.GetAttachmentResponse;
import io.chatbridge.v1.ListAttachmentsRequest;
import io.chatbridge.v1.ListAttachmentsResponse;

/** Calls about files. */
abstract class AttachmentCalls extends MessageCalls {
  AttachmentCalls(Transport transport) {
    super(transport);
  }

  /** Reads a file's details. */
  public GetAttachmentResponse getAttachment(GetAttachmentRequest request) {
    return call(AttachmentServiceGrpc.getGetAttachmentMethod(), request);
  }

  /** Lists a conversation's files as the vendor has them. */
  public ListAttachmentsResponse listAttachments(ListAttachmentsRequest request) {
    return call(AttachmentServiceGrpc.getListAttachmentsMethod(), request);
  }

  /**
   * All items of {@link #listAttachments}, page by page as they are asked for, from the page that
   * the request names.
   */
  public Iterable<Attachment> iterateAttachments(ListAttachmentsRequest request) {
    return pages(
        request,
        this::listAttachments,
        ListAttachmentsResponse::getAttachmentsList,
        ListAttachmentsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }
}
