package io.chatbridge.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Conversations with the contact centre. Most calls make one request to the vendor's Chat Gateway; hand-overs, transfers and
 * `FindOrCreateConversation` make several.
 * Errors are `google.rpc.Status` with an `ErrorInfo` (domain `chatbridge`, a stable `reason`; metadata `reference_id`
 * where the vendor gave one), and `BadRequest` or `RetryInfo` where they apply. Common to all RPCs:
 * - INVALID_ARGUMENT: a field is wrong, and `BadRequest` names it (`INVALID_FIELD`: nothing was sent; `UPSTREAM_INVALID`:
 *   the vendor says so).
 * - NOT_FOUND: no such tenant (`TENANT_UNKNOWN`), or the vendor knows nothing of the kind by this identifier
 *   (`UPSTREAM_NOT_FOUND`).
 * - FAILED_PRECONDITION (`UPSTREAM_CREDENTIALS`): the vendor refused our key.
 * - ABORTED (`UPSTREAM_CONFLICT`): the vendor saw a conflict.
 * - RESOURCE_EXHAUSTED: the vendor's rate limit (`UPSTREAM_RATE_LIMITED`), or our own limits for the tenant, before anything
 *   was sent (`UPSTREAM_THROTTLED`); `RetryInfo` says when there is room, where that is known.
 * - DEADLINE_EXCEEDED (`UPSTREAM_TIMEOUT`): the vendor did not answer in time, and repeating is harmless.
 * - UNAVAILABLE: repeating is harmless. The vendor fails or is not reached (`UPSTREAM_UNAVAILABLE`), or has been failing and
 *   is left alone until `RetryInfo` says (`UPSTREAM_CIRCUIT_OPEN`).
 * - UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`): it may have happened; do not simply repeat. From calls that change something only.
 * - INTERNAL (`UPSTREAM_UNEXPECTED`): the vendor answered in a way that it does not document.
 * `idempotency_level` says which calls may be repeated where the connection broke and nothing told what became of them: those
 * without side effects, and the idempotent ones, with the same `request_id` where there is one. An UNAVAILABLE with a reason may
 * be repeated whatever the call.
 * Calls that create, send, upload, or answer a `cursor` need Redis as well: UNAVAILABLE (`STORE_UNAVAILABLE`) where it is
 * down, and nothing was sent; INTERNAL (`STORE_CORRUPT`). The caller's deadline ends the call to the vendor too.
 * Identifiers have at most 256 bytes, no control characters, and are neither `.` nor `..`. A request message has at most 4
 * MiB; a longer one is OUT_OF_RANGE before it is read, so without details, but INVALID_ARGUMENT where requests are
 * streamed. An answer may be longer than 4 MiB, which many clients refuse unless told otherwise: a page of long messages
 * is.
 * Lists are paged alike: `page_size` of 1 to 100 (0: 20), `page_token` from the page before with all other fields as they
 * were, `total_size` as the vendor counts.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ConversationServiceGrpc {

  private ConversationServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "chatbridge.v1.ConversationService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.HandOverConversationRequest,
      io.chatbridge.v1.HandOverConversationResponse> getHandOverConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "HandOverConversation",
      requestType = io.chatbridge.v1.HandOverConversationRequest.class,
      responseType = io.chatbridge.v1.HandOverConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.HandOverConversationRequest,
      io.chatbridge.v1.HandOverConversationResponse> getHandOverConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.HandOverConversationRequest, io.chatbridge.v1.HandOverConversationResponse> getHandOverConversationMethod;
    if ((getHandOverConversationMethod = ConversationServiceGrpc.getHandOverConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getHandOverConversationMethod = ConversationServiceGrpc.getHandOverConversationMethod) == null) {
          ConversationServiceGrpc.getHandOverConversationMethod = getHandOverConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.HandOverConversationRequest, io.chatbridge.v1.HandOverConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "HandOverConversation"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.HandOverConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.HandOverConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("HandOverConversation"))
              .build();
        }
      }
    }
    return getHandOverConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.FindOrCreateConversationRequest,
      io.chatbridge.v1.FindOrCreateConversationResponse> getFindOrCreateConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "FindOrCreateConversation",
      requestType = io.chatbridge.v1.FindOrCreateConversationRequest.class,
      responseType = io.chatbridge.v1.FindOrCreateConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.FindOrCreateConversationRequest,
      io.chatbridge.v1.FindOrCreateConversationResponse> getFindOrCreateConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.FindOrCreateConversationRequest, io.chatbridge.v1.FindOrCreateConversationResponse> getFindOrCreateConversationMethod;
    if ((getFindOrCreateConversationMethod = ConversationServiceGrpc.getFindOrCreateConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getFindOrCreateConversationMethod = ConversationServiceGrpc.getFindOrCreateConversationMethod) == null) {
          ConversationServiceGrpc.getFindOrCreateConversationMethod = getFindOrCreateConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.FindOrCreateConversationRequest, io.chatbridge.v1.FindOrCreateConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "FindOrCreateConversation"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.FindOrCreateConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.FindOrCreateConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("FindOrCreateConversation"))
              .build();
        }
      }
    }
    return getFindOrCreateConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.CreateConversationRequest,
      io.chatbridge.v1.CreateConversationResponse> getCreateConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateConversation",
      requestType = io.chatbridge.v1.CreateConversationRequest.class,
      responseType = io.chatbridge.v1.CreateConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.CreateConversationRequest,
      io.chatbridge.v1.CreateConversationResponse> getCreateConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.CreateConversationRequest, io.chatbridge.v1.CreateConversationResponse> getCreateConversationMethod;
    if ((getCreateConversationMethod = ConversationServiceGrpc.getCreateConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getCreateConversationMethod = ConversationServiceGrpc.getCreateConversationMethod) == null) {
          ConversationServiceGrpc.getCreateConversationMethod = getCreateConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.CreateConversationRequest, io.chatbridge.v1.CreateConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateConversation"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("CreateConversation"))
              .build();
        }
      }
    }
    return getCreateConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetConversationRequest,
      io.chatbridge.v1.GetConversationResponse> getGetConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetConversation",
      requestType = io.chatbridge.v1.GetConversationRequest.class,
      responseType = io.chatbridge.v1.GetConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetConversationRequest,
      io.chatbridge.v1.GetConversationResponse> getGetConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetConversationRequest, io.chatbridge.v1.GetConversationResponse> getGetConversationMethod;
    if ((getGetConversationMethod = ConversationServiceGrpc.getGetConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getGetConversationMethod = ConversationServiceGrpc.getGetConversationMethod) == null) {
          ConversationServiceGrpc.getGetConversationMethod = getGetConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetConversationRequest, io.chatbridge.v1.GetConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetConversation"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("GetConversation"))
              .build();
        }
      }
    }
    return getGetConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListConversationsRequest,
      io.chatbridge.v1.ListConversationsResponse> getListConversationsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListConversations",
      requestType = io.chatbridge.v1.ListConversationsRequest.class,
      responseType = io.chatbridge.v1.ListConversationsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListConversationsRequest,
      io.chatbridge.v1.ListConversationsResponse> getListConversationsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListConversationsRequest, io.chatbridge.v1.ListConversationsResponse> getListConversationsMethod;
    if ((getListConversationsMethod = ConversationServiceGrpc.getListConversationsMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getListConversationsMethod = ConversationServiceGrpc.getListConversationsMethod) == null) {
          ConversationServiceGrpc.getListConversationsMethod = getListConversationsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListConversationsRequest, io.chatbridge.v1.ListConversationsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListConversations"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListConversationsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListConversationsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("ListConversations"))
              .build();
        }
      }
    }
    return getListConversationsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.UpdateConversationRequest,
      io.chatbridge.v1.UpdateConversationResponse> getUpdateConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateConversation",
      requestType = io.chatbridge.v1.UpdateConversationRequest.class,
      responseType = io.chatbridge.v1.UpdateConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.UpdateConversationRequest,
      io.chatbridge.v1.UpdateConversationResponse> getUpdateConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.UpdateConversationRequest, io.chatbridge.v1.UpdateConversationResponse> getUpdateConversationMethod;
    if ((getUpdateConversationMethod = ConversationServiceGrpc.getUpdateConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getUpdateConversationMethod = ConversationServiceGrpc.getUpdateConversationMethod) == null) {
          ConversationServiceGrpc.getUpdateConversationMethod = getUpdateConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.UpdateConversationRequest, io.chatbridge.v1.UpdateConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateConversation"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.UpdateConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.UpdateConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("UpdateConversation"))
              .build();
        }
      }
    }
    return getUpdateConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceConversationRequest,
      io.chatbridge.v1.ReplaceConversationResponse> getReplaceConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReplaceConversation",
      requestType = io.chatbridge.v1.ReplaceConversationRequest.class,
      responseType = io.chatbridge.v1.ReplaceConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceConversationRequest,
      io.chatbridge.v1.ReplaceConversationResponse> getReplaceConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceConversationRequest, io.chatbridge.v1.ReplaceConversationResponse> getReplaceConversationMethod;
    if ((getReplaceConversationMethod = ConversationServiceGrpc.getReplaceConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getReplaceConversationMethod = ConversationServiceGrpc.getReplaceConversationMethod) == null) {
          ConversationServiceGrpc.getReplaceConversationMethod = getReplaceConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ReplaceConversationRequest, io.chatbridge.v1.ReplaceConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReplaceConversation"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ReplaceConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ReplaceConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("ReplaceConversation"))
              .build();
        }
      }
    }
    return getReplaceConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.TransferConversationRequest,
      io.chatbridge.v1.TransferConversationResponse> getTransferConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "TransferConversation",
      requestType = io.chatbridge.v1.TransferConversationRequest.class,
      responseType = io.chatbridge.v1.TransferConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.TransferConversationRequest,
      io.chatbridge.v1.TransferConversationResponse> getTransferConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.TransferConversationRequest, io.chatbridge.v1.TransferConversationResponse> getTransferConversationMethod;
    if ((getTransferConversationMethod = ConversationServiceGrpc.getTransferConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getTransferConversationMethod = ConversationServiceGrpc.getTransferConversationMethod) == null) {
          ConversationServiceGrpc.getTransferConversationMethod = getTransferConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.TransferConversationRequest, io.chatbridge.v1.TransferConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "TransferConversation"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.TransferConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.TransferConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("TransferConversation"))
              .build();
        }
      }
    }
    return getTransferConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListInteractionsRequest,
      io.chatbridge.v1.ListInteractionsResponse> getListInteractionsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListInteractions",
      requestType = io.chatbridge.v1.ListInteractionsRequest.class,
      responseType = io.chatbridge.v1.ListInteractionsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListInteractionsRequest,
      io.chatbridge.v1.ListInteractionsResponse> getListInteractionsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListInteractionsRequest, io.chatbridge.v1.ListInteractionsResponse> getListInteractionsMethod;
    if ((getListInteractionsMethod = ConversationServiceGrpc.getListInteractionsMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getListInteractionsMethod = ConversationServiceGrpc.getListInteractionsMethod) == null) {
          ConversationServiceGrpc.getListInteractionsMethod = getListInteractionsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListInteractionsRequest, io.chatbridge.v1.ListInteractionsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListInteractions"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListInteractionsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListInteractionsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("ListInteractions"))
              .build();
        }
      }
    }
    return getListInteractionsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.CreatePostAgentAssignmentRequest,
      io.chatbridge.v1.CreatePostAgentAssignmentResponse> getCreatePostAgentAssignmentMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreatePostAgentAssignment",
      requestType = io.chatbridge.v1.CreatePostAgentAssignmentRequest.class,
      responseType = io.chatbridge.v1.CreatePostAgentAssignmentResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.CreatePostAgentAssignmentRequest,
      io.chatbridge.v1.CreatePostAgentAssignmentResponse> getCreatePostAgentAssignmentMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.CreatePostAgentAssignmentRequest, io.chatbridge.v1.CreatePostAgentAssignmentResponse> getCreatePostAgentAssignmentMethod;
    if ((getCreatePostAgentAssignmentMethod = ConversationServiceGrpc.getCreatePostAgentAssignmentMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getCreatePostAgentAssignmentMethod = ConversationServiceGrpc.getCreatePostAgentAssignmentMethod) == null) {
          ConversationServiceGrpc.getCreatePostAgentAssignmentMethod = getCreatePostAgentAssignmentMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.CreatePostAgentAssignmentRequest, io.chatbridge.v1.CreatePostAgentAssignmentResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreatePostAgentAssignment"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreatePostAgentAssignmentRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreatePostAgentAssignmentResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("CreatePostAgentAssignment"))
              .build();
        }
      }
    }
    return getCreatePostAgentAssignmentMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.EndConversationRequest,
      io.chatbridge.v1.EndConversationResponse> getEndConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "EndConversation",
      requestType = io.chatbridge.v1.EndConversationRequest.class,
      responseType = io.chatbridge.v1.EndConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.EndConversationRequest,
      io.chatbridge.v1.EndConversationResponse> getEndConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.EndConversationRequest, io.chatbridge.v1.EndConversationResponse> getEndConversationMethod;
    if ((getEndConversationMethod = ConversationServiceGrpc.getEndConversationMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getEndConversationMethod = ConversationServiceGrpc.getEndConversationMethod) == null) {
          ConversationServiceGrpc.getEndConversationMethod = getEndConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.EndConversationRequest, io.chatbridge.v1.EndConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "EndConversation"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.EndConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.EndConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("EndConversation"))
              .build();
        }
      }
    }
    return getEndConversationMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.SendMessageRequest,
      io.chatbridge.v1.SendMessageResponse> getSendMessageMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SendMessage",
      requestType = io.chatbridge.v1.SendMessageRequest.class,
      responseType = io.chatbridge.v1.SendMessageResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.SendMessageRequest,
      io.chatbridge.v1.SendMessageResponse> getSendMessageMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.SendMessageRequest, io.chatbridge.v1.SendMessageResponse> getSendMessageMethod;
    if ((getSendMessageMethod = ConversationServiceGrpc.getSendMessageMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getSendMessageMethod = ConversationServiceGrpc.getSendMessageMethod) == null) {
          ConversationServiceGrpc.getSendMessageMethod = getSendMessageMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.SendMessageRequest, io.chatbridge.v1.SendMessageResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SendMessage"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendMessageRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendMessageResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("SendMessage"))
              .build();
        }
      }
    }
    return getSendMessageMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetMessageRequest,
      io.chatbridge.v1.GetMessageResponse> getGetMessageMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetMessage",
      requestType = io.chatbridge.v1.GetMessageRequest.class,
      responseType = io.chatbridge.v1.GetMessageResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetMessageRequest,
      io.chatbridge.v1.GetMessageResponse> getGetMessageMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetMessageRequest, io.chatbridge.v1.GetMessageResponse> getGetMessageMethod;
    if ((getGetMessageMethod = ConversationServiceGrpc.getGetMessageMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getGetMessageMethod = ConversationServiceGrpc.getGetMessageMethod) == null) {
          ConversationServiceGrpc.getGetMessageMethod = getGetMessageMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetMessageRequest, io.chatbridge.v1.GetMessageResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetMessage"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetMessageRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetMessageResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("GetMessage"))
              .build();
        }
      }
    }
    return getGetMessageMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListMessagesRequest,
      io.chatbridge.v1.ListMessagesResponse> getListMessagesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListMessages",
      requestType = io.chatbridge.v1.ListMessagesRequest.class,
      responseType = io.chatbridge.v1.ListMessagesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListMessagesRequest,
      io.chatbridge.v1.ListMessagesResponse> getListMessagesMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListMessagesRequest, io.chatbridge.v1.ListMessagesResponse> getListMessagesMethod;
    if ((getListMessagesMethod = ConversationServiceGrpc.getListMessagesMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getListMessagesMethod = ConversationServiceGrpc.getListMessagesMethod) == null) {
          ConversationServiceGrpc.getListMessagesMethod = getListMessagesMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListMessagesRequest, io.chatbridge.v1.ListMessagesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListMessages"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListMessagesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListMessagesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("ListMessages"))
              .build();
        }
      }
    }
    return getListMessagesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListCardsRequest,
      io.chatbridge.v1.ListCardsResponse> getListCardsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListCards",
      requestType = io.chatbridge.v1.ListCardsRequest.class,
      responseType = io.chatbridge.v1.ListCardsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListCardsRequest,
      io.chatbridge.v1.ListCardsResponse> getListCardsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListCardsRequest, io.chatbridge.v1.ListCardsResponse> getListCardsMethod;
    if ((getListCardsMethod = ConversationServiceGrpc.getListCardsMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getListCardsMethod = ConversationServiceGrpc.getListCardsMethod) == null) {
          ConversationServiceGrpc.getListCardsMethod = getListCardsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListCardsRequest, io.chatbridge.v1.ListCardsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListCards"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListCardsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListCardsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("ListCards"))
              .build();
        }
      }
    }
    return getListCardsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.SubmitCardActionRequest,
      io.chatbridge.v1.SubmitCardActionResponse> getSubmitCardActionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SubmitCardAction",
      requestType = io.chatbridge.v1.SubmitCardActionRequest.class,
      responseType = io.chatbridge.v1.SubmitCardActionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.SubmitCardActionRequest,
      io.chatbridge.v1.SubmitCardActionResponse> getSubmitCardActionMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.SubmitCardActionRequest, io.chatbridge.v1.SubmitCardActionResponse> getSubmitCardActionMethod;
    if ((getSubmitCardActionMethod = ConversationServiceGrpc.getSubmitCardActionMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getSubmitCardActionMethod = ConversationServiceGrpc.getSubmitCardActionMethod) == null) {
          ConversationServiceGrpc.getSubmitCardActionMethod = getSubmitCardActionMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.SubmitCardActionRequest, io.chatbridge.v1.SubmitCardActionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SubmitCardAction"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SubmitCardActionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SubmitCardActionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("SubmitCardAction"))
              .build();
        }
      }
    }
    return getSubmitCardActionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ExecuteCardActionRequest,
      io.chatbridge.v1.ExecuteCardActionResponse> getExecuteCardActionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ExecuteCardAction",
      requestType = io.chatbridge.v1.ExecuteCardActionRequest.class,
      responseType = io.chatbridge.v1.ExecuteCardActionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ExecuteCardActionRequest,
      io.chatbridge.v1.ExecuteCardActionResponse> getExecuteCardActionMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ExecuteCardActionRequest, io.chatbridge.v1.ExecuteCardActionResponse> getExecuteCardActionMethod;
    if ((getExecuteCardActionMethod = ConversationServiceGrpc.getExecuteCardActionMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getExecuteCardActionMethod = ConversationServiceGrpc.getExecuteCardActionMethod) == null) {
          ConversationServiceGrpc.getExecuteCardActionMethod = getExecuteCardActionMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ExecuteCardActionRequest, io.chatbridge.v1.ExecuteCardActionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ExecuteCardAction"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ExecuteCardActionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ExecuteCardActionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("ExecuteCardAction"))
              .build();
        }
      }
    }
    return getExecuteCardActionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.SendTypingIndicatorRequest,
      io.chatbridge.v1.SendTypingIndicatorResponse> getSendTypingIndicatorMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SendTypingIndicator",
      requestType = io.chatbridge.v1.SendTypingIndicatorRequest.class,
      responseType = io.chatbridge.v1.SendTypingIndicatorResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.SendTypingIndicatorRequest,
      io.chatbridge.v1.SendTypingIndicatorResponse> getSendTypingIndicatorMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.SendTypingIndicatorRequest, io.chatbridge.v1.SendTypingIndicatorResponse> getSendTypingIndicatorMethod;
    if ((getSendTypingIndicatorMethod = ConversationServiceGrpc.getSendTypingIndicatorMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getSendTypingIndicatorMethod = ConversationServiceGrpc.getSendTypingIndicatorMethod) == null) {
          ConversationServiceGrpc.getSendTypingIndicatorMethod = getSendTypingIndicatorMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.SendTypingIndicatorRequest, io.chatbridge.v1.SendTypingIndicatorResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SendTypingIndicator"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendTypingIndicatorRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendTypingIndicatorResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("SendTypingIndicator"))
              .build();
        }
      }
    }
    return getSendTypingIndicatorMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.SendThinkingIndicatorRequest,
      io.chatbridge.v1.SendThinkingIndicatorResponse> getSendThinkingIndicatorMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SendThinkingIndicator",
      requestType = io.chatbridge.v1.SendThinkingIndicatorRequest.class,
      responseType = io.chatbridge.v1.SendThinkingIndicatorResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.SendThinkingIndicatorRequest,
      io.chatbridge.v1.SendThinkingIndicatorResponse> getSendThinkingIndicatorMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.SendThinkingIndicatorRequest, io.chatbridge.v1.SendThinkingIndicatorResponse> getSendThinkingIndicatorMethod;
    if ((getSendThinkingIndicatorMethod = ConversationServiceGrpc.getSendThinkingIndicatorMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getSendThinkingIndicatorMethod = ConversationServiceGrpc.getSendThinkingIndicatorMethod) == null) {
          ConversationServiceGrpc.getSendThinkingIndicatorMethod = getSendThinkingIndicatorMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.SendThinkingIndicatorRequest, io.chatbridge.v1.SendThinkingIndicatorResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SendThinkingIndicator"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendThinkingIndicatorRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendThinkingIndicatorResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("SendThinkingIndicator"))
              .build();
        }
      }
    }
    return getSendThinkingIndicatorMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.SendReadReceiptRequest,
      io.chatbridge.v1.SendReadReceiptResponse> getSendReadReceiptMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SendReadReceipt",
      requestType = io.chatbridge.v1.SendReadReceiptRequest.class,
      responseType = io.chatbridge.v1.SendReadReceiptResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.SendReadReceiptRequest,
      io.chatbridge.v1.SendReadReceiptResponse> getSendReadReceiptMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.SendReadReceiptRequest, io.chatbridge.v1.SendReadReceiptResponse> getSendReadReceiptMethod;
    if ((getSendReadReceiptMethod = ConversationServiceGrpc.getSendReadReceiptMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getSendReadReceiptMethod = ConversationServiceGrpc.getSendReadReceiptMethod) == null) {
          ConversationServiceGrpc.getSendReadReceiptMethod = getSendReadReceiptMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.SendReadReceiptRequest, io.chatbridge.v1.SendReadReceiptResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SendReadReceipt"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendReadReceiptRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.SendReadReceiptResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("SendReadReceipt"))
              .build();
        }
      }
    }
    return getSendReadReceiptMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListParticipantsRequest,
      io.chatbridge.v1.ListParticipantsResponse> getListParticipantsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListParticipants",
      requestType = io.chatbridge.v1.ListParticipantsRequest.class,
      responseType = io.chatbridge.v1.ListParticipantsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListParticipantsRequest,
      io.chatbridge.v1.ListParticipantsResponse> getListParticipantsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListParticipantsRequest, io.chatbridge.v1.ListParticipantsResponse> getListParticipantsMethod;
    if ((getListParticipantsMethod = ConversationServiceGrpc.getListParticipantsMethod) == null) {
      synchronized (ConversationServiceGrpc.class) {
        if ((getListParticipantsMethod = ConversationServiceGrpc.getListParticipantsMethod) == null) {
          ConversationServiceGrpc.getListParticipantsMethod = getListParticipantsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListParticipantsRequest, io.chatbridge.v1.ListParticipantsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListParticipants"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListParticipantsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListParticipantsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConversationServiceMethodDescriptorSupplier("ListParticipants"))
              .build();
        }
      }
    }
    return getListParticipantsMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ConversationServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConversationServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConversationServiceStub>() {
        @java.lang.Override
        public ConversationServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConversationServiceStub(channel, callOptions);
        }
      };
    return ConversationServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static ConversationServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConversationServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConversationServiceBlockingV2Stub>() {
        @java.lang.Override
        public ConversationServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConversationServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return ConversationServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ConversationServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConversationServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConversationServiceBlockingStub>() {
        @java.lang.Override
        public ConversationServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConversationServiceBlockingStub(channel, callOptions);
        }
      };
    return ConversationServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ConversationServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConversationServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConversationServiceFutureStub>() {
        @java.lang.Override
        public ConversationServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConversationServiceFutureStub(channel, callOptions);
        }
      };
    return ConversationServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Conversations with the contact centre. Most calls make one request to the vendor's Chat Gateway; hand-overs, transfers and
   * `FindOrCreateConversation` make several.
   * Errors are `google.rpc.Status` with an `ErrorInfo` (domain `chatbridge`, a stable `reason`; metadata `reference_id`
   * where the vendor gave one), and `BadRequest` or `RetryInfo` where they apply. Common to all RPCs:
   * - INVALID_ARGUMENT: a field is wrong, and `BadRequest` names it (`INVALID_FIELD`: nothing was sent; `UPSTREAM_INVALID`:
   *   the vendor says so).
   * - NOT_FOUND: no such tenant (`TENANT_UNKNOWN`), or the vendor knows nothing of the kind by this identifier
   *   (`UPSTREAM_NOT_FOUND`).
   * - FAILED_PRECONDITION (`UPSTREAM_CREDENTIALS`): the vendor refused our key.
   * - ABORTED (`UPSTREAM_CONFLICT`): the vendor saw a conflict.
   * - RESOURCE_EXHAUSTED: the vendor's rate limit (`UPSTREAM_RATE_LIMITED`), or our own limits for the tenant, before anything
   *   was sent (`UPSTREAM_THROTTLED`); `RetryInfo` says when there is room, where that is known.
   * - DEADLINE_EXCEEDED (`UPSTREAM_TIMEOUT`): the vendor did not answer in time, and repeating is harmless.
   * - UNAVAILABLE: repeating is harmless. The vendor fails or is not reached (`UPSTREAM_UNAVAILABLE`), or has been failing and
   *   is left alone until `RetryInfo` says (`UPSTREAM_CIRCUIT_OPEN`).
   * - UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`): it may have happened; do not simply repeat. From calls that change something only.
   * - INTERNAL (`UPSTREAM_UNEXPECTED`): the vendor answered in a way that it does not document.
   * `idempotency_level` says which calls may be repeated where the connection broke and nothing told what became of them: those
   * without side effects, and the idempotent ones, with the same `request_id` where there is one. An UNAVAILABLE with a reason may
   * be repeated whatever the call.
   * Calls that create, send, upload, or answer a `cursor` need Redis as well: UNAVAILABLE (`STORE_UNAVAILABLE`) where it is
   * down, and nothing was sent; INTERNAL (`STORE_CORRUPT`). The caller's deadline ends the call to the vendor too.
   * Identifiers have at most 256 bytes, no control characters, and are neither `.` nor `..`. A request message has at most 4
   * MiB; a longer one is OUT_OF_RANGE before it is read, so without details, but INVALID_ARGUMENT where requests are
   * streamed. An answer may be longer than 4 MiB, which many clients refuse unless told otherwise: a page of long messages
   * is.
   * Lists are paged alike: `page_size` of 1 to 100 (0: 20), `page_token` from the page before with all other fields as they
   * were, `total_size` as the vendor counts.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Hands a customer over in one call: conversation, transcript of any length, context and files.
     * The first message of the stream is `start`; then each file is a `file` followed by its bytes in `chunk`s. The
     * conversation is created when `start` has been checked. Files are uploaded as they arrive, each followed by a message
     * that shows it, since the vendor takes files only into conversations that exist. A file that fails does not undo the
     * conversation: `files` tells what became of each. At most 50 files. A caller may pause, but not without end: CANCELLED
     * (`CALLER_GONE`) a minute after the stream was opened without a `start`, and where the next file, or all bytes of one, are not
     * there within the time that the service is set to give a transfer and a minute more. A file whose bytes stop coming for as
     * long as the service waits for an answer of the vendor's fails alone.
     * Idempotent with `request_id`: a repeat with the same stream goes on where the first ended, and creates, uploads and
     * sends nothing twice. With another `start` it is INVALID_ARGUMENT (`REQUEST_ID_REUSED`); a file that is another than
     * the one in its place before has that reason in `files`.
     * Errors before the conversation exists are those of `CreateConversation`. Afterwards only the stream itself fails the
     * call: INVALID_ARGUMENT where it breaks the rules above or a file is larger than the tenant's limit, CANCELLED
     * (`CALLER_GONE`) where it breaks off. The conversation stays: `conversation_id` is in the metadata of `ErrorInfo`. Not
     * for gRPC-Web, which cannot stream from the client.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<io.chatbridge.v1.HandOverConversationRequest> handOverConversation(
        io.grpc.stub.StreamObserver<io.chatbridge.v1.HandOverConversationResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getHandOverConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Finds the conversation of a customer on a channel, or creates it.
     * However many callers ask at once, on however many replicas, there is one conversation for each tenant, channel and
     * `user.user_id`; all of them get it. What is found may be idle: a message reopens it. Only conversations made by
     * Chatbridge's own calls are found, the latest of them, for as long as a session is kept, counted from when they were
     * last found. What is found is answered as it is: `user`, `assignment`, `history` and `labels` apply to a new one only.
     * UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) while it is unknown whether an earlier creation happened: repeat later.
     * DEADLINE_EXCEEDED (`WAIT_TIMED_OUT`) where another caller's creation did not end before the deadline, or within 10 s
     * where there is none: repeat.
     * </pre>
     */
    default void findOrCreateConversation(io.chatbridge.v1.FindOrCreateConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.FindOrCreateConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getFindOrCreateConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Starts a conversation, with the transcript and the context that the agent should see.
     * The vendor accepts at once and routes later: await the outcome on `AgentEvents`, from the cursor in the answer.
     * Idempotent with `request_id`: ABORTED (`REQUEST_IN_FLIGHT`) while the first call with it runs, INVALID_ARGUMENT
     * (`REQUEST_ID_REUSED`) where the request differs. Never sent twice: where the answer is lost, UNKNOWN
     * (`UPSTREAM_OUTCOME_UNKNOWN`), and a repeat with the same `request_id` looks for what became of it.
     * </pre>
     */
    default void createConversation(io.chatbridge.v1.CreateConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads a conversation from the vendor.
     * </pre>
     */
    default void getConversation(io.chatbridge.v1.GetConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's conversations as the vendor has them.
     * </pre>
     */
    default void listConversations(io.chatbridge.v1.ListConversationsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListConversationsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListConversationsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Changes the customer's data or the assignment.
     * The vendor accepts at once and acts later: the event tells the outcome. While a customer waits in a queue, the agent
     * sees the changed data as soon as they join. With an assignment it is not repeated by Chatbridge: where the answer is
     * lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`).
     * </pre>
     */
    default void updateConversation(io.chatbridge.v1.UpdateConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.UpdateConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Replaces channel, customer and assignment as a whole: what is not given is cleared, as far as the vendor clears it.
     * As `UpdateConversation` otherwise.
     * </pre>
     */
    default void replaceConversation(io.chatbridge.v1.ReplaceConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReplaceConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Routes a conversation to another queue or script while no agent has it.
     * FAILED_PRECONDITION (`CONVERSATION_WITH_AGENT`) where the vendor reports that an agent has it, and FAILED_PRECONDITION
     * (`CONVERSATION_ENDED`) where it is idle. An agent who accepts between the check and the change is not excluded: the
     * events tell. Errors otherwise as of `UpdateConversation` with an assignment.
     * </pre>
     */
    default void transferConversation(io.chatbridge.v1.TransferConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.TransferConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTransferConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists a conversation's interactions, as the vendor has them.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    default void listInteractions(io.chatbridge.v1.ListInteractionsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListInteractionsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListInteractionsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Asks that the conversation be handed back to a bot once the agent has left.
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    default void createPostAgentAssignment(io.chatbridge.v1.CreatePostAgentAssignmentRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreatePostAgentAssignmentResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreatePostAgentAssignmentMethod(), responseObserver);
    }

    /**
     * <pre>
     * Ends the current interaction on the customer's behalf.
     * The conversation becomes idle; a new message starts another interaction in it. Repeated by Chatbridge, and safe to
     * repeat.
     * </pre>
     */
    default void endConversation(io.chatbridge.v1.EndConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.EndConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getEndConversationMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends a message as the customer or as the bot.
     * The vendor accepts without an identifier; its echo on `AgentEvents` carries the `request_id`. Idempotent with
     * `request_id`, as `CreateConversation` is.
     * </pre>
     */
    default void sendMessage(io.chatbridge.v1.SendMessageRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendMessageResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSendMessageMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads one message.
     * </pre>
     */
    default void getMessage(io.chatbridge.v1.GetMessageRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetMessageResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetMessageMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists a conversation's messages as the vendor has them.
     * </pre>
     */
    default void listMessages(io.chatbridge.v1.ListMessagesRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListMessagesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListMessagesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the cards of a message.
     * </pre>
     */
    default void listCards(io.chatbridge.v1.ListCardsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListCardsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListCardsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells the vendor that the customer submitted an adaptive card (`Action.Submit`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    default void submitCardAction(io.chatbridge.v1.SubmitCardActionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SubmitCardActionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSubmitCardActionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells the vendor that an adaptive card's action was executed (`Action.Execute`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    default void executeCardAction(io.chatbridge.v1.ExecuteCardActionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ExecuteCardActionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getExecuteCardActionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Shows the agent that the customer or the bot is typing.
     * Never repeated by Chatbridge, nor are the two below: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`),
     * and the next one shows the same.
     * </pre>
     */
    default void sendTypingIndicator(io.chatbridge.v1.SendTypingIndicatorRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendTypingIndicatorResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSendTypingIndicatorMethod(), responseObserver);
    }

    /**
     * <pre>
     * Shows the agent that the bot is working on an answer.
     * </pre>
     */
    default void sendThinkingIndicator(io.chatbridge.v1.SendThinkingIndicatorRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendThinkingIndicatorResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSendThinkingIndicatorMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells the agent up to when the customer or the bot has read.
     * </pre>
     */
    default void sendReadReceipt(io.chatbridge.v1.SendReadReceiptRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendReadReceiptResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSendReadReceiptMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists everybody who took part in a conversation.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    default void listParticipants(io.chatbridge.v1.ListParticipantsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListParticipantsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListParticipantsMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service ConversationService.
   * <pre>
   * Conversations with the contact centre. Most calls make one request to the vendor's Chat Gateway; hand-overs, transfers and
   * `FindOrCreateConversation` make several.
   * Errors are `google.rpc.Status` with an `ErrorInfo` (domain `chatbridge`, a stable `reason`; metadata `reference_id`
   * where the vendor gave one), and `BadRequest` or `RetryInfo` where they apply. Common to all RPCs:
   * - INVALID_ARGUMENT: a field is wrong, and `BadRequest` names it (`INVALID_FIELD`: nothing was sent; `UPSTREAM_INVALID`:
   *   the vendor says so).
   * - NOT_FOUND: no such tenant (`TENANT_UNKNOWN`), or the vendor knows nothing of the kind by this identifier
   *   (`UPSTREAM_NOT_FOUND`).
   * - FAILED_PRECONDITION (`UPSTREAM_CREDENTIALS`): the vendor refused our key.
   * - ABORTED (`UPSTREAM_CONFLICT`): the vendor saw a conflict.
   * - RESOURCE_EXHAUSTED: the vendor's rate limit (`UPSTREAM_RATE_LIMITED`), or our own limits for the tenant, before anything
   *   was sent (`UPSTREAM_THROTTLED`); `RetryInfo` says when there is room, where that is known.
   * - DEADLINE_EXCEEDED (`UPSTREAM_TIMEOUT`): the vendor did not answer in time, and repeating is harmless.
   * - UNAVAILABLE: repeating is harmless. The vendor fails or is not reached (`UPSTREAM_UNAVAILABLE`), or has been failing and
   *   is left alone until `RetryInfo` says (`UPSTREAM_CIRCUIT_OPEN`).
   * - UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`): it may have happened; do not simply repeat. From calls that change something only.
   * - INTERNAL (`UPSTREAM_UNEXPECTED`): the vendor answered in a way that it does not document.
   * `idempotency_level` says which calls may be repeated where the connection broke and nothing told what became of them: those
   * without side effects, and the idempotent ones, with the same `request_id` where there is one. An UNAVAILABLE with a reason may
   * be repeated whatever the call.
   * Calls that create, send, upload, or answer a `cursor` need Redis as well: UNAVAILABLE (`STORE_UNAVAILABLE`) where it is
   * down, and nothing was sent; INTERNAL (`STORE_CORRUPT`). The caller's deadline ends the call to the vendor too.
   * Identifiers have at most 256 bytes, no control characters, and are neither `.` nor `..`. A request message has at most 4
   * MiB; a longer one is OUT_OF_RANGE before it is read, so without details, but INVALID_ARGUMENT where requests are
   * streamed. An answer may be longer than 4 MiB, which many clients refuse unless told otherwise: a page of long messages
   * is.
   * Lists are paged alike: `page_size` of 1 to 100 (0: 20), `page_token` from the page before with all other fields as they
   * were, `total_size` as the vendor counts.
   * </pre>
   */
  public static abstract class ConversationServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ConversationServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service ConversationService.
   * <pre>
   * Conversations with the contact centre. Most calls make one request to the vendor's Chat Gateway; hand-overs, transfers and
   * `FindOrCreateConversation` make several.
   * Errors are `google.rpc.Status` with an `ErrorInfo` (domain `chatbridge`, a stable `reason`; metadata `reference_id`
   * where the vendor gave one), and `BadRequest` or `RetryInfo` where they apply. Common to all RPCs:
   * - INVALID_ARGUMENT: a field is wrong, and `BadRequest` names it (`INVALID_FIELD`: nothing was sent; `UPSTREAM_INVALID`:
   *   the vendor says so).
   * - NOT_FOUND: no such tenant (`TENANT_UNKNOWN`), or the vendor knows nothing of the kind by this identifier
   *   (`UPSTREAM_NOT_FOUND`).
   * - FAILED_PRECONDITION (`UPSTREAM_CREDENTIALS`): the vendor refused our key.
   * - ABORTED (`UPSTREAM_CONFLICT`): the vendor saw a conflict.
   * - RESOURCE_EXHAUSTED: the vendor's rate limit (`UPSTREAM_RATE_LIMITED`), or our own limits for the tenant, before anything
   *   was sent (`UPSTREAM_THROTTLED`); `RetryInfo` says when there is room, where that is known.
   * - DEADLINE_EXCEEDED (`UPSTREAM_TIMEOUT`): the vendor did not answer in time, and repeating is harmless.
   * - UNAVAILABLE: repeating is harmless. The vendor fails or is not reached (`UPSTREAM_UNAVAILABLE`), or has been failing and
   *   is left alone until `RetryInfo` says (`UPSTREAM_CIRCUIT_OPEN`).
   * - UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`): it may have happened; do not simply repeat. From calls that change something only.
   * - INTERNAL (`UPSTREAM_UNEXPECTED`): the vendor answered in a way that it does not document.
   * `idempotency_level` says which calls may be repeated where the connection broke and nothing told what became of them: those
   * without side effects, and the idempotent ones, with the same `request_id` where there is one. An UNAVAILABLE with a reason may
   * be repeated whatever the call.
   * Calls that create, send, upload, or answer a `cursor` need Redis as well: UNAVAILABLE (`STORE_UNAVAILABLE`) where it is
   * down, and nothing was sent; INTERNAL (`STORE_CORRUPT`). The caller's deadline ends the call to the vendor too.
   * Identifiers have at most 256 bytes, no control characters, and are neither `.` nor `..`. A request message has at most 4
   * MiB; a longer one is OUT_OF_RANGE before it is read, so without details, but INVALID_ARGUMENT where requests are
   * streamed. An answer may be longer than 4 MiB, which many clients refuse unless told otherwise: a page of long messages
   * is.
   * Lists are paged alike: `page_size` of 1 to 100 (0: 20), `page_token` from the page before with all other fields as they
   * were, `total_size` as the vendor counts.
   * </pre>
   */
  public static final class ConversationServiceStub
      extends io.grpc.stub.AbstractAsyncStub<ConversationServiceStub> {
    private ConversationServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConversationServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConversationServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Hands a customer over in one call: conversation, transcript of any length, context and files.
     * The first message of the stream is `start`; then each file is a `file` followed by its bytes in `chunk`s. The
     * conversation is created when `start` has been checked. Files are uploaded as they arrive, each followed by a message
     * that shows it, since the vendor takes files only into conversations that exist. A file that fails does not undo the
     * conversation: `files` tells what became of each. At most 50 files. A caller may pause, but not without end: CANCELLED
     * (`CALLER_GONE`) a minute after the stream was opened without a `start`, and where the next file, or all bytes of one, are not
     * there within the time that the service is set to give a transfer and a minute more. A file whose bytes stop coming for as
     * long as the service waits for an answer of the vendor's fails alone.
     * Idempotent with `request_id`: a repeat with the same stream goes on where the first ended, and creates, uploads and
     * sends nothing twice. With another `start` it is INVALID_ARGUMENT (`REQUEST_ID_REUSED`); a file that is another than
     * the one in its place before has that reason in `files`.
     * Errors before the conversation exists are those of `CreateConversation`. Afterwards only the stream itself fails the
     * call: INVALID_ARGUMENT where it breaks the rules above or a file is larger than the tenant's limit, CANCELLED
     * (`CALLER_GONE`) where it breaks off. The conversation stays: `conversation_id` is in the metadata of `ErrorInfo`. Not
     * for gRPC-Web, which cannot stream from the client.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<io.chatbridge.v1.HandOverConversationRequest> handOverConversation(
        io.grpc.stub.StreamObserver<io.chatbridge.v1.HandOverConversationResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncClientStreamingCall(
          getChannel().newCall(getHandOverConversationMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Finds the conversation of a customer on a channel, or creates it.
     * However many callers ask at once, on however many replicas, there is one conversation for each tenant, channel and
     * `user.user_id`; all of them get it. What is found may be idle: a message reopens it. Only conversations made by
     * Chatbridge's own calls are found, the latest of them, for as long as a session is kept, counted from when they were
     * last found. What is found is answered as it is: `user`, `assignment`, `history` and `labels` apply to a new one only.
     * UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) while it is unknown whether an earlier creation happened: repeat later.
     * DEADLINE_EXCEEDED (`WAIT_TIMED_OUT`) where another caller's creation did not end before the deadline, or within 10 s
     * where there is none: repeat.
     * </pre>
     */
    public void findOrCreateConversation(io.chatbridge.v1.FindOrCreateConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.FindOrCreateConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getFindOrCreateConversationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Starts a conversation, with the transcript and the context that the agent should see.
     * The vendor accepts at once and routes later: await the outcome on `AgentEvents`, from the cursor in the answer.
     * Idempotent with `request_id`: ABORTED (`REQUEST_IN_FLIGHT`) while the first call with it runs, INVALID_ARGUMENT
     * (`REQUEST_ID_REUSED`) where the request differs. Never sent twice: where the answer is lost, UNKNOWN
     * (`UPSTREAM_OUTCOME_UNKNOWN`), and a repeat with the same `request_id` looks for what became of it.
     * </pre>
     */
    public void createConversation(io.chatbridge.v1.CreateConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateConversationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads a conversation from the vendor.
     * </pre>
     */
    public void getConversation(io.chatbridge.v1.GetConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetConversationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's conversations as the vendor has them.
     * </pre>
     */
    public void listConversations(io.chatbridge.v1.ListConversationsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListConversationsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListConversationsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Changes the customer's data or the assignment.
     * The vendor accepts at once and acts later: the event tells the outcome. While a customer waits in a queue, the agent
     * sees the changed data as soon as they join. With an assignment it is not repeated by Chatbridge: where the answer is
     * lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`).
     * </pre>
     */
    public void updateConversation(io.chatbridge.v1.UpdateConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.UpdateConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateConversationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Replaces channel, customer and assignment as a whole: what is not given is cleared, as far as the vendor clears it.
     * As `UpdateConversation` otherwise.
     * </pre>
     */
    public void replaceConversation(io.chatbridge.v1.ReplaceConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReplaceConversationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Routes a conversation to another queue or script while no agent has it.
     * FAILED_PRECONDITION (`CONVERSATION_WITH_AGENT`) where the vendor reports that an agent has it, and FAILED_PRECONDITION
     * (`CONVERSATION_ENDED`) where it is idle. An agent who accepts between the check and the change is not excluded: the
     * events tell. Errors otherwise as of `UpdateConversation` with an assignment.
     * </pre>
     */
    public void transferConversation(io.chatbridge.v1.TransferConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.TransferConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getTransferConversationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists a conversation's interactions, as the vendor has them.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public void listInteractions(io.chatbridge.v1.ListInteractionsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListInteractionsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListInteractionsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Asks that the conversation be handed back to a bot once the agent has left.
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public void createPostAgentAssignment(io.chatbridge.v1.CreatePostAgentAssignmentRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreatePostAgentAssignmentResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreatePostAgentAssignmentMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Ends the current interaction on the customer's behalf.
     * The conversation becomes idle; a new message starts another interaction in it. Repeated by Chatbridge, and safe to
     * repeat.
     * </pre>
     */
    public void endConversation(io.chatbridge.v1.EndConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.EndConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getEndConversationMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends a message as the customer or as the bot.
     * The vendor accepts without an identifier; its echo on `AgentEvents` carries the `request_id`. Idempotent with
     * `request_id`, as `CreateConversation` is.
     * </pre>
     */
    public void sendMessage(io.chatbridge.v1.SendMessageRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendMessageResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSendMessageMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads one message.
     * </pre>
     */
    public void getMessage(io.chatbridge.v1.GetMessageRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetMessageResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetMessageMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists a conversation's messages as the vendor has them.
     * </pre>
     */
    public void listMessages(io.chatbridge.v1.ListMessagesRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListMessagesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListMessagesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the cards of a message.
     * </pre>
     */
    public void listCards(io.chatbridge.v1.ListCardsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListCardsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListCardsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells the vendor that the customer submitted an adaptive card (`Action.Submit`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public void submitCardAction(io.chatbridge.v1.SubmitCardActionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SubmitCardActionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSubmitCardActionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells the vendor that an adaptive card's action was executed (`Action.Execute`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public void executeCardAction(io.chatbridge.v1.ExecuteCardActionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ExecuteCardActionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getExecuteCardActionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Shows the agent that the customer or the bot is typing.
     * Never repeated by Chatbridge, nor are the two below: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`),
     * and the next one shows the same.
     * </pre>
     */
    public void sendTypingIndicator(io.chatbridge.v1.SendTypingIndicatorRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendTypingIndicatorResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSendTypingIndicatorMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Shows the agent that the bot is working on an answer.
     * </pre>
     */
    public void sendThinkingIndicator(io.chatbridge.v1.SendThinkingIndicatorRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendThinkingIndicatorResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSendThinkingIndicatorMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells the agent up to when the customer or the bot has read.
     * </pre>
     */
    public void sendReadReceipt(io.chatbridge.v1.SendReadReceiptRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.SendReadReceiptResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSendReadReceiptMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists everybody who took part in a conversation.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public void listParticipants(io.chatbridge.v1.ListParticipantsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListParticipantsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListParticipantsMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service ConversationService.
   * <pre>
   * Conversations with the contact centre. Most calls make one request to the vendor's Chat Gateway; hand-overs, transfers and
   * `FindOrCreateConversation` make several.
   * Errors are `google.rpc.Status` with an `ErrorInfo` (domain `chatbridge`, a stable `reason`; metadata `reference_id`
   * where the vendor gave one), and `BadRequest` or `RetryInfo` where they apply. Common to all RPCs:
   * - INVALID_ARGUMENT: a field is wrong, and `BadRequest` names it (`INVALID_FIELD`: nothing was sent; `UPSTREAM_INVALID`:
   *   the vendor says so).
   * - NOT_FOUND: no such tenant (`TENANT_UNKNOWN`), or the vendor knows nothing of the kind by this identifier
   *   (`UPSTREAM_NOT_FOUND`).
   * - FAILED_PRECONDITION (`UPSTREAM_CREDENTIALS`): the vendor refused our key.
   * - ABORTED (`UPSTREAM_CONFLICT`): the vendor saw a conflict.
   * - RESOURCE_EXHAUSTED: the vendor's rate limit (`UPSTREAM_RATE_LIMITED`), or our own limits for the tenant, before anything
   *   was sent (`UPSTREAM_THROTTLED`); `RetryInfo` says when there is room, where that is known.
   * - DEADLINE_EXCEEDED (`UPSTREAM_TIMEOUT`): the vendor did not answer in time, and repeating is harmless.
   * - UNAVAILABLE: repeating is harmless. The vendor fails or is not reached (`UPSTREAM_UNAVAILABLE`), or has been failing and
   *   is left alone until `RetryInfo` says (`UPSTREAM_CIRCUIT_OPEN`).
   * - UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`): it may have happened; do not simply repeat. From calls that change something only.
   * - INTERNAL (`UPSTREAM_UNEXPECTED`): the vendor answered in a way that it does not document.
   * `idempotency_level` says which calls may be repeated where the connection broke and nothing told what became of them: those
   * without side effects, and the idempotent ones, with the same `request_id` where there is one. An UNAVAILABLE with a reason may
   * be repeated whatever the call.
   * Calls that create, send, upload, or answer a `cursor` need Redis as well: UNAVAILABLE (`STORE_UNAVAILABLE`) where it is
   * down, and nothing was sent; INTERNAL (`STORE_CORRUPT`). The caller's deadline ends the call to the vendor too.
   * Identifiers have at most 256 bytes, no control characters, and are neither `.` nor `..`. A request message has at most 4
   * MiB; a longer one is OUT_OF_RANGE before it is read, so without details, but INVALID_ARGUMENT where requests are
   * streamed. An answer may be longer than 4 MiB, which many clients refuse unless told otherwise: a page of long messages
   * is.
   * Lists are paged alike: `page_size` of 1 to 100 (0: 20), `page_token` from the page before with all other fields as they
   * were, `total_size` as the vendor counts.
   * </pre>
   */
  public static final class ConversationServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<ConversationServiceBlockingV2Stub> {
    private ConversationServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConversationServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConversationServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Hands a customer over in one call: conversation, transcript of any length, context and files.
     * The first message of the stream is `start`; then each file is a `file` followed by its bytes in `chunk`s. The
     * conversation is created when `start` has been checked. Files are uploaded as they arrive, each followed by a message
     * that shows it, since the vendor takes files only into conversations that exist. A file that fails does not undo the
     * conversation: `files` tells what became of each. At most 50 files. A caller may pause, but not without end: CANCELLED
     * (`CALLER_GONE`) a minute after the stream was opened without a `start`, and where the next file, or all bytes of one, are not
     * there within the time that the service is set to give a transfer and a minute more. A file whose bytes stop coming for as
     * long as the service waits for an answer of the vendor's fails alone.
     * Idempotent with `request_id`: a repeat with the same stream goes on where the first ended, and creates, uploads and
     * sends nothing twice. With another `start` it is INVALID_ARGUMENT (`REQUEST_ID_REUSED`); a file that is another than
     * the one in its place before has that reason in `files`.
     * Errors before the conversation exists are those of `CreateConversation`. Afterwards only the stream itself fails the
     * call: INVALID_ARGUMENT where it breaks the rules above or a file is larger than the tenant's limit, CANCELLED
     * (`CALLER_GONE`) where it breaks off. The conversation stays: `conversation_id` is in the metadata of `ErrorInfo`. Not
     * for gRPC-Web, which cannot stream from the client.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<io.chatbridge.v1.HandOverConversationRequest, io.chatbridge.v1.HandOverConversationResponse>
        handOverConversation() {
      return io.grpc.stub.ClientCalls.blockingClientStreamingCall(
          getChannel(), getHandOverConversationMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Finds the conversation of a customer on a channel, or creates it.
     * However many callers ask at once, on however many replicas, there is one conversation for each tenant, channel and
     * `user.user_id`; all of them get it. What is found may be idle: a message reopens it. Only conversations made by
     * Chatbridge's own calls are found, the latest of them, for as long as a session is kept, counted from when they were
     * last found. What is found is answered as it is: `user`, `assignment`, `history` and `labels` apply to a new one only.
     * UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) while it is unknown whether an earlier creation happened: repeat later.
     * DEADLINE_EXCEEDED (`WAIT_TIMED_OUT`) where another caller's creation did not end before the deadline, or within 10 s
     * where there is none: repeat.
     * </pre>
     */
    public io.chatbridge.v1.FindOrCreateConversationResponse findOrCreateConversation(io.chatbridge.v1.FindOrCreateConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getFindOrCreateConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Starts a conversation, with the transcript and the context that the agent should see.
     * The vendor accepts at once and routes later: await the outcome on `AgentEvents`, from the cursor in the answer.
     * Idempotent with `request_id`: ABORTED (`REQUEST_IN_FLIGHT`) while the first call with it runs, INVALID_ARGUMENT
     * (`REQUEST_ID_REUSED`) where the request differs. Never sent twice: where the answer is lost, UNKNOWN
     * (`UPSTREAM_OUTCOME_UNKNOWN`), and a repeat with the same `request_id` looks for what became of it.
     * </pre>
     */
    public io.chatbridge.v1.CreateConversationResponse createConversation(io.chatbridge.v1.CreateConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a conversation from the vendor.
     * </pre>
     */
    public io.chatbridge.v1.GetConversationResponse getConversation(io.chatbridge.v1.GetConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's conversations as the vendor has them.
     * </pre>
     */
    public io.chatbridge.v1.ListConversationsResponse listConversations(io.chatbridge.v1.ListConversationsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListConversationsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Changes the customer's data or the assignment.
     * The vendor accepts at once and acts later: the event tells the outcome. While a customer waits in a queue, the agent
     * sees the changed data as soon as they join. With an assignment it is not repeated by Chatbridge: where the answer is
     * lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`).
     * </pre>
     */
    public io.chatbridge.v1.UpdateConversationResponse updateConversation(io.chatbridge.v1.UpdateConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces channel, customer and assignment as a whole: what is not given is cleared, as far as the vendor clears it.
     * As `UpdateConversation` otherwise.
     * </pre>
     */
    public io.chatbridge.v1.ReplaceConversationResponse replaceConversation(io.chatbridge.v1.ReplaceConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getReplaceConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Routes a conversation to another queue or script while no agent has it.
     * FAILED_PRECONDITION (`CONVERSATION_WITH_AGENT`) where the vendor reports that an agent has it, and FAILED_PRECONDITION
     * (`CONVERSATION_ENDED`) where it is idle. An agent who accepts between the check and the change is not excluded: the
     * events tell. Errors otherwise as of `UpdateConversation` with an assignment.
     * </pre>
     */
    public io.chatbridge.v1.TransferConversationResponse transferConversation(io.chatbridge.v1.TransferConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getTransferConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a conversation's interactions, as the vendor has them.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public io.chatbridge.v1.ListInteractionsResponse listInteractions(io.chatbridge.v1.ListInteractionsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListInteractionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Asks that the conversation be handed back to a bot once the agent has left.
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public io.chatbridge.v1.CreatePostAgentAssignmentResponse createPostAgentAssignment(io.chatbridge.v1.CreatePostAgentAssignmentRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreatePostAgentAssignmentMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends the current interaction on the customer's behalf.
     * The conversation becomes idle; a new message starts another interaction in it. Repeated by Chatbridge, and safe to
     * repeat.
     * </pre>
     */
    public io.chatbridge.v1.EndConversationResponse endConversation(io.chatbridge.v1.EndConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getEndConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends a message as the customer or as the bot.
     * The vendor accepts without an identifier; its echo on `AgentEvents` carries the `request_id`. Idempotent with
     * `request_id`, as `CreateConversation` is.
     * </pre>
     */
    public io.chatbridge.v1.SendMessageResponse sendMessage(io.chatbridge.v1.SendMessageRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSendMessageMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads one message.
     * </pre>
     */
    public io.chatbridge.v1.GetMessageResponse getMessage(io.chatbridge.v1.GetMessageRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetMessageMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a conversation's messages as the vendor has them.
     * </pre>
     */
    public io.chatbridge.v1.ListMessagesResponse listMessages(io.chatbridge.v1.ListMessagesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListMessagesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the cards of a message.
     * </pre>
     */
    public io.chatbridge.v1.ListCardsResponse listCards(io.chatbridge.v1.ListCardsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListCardsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells the vendor that the customer submitted an adaptive card (`Action.Submit`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public io.chatbridge.v1.SubmitCardActionResponse submitCardAction(io.chatbridge.v1.SubmitCardActionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSubmitCardActionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells the vendor that an adaptive card's action was executed (`Action.Execute`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public io.chatbridge.v1.ExecuteCardActionResponse executeCardAction(io.chatbridge.v1.ExecuteCardActionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getExecuteCardActionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Shows the agent that the customer or the bot is typing.
     * Never repeated by Chatbridge, nor are the two below: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`),
     * and the next one shows the same.
     * </pre>
     */
    public io.chatbridge.v1.SendTypingIndicatorResponse sendTypingIndicator(io.chatbridge.v1.SendTypingIndicatorRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSendTypingIndicatorMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Shows the agent that the bot is working on an answer.
     * </pre>
     */
    public io.chatbridge.v1.SendThinkingIndicatorResponse sendThinkingIndicator(io.chatbridge.v1.SendThinkingIndicatorRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSendThinkingIndicatorMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells the agent up to when the customer or the bot has read.
     * </pre>
     */
    public io.chatbridge.v1.SendReadReceiptResponse sendReadReceipt(io.chatbridge.v1.SendReadReceiptRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSendReadReceiptMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists everybody who took part in a conversation.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public io.chatbridge.v1.ListParticipantsResponse listParticipants(io.chatbridge.v1.ListParticipantsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListParticipantsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service ConversationService.
   * <pre>
   * Conversations with the contact centre. Most calls make one request to the vendor's Chat Gateway; hand-overs, transfers and
   * `FindOrCreateConversation` make several.
   * Errors are `google.rpc.Status` with an `ErrorInfo` (domain `chatbridge`, a stable `reason`; metadata `reference_id`
   * where the vendor gave one), and `BadRequest` or `RetryInfo` where they apply. Common to all RPCs:
   * - INVALID_ARGUMENT: a field is wrong, and `BadRequest` names it (`INVALID_FIELD`: nothing was sent; `UPSTREAM_INVALID`:
   *   the vendor says so).
   * - NOT_FOUND: no such tenant (`TENANT_UNKNOWN`), or the vendor knows nothing of the kind by this identifier
   *   (`UPSTREAM_NOT_FOUND`).
   * - FAILED_PRECONDITION (`UPSTREAM_CREDENTIALS`): the vendor refused our key.
   * - ABORTED (`UPSTREAM_CONFLICT`): the vendor saw a conflict.
   * - RESOURCE_EXHAUSTED: the vendor's rate limit (`UPSTREAM_RATE_LIMITED`), or our own limits for the tenant, before anything
   *   was sent (`UPSTREAM_THROTTLED`); `RetryInfo` says when there is room, where that is known.
   * - DEADLINE_EXCEEDED (`UPSTREAM_TIMEOUT`): the vendor did not answer in time, and repeating is harmless.
   * - UNAVAILABLE: repeating is harmless. The vendor fails or is not reached (`UPSTREAM_UNAVAILABLE`), or has been failing and
   *   is left alone until `RetryInfo` says (`UPSTREAM_CIRCUIT_OPEN`).
   * - UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`): it may have happened; do not simply repeat. From calls that change something only.
   * - INTERNAL (`UPSTREAM_UNEXPECTED`): the vendor answered in a way that it does not document.
   * `idempotency_level` says which calls may be repeated where the connection broke and nothing told what became of them: those
   * without side effects, and the idempotent ones, with the same `request_id` where there is one. An UNAVAILABLE with a reason may
   * be repeated whatever the call.
   * Calls that create, send, upload, or answer a `cursor` need Redis as well: UNAVAILABLE (`STORE_UNAVAILABLE`) where it is
   * down, and nothing was sent; INTERNAL (`STORE_CORRUPT`). The caller's deadline ends the call to the vendor too.
   * Identifiers have at most 256 bytes, no control characters, and are neither `.` nor `..`. A request message has at most 4
   * MiB; a longer one is OUT_OF_RANGE before it is read, so without details, but INVALID_ARGUMENT where requests are
   * streamed. An answer may be longer than 4 MiB, which many clients refuse unless told otherwise: a page of long messages
   * is.
   * Lists are paged alike: `page_size` of 1 to 100 (0: 20), `page_token` from the page before with all other fields as they
   * were, `total_size` as the vendor counts.
   * </pre>
   */
  public static final class ConversationServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ConversationServiceBlockingStub> {
    private ConversationServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConversationServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConversationServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Finds the conversation of a customer on a channel, or creates it.
     * However many callers ask at once, on however many replicas, there is one conversation for each tenant, channel and
     * `user.user_id`; all of them get it. What is found may be idle: a message reopens it. Only conversations made by
     * Chatbridge's own calls are found, the latest of them, for as long as a session is kept, counted from when they were
     * last found. What is found is answered as it is: `user`, `assignment`, `history` and `labels` apply to a new one only.
     * UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) while it is unknown whether an earlier creation happened: repeat later.
     * DEADLINE_EXCEEDED (`WAIT_TIMED_OUT`) where another caller's creation did not end before the deadline, or within 10 s
     * where there is none: repeat.
     * </pre>
     */
    public io.chatbridge.v1.FindOrCreateConversationResponse findOrCreateConversation(io.chatbridge.v1.FindOrCreateConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getFindOrCreateConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Starts a conversation, with the transcript and the context that the agent should see.
     * The vendor accepts at once and routes later: await the outcome on `AgentEvents`, from the cursor in the answer.
     * Idempotent with `request_id`: ABORTED (`REQUEST_IN_FLIGHT`) while the first call with it runs, INVALID_ARGUMENT
     * (`REQUEST_ID_REUSED`) where the request differs. Never sent twice: where the answer is lost, UNKNOWN
     * (`UPSTREAM_OUTCOME_UNKNOWN`), and a repeat with the same `request_id` looks for what became of it.
     * </pre>
     */
    public io.chatbridge.v1.CreateConversationResponse createConversation(io.chatbridge.v1.CreateConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a conversation from the vendor.
     * </pre>
     */
    public io.chatbridge.v1.GetConversationResponse getConversation(io.chatbridge.v1.GetConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's conversations as the vendor has them.
     * </pre>
     */
    public io.chatbridge.v1.ListConversationsResponse listConversations(io.chatbridge.v1.ListConversationsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListConversationsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Changes the customer's data or the assignment.
     * The vendor accepts at once and acts later: the event tells the outcome. While a customer waits in a queue, the agent
     * sees the changed data as soon as they join. With an assignment it is not repeated by Chatbridge: where the answer is
     * lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`).
     * </pre>
     */
    public io.chatbridge.v1.UpdateConversationResponse updateConversation(io.chatbridge.v1.UpdateConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces channel, customer and assignment as a whole: what is not given is cleared, as far as the vendor clears it.
     * As `UpdateConversation` otherwise.
     * </pre>
     */
    public io.chatbridge.v1.ReplaceConversationResponse replaceConversation(io.chatbridge.v1.ReplaceConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReplaceConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Routes a conversation to another queue or script while no agent has it.
     * FAILED_PRECONDITION (`CONVERSATION_WITH_AGENT`) where the vendor reports that an agent has it, and FAILED_PRECONDITION
     * (`CONVERSATION_ENDED`) where it is idle. An agent who accepts between the check and the change is not excluded: the
     * events tell. Errors otherwise as of `UpdateConversation` with an assignment.
     * </pre>
     */
    public io.chatbridge.v1.TransferConversationResponse transferConversation(io.chatbridge.v1.TransferConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getTransferConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a conversation's interactions, as the vendor has them.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public io.chatbridge.v1.ListInteractionsResponse listInteractions(io.chatbridge.v1.ListInteractionsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListInteractionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Asks that the conversation be handed back to a bot once the agent has left.
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public io.chatbridge.v1.CreatePostAgentAssignmentResponse createPostAgentAssignment(io.chatbridge.v1.CreatePostAgentAssignmentRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreatePostAgentAssignmentMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends the current interaction on the customer's behalf.
     * The conversation becomes idle; a new message starts another interaction in it. Repeated by Chatbridge, and safe to
     * repeat.
     * </pre>
     */
    public io.chatbridge.v1.EndConversationResponse endConversation(io.chatbridge.v1.EndConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getEndConversationMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends a message as the customer or as the bot.
     * The vendor accepts without an identifier; its echo on `AgentEvents` carries the `request_id`. Idempotent with
     * `request_id`, as `CreateConversation` is.
     * </pre>
     */
    public io.chatbridge.v1.SendMessageResponse sendMessage(io.chatbridge.v1.SendMessageRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSendMessageMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads one message.
     * </pre>
     */
    public io.chatbridge.v1.GetMessageResponse getMessage(io.chatbridge.v1.GetMessageRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetMessageMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a conversation's messages as the vendor has them.
     * </pre>
     */
    public io.chatbridge.v1.ListMessagesResponse listMessages(io.chatbridge.v1.ListMessagesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListMessagesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the cards of a message.
     * </pre>
     */
    public io.chatbridge.v1.ListCardsResponse listCards(io.chatbridge.v1.ListCardsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListCardsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells the vendor that the customer submitted an adaptive card (`Action.Submit`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public io.chatbridge.v1.SubmitCardActionResponse submitCardAction(io.chatbridge.v1.SubmitCardActionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSubmitCardActionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells the vendor that an adaptive card's action was executed (`Action.Execute`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public io.chatbridge.v1.ExecuteCardActionResponse executeCardAction(io.chatbridge.v1.ExecuteCardActionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getExecuteCardActionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Shows the agent that the customer or the bot is typing.
     * Never repeated by Chatbridge, nor are the two below: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`),
     * and the next one shows the same.
     * </pre>
     */
    public io.chatbridge.v1.SendTypingIndicatorResponse sendTypingIndicator(io.chatbridge.v1.SendTypingIndicatorRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSendTypingIndicatorMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Shows the agent that the bot is working on an answer.
     * </pre>
     */
    public io.chatbridge.v1.SendThinkingIndicatorResponse sendThinkingIndicator(io.chatbridge.v1.SendThinkingIndicatorRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSendThinkingIndicatorMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells the agent up to when the customer or the bot has read.
     * </pre>
     */
    public io.chatbridge.v1.SendReadReceiptResponse sendReadReceipt(io.chatbridge.v1.SendReadReceiptRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSendReadReceiptMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists everybody who took part in a conversation.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public io.chatbridge.v1.ListParticipantsResponse listParticipants(io.chatbridge.v1.ListParticipantsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListParticipantsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service ConversationService.
   * <pre>
   * Conversations with the contact centre. Most calls make one request to the vendor's Chat Gateway; hand-overs, transfers and
   * `FindOrCreateConversation` make several.
   * Errors are `google.rpc.Status` with an `ErrorInfo` (domain `chatbridge`, a stable `reason`; metadata `reference_id`
   * where the vendor gave one), and `BadRequest` or `RetryInfo` where they apply. Common to all RPCs:
   * - INVALID_ARGUMENT: a field is wrong, and `BadRequest` names it (`INVALID_FIELD`: nothing was sent; `UPSTREAM_INVALID`:
   *   the vendor says so).
   * - NOT_FOUND: no such tenant (`TENANT_UNKNOWN`), or the vendor knows nothing of the kind by this identifier
   *   (`UPSTREAM_NOT_FOUND`).
   * - FAILED_PRECONDITION (`UPSTREAM_CREDENTIALS`): the vendor refused our key.
   * - ABORTED (`UPSTREAM_CONFLICT`): the vendor saw a conflict.
   * - RESOURCE_EXHAUSTED: the vendor's rate limit (`UPSTREAM_RATE_LIMITED`), or our own limits for the tenant, before anything
   *   was sent (`UPSTREAM_THROTTLED`); `RetryInfo` says when there is room, where that is known.
   * - DEADLINE_EXCEEDED (`UPSTREAM_TIMEOUT`): the vendor did not answer in time, and repeating is harmless.
   * - UNAVAILABLE: repeating is harmless. The vendor fails or is not reached (`UPSTREAM_UNAVAILABLE`), or has been failing and
   *   is left alone until `RetryInfo` says (`UPSTREAM_CIRCUIT_OPEN`).
   * - UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`): it may have happened; do not simply repeat. From calls that change something only.
   * - INTERNAL (`UPSTREAM_UNEXPECTED`): the vendor answered in a way that it does not document.
   * `idempotency_level` says which calls may be repeated where the connection broke and nothing told what became of them: those
   * without side effects, and the idempotent ones, with the same `request_id` where there is one. An UNAVAILABLE with a reason may
   * be repeated whatever the call.
   * Calls that create, send, upload, or answer a `cursor` need Redis as well: UNAVAILABLE (`STORE_UNAVAILABLE`) where it is
   * down, and nothing was sent; INTERNAL (`STORE_CORRUPT`). The caller's deadline ends the call to the vendor too.
   * Identifiers have at most 256 bytes, no control characters, and are neither `.` nor `..`. A request message has at most 4
   * MiB; a longer one is OUT_OF_RANGE before it is read, so without details, but INVALID_ARGUMENT where requests are
   * streamed. An answer may be longer than 4 MiB, which many clients refuse unless told otherwise: a page of long messages
   * is.
   * Lists are paged alike: `page_size` of 1 to 100 (0: 20), `page_token` from the page before with all other fields as they
   * were, `total_size` as the vendor counts.
   * </pre>
   */
  public static final class ConversationServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<ConversationServiceFutureStub> {
    private ConversationServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConversationServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConversationServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Finds the conversation of a customer on a channel, or creates it.
     * However many callers ask at once, on however many replicas, there is one conversation for each tenant, channel and
     * `user.user_id`; all of them get it. What is found may be idle: a message reopens it. Only conversations made by
     * Chatbridge's own calls are found, the latest of them, for as long as a session is kept, counted from when they were
     * last found. What is found is answered as it is: `user`, `assignment`, `history` and `labels` apply to a new one only.
     * UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) while it is unknown whether an earlier creation happened: repeat later.
     * DEADLINE_EXCEEDED (`WAIT_TIMED_OUT`) where another caller's creation did not end before the deadline, or within 10 s
     * where there is none: repeat.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.FindOrCreateConversationResponse> findOrCreateConversation(
        io.chatbridge.v1.FindOrCreateConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getFindOrCreateConversationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Starts a conversation, with the transcript and the context that the agent should see.
     * The vendor accepts at once and routes later: await the outcome on `AgentEvents`, from the cursor in the answer.
     * Idempotent with `request_id`: ABORTED (`REQUEST_IN_FLIGHT`) while the first call with it runs, INVALID_ARGUMENT
     * (`REQUEST_ID_REUSED`) where the request differs. Never sent twice: where the answer is lost, UNKNOWN
     * (`UPSTREAM_OUTCOME_UNKNOWN`), and a repeat with the same `request_id` looks for what became of it.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.CreateConversationResponse> createConversation(
        io.chatbridge.v1.CreateConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateConversationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reads a conversation from the vendor.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetConversationResponse> getConversation(
        io.chatbridge.v1.GetConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetConversationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists a tenant's conversations as the vendor has them.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListConversationsResponse> listConversations(
        io.chatbridge.v1.ListConversationsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListConversationsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Changes the customer's data or the assignment.
     * The vendor accepts at once and acts later: the event tells the outcome. While a customer waits in a queue, the agent
     * sees the changed data as soon as they join. With an assignment it is not repeated by Chatbridge: where the answer is
     * lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.UpdateConversationResponse> updateConversation(
        io.chatbridge.v1.UpdateConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateConversationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Replaces channel, customer and assignment as a whole: what is not given is cleared, as far as the vendor clears it.
     * As `UpdateConversation` otherwise.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ReplaceConversationResponse> replaceConversation(
        io.chatbridge.v1.ReplaceConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReplaceConversationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Routes a conversation to another queue or script while no agent has it.
     * FAILED_PRECONDITION (`CONVERSATION_WITH_AGENT`) where the vendor reports that an agent has it, and FAILED_PRECONDITION
     * (`CONVERSATION_ENDED`) where it is idle. An agent who accepts between the check and the change is not excluded: the
     * events tell. Errors otherwise as of `UpdateConversation` with an assignment.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.TransferConversationResponse> transferConversation(
        io.chatbridge.v1.TransferConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getTransferConversationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists a conversation's interactions, as the vendor has them.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListInteractionsResponse> listInteractions(
        io.chatbridge.v1.ListInteractionsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListInteractionsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Asks that the conversation be handed back to a bot once the agent has left.
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.CreatePostAgentAssignmentResponse> createPostAgentAssignment(
        io.chatbridge.v1.CreatePostAgentAssignmentRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreatePostAgentAssignmentMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Ends the current interaction on the customer's behalf.
     * The conversation becomes idle; a new message starts another interaction in it. Repeated by Chatbridge, and safe to
     * repeat.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.EndConversationResponse> endConversation(
        io.chatbridge.v1.EndConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getEndConversationMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Sends a message as the customer or as the bot.
     * The vendor accepts without an identifier; its echo on `AgentEvents` carries the `request_id`. Idempotent with
     * `request_id`, as `CreateConversation` is.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.SendMessageResponse> sendMessage(
        io.chatbridge.v1.SendMessageRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSendMessageMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reads one message.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetMessageResponse> getMessage(
        io.chatbridge.v1.GetMessageRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetMessageMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists a conversation's messages as the vendor has them.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListMessagesResponse> listMessages(
        io.chatbridge.v1.ListMessagesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListMessagesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the cards of a message.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListCardsResponse> listCards(
        io.chatbridge.v1.ListCardsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListCardsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells the vendor that the customer submitted an adaptive card (`Action.Submit`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.SubmitCardActionResponse> submitCardAction(
        io.chatbridge.v1.SubmitCardActionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSubmitCardActionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells the vendor that an adaptive card's action was executed (`Action.Execute`).
     * Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ExecuteCardActionResponse> executeCardAction(
        io.chatbridge.v1.ExecuteCardActionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getExecuteCardActionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Shows the agent that the customer or the bot is typing.
     * Never repeated by Chatbridge, nor are the two below: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`),
     * and the next one shows the same.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.SendTypingIndicatorResponse> sendTypingIndicator(
        io.chatbridge.v1.SendTypingIndicatorRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSendTypingIndicatorMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Shows the agent that the bot is working on an answer.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.SendThinkingIndicatorResponse> sendThinkingIndicator(
        io.chatbridge.v1.SendThinkingIndicatorRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSendThinkingIndicatorMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells the agent up to when the customer or the bot has read.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.SendReadReceiptResponse> sendReadReceipt(
        io.chatbridge.v1.SendReadReceiptRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSendReadReceiptMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists everybody who took part in a conversation.
     * The vendor has no pages here: each call reads all and answers the part asked for.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListParticipantsResponse> listParticipants(
        io.chatbridge.v1.ListParticipantsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListParticipantsMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_FIND_OR_CREATE_CONVERSATION = 0;
  private static final int METHODID_CREATE_CONVERSATION = 1;
  private static final int METHODID_GET_CONVERSATION = 2;
  private static final int METHODID_LIST_CONVERSATIONS = 3;
  private static final int METHODID_UPDATE_CONVERSATION = 4;
  private static final int METHODID_REPLACE_CONVERSATION = 5;
  private static final int METHODID_TRANSFER_CONVERSATION = 6;
  private static final int METHODID_LIST_INTERACTIONS = 7;
  private static final int METHODID_CREATE_POST_AGENT_ASSIGNMENT = 8;
  private static final int METHODID_END_CONVERSATION = 9;
  private static final int METHODID_SEND_MESSAGE = 10;
  private static final int METHODID_GET_MESSAGE = 11;
  private static final int METHODID_LIST_MESSAGES = 12;
  private static final int METHODID_LIST_CARDS = 13;
  private static final int METHODID_SUBMIT_CARD_ACTION = 14;
  private static final int METHODID_EXECUTE_CARD_ACTION = 15;
  private static final int METHODID_SEND_TYPING_INDICATOR = 16;
  private static final int METHODID_SEND_THINKING_INDICATOR = 17;
  private static final int METHODID_SEND_READ_RECEIPT = 18;
  private static final int METHODID_LIST_PARTICIPANTS = 19;
  private static final int METHODID_HAND_OVER_CONVERSATION = 20;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_FIND_OR_CREATE_CONVERSATION:
          serviceImpl.findOrCreateConversation((io.chatbridge.v1.FindOrCreateConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.FindOrCreateConversationResponse>) responseObserver);
          break;
        case METHODID_CREATE_CONVERSATION:
          serviceImpl.createConversation((io.chatbridge.v1.CreateConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateConversationResponse>) responseObserver);
          break;
        case METHODID_GET_CONVERSATION:
          serviceImpl.getConversation((io.chatbridge.v1.GetConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetConversationResponse>) responseObserver);
          break;
        case METHODID_LIST_CONVERSATIONS:
          serviceImpl.listConversations((io.chatbridge.v1.ListConversationsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListConversationsResponse>) responseObserver);
          break;
        case METHODID_UPDATE_CONVERSATION:
          serviceImpl.updateConversation((io.chatbridge.v1.UpdateConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.UpdateConversationResponse>) responseObserver);
          break;
        case METHODID_REPLACE_CONVERSATION:
          serviceImpl.replaceConversation((io.chatbridge.v1.ReplaceConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceConversationResponse>) responseObserver);
          break;
        case METHODID_TRANSFER_CONVERSATION:
          serviceImpl.transferConversation((io.chatbridge.v1.TransferConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.TransferConversationResponse>) responseObserver);
          break;
        case METHODID_LIST_INTERACTIONS:
          serviceImpl.listInteractions((io.chatbridge.v1.ListInteractionsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListInteractionsResponse>) responseObserver);
          break;
        case METHODID_CREATE_POST_AGENT_ASSIGNMENT:
          serviceImpl.createPostAgentAssignment((io.chatbridge.v1.CreatePostAgentAssignmentRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.CreatePostAgentAssignmentResponse>) responseObserver);
          break;
        case METHODID_END_CONVERSATION:
          serviceImpl.endConversation((io.chatbridge.v1.EndConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.EndConversationResponse>) responseObserver);
          break;
        case METHODID_SEND_MESSAGE:
          serviceImpl.sendMessage((io.chatbridge.v1.SendMessageRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.SendMessageResponse>) responseObserver);
          break;
        case METHODID_GET_MESSAGE:
          serviceImpl.getMessage((io.chatbridge.v1.GetMessageRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetMessageResponse>) responseObserver);
          break;
        case METHODID_LIST_MESSAGES:
          serviceImpl.listMessages((io.chatbridge.v1.ListMessagesRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListMessagesResponse>) responseObserver);
          break;
        case METHODID_LIST_CARDS:
          serviceImpl.listCards((io.chatbridge.v1.ListCardsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListCardsResponse>) responseObserver);
          break;
        case METHODID_SUBMIT_CARD_ACTION:
          serviceImpl.submitCardAction((io.chatbridge.v1.SubmitCardActionRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.SubmitCardActionResponse>) responseObserver);
          break;
        case METHODID_EXECUTE_CARD_ACTION:
          serviceImpl.executeCardAction((io.chatbridge.v1.ExecuteCardActionRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ExecuteCardActionResponse>) responseObserver);
          break;
        case METHODID_SEND_TYPING_INDICATOR:
          serviceImpl.sendTypingIndicator((io.chatbridge.v1.SendTypingIndicatorRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.SendTypingIndicatorResponse>) responseObserver);
          break;
        case METHODID_SEND_THINKING_INDICATOR:
          serviceImpl.sendThinkingIndicator((io.chatbridge.v1.SendThinkingIndicatorRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.SendThinkingIndicatorResponse>) responseObserver);
          break;
        case METHODID_SEND_READ_RECEIPT:
          serviceImpl.sendReadReceipt((io.chatbridge.v1.SendReadReceiptRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.SendReadReceiptResponse>) responseObserver);
          break;
        case METHODID_LIST_PARTICIPANTS:
          serviceImpl.listParticipants((io.chatbridge.v1.ListParticipantsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListParticipantsResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_HAND_OVER_CONVERSATION:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.handOverConversation(
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.HandOverConversationResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getHandOverConversationMethod(),
          io.grpc.stub.ServerCalls.asyncClientStreamingCall(
            new MethodHandlers<
              io.chatbridge.v1.HandOverConversationRequest,
              io.chatbridge.v1.HandOverConversationResponse>(
                service, METHODID_HAND_OVER_CONVERSATION)))
        .addMethod(
          getFindOrCreateConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.FindOrCreateConversationRequest,
              io.chatbridge.v1.FindOrCreateConversationResponse>(
                service, METHODID_FIND_OR_CREATE_CONVERSATION)))
        .addMethod(
          getCreateConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.CreateConversationRequest,
              io.chatbridge.v1.CreateConversationResponse>(
                service, METHODID_CREATE_CONVERSATION)))
        .addMethod(
          getGetConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetConversationRequest,
              io.chatbridge.v1.GetConversationResponse>(
                service, METHODID_GET_CONVERSATION)))
        .addMethod(
          getListConversationsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListConversationsRequest,
              io.chatbridge.v1.ListConversationsResponse>(
                service, METHODID_LIST_CONVERSATIONS)))
        .addMethod(
          getUpdateConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.UpdateConversationRequest,
              io.chatbridge.v1.UpdateConversationResponse>(
                service, METHODID_UPDATE_CONVERSATION)))
        .addMethod(
          getReplaceConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ReplaceConversationRequest,
              io.chatbridge.v1.ReplaceConversationResponse>(
                service, METHODID_REPLACE_CONVERSATION)))
        .addMethod(
          getTransferConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.TransferConversationRequest,
              io.chatbridge.v1.TransferConversationResponse>(
                service, METHODID_TRANSFER_CONVERSATION)))
        .addMethod(
          getListInteractionsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListInteractionsRequest,
              io.chatbridge.v1.ListInteractionsResponse>(
                service, METHODID_LIST_INTERACTIONS)))
        .addMethod(
          getCreatePostAgentAssignmentMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.CreatePostAgentAssignmentRequest,
              io.chatbridge.v1.CreatePostAgentAssignmentResponse>(
                service, METHODID_CREATE_POST_AGENT_ASSIGNMENT)))
        .addMethod(
          getEndConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.EndConversationRequest,
              io.chatbridge.v1.EndConversationResponse>(
                service, METHODID_END_CONVERSATION)))
        .addMethod(
          getSendMessageMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.SendMessageRequest,
              io.chatbridge.v1.SendMessageResponse>(
                service, METHODID_SEND_MESSAGE)))
        .addMethod(
          getGetMessageMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetMessageRequest,
              io.chatbridge.v1.GetMessageResponse>(
                service, METHODID_GET_MESSAGE)))
        .addMethod(
          getListMessagesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListMessagesRequest,
              io.chatbridge.v1.ListMessagesResponse>(
                service, METHODID_LIST_MESSAGES)))
        .addMethod(
          getListCardsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListCardsRequest,
              io.chatbridge.v1.ListCardsResponse>(
                service, METHODID_LIST_CARDS)))
        .addMethod(
          getSubmitCardActionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.SubmitCardActionRequest,
              io.chatbridge.v1.SubmitCardActionResponse>(
                service, METHODID_SUBMIT_CARD_ACTION)))
        .addMethod(
          getExecuteCardActionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ExecuteCardActionRequest,
              io.chatbridge.v1.ExecuteCardActionResponse>(
                service, METHODID_EXECUTE_CARD_ACTION)))
        .addMethod(
          getSendTypingIndicatorMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.SendTypingIndicatorRequest,
              io.chatbridge.v1.SendTypingIndicatorResponse>(
                service, METHODID_SEND_TYPING_INDICATOR)))
        .addMethod(
          getSendThinkingIndicatorMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.SendThinkingIndicatorRequest,
              io.chatbridge.v1.SendThinkingIndicatorResponse>(
                service, METHODID_SEND_THINKING_INDICATOR)))
        .addMethod(
          getSendReadReceiptMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.SendReadReceiptRequest,
              io.chatbridge.v1.SendReadReceiptResponse>(
                service, METHODID_SEND_READ_RECEIPT)))
        .addMethod(
          getListParticipantsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListParticipantsRequest,
              io.chatbridge.v1.ListParticipantsResponse>(
                service, METHODID_LIST_PARTICIPANTS)))
        .build();
  }

  private static abstract class ConversationServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ConversationServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.chatbridge.v1.ConversationServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ConversationService");
    }
  }

  private static final class ConversationServiceFileDescriptorSupplier
      extends ConversationServiceBaseDescriptorSupplier {
    ConversationServiceFileDescriptorSupplier() {}
  }

  private static final class ConversationServiceMethodDescriptorSupplier
      extends ConversationServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    ConversationServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (ConversationServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ConversationServiceFileDescriptorSupplier())
              .addMethod(getHandOverConversationMethod())
              .addMethod(getFindOrCreateConversationMethod())
              .addMethod(getCreateConversationMethod())
              .addMethod(getGetConversationMethod())
              .addMethod(getListConversationsMethod())
              .addMethod(getUpdateConversationMethod())
              .addMethod(getReplaceConversationMethod())
              .addMethod(getTransferConversationMethod())
              .addMethod(getListInteractionsMethod())
              .addMethod(getCreatePostAgentAssignmentMethod())
              .addMethod(getEndConversationMethod())
              .addMethod(getSendMessageMethod())
              .addMethod(getGetMessageMethod())
              .addMethod(getListMessagesMethod())
              .addMethod(getListCardsMethod())
              .addMethod(getSubmitCardActionMethod())
              .addMethod(getExecuteCardActionMethod())
              .addMethod(getSendTypingIndicatorMethod())
              .addMethod(getSendThinkingIndicatorMethod())
              .addMethod(getSendReadReceiptMethod())
              .addMethod(getListParticipantsMethod())
              .build();
        }
      }
    }
    return result;
  }
}
