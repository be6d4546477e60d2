package io.chatbridge.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.UUID;

/** Completes requests, in a copy. */
final class Requests {
  private Requests() {}

  /**
   * The request with the client's tenant where it names none, and with a new UUID where its {@code
   * request_id} is empty.
   */
  static <M extends Message> M complete(M request, String tenant) {
    M withTenant = tenant.isEmpty() ? request : fill(request, "tenant", tenant);
    return fill(withTenant, "request_id", null);
  }

  private static <M extends Message> M fill(M request, String name, String value) {
    FieldDescriptor field = request.getDescriptorForType().findFieldByName(name);
    if (field == null || !request.getField(field).equals("")) {
      return request;
    }
    String text = value == null ? UUID.randomUUID().toString() : value;
    @SuppressWarnings("unchecked") // A builder builds what it was made from.
    M completed = (M) request.toBuilder().setField(field, text).build();
    return completed;
  }
}
