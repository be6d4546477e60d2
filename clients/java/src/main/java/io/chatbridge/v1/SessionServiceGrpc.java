package io.chatbridge.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * What Chatbridge itself knows of conversations. Nothing here calls the vendor.
 * Errors: INVALID_ARGUMENT (`INVALID_FIELD`), NOT_FOUND (`SESSION_UNKNOWN` or `TENANT_UNKNOWN`), FAILED_PRECONDITION
 * (`KEY_MISSING`), UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class SessionServiceGrpc {

  private SessionServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "chatbridge.v1.SessionService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetSessionRequest,
      io.chatbridge.v1.GetSessionResponse> getGetSessionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetSession",
      requestType = io.chatbridge.v1.GetSessionRequest.class,
      responseType = io.chatbridge.v1.GetSessionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetSessionRequest,
      io.chatbridge.v1.GetSessionResponse> getGetSessionMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetSessionRequest, io.chatbridge.v1.GetSessionResponse> getGetSessionMethod;
    if ((getGetSessionMethod = SessionServiceGrpc.getGetSessionMethod) == null) {
      synchronized (SessionServiceGrpc.class) {
        if ((getGetSessionMethod = SessionServiceGrpc.getGetSessionMethod) == null) {
          SessionServiceGrpc.getGetSessionMethod = getGetSessionMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetSessionRequest, io.chatbridge.v1.GetSessionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetSession"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetSessionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetSessionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SessionServiceMethodDescriptorSupplier("GetSession"))
              .build();
        }
      }
    }
    return getGetSessionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListSessionsRequest,
      io.chatbridge.v1.ListSessionsResponse> getListSessionsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListSessions",
      requestType = io.chatbridge.v1.ListSessionsRequest.class,
      responseType = io.chatbridge.v1.ListSessionsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListSessionsRequest,
      io.chatbridge.v1.ListSessionsResponse> getListSessionsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListSessionsRequest, io.chatbridge.v1.ListSessionsResponse> getListSessionsMethod;
    if ((getListSessionsMethod = SessionServiceGrpc.getListSessionsMethod) == null) {
      synchronized (SessionServiceGrpc.class) {
        if ((getListSessionsMethod = SessionServiceGrpc.getListSessionsMethod) == null) {
          SessionServiceGrpc.getListSessionsMethod = getListSessionsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListSessionsRequest, io.chatbridge.v1.ListSessionsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListSessions"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListSessionsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListSessionsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SessionServiceMethodDescriptorSupplier("ListSessions"))
              .build();
        }
      }
    }
    return getListSessionsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.EraseConversationRequest,
      io.chatbridge.v1.EraseConversationResponse> getEraseConversationMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "EraseConversation",
      requestType = io.chatbridge.v1.EraseConversationRequest.class,
      responseType = io.chatbridge.v1.EraseConversationResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.EraseConversationRequest,
      io.chatbridge.v1.EraseConversationResponse> getEraseConversationMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.EraseConversationRequest, io.chatbridge.v1.EraseConversationResponse> getEraseConversationMethod;
    if ((getEraseConversationMethod = SessionServiceGrpc.getEraseConversationMethod) == null) {
      synchronized (SessionServiceGrpc.class) {
        if ((getEraseConversationMethod = SessionServiceGrpc.getEraseConversationMethod) == null) {
          SessionServiceGrpc.getEraseConversationMethod = getEraseConversationMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.EraseConversationRequest, io.chatbridge.v1.EraseConversationResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "EraseConversation"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.EraseConversationRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.EraseConversationResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SessionServiceMethodDescriptorSupplier("EraseConversation"))
              .build();
        }
      }
    }
    return getEraseConversationMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static SessionServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SessionServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SessionServiceStub>() {
        @java.lang.Override
        public SessionServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SessionServiceStub(channel, callOptions);
        }
      };
    return SessionServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static SessionServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SessionServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SessionServiceBlockingV2Stub>() {
        @java.lang.Override
        public SessionServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SessionServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return SessionServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static SessionServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SessionServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SessionServiceBlockingStub>() {
        @java.lang.Override
        public SessionServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SessionServiceBlockingStub(channel, callOptions);
        }
      };
    return SessionServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static SessionServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SessionServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SessionServiceFutureStub>() {
        @java.lang.Override
        public SessionServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SessionServiceFutureStub(channel, callOptions);
        }
      };
    return SessionServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * What Chatbridge itself knows of conversations. Nothing here calls the vendor.
   * Errors: INVALID_ARGUMENT (`INVALID_FIELD`), NOT_FOUND (`SESSION_UNKNOWN` or `TENANT_UNKNOWN`), FAILED_PRECONDITION
   * (`KEY_MISSING`), UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Reads one session.
     * </pre>
     */
    default void getSession(io.chatbridge.v1.GetSessionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSessionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetSessionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's sessions, the last active first.
     * A session that becomes active while pages are read moves to the front and may be missed or seen twice.
     * </pre>
     */
    default void listSessions(io.chatbridge.v1.ListSessionsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListSessionsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListSessionsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Erases what Chatbridge keeps of a conversation: its events with their raw JSON, its session with customer, labels and names,
     * what was sent in it, and the key under which its contents are encrypted. It cannot be undone.
     * The vendor's data are not touched: conversation, messages, files and customer stay with 8x8 until they are deleted there, and
     * a conversation that goes on there goes on sending events. What comes after the call begins the conversation anew, with another
     * `session_epoch` and sequences from 1.
     * Streams are told of no gap: what was not delivered yet is left out. What was delivered before, or is on its way in that moment,
     * is the clients' to erase. Late repeats of webhooks whose events were erased are still known, by hashes, and bring nothing back.
     * May be repeated, and should be after an error: it does what is left to do. A conversation of which nothing is known is erased
     * already. An erasure that broke off is ended within some minutes by itself.
     * </pre>
     */
    default void eraseConversation(io.chatbridge.v1.EraseConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.EraseConversationResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getEraseConversationMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service SessionService.
   * <pre>
   * What Chatbridge itself knows of conversations. Nothing here calls the vendor.
   * Errors: INVALID_ARGUMENT (`INVALID_FIELD`), NOT_FOUND (`SESSION_UNKNOWN` or `TENANT_UNKNOWN`), FAILED_PRECONDITION
   * (`KEY_MISSING`), UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static abstract class SessionServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return SessionServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service SessionService.
   * <pre>
   * What Chatbridge itself knows of conversations. Nothing here calls the vendor.
   * Errors: INVALID_ARGUMENT (`INVALID_FIELD`), NOT_FOUND (`SESSION_UNKNOWN` or `TENANT_UNKNOWN`), FAILED_PRECONDITION
   * (`KEY_MISSING`), UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SessionServiceStub
      extends io.grpc.stub.AbstractAsyncStub<SessionServiceStub> {
    private SessionServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SessionServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SessionServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reads one session.
     * </pre>
     */
    public void getSession(io.chatbridge.v1.GetSessionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSessionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetSessionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's sessions, the last active first.
     * A session that becomes active while pages are read moves to the front and may be missed or seen twice.
     * </pre>
     */
    public void listSessions(io.chatbridge.v1.ListSessionsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListSessionsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListSessionsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Erases what Chatbridge keeps of a conversation: its events with their raw JSON, its session with customer, labels and names,
     * what was sent in it, and the key under which its contents are encrypted. It cannot be undone.
     * The vendor's data are not touched: conversation, messages, files and customer stay with 8x8 until they are deleted there, and
     * a conversation that goes on there goes on sending events. What comes after the call begins the conversation anew, with another
     * `session_epoch` and sequences from 1.
     * Streams are told of no gap: what was not delivered yet is left out. What was delivered before, or is on its way in that moment,
     * is the clients' to erase. Late repeats of webhooks whose events were erased are still known, by hashes, and bring nothing back.
     * May be repeated, and should be after an error: it does what is left to do. A conversation of which nothing is known is erased
     * already. An erasure that broke off is ended within some minutes by itself.
     * </pre>
     */
    public void eraseConversation(io.chatbridge.v1.EraseConversationRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.EraseConversationResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getEraseConversationMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service SessionService.
   * <pre>
   * What Chatbridge itself knows of conversations. Nothing here calls the vendor.
   * Errors: INVALID_ARGUMENT (`INVALID_FIELD`), NOT_FOUND (`SESSION_UNKNOWN` or `TENANT_UNKNOWN`), FAILED_PRECONDITION
   * (`KEY_MISSING`), UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SessionServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<SessionServiceBlockingV2Stub> {
    private SessionServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SessionServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SessionServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Reads one session.
     * </pre>
     */
    public io.chatbridge.v1.GetSessionResponse getSession(io.chatbridge.v1.GetSessionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetSessionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's sessions, the last active first.
     * A session that becomes active while pages are read moves to the front and may be missed or seen twice.
     * </pre>
     */
    public io.chatbridge.v1.ListSessionsResponse listSessions(io.chatbridge.v1.ListSessionsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListSessionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Erases what Chatbridge keeps of a conversation: its events with their raw JSON, its session with customer, labels and names,
     * what was sent in it, and the key under which its contents are encrypted. It cannot be undone.
     * The vendor's data are not touched: conversation, messages, files and customer stay with 8x8 until they are deleted there, and
     * a conversation that goes on there goes on sending events. What comes after the call begins the conversation anew, with another
     * `session_epoch` and sequences from 1.
     * Streams are told of no gap: what was not delivered yet is left out. What was delivered before, or is on its way in that moment,
     * is the clients' to erase. Late repeats of webhooks whose events were erased are still known, by hashes, and bring nothing back.
     * May be repeated, and should be after an error: it does what is left to do. A conversation of which nothing is known is erased
     * already. An erasure that broke off is ended within some minutes by itself.
     * </pre>
     */
    public io.chatbridge.v1.EraseConversationResponse eraseConversation(io.chatbridge.v1.EraseConversationRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getEraseConversationMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service SessionService.
   * <pre>
   * What Chatbridge itself knows of conversations. Nothing here calls the vendor.
   * Errors: INVALID_ARGUMENT (`INVALID_FIELD`), NOT_FOUND (`SESSION_UNKNOWN` or `TENANT_UNKNOWN`), FAILED_PRECONDITION
   * (`KEY_MISSING`), UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SessionServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<SessionServiceBlockingStub> {
    private SessionServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SessionServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SessionServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reads one session.
     * </pre>
     */
    public io.chatbridge.v1.GetSessionResponse getSession(io.chatbridge.v1.GetSessionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetSessionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's sessions, the last active first.
     * A session that becomes active while pages are read moves to the front and may be missed or seen twice.
     * </pre>
     */
    public io.chatbridge.v1.ListSessionsResponse listSessions(io.chatbridge.v1.ListSessionsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListSessionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Erases what Chatbridge keeps of a conversation: its events with their raw JSON, its session with customer, labels and names,
     * what was sent in it, and the key under which its contents are encrypted. It cannot be undone.
     * The vendor's data are not touched: conversation, messages, files and customer stay with 8x8 until they are deleted there, and
     * a conversation that goes on there goes on sending events. What comes after the call begins the conversation anew, with another
     * `session_epoch` and sequences from 1.
     * Streams are told of no gap: what was not delivered yet is left out. What was delivered before, or is on its way in that moment,
     * is the clients' to erase. Late repeats of webhooks whose events were erased are still known, by hashes, and bring nothing back.
     * May be repeated, and should be after an error: it does what is left to do. A conversation of which nothing is known is erased
     * already. An erasure that broke off is ended within some minutes by itself.
     * </pre>
     */
    public io.chatbridge.v1.EraseConversationResponse eraseConversation(io.chatbridge.v1.EraseConversationRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getEraseConversationMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service SessionService.
   * <pre>
   * What Chatbridge itself knows of conversations. Nothing here calls the vendor.
   * Errors: INVALID_ARGUMENT (`INVALID_FIELD`), NOT_FOUND (`SESSION_UNKNOWN` or `TENANT_UNKNOWN`), FAILED_PRECONDITION
   * (`KEY_MISSING`), UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SessionServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<SessionServiceFutureStub> {
    private SessionServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SessionServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SessionServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reads one session.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetSessionResponse> getSession(
        io.chatbridge.v1.GetSessionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetSessionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists a tenant's sessions, the last active first.
     * A session that becomes active while pages are read moves to the front and may be missed or seen twice.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListSessionsResponse> listSessions(
        io.chatbridge.v1.ListSessionsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListSessionsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Erases what Chatbridge keeps of a conversation: its events with their raw JSON, its session with customer, labels and names,
     * what was sent in it, and the key under which its contents are encrypted. It cannot be undone.
     * The vendor's data are not touched: conversation, messages, files and customer stay with 8x8 until they are deleted there, and
     * a conversation that goes on there goes on sending events. What comes after the call begins the conversation anew, with another
     * `session_epoch` and sequences from 1.
     * Streams are told of no gap: what was not delivered yet is left out. What was delivered before, or is on its way in that moment,
     * is the clients' to erase. Late repeats of webhooks whose events were erased are still known, by hashes, and bring nothing back.
     * May be repeated, and should be after an error: it does what is left to do. A conversation of which nothing is known is erased
     * already. An erasure that broke off is ended within some minutes by itself.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.EraseConversationResponse> eraseConversation(
        io.chatbridge.v1.EraseConversationRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getEraseConversationMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_SESSION = 0;
  private static final int METHODID_LIST_SESSIONS = 1;
  private static final int METHODID_ERASE_CONVERSATION = 2;

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
        case METHODID_GET_SESSION:
          serviceImpl.getSession((io.chatbridge.v1.GetSessionRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSessionResponse>) responseObserver);
          break;
        case METHODID_LIST_SESSIONS:
          serviceImpl.listSessions((io.chatbridge.v1.ListSessionsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListSessionsResponse>) responseObserver);
          break;
        case METHODID_ERASE_CONVERSATION:
          serviceImpl.eraseConversation((io.chatbridge.v1.EraseConversationRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.EraseConversationResponse>) responseObserver);
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
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getGetSessionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetSessionRequest,
              io.chatbridge.v1.GetSessionResponse>(
                service, METHODID_GET_SESSION)))
        .addMethod(
          getListSessionsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListSessionsRequest,
              io.chatbridge.v1.ListSessionsResponse>(
                service, METHODID_LIST_SESSIONS)))
        .addMethod(
          getEraseConversationMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.EraseConversationRequest,
              io.chatbridge.v1.EraseConversationResponse>(
                service, METHODID_ERASE_CONVERSATION)))
        .build();
  }

  private static abstract class SessionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    SessionServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.chatbridge.v1.SessionServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("SessionService");
    }
  }

  private static final class SessionServiceFileDescriptorSupplier
      extends SessionServiceBaseDescriptorSupplier {
    SessionServiceFileDescriptorSupplier() {}
  }

  private static final class SessionServiceMethodDescriptorSupplier
      extends SessionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    SessionServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (SessionServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new SessionServiceFileDescriptorSupplier())
              .addMethod(getGetSessionMethod())
              .addMethod(getListSessionsMethod())
              .addMethod(getEraseConversationMethod())
              .build();
        }
      }
    }
    return result;
  }
}
