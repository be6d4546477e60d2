package io.chatbridge.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Named subscriptions, whose place in the log Chatbridge keeps. `AgentEvents` with `subscription` reads one, and
 * `CommitCursor` says how far its events were processed.
 * Errors: INVALID_ARGUMENT (a field, or `CURSOR_INVALID`), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`),
 * UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class SubscriptionServiceGrpc {

  private SubscriptionServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "chatbridge.v1.SubscriptionService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.CreateSubscriptionRequest,
      io.chatbridge.v1.CreateSubscriptionResponse> getCreateSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateSubscription",
      requestType = io.chatbridge.v1.CreateSubscriptionRequest.class,
      responseType = io.chatbridge.v1.CreateSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.CreateSubscriptionRequest,
      io.chatbridge.v1.CreateSubscriptionResponse> getCreateSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.CreateSubscriptionRequest, io.chatbridge.v1.CreateSubscriptionResponse> getCreateSubscriptionMethod;
    if ((getCreateSubscriptionMethod = SubscriptionServiceGrpc.getCreateSubscriptionMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getCreateSubscriptionMethod = SubscriptionServiceGrpc.getCreateSubscriptionMethod) == null) {
          SubscriptionServiceGrpc.getCreateSubscriptionMethod = getCreateSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.CreateSubscriptionRequest, io.chatbridge.v1.CreateSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateSubscription"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("CreateSubscription"))
              .build();
        }
      }
    }
    return getCreateSubscriptionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetSubscriptionRequest,
      io.chatbridge.v1.GetSubscriptionResponse> getGetSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetSubscription",
      requestType = io.chatbridge.v1.GetSubscriptionRequest.class,
      responseType = io.chatbridge.v1.GetSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetSubscriptionRequest,
      io.chatbridge.v1.GetSubscriptionResponse> getGetSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetSubscriptionRequest, io.chatbridge.v1.GetSubscriptionResponse> getGetSubscriptionMethod;
    if ((getGetSubscriptionMethod = SubscriptionServiceGrpc.getGetSubscriptionMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getGetSubscriptionMethod = SubscriptionServiceGrpc.getGetSubscriptionMethod) == null) {
          SubscriptionServiceGrpc.getGetSubscriptionMethod = getGetSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetSubscriptionRequest, io.chatbridge.v1.GetSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetSubscription"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("GetSubscription"))
              .build();
        }
      }
    }
    return getGetSubscriptionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListSubscriptionsRequest,
      io.chatbridge.v1.ListSubscriptionsResponse> getListSubscriptionsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListSubscriptions",
      requestType = io.chatbridge.v1.ListSubscriptionsRequest.class,
      responseType = io.chatbridge.v1.ListSubscriptionsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListSubscriptionsRequest,
      io.chatbridge.v1.ListSubscriptionsResponse> getListSubscriptionsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListSubscriptionsRequest, io.chatbridge.v1.ListSubscriptionsResponse> getListSubscriptionsMethod;
    if ((getListSubscriptionsMethod = SubscriptionServiceGrpc.getListSubscriptionsMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getListSubscriptionsMethod = SubscriptionServiceGrpc.getListSubscriptionsMethod) == null) {
          SubscriptionServiceGrpc.getListSubscriptionsMethod = getListSubscriptionsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListSubscriptionsRequest, io.chatbridge.v1.ListSubscriptionsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListSubscriptions"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListSubscriptionsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListSubscriptionsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("ListSubscriptions"))
              .build();
        }
      }
    }
    return getListSubscriptionsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteSubscriptionRequest,
      io.chatbridge.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteSubscription",
      requestType = io.chatbridge.v1.DeleteSubscriptionRequest.class,
      responseType = io.chatbridge.v1.DeleteSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteSubscriptionRequest,
      io.chatbridge.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteSubscriptionRequest, io.chatbridge.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod;
    if ((getDeleteSubscriptionMethod = SubscriptionServiceGrpc.getDeleteSubscriptionMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getDeleteSubscriptionMethod = SubscriptionServiceGrpc.getDeleteSubscriptionMethod) == null) {
          SubscriptionServiceGrpc.getDeleteSubscriptionMethod = getDeleteSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.DeleteSubscriptionRequest, io.chatbridge.v1.DeleteSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteSubscription"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DeleteSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DeleteSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("DeleteSubscription"))
              .build();
        }
      }
    }
    return getDeleteSubscriptionMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static SubscriptionServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceStub>() {
        @java.lang.Override
        public SubscriptionServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SubscriptionServiceStub(channel, callOptions);
        }
      };
    return SubscriptionServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static SubscriptionServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceBlockingV2Stub>() {
        @java.lang.Override
        public SubscriptionServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SubscriptionServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return SubscriptionServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static SubscriptionServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceBlockingStub>() {
        @java.lang.Override
        public SubscriptionServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SubscriptionServiceBlockingStub(channel, callOptions);
        }
      };
    return SubscriptionServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static SubscriptionServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SubscriptionServiceFutureStub>() {
        @java.lang.Override
        public SubscriptionServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SubscriptionServiceFutureStub(channel, callOptions);
        }
      };
    return SubscriptionServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Named subscriptions, whose place in the log Chatbridge keeps. `AgentEvents` with `subscription` reads one, and
   * `CommitCursor` says how far its events were processed.
   * Errors: INVALID_ARGUMENT (a field, or `CURSOR_INVALID`), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`),
   * UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Creates a subscription. Created again with the same definition, it is answered as it is; events that came meanwhile are
     * not skipped.
     * Errors, besides those above: ALREADY_EXISTS (`SUBSCRIPTION_EXISTS`: with another definition), RESOURCE_EXHAUSTED
     * (`SUBSCRIPTION_LIMIT`: the tenant has 1000).
     * </pre>
     */
    default void createSubscription(io.chatbridge.v1.CreateSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateSubscriptionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads a subscription with its members and how far behind it is.
     * </pre>
     */
    default void getSubscription(io.chatbridge.v1.GetSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetSubscriptionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's subscriptions in the order of their names.
     * </pre>
     */
    default void listSubscriptions(io.chatbridge.v1.ListSubscriptionsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListSubscriptionsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListSubscriptionsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a subscription and its place in the log, and ends its streams with SUBSCRIPTION_DELETED. One that does not exist
     * is NOT_FOUND.
     * </pre>
     */
    default void deleteSubscription(io.chatbridge.v1.DeleteSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteSubscriptionMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service SubscriptionService.
   * <pre>
   * Named subscriptions, whose place in the log Chatbridge keeps. `AgentEvents` with `subscription` reads one, and
   * `CommitCursor` says how far its events were processed.
   * Errors: INVALID_ARGUMENT (a field, or `CURSOR_INVALID`), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`),
   * UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static abstract class SubscriptionServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return SubscriptionServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service SubscriptionService.
   * <pre>
   * Named subscriptions, whose place in the log Chatbridge keeps. `AgentEvents` with `subscription` reads one, and
   * `CommitCursor` says how far its events were processed.
   * Errors: INVALID_ARGUMENT (a field, or `CURSOR_INVALID`), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`),
   * UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SubscriptionServiceStub
      extends io.grpc.stub.AbstractAsyncStub<SubscriptionServiceStub> {
    private SubscriptionServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SubscriptionServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SubscriptionServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a subscription. Created again with the same definition, it is answered as it is; events that came meanwhile are
     * not skipped.
     * Errors, besides those above: ALREADY_EXISTS (`SUBSCRIPTION_EXISTS`: with another definition), RESOURCE_EXHAUSTED
     * (`SUBSCRIPTION_LIMIT`: the tenant has 1000).
     * </pre>
     */
    public void createSubscription(io.chatbridge.v1.CreateSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads a subscription with its members and how far behind it is.
     * </pre>
     */
    public void getSubscription(io.chatbridge.v1.GetSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's subscriptions in the order of their names.
     * </pre>
     */
    public void listSubscriptions(io.chatbridge.v1.ListSubscriptionsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListSubscriptionsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListSubscriptionsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a subscription and its place in the log, and ends its streams with SUBSCRIPTION_DELETED. One that does not exist
     * is NOT_FOUND.
     * </pre>
     */
    public void deleteSubscription(io.chatbridge.v1.DeleteSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service SubscriptionService.
   * <pre>
   * Named subscriptions, whose place in the log Chatbridge keeps. `AgentEvents` with `subscription` reads one, and
   * `CommitCursor` says how far its events were processed.
   * Errors: INVALID_ARGUMENT (a field, or `CURSOR_INVALID`), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`),
   * UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SubscriptionServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<SubscriptionServiceBlockingV2Stub> {
    private SubscriptionServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SubscriptionServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SubscriptionServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a subscription. Created again with the same definition, it is answered as it is; events that came meanwhile are
     * not skipped.
     * Errors, besides those above: ALREADY_EXISTS (`SUBSCRIPTION_EXISTS`: with another definition), RESOURCE_EXHAUSTED
     * (`SUBSCRIPTION_LIMIT`: the tenant has 1000).
     * </pre>
     */
    public io.chatbridge.v1.CreateSubscriptionResponse createSubscription(io.chatbridge.v1.CreateSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a subscription with its members and how far behind it is.
     * </pre>
     */
    public io.chatbridge.v1.GetSubscriptionResponse getSubscription(io.chatbridge.v1.GetSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's subscriptions in the order of their names.
     * </pre>
     */
    public io.chatbridge.v1.ListSubscriptionsResponse listSubscriptions(io.chatbridge.v1.ListSubscriptionsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListSubscriptionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a subscription and its place in the log, and ends its streams with SUBSCRIPTION_DELETED. One that does not exist
     * is NOT_FOUND.
     * </pre>
     */
    public io.chatbridge.v1.DeleteSubscriptionResponse deleteSubscription(io.chatbridge.v1.DeleteSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteSubscriptionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service SubscriptionService.
   * <pre>
   * Named subscriptions, whose place in the log Chatbridge keeps. `AgentEvents` with `subscription` reads one, and
   * `CommitCursor` says how far its events were processed.
   * Errors: INVALID_ARGUMENT (a field, or `CURSOR_INVALID`), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`),
   * UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SubscriptionServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<SubscriptionServiceBlockingStub> {
    private SubscriptionServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SubscriptionServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SubscriptionServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a subscription. Created again with the same definition, it is answered as it is; events that came meanwhile are
     * not skipped.
     * Errors, besides those above: ALREADY_EXISTS (`SUBSCRIPTION_EXISTS`: with another definition), RESOURCE_EXHAUSTED
     * (`SUBSCRIPTION_LIMIT`: the tenant has 1000).
     * </pre>
     */
    public io.chatbridge.v1.CreateSubscriptionResponse createSubscription(io.chatbridge.v1.CreateSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a subscription with its members and how far behind it is.
     * </pre>
     */
    public io.chatbridge.v1.GetSubscriptionResponse getSubscription(io.chatbridge.v1.GetSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's subscriptions in the order of their names.
     * </pre>
     */
    public io.chatbridge.v1.ListSubscriptionsResponse listSubscriptions(io.chatbridge.v1.ListSubscriptionsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListSubscriptionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a subscription and its place in the log, and ends its streams with SUBSCRIPTION_DELETED. One that does not exist
     * is NOT_FOUND.
     * </pre>
     */
    public io.chatbridge.v1.DeleteSubscriptionResponse deleteSubscription(io.chatbridge.v1.DeleteSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteSubscriptionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service SubscriptionService.
   * <pre>
   * Named subscriptions, whose place in the log Chatbridge keeps. `AgentEvents` with `subscription` reads one, and
   * `CommitCursor` says how far its events were processed.
   * Errors: INVALID_ARGUMENT (a field, or `CURSOR_INVALID`), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`),
   * UNAVAILABLE (`STORE_UNAVAILABLE`), INTERNAL (`STORE_CORRUPT`).
   * </pre>
   */
  public static final class SubscriptionServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<SubscriptionServiceFutureStub> {
    private SubscriptionServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SubscriptionServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SubscriptionServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a subscription. Created again with the same definition, it is answered as it is; events that came meanwhile are
     * not skipped.
     * Errors, besides those above: ALREADY_EXISTS (`SUBSCRIPTION_EXISTS`: with another definition), RESOURCE_EXHAUSTED
     * (`SUBSCRIPTION_LIMIT`: the tenant has 1000).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.CreateSubscriptionResponse> createSubscription(
        io.chatbridge.v1.CreateSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateSubscriptionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reads a subscription with its members and how far behind it is.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetSubscriptionResponse> getSubscription(
        io.chatbridge.v1.GetSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetSubscriptionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists a tenant's subscriptions in the order of their names.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListSubscriptionsResponse> listSubscriptions(
        io.chatbridge.v1.ListSubscriptionsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListSubscriptionsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a subscription and its place in the log, and ends its streams with SUBSCRIPTION_DELETED. One that does not exist
     * is NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.DeleteSubscriptionResponse> deleteSubscription(
        io.chatbridge.v1.DeleteSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteSubscriptionMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_SUBSCRIPTION = 0;
  private static final int METHODID_GET_SUBSCRIPTION = 1;
  private static final int METHODID_LIST_SUBSCRIPTIONS = 2;
  private static final int METHODID_DELETE_SUBSCRIPTION = 3;

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
        case METHODID_CREATE_SUBSCRIPTION:
          serviceImpl.createSubscription((io.chatbridge.v1.CreateSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateSubscriptionResponse>) responseObserver);
          break;
        case METHODID_GET_SUBSCRIPTION:
          serviceImpl.getSubscription((io.chatbridge.v1.GetSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSubscriptionResponse>) responseObserver);
          break;
        case METHODID_LIST_SUBSCRIPTIONS:
          serviceImpl.listSubscriptions((io.chatbridge.v1.ListSubscriptionsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListSubscriptionsResponse>) responseObserver);
          break;
        case METHODID_DELETE_SUBSCRIPTION:
          serviceImpl.deleteSubscription((io.chatbridge.v1.DeleteSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteSubscriptionResponse>) responseObserver);
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
          getCreateSubscriptionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.CreateSubscriptionRequest,
              io.chatbridge.v1.CreateSubscriptionResponse>(
                service, METHODID_CREATE_SUBSCRIPTION)))
        .addMethod(
          getGetSubscriptionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetSubscriptionRequest,
              io.chatbridge.v1.GetSubscriptionResponse>(
                service, METHODID_GET_SUBSCRIPTION)))
        .addMethod(
          getListSubscriptionsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListSubscriptionsRequest,
              io.chatbridge.v1.ListSubscriptionsResponse>(
                service, METHODID_LIST_SUBSCRIPTIONS)))
        .addMethod(
          getDeleteSubscriptionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.DeleteSubscriptionRequest,
              io.chatbridge.v1.DeleteSubscriptionResponse>(
                service, METHODID_DELETE_SUBSCRIPTION)))
        .build();
  }

  private static abstract class SubscriptionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    SubscriptionServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.chatbridge.v1.SubscriptionServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("SubscriptionService");
    }
  }

  private static final class SubscriptionServiceFileDescriptorSupplier
      extends SubscriptionServiceBaseDescriptorSupplier {
    SubscriptionServiceFileDescriptorSupplier() {}
  }

  private static final class SubscriptionServiceMethodDescriptorSupplier
      extends SubscriptionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    SubscriptionServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (SubscriptionServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new SubscriptionServiceFileDescriptorSupplier())
              .addMethod(getCreateSubscriptionMethod())
              .addMethod(getGetSubscriptionMethod())
              .addMethod(getListSubscriptionsMethod())
              .addMethod(getDeleteSubscriptionMethod())
              .build();
        }
      }
    }
    return result;
  }
}
