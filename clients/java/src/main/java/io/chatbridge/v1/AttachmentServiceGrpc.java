package io.chatbridge.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Files of conversations. Bytes stream through: none of these calls holds a whole file.
 * Errors as of `ConversationService`; and CANCELLED (`CALLER_GONE`) where the caller's own stream breaks off, brings no
 * `start` for a minute, or no byte for as long as the service is set to wait for an answer of the vendor's. Transfers
 * have a limit of time of their own, which is an operator's to set (10 minutes unless told otherwise).
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class AttachmentServiceGrpc {

  private AttachmentServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "chatbridge.v1.AttachmentService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.UploadAttachmentRequest,
      io.chatbridge.v1.UploadAttachmentResponse> getUploadAttachmentMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UploadAttachment",
      requestType = io.chatbridge.v1.UploadAttachmentRequest.class,
      responseType = io.chatbridge.v1.UploadAttachmentResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.UploadAttachmentRequest,
      io.chatbridge.v1.UploadAttachmentResponse> getUploadAttachmentMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.UploadAttachmentRequest, io.chatbridge.v1.UploadAttachmentResponse> getUploadAttachmentMethod;
    if ((getUploadAttachmentMethod = AttachmentServiceGrpc.getUploadAttachmentMethod) == null) {
      synchronized (AttachmentServiceGrpc.class) {
        if ((getUploadAttachmentMethod = AttachmentServiceGrpc.getUploadAttachmentMethod) == null) {
          AttachmentServiceGrpc.getUploadAttachmentMethod = getUploadAttachmentMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.UploadAttachmentRequest, io.chatbridge.v1.UploadAttachmentResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UploadAttachment"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.UploadAttachmentRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.UploadAttachmentResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AttachmentServiceMethodDescriptorSupplier("UploadAttachment"))
              .build();
        }
      }
    }
    return getUploadAttachmentMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.DownloadAttachmentRequest,
      io.chatbridge.v1.DownloadAttachmentResponse> getDownloadAttachmentMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DownloadAttachment",
      requestType = io.chatbridge.v1.DownloadAttachmentRequest.class,
      responseType = io.chatbridge.v1.DownloadAttachmentResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.DownloadAttachmentRequest,
      io.chatbridge.v1.DownloadAttachmentResponse> getDownloadAttachmentMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.DownloadAttachmentRequest, io.chatbridge.v1.DownloadAttachmentResponse> getDownloadAttachmentMethod;
    if ((getDownloadAttachmentMethod = AttachmentServiceGrpc.getDownloadAttachmentMethod) == null) {
      synchronized (AttachmentServiceGrpc.class) {
        if ((getDownloadAttachmentMethod = AttachmentServiceGrpc.getDownloadAttachmentMethod) == null) {
          AttachmentServiceGrpc.getDownloadAttachmentMethod = getDownloadAttachmentMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.DownloadAttachmentRequest, io.chatbridge.v1.DownloadAttachmentResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DownloadAttachment"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DownloadAttachmentRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DownloadAttachmentResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AttachmentServiceMethodDescriptorSupplier("DownloadAttachment"))
              .build();
        }
      }
    }
    return getDownloadAttachmentMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetAttachmentRequest,
      io.chatbridge.v1.GetAttachmentResponse> getGetAttachmentMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetAttachment",
      requestType = io.chatbridge.v1.GetAttachmentRequest.class,
      responseType = io.chatbridge.v1.GetAttachmentResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetAttachmentRequest,
      io.chatbridge.v1.GetAttachmentResponse> getGetAttachmentMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetAttachmentRequest, io.chatbridge.v1.GetAttachmentResponse> getGetAttachmentMethod;
    if ((getGetAttachmentMethod = AttachmentServiceGrpc.getGetAttachmentMethod) == null) {
      synchronized (AttachmentServiceGrpc.class) {
        if ((getGetAttachmentMethod = AttachmentServiceGrpc.getGetAttachmentMethod) == null) {
          AttachmentServiceGrpc.getGetAttachmentMethod = getGetAttachmentMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetAttachmentRequest, io.chatbridge.v1.GetAttachmentResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetAttachment"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetAttachmentRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetAttachmentResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AttachmentServiceMethodDescriptorSupplier("GetAttachment"))
              .build();
        }
      }
    }
    return getGetAttachmentMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListAttachmentsRequest,
      io.chatbridge.v1.ListAttachmentsResponse> getListAttachmentsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListAttachments",
      requestType = io.chatbridge.v1.ListAttachmentsRequest.class,
      responseType = io.chatbridge.v1.ListAttachmentsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListAttachmentsRequest,
      io.chatbridge.v1.ListAttachmentsResponse> getListAttachmentsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListAttachmentsRequest, io.chatbridge.v1.ListAttachmentsResponse> getListAttachmentsMethod;
    if ((getListAttachmentsMethod = AttachmentServiceGrpc.getListAttachmentsMethod) == null) {
      synchronized (AttachmentServiceGrpc.class) {
        if ((getListAttachmentsMethod = AttachmentServiceGrpc.getListAttachmentsMethod) == null) {
          AttachmentServiceGrpc.getListAttachmentsMethod = getListAttachmentsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListAttachmentsRequest, io.chatbridge.v1.ListAttachmentsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListAttachments"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListAttachmentsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListAttachmentsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AttachmentServiceMethodDescriptorSupplier("ListAttachments"))
              .build();
        }
      }
    }
    return getListAttachmentsMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static AttachmentServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceStub>() {
        @java.lang.Override
        public AttachmentServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AttachmentServiceStub(channel, callOptions);
        }
      };
    return AttachmentServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static AttachmentServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceBlockingV2Stub>() {
        @java.lang.Override
        public AttachmentServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AttachmentServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return AttachmentServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static AttachmentServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceBlockingStub>() {
        @java.lang.Override
        public AttachmentServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AttachmentServiceBlockingStub(channel, callOptions);
        }
      };
    return AttachmentServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static AttachmentServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AttachmentServiceFutureStub>() {
        @java.lang.Override
        public AttachmentServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AttachmentServiceFutureStub(channel, callOptions);
        }
      };
    return AttachmentServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Files of conversations. Bytes stream through: none of these calls holds a whole file.
   * Errors as of `ConversationService`; and CANCELLED (`CALLER_GONE`) where the caller's own stream breaks off, brings no
   * `start` for a minute, or no byte for as long as the service is set to wait for an answer of the vendor's. Transfers
   * have a limit of time of their own, which is an operator's to set (10 minutes unless told otherwise).
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Uploads a file into a conversation, to be shown by a message that refers to it.
     * The first message of the stream is `start`, the others are `chunk`s that add up to `start.size_bytes`: with fewer or
     * more, INVALID_ARGUMENT, and nothing is stored. Larger than the tenant's limit: INVALID_ARGUMENT before anything is
     * sent. Idempotent with `request_id`, as `CreateConversation` is: the repeat must stream the same bytes. Not for
     * gRPC-Web, which cannot stream from the client.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<io.chatbridge.v1.UploadAttachmentRequest> uploadAttachment(
        io.grpc.stub.StreamObserver<io.chatbridge.v1.UploadAttachmentResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getUploadAttachmentMethod(), responseObserver);
    }

    /**
     * <pre>
     * Downloads a file.
     * The first message is `start`, the others are `chunk`s. A stream that ends with OK was complete; with anything else, what
     * came is the beginning of the file.
     * </pre>
     */
    default void downloadAttachment(io.chatbridge.v1.DownloadAttachmentRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DownloadAttachmentResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDownloadAttachmentMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads a file's details.
     * </pre>
     */
    default void getAttachment(io.chatbridge.v1.GetAttachmentRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetAttachmentResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetAttachmentMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists a conversation's files as the vendor has them.
     * </pre>
     */
    default void listAttachments(io.chatbridge.v1.ListAttachmentsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListAttachmentsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListAttachmentsMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service AttachmentService.
   * <pre>
   * Files of conversations. Bytes stream through: none of these calls holds a whole file.
   * Errors as of `ConversationService`; and CANCELLED (`CALLER_GONE`) where the caller's own stream breaks off, brings no
   * `start` for a minute, or no byte for as long as the service is set to wait for an answer of the vendor's. Transfers
   * have a limit of time of their own, which is an operator's to set (10 minutes unless told otherwise).
   * </pre>
   */
  public static abstract class AttachmentServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return AttachmentServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service AttachmentService.
   * <pre>
   * Files of conversations. Bytes stream through: none of these calls holds a whole file.
   * Errors as of `ConversationService`; and CANCELLED (`CALLER_GONE`) where the caller's own stream breaks off, brings no
   * `start` for a minute, or no byte for as long as the service is set to wait for an answer of the vendor's. Transfers
   * have a limit of time of their own, which is an operator's to set (10 minutes unless told otherwise).
   * </pre>
   */
  public static final class AttachmentServiceStub
      extends io.grpc.stub.AbstractAsyncStub<AttachmentServiceStub> {
    private AttachmentServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AttachmentServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AttachmentServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Uploads a file into a conversation, to be shown by a message that refers to it.
     * The first message of the stream is `start`, the others are `chunk`s that add up to `start.size_bytes`: with fewer or
     * more, INVALID_ARGUMENT, and nothing is stored. Larger than the tenant's limit: INVALID_ARGUMENT before anything is
     * sent. Idempotent with `request_id`, as `CreateConversation` is: the repeat must stream the same bytes. Not for
     * gRPC-Web, which cannot stream from the client.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<io.chatbridge.v1.UploadAttachmentRequest> uploadAttachment(
        io.grpc.stub.StreamObserver<io.chatbridge.v1.UploadAttachmentResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncClientStreamingCall(
          getChannel().newCall(getUploadAttachmentMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Downloads a file.
     * The first message is `start`, the others are `chunk`s. A stream that ends with OK was complete; with anything else, what
     * came is the beginning of the file.
     * </pre>
     */
    public void downloadAttachment(io.chatbridge.v1.DownloadAttachmentRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DownloadAttachmentResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getDownloadAttachmentMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads a file's details.
     * </pre>
     */
    public void getAttachment(io.chatbridge.v1.GetAttachmentRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetAttachmentResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetAttachmentMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists a conversation's files as the vendor has them.
     * </pre>
     */
    public void listAttachments(io.chatbridge.v1.ListAttachmentsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListAttachmentsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListAttachmentsMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service AttachmentService.
   * <pre>
   * Files of conversations. Bytes stream through: none of these calls holds a whole file.
   * Errors as of `ConversationService`; and CANCELLED (`CALLER_GONE`) where the caller's own stream breaks off, brings no
   * `start` for a minute, or no byte for as long as the service is set to wait for an answer of the vendor's. Transfers
   * have a limit of time of their own, which is an operator's to set (10 minutes unless told otherwise).
   * </pre>
   */
  public static final class AttachmentServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<AttachmentServiceBlockingV2Stub> {
    private AttachmentServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AttachmentServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AttachmentServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Uploads a file into a conversation, to be shown by a message that refers to it.
     * The first message of the stream is `start`, the others are `chunk`s that add up to `start.size_bytes`: with fewer or
     * more, INVALID_ARGUMENT, and nothing is stored. Larger than the tenant's limit: INVALID_ARGUMENT before anything is
     * sent. Idempotent with `request_id`, as `CreateConversation` is: the repeat must stream the same bytes. Not for
     * gRPC-Web, which cannot stream from the client.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<io.chatbridge.v1.UploadAttachmentRequest, io.chatbridge.v1.UploadAttachmentResponse>
        uploadAttachment() {
      return io.grpc.stub.ClientCalls.blockingClientStreamingCall(
          getChannel(), getUploadAttachmentMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Downloads a file.
     * The first message is `start`, the others are `chunk`s. A stream that ends with OK was complete; with anything else, what
     * came is the beginning of the file.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.chatbridge.v1.DownloadAttachmentResponse>
        downloadAttachment(io.chatbridge.v1.DownloadAttachmentRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getDownloadAttachmentMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a file's details.
     * </pre>
     */
    public io.chatbridge.v1.GetAttachmentResponse getAttachment(io.chatbridge.v1.GetAttachmentRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetAttachmentMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a conversation's files as the vendor has them.
     * </pre>
     */
    public io.chatbridge.v1.ListAttachmentsResponse listAttachments(io.chatbridge.v1.ListAttachmentsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListAttachmentsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service AttachmentService.
   * <pre>
   * Files of conversations. Bytes stream through: none of these calls holds a whole file.
   * Errors as of `ConversationService`; and CANCELLED (`CALLER_GONE`) where the caller's own stream breaks off, brings no
   * `start` for a minute, or no byte for as long as the service is set to wait for an answer of the vendor's. Transfers
   * have a limit of time of their own, which is an operator's to set (10 minutes unless told otherwise).
   * </pre>
   */
  public static final class AttachmentServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<AttachmentServiceBlockingStub> {
    private AttachmentServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AttachmentServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AttachmentServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Downloads a file.
     * The first message is `start`, the others are `chunk`s. A stream that ends with OK was complete; with anything else, what
     * came is the beginning of the file.
     * </pre>
     */
    public java.util.Iterator<io.chatbridge.v1.DownloadAttachmentResponse> downloadAttachment(
        io.chatbridge.v1.DownloadAttachmentRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getDownloadAttachmentMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a file's details.
     * </pre>
     */
    public io.chatbridge.v1.GetAttachmentResponse getAttachment(io.chatbridge.v1.GetAttachmentRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetAttachmentMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a conversation's files as the vendor has them.
     * </pre>
     */
    public io.chatbridge.v1.ListAttachmentsResponse listAttachments(io.chatbridge.v1.ListAttachmentsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListAttachmentsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service AttachmentService.
   * <pre>
   * Files of conversations. Bytes stream through: none of these calls holds a whole file.
   * Errors as of `ConversationService`; and CANCELLED (`CALLER_GONE`) where the caller's own stream breaks off, brings no
   * `start` for a minute, or no byte for as long as the service is set to wait for an answer of the vendor's. Transfers
   * have a limit of time of their own, which is an operator's to set (10 minutes unless told otherwise).
   * </pre>
   */
  public static final class AttachmentServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<AttachmentServiceFutureStub> {
    private AttachmentServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AttachmentServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AttachmentServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reads a file's details.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetAttachmentResponse> getAttachment(
        io.chatbridge.v1.GetAttachmentRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetAttachmentMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists a conversation's files as the vendor has them.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListAttachmentsResponse> listAttachments(
        io.chatbridge.v1.ListAttachmentsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListAttachmentsMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_DOWNLOAD_ATTACHMENT = 0;
  private static final int METHODID_GET_ATTACHMENT = 1;
  private static final int METHODID_LIST_ATTACHMENTS = 2;
  private static final int METHODID_UPLOAD_ATTACHMENT = 3;

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
        case METHODID_DOWNLOAD_ATTACHMENT:
          serviceImpl.downloadAttachment((io.chatbridge.v1.DownloadAttachmentRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.DownloadAttachmentResponse>) responseObserver);
          break;
        case METHODID_GET_ATTACHMENT:
          serviceImpl.getAttachment((io.chatbridge.v1.GetAttachmentRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetAttachmentResponse>) responseObserver);
          break;
        case METHODID_LIST_ATTACHMENTS:
          serviceImpl.listAttachments((io.chatbridge.v1.ListAttachmentsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListAttachmentsResponse>) responseObserver);
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
        case METHODID_UPLOAD_ATTACHMENT:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.uploadAttachment(
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.UploadAttachmentResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getUploadAttachmentMethod(),
          io.grpc.stub.ServerCalls.asyncClientStreamingCall(
            new MethodHandlers<
              io.chatbridge.v1.UploadAttachmentRequest,
              io.chatbridge.v1.UploadAttachmentResponse>(
                service, METHODID_UPLOAD_ATTACHMENT)))
        .addMethod(
          getDownloadAttachmentMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.chatbridge.v1.DownloadAttachmentRequest,
              io.chatbridge.v1.DownloadAttachmentResponse>(
                service, METHODID_DOWNLOAD_ATTACHMENT)))
        .addMethod(
          getGetAttachmentMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetAttachmentRequest,
              io.chatbridge.v1.GetAttachmentResponse>(
                service, METHODID_GET_ATTACHMENT)))
        .addMethod(
          getListAttachmentsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListAttachmentsRequest,
              io.chatbridge.v1.ListAttachmentsResponse>(
                service, METHODID_LIST_ATTACHMENTS)))
        .build();
  }

  private static abstract class AttachmentServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    AttachmentServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.chatbridge.v1.AttachmentServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("AttachmentService");
    }
  }

  private static final class AttachmentServiceFileDescriptorSupplier
      extends AttachmentServiceBaseDescriptorSupplier {
    AttachmentServiceFileDescriptorSupplier() {}
  }

  private static final class AttachmentServiceMethodDescriptorSupplier
      extends AttachmentServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    AttachmentServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (AttachmentServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new AttachmentServiceFileDescriptorSupplier())
              .addMethod(getUploadAttachmentMethod())
              .addMethod(getDownloadAttachmentMethod())
              .addMethod(getGetAttachmentMethod())
              .addMethod(getListAttachmentsMethod())
              .build();
        }
      }
    }
    return result;
  }
}
