package io.chatbridge.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * The stream on which callers await what agents do.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class AgentEventServiceGrpc {

  private AgentEventServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "chatbridge.v1.AgentEventService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.AgentEventsRequest,
      io.chatbridge.v1.AgentEventsResponse> getAgentEventsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "AgentEvents",
      requestType = io.chatbridge.v1.AgentEventsRequest.class,
      responseType = io.chatbridge.v1.AgentEventsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.AgentEventsRequest,
      io.chatbridge.v1.AgentEventsResponse> getAgentEventsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.AgentEventsRequest, io.chatbridge.v1.AgentEventsResponse> getAgentEventsMethod;
    if ((getAgentEventsMethod = AgentEventServiceGrpc.getAgentEventsMethod) == null) {
      synchronized (AgentEventServiceGrpc.class) {
        if ((getAgentEventsMethod = AgentEventServiceGrpc.getAgentEventsMethod) == null) {
          AgentEventServiceGrpc.getAgentEventsMethod = getAgentEventsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.AgentEventsRequest, io.chatbridge.v1.AgentEventsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "AgentEvents"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.AgentEventsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.AgentEventsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AgentEventServiceMethodDescriptorSupplier("AgentEvents"))
              .build();
        }
      }
    }
    return getAgentEventsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ChangeAgentEventsRequest,
      io.chatbridge.v1.ChangeAgentEventsResponse> getChangeAgentEventsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ChangeAgentEvents",
      requestType = io.chatbridge.v1.ChangeAgentEventsRequest.class,
      responseType = io.chatbridge.v1.ChangeAgentEventsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ChangeAgentEventsRequest,
      io.chatbridge.v1.ChangeAgentEventsResponse> getChangeAgentEventsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ChangeAgentEventsRequest, io.chatbridge.v1.ChangeAgentEventsResponse> getChangeAgentEventsMethod;
    if ((getChangeAgentEventsMethod = AgentEventServiceGrpc.getChangeAgentEventsMethod) == null) {
      synchronized (AgentEventServiceGrpc.class) {
        if ((getChangeAgentEventsMethod = AgentEventServiceGrpc.getChangeAgentEventsMethod) == null) {
          AgentEventServiceGrpc.getChangeAgentEventsMethod = getChangeAgentEventsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ChangeAgentEventsRequest, io.chatbridge.v1.ChangeAgentEventsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ChangeAgentEvents"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ChangeAgentEventsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ChangeAgentEventsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AgentEventServiceMethodDescriptorSupplier("ChangeAgentEvents"))
              .build();
        }
      }
    }
    return getChangeAgentEventsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.CommitCursorRequest,
      io.chatbridge.v1.CommitCursorResponse> getCommitCursorMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CommitCursor",
      requestType = io.chatbridge.v1.CommitCursorRequest.class,
      responseType = io.chatbridge.v1.CommitCursorResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.CommitCursorRequest,
      io.chatbridge.v1.CommitCursorResponse> getCommitCursorMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.CommitCursorRequest, io.chatbridge.v1.CommitCursorResponse> getCommitCursorMethod;
    if ((getCommitCursorMethod = AgentEventServiceGrpc.getCommitCursorMethod) == null) {
      synchronized (AgentEventServiceGrpc.class) {
        if ((getCommitCursorMethod = AgentEventServiceGrpc.getCommitCursorMethod) == null) {
          AgentEventServiceGrpc.getCommitCursorMethod = getCommitCursorMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.CommitCursorRequest, io.chatbridge.v1.CommitCursorResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CommitCursor"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CommitCursorRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CommitCursorResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AgentEventServiceMethodDescriptorSupplier("CommitCursor"))
              .build();
        }
      }
    }
    return getCommitCursorMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static AgentEventServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceStub>() {
        @java.lang.Override
        public AgentEventServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AgentEventServiceStub(channel, callOptions);
        }
      };
    return AgentEventServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static AgentEventServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceBlockingV2Stub>() {
        @java.lang.Override
        public AgentEventServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AgentEventServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return AgentEventServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static AgentEventServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceBlockingStub>() {
        @java.lang.Override
        public AgentEventServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AgentEventServiceBlockingStub(channel, callOptions);
        }
      };
    return AgentEventServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static AgentEventServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AgentEventServiceFutureStub>() {
        @java.lang.Override
        public AgentEventServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AgentEventServiceFutureStub(channel, callOptions);
        }
      };
    return AgentEventServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * The stream on which callers await what agents do.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Streams every matching event after the start, once, in the order of the log within each conversation.
     * The first response is a heartbeat: from then on the subscription holds. Keep the `cursor` of the last response that
     * was processed and start from it after any break: nothing is missed, and at worst what was not recorded comes again.
     * A heartbeat comes at least every 20 s, and says how often; after twice that in silence the connection is dead.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), OUT_OF_RANGE (`CURSOR_GAP`, where the gap policy is to
     * fail), NOT_FOUND (`TENANT_UNKNOWN`), UNAVAILABLE (`STORE_UNAVAILABLE` or `DRAINING`: connect again), INTERNAL
     * (`STORE_CORRUPT`), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: after `RetryInfo`). With `subscription` also NOT_FOUND
     * (`SUBSCRIPTION_UNKNOWN`) and RESOURCE_EXHAUSTED (`SUBSCRIPTION_LIMIT`: it has 256 members).
     * </pre>
     */
    default void agentEvents(io.chatbridge.v1.AgentEventsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.AgentEventsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getAgentEventsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Adds conversations to an open stream and takes others off. The stream must have been opened as `changeable`; it may be
     * on any replica. What was accepted is told on the stream, within moments, by a `changed` with the same `revision`: from
     * there on the change holds. If Redis loses its data, a change that was accepted but not told may be lost with it: where no
     * `changed` comes within 30 s, make the call again. A stream that is opened anew has the conversations of its request.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`TENANT_UNKNOWN`; `STREAM_UNKNOWN`: there is no such
     * stream any more, or it is not changeable), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: the stream would have more than 1000
     * conversations, or 1000 changes wait for it), UNAVAILABLE (`STORE_UNAVAILABLE`; repeating is harmless).
     * </pre>
     */
    default void changeAgentEvents(io.chatbridge.v1.ChangeAgentEventsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ChangeAgentEventsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getChangeAgentEventsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Says that the events of a named subscription were processed up to a cursor, which moves its place in the log. A cursor
     * before what was committed already changes nothing.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`), ABORTED
     * (`CURSOR_SUPERSEDED`: another stream has taken over what the cursor belongs to, and gets these events again), UNAVAILABLE
     * (`STORE_UNAVAILABLE`: repeat), INTERNAL (`STORE_CORRUPT`).
     * </pre>
     */
    default void commitCursor(io.chatbridge.v1.CommitCursorRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CommitCursorResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCommitCursorMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service AgentEventService.
   * <pre>
   * The stream on which callers await what agents do.
   * </pre>
   */
  public static abstract class AgentEventServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return AgentEventServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service AgentEventService.
   * <pre>
   * The stream on which callers await what agents do.
   * </pre>
   */
  public static final class AgentEventServiceStub
      extends io.grpc.stub.AbstractAsyncStub<AgentEventServiceStub> {
    private AgentEventServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AgentEventServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AgentEventServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Streams every matching event after the start, once, in the order of the log within each conversation.
     * The first response is a heartbeat: from then on the subscription holds. Keep the `cursor` of the last response that
     * was processed and start from it after any break: nothing is missed, and at worst what was not recorded comes again.
     * A heartbeat comes at least every 20 s, and says how often; after twice that in silence the connection is dead.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), OUT_OF_RANGE (`CURSOR_GAP`, where the gap policy is to
     * fail), NOT_FOUND (`TENANT_UNKNOWN`), UNAVAILABLE (`STORE_UNAVAILABLE` or `DRAINING`: connect again), INTERNAL
     * (`STORE_CORRUPT`), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: after `RetryInfo`). With `subscription` also NOT_FOUND
     * (`SUBSCRIPTION_UNKNOWN`) and RESOURCE_EXHAUSTED (`SUBSCRIPTION_LIMIT`: it has 256 members).
     * </pre>
     */
    public void agentEvents(io.chatbridge.v1.AgentEventsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.AgentEventsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getAgentEventsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Adds conversations to an open stream and takes others off. The stream must have been opened as `changeable`; it may be
     * on any replica. What was accepted is told on the stream, within moments, by a `changed` with the same `revision`: from
     * there on the change holds. If Redis loses its data, a change that was accepted but not told may be lost with it: where no
     * `changed` comes within 30 s, make the call again. A stream that is opened anew has the conversations of its request.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`TENANT_UNKNOWN`; `STREAM_UNKNOWN`: there is no such
     * stream any more, or it is not changeable), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: the stream would have more than 1000
     * conversations, or 1000 changes wait for it), UNAVAILABLE (`STORE_UNAVAILABLE`; repeating is harmless).
     * </pre>
     */
    public void changeAgentEvents(io.chatbridge.v1.ChangeAgentEventsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ChangeAgentEventsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getChangeAgentEventsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Says that the events of a named subscription were processed up to a cursor, which moves its place in the log. A cursor
     * before what was committed already changes nothing.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`), ABORTED
     * (`CURSOR_SUPERSEDED`: another stream has taken over what the cursor belongs to, and gets these events again), UNAVAILABLE
     * (`STORE_UNAVAILABLE`: repeat), INTERNAL (`STORE_CORRUPT`).
     * </pre>
     */
    public void commitCursor(io.chatbridge.v1.CommitCursorRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CommitCursorResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCommitCursorMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service AgentEventService.
   * <pre>
   * The stream on which callers await what agents do.
   * </pre>
   */
  public static final class AgentEventServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<AgentEventServiceBlockingV2Stub> {
    private AgentEventServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AgentEventServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AgentEventServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Streams every matching event after the start, once, in the order of the log within each conversation.
     * The first response is a heartbeat: from then on the subscription holds. Keep the `cursor` of the last response that
     * was processed and start from it after any break: nothing is missed, and at worst what was not recorded comes again.
     * A heartbeat comes at least every 20 s, and says how often; after twice that in silence the connection is dead.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), OUT_OF_RANGE (`CURSOR_GAP`, where the gap policy is to
     * fail), NOT_FOUND (`TENANT_UNKNOWN`), UNAVAILABLE (`STORE_UNAVAILABLE` or `DRAINING`: connect again), INTERNAL
     * (`STORE_CORRUPT`), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: after `RetryInfo`). With `subscription` also NOT_FOUND
     * (`SUBSCRIPTION_UNKNOWN`) and RESOURCE_EXHAUSTED (`SUBSCRIPTION_LIMIT`: it has 256 members).
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.chatbridge.v1.AgentEventsResponse>
        agentEvents(io.chatbridge.v1.AgentEventsRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getAgentEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Adds conversations to an open stream and takes others off. The stream must have been opened as `changeable`; it may be
     * on any replica. What was accepted is told on the stream, within moments, by a `changed` with the same `revision`: from
     * there on the change holds. If Redis loses its data, a change that was accepted but not told may be lost with it: where no
     * `changed` comes within 30 s, make the call again. A stream that is opened anew has the conversations of its request.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`TENANT_UNKNOWN`; `STREAM_UNKNOWN`: there is no such
     * stream any more, or it is not changeable), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: the stream would have more than 1000
     * conversations, or 1000 changes wait for it), UNAVAILABLE (`STORE_UNAVAILABLE`; repeating is harmless).
     * </pre>
     */
    public io.chatbridge.v1.ChangeAgentEventsResponse changeAgentEvents(io.chatbridge.v1.ChangeAgentEventsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getChangeAgentEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says that the events of a named subscription were processed up to a cursor, which moves its place in the log. A cursor
     * before what was committed already changes nothing.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`), ABORTED
     * (`CURSOR_SUPERSEDED`: another stream has taken over what the cursor belongs to, and gets these events again), UNAVAILABLE
     * (`STORE_UNAVAILABLE`: repeat), INTERNAL (`STORE_CORRUPT`).
     * </pre>
     */
    public io.chatbridge.v1.CommitCursorResponse commitCursor(io.chatbridge.v1.CommitCursorRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCommitCursorMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service AgentEventService.
   * <pre>
   * The stream on which callers await what agents do.
   * </pre>
   */
  public static final class AgentEventServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<AgentEventServiceBlockingStub> {
    private AgentEventServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AgentEventServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AgentEventServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Streams every matching event after the start, once, in the order of the log within each conversation.
     * The first response is a heartbeat: from then on the subscription holds. Keep the `cursor` of the last response that
     * was processed and start from it after any break: nothing is missed, and at worst what was not recorded comes again.
     * A heartbeat comes at least every 20 s, and says how often; after twice that in silence the connection is dead.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), OUT_OF_RANGE (`CURSOR_GAP`, where the gap policy is to
     * fail), NOT_FOUND (`TENANT_UNKNOWN`), UNAVAILABLE (`STORE_UNAVAILABLE` or `DRAINING`: connect again), INTERNAL
     * (`STORE_CORRUPT`), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: after `RetryInfo`). With `subscription` also NOT_FOUND
     * (`SUBSCRIPTION_UNKNOWN`) and RESOURCE_EXHAUSTED (`SUBSCRIPTION_LIMIT`: it has 256 members).
     * </pre>
     */
    public java.util.Iterator<io.chatbridge.v1.AgentEventsResponse> agentEvents(
        io.chatbridge.v1.AgentEventsRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getAgentEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Adds conversations to an open stream and takes others off. The stream must have been opened as `changeable`; it may be
     * on any replica. What was accepted is told on the stream, within moments, by a `changed` with the same `revision`: from
     * there on the change holds. If Redis loses its data, a change that was accepted but not told may be lost with it: where no
     * `changed` comes within 30 s, make the call again. A stream that is opened anew has the conversations of its request.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`TENANT_UNKNOWN`; `STREAM_UNKNOWN`: there is no such
     * stream any more, or it is not changeable), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: the stream would have more than 1000
     * conversations, or 1000 changes wait for it), UNAVAILABLE (`STORE_UNAVAILABLE`; repeating is harmless).
     * </pre>
     */
    public io.chatbridge.v1.ChangeAgentEventsResponse changeAgentEvents(io.chatbridge.v1.ChangeAgentEventsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getChangeAgentEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says that the events of a named subscription were processed up to a cursor, which moves its place in the log. A cursor
     * before what was committed already changes nothing.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`), ABORTED
     * (`CURSOR_SUPERSEDED`: another stream has taken over what the cursor belongs to, and gets these events again), UNAVAILABLE
     * (`STORE_UNAVAILABLE`: repeat), INTERNAL (`STORE_CORRUPT`).
     * </pre>
     */
    public io.chatbridge.v1.CommitCursorResponse commitCursor(io.chatbridge.v1.CommitCursorRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCommitCursorMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service AgentEventService.
   * <pre>
   * The stream on which callers await what agents do.
   * </pre>
   */
  public static final class AgentEventServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<AgentEventServiceFutureStub> {
    private AgentEventServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AgentEventServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AgentEventServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Adds conversations to an open stream and takes others off. The stream must have been opened as `changeable`; it may be
     * on any replica. What was accepted is told on the stream, within moments, by a `changed` with the same `revision`: from
     * there on the change holds. If Redis loses its data, a change that was accepted but not told may be lost with it: where no
     * `changed` comes within 30 s, make the call again. A stream that is opened anew has the conversations of its request.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`TENANT_UNKNOWN`; `STREAM_UNKNOWN`: there is no such
     * stream any more, or it is not changeable), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: the stream would have more than 1000
     * conversations, or 1000 changes wait for it), UNAVAILABLE (`STORE_UNAVAILABLE`; repeating is harmless).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ChangeAgentEventsResponse> changeAgentEvents(
        io.chatbridge.v1.ChangeAgentEventsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getChangeAgentEventsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Says that the events of a named subscription were processed up to a cursor, which moves its place in the log. A cursor
     * before what was committed already changes nothing.
     * Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`), ABORTED
     * (`CURSOR_SUPERSEDED`: another stream has taken over what the cursor belongs to, and gets these events again), UNAVAILABLE
     * (`STORE_UNAVAILABLE`: repeat), INTERNAL (`STORE_CORRUPT`).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.CommitCursorResponse> commitCursor(
        io.chatbridge.v1.CommitCursorRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCommitCursorMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_AGENT_EVENTS = 0;
  private static final int METHODID_CHANGE_AGENT_EVENTS = 1;
  private static final int METHODID_COMMIT_CURSOR = 2;

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
        case METHODID_AGENT_EVENTS:
          serviceImpl.agentEvents((io.chatbridge.v1.AgentEventsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.AgentEventsResponse>) responseObserver);
          break;
        case METHODID_CHANGE_AGENT_EVENTS:
          serviceImpl.changeAgentEvents((io.chatbridge.v1.ChangeAgentEventsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ChangeAgentEventsResponse>) responseObserver);
          break;
        case METHODID_COMMIT_CURSOR:
          serviceImpl.commitCursor((io.chatbridge.v1.CommitCursorRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.CommitCursorResponse>) responseObserver);
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
          getAgentEventsMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.chatbridge.v1.AgentEventsRequest,
              io.chatbridge.v1.AgentEventsResponse>(
                service, METHODID_AGENT_EVENTS)))
        .addMethod(
          getChangeAgentEventsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ChangeAgentEventsRequest,
              io.chatbridge.v1.ChangeAgentEventsResponse>(
                service, METHODID_CHANGE_AGENT_EVENTS)))
        .addMethod(
          getCommitCursorMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.CommitCursorRequest,
              io.chatbridge.v1.CommitCursorResponse>(
                service, METHODID_COMMIT_CURSOR)))
        .build();
  }

  private static abstract class AgentEventServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    AgentEventServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.chatbridge.v1.AgentEventServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("AgentEventService");
    }
  }

  private static final class AgentEventServiceFileDescriptorSupplier
      extends AgentEventServiceBaseDescriptorSupplier {
    AgentEventServiceFileDescriptorSupplier() {}
  }

  private static final class AgentEventServiceMethodDescriptorSupplier
      extends AgentEventServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    AgentEventServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (AgentEventServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new AgentEventServiceFileDescriptorSupplier())
              .addMethod(getAgentEventsMethod())
              .addMethod(getChangeAgentEventsMethod())
              .addMethod(getCommitCursorMethod())
              .build();
        }
      }
    }
    return result;
  }
}
