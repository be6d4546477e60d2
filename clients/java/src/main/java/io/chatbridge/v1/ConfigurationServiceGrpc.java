package io.chatbridge.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * A tenant's webhooks and channels, as the vendor keeps them, and its signing keys.
 * Errors as of `ConversationService`. Identifiers have at most 256 bytes.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ConfigurationServiceGrpc {

  private ConfigurationServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "chatbridge.v1.ConfigurationService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListWebhooksRequest,
      io.chatbridge.v1.ListWebhooksResponse> getListWebhooksMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListWebhooks",
      requestType = io.chatbridge.v1.ListWebhooksRequest.class,
      responseType = io.chatbridge.v1.ListWebhooksResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListWebhooksRequest,
      io.chatbridge.v1.ListWebhooksResponse> getListWebhooksMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListWebhooksRequest, io.chatbridge.v1.ListWebhooksResponse> getListWebhooksMethod;
    if ((getListWebhooksMethod = ConfigurationServiceGrpc.getListWebhooksMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getListWebhooksMethod = ConfigurationServiceGrpc.getListWebhooksMethod) == null) {
          ConfigurationServiceGrpc.getListWebhooksMethod = getListWebhooksMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListWebhooksRequest, io.chatbridge.v1.ListWebhooksResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListWebhooks"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListWebhooksRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListWebhooksResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("ListWebhooks"))
              .build();
        }
      }
    }
    return getListWebhooksMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.CreateWebhookRequest,
      io.chatbridge.v1.CreateWebhookResponse> getCreateWebhookMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateWebhook",
      requestType = io.chatbridge.v1.CreateWebhookRequest.class,
      responseType = io.chatbridge.v1.CreateWebhookResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.CreateWebhookRequest,
      io.chatbridge.v1.CreateWebhookResponse> getCreateWebhookMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.CreateWebhookRequest, io.chatbridge.v1.CreateWebhookResponse> getCreateWebhookMethod;
    if ((getCreateWebhookMethod = ConfigurationServiceGrpc.getCreateWebhookMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getCreateWebhookMethod = ConfigurationServiceGrpc.getCreateWebhookMethod) == null) {
          ConfigurationServiceGrpc.getCreateWebhookMethod = getCreateWebhookMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.CreateWebhookRequest, io.chatbridge.v1.CreateWebhookResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateWebhook"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateWebhookRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateWebhookResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("CreateWebhook"))
              .build();
        }
      }
    }
    return getCreateWebhookMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetWebhookRequest,
      io.chatbridge.v1.GetWebhookResponse> getGetWebhookMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetWebhook",
      requestType = io.chatbridge.v1.GetWebhookRequest.class,
      responseType = io.chatbridge.v1.GetWebhookResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetWebhookRequest,
      io.chatbridge.v1.GetWebhookResponse> getGetWebhookMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetWebhookRequest, io.chatbridge.v1.GetWebhookResponse> getGetWebhookMethod;
    if ((getGetWebhookMethod = ConfigurationServiceGrpc.getGetWebhookMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getGetWebhookMethod = ConfigurationServiceGrpc.getGetWebhookMethod) == null) {
          ConfigurationServiceGrpc.getGetWebhookMethod = getGetWebhookMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetWebhookRequest, io.chatbridge.v1.GetWebhookResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetWebhook"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetWebhookRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetWebhookResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("GetWebhook"))
              .build();
        }
      }
    }
    return getGetWebhookMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceWebhookRequest,
      io.chatbridge.v1.ReplaceWebhookResponse> getReplaceWebhookMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReplaceWebhook",
      requestType = io.chatbridge.v1.ReplaceWebhookRequest.class,
      responseType = io.chatbridge.v1.ReplaceWebhookResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceWebhookRequest,
      io.chatbridge.v1.ReplaceWebhookResponse> getReplaceWebhookMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceWebhookRequest, io.chatbridge.v1.ReplaceWebhookResponse> getReplaceWebhookMethod;
    if ((getReplaceWebhookMethod = ConfigurationServiceGrpc.getReplaceWebhookMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getReplaceWebhookMethod = ConfigurationServiceGrpc.getReplaceWebhookMethod) == null) {
          ConfigurationServiceGrpc.getReplaceWebhookMethod = getReplaceWebhookMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ReplaceWebhookRequest, io.chatbridge.v1.ReplaceWebhookResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReplaceWebhook"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ReplaceWebhookRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ReplaceWebhookResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("ReplaceWebhook"))
              .build();
        }
      }
    }
    return getReplaceWebhookMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteWebhookRequest,
      io.chatbridge.v1.DeleteWebhookResponse> getDeleteWebhookMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteWebhook",
      requestType = io.chatbridge.v1.DeleteWebhookRequest.class,
      responseType = io.chatbridge.v1.DeleteWebhookResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteWebhookRequest,
      io.chatbridge.v1.DeleteWebhookResponse> getDeleteWebhookMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteWebhookRequest, io.chatbridge.v1.DeleteWebhookResponse> getDeleteWebhookMethod;
    if ((getDeleteWebhookMethod = ConfigurationServiceGrpc.getDeleteWebhookMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getDeleteWebhookMethod = ConfigurationServiceGrpc.getDeleteWebhookMethod) == null) {
          ConfigurationServiceGrpc.getDeleteWebhookMethod = getDeleteWebhookMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.DeleteWebhookRequest, io.chatbridge.v1.DeleteWebhookResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteWebhook"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DeleteWebhookRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DeleteWebhookResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("DeleteWebhook"))
              .build();
        }
      }
    }
    return getDeleteWebhookMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.VerifyWebhookRequest,
      io.chatbridge.v1.VerifyWebhookResponse> getVerifyWebhookMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "VerifyWebhook",
      requestType = io.chatbridge.v1.VerifyWebhookRequest.class,
      responseType = io.chatbridge.v1.VerifyWebhookResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.VerifyWebhookRequest,
      io.chatbridge.v1.VerifyWebhookResponse> getVerifyWebhookMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.VerifyWebhookRequest, io.chatbridge.v1.VerifyWebhookResponse> getVerifyWebhookMethod;
    if ((getVerifyWebhookMethod = ConfigurationServiceGrpc.getVerifyWebhookMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getVerifyWebhookMethod = ConfigurationServiceGrpc.getVerifyWebhookMethod) == null) {
          ConfigurationServiceGrpc.getVerifyWebhookMethod = getVerifyWebhookMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.VerifyWebhookRequest, io.chatbridge.v1.VerifyWebhookResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "VerifyWebhook"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.VerifyWebhookRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.VerifyWebhookResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("VerifyWebhook"))
              .build();
        }
      }
    }
    return getVerifyWebhookMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ListChannelsRequest,
      io.chatbridge.v1.ListChannelsResponse> getListChannelsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListChannels",
      requestType = io.chatbridge.v1.ListChannelsRequest.class,
      responseType = io.chatbridge.v1.ListChannelsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ListChannelsRequest,
      io.chatbridge.v1.ListChannelsResponse> getListChannelsMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ListChannelsRequest, io.chatbridge.v1.ListChannelsResponse> getListChannelsMethod;
    if ((getListChannelsMethod = ConfigurationServiceGrpc.getListChannelsMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getListChannelsMethod = ConfigurationServiceGrpc.getListChannelsMethod) == null) {
          ConfigurationServiceGrpc.getListChannelsMethod = getListChannelsMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ListChannelsRequest, io.chatbridge.v1.ListChannelsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListChannels"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListChannelsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ListChannelsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("ListChannels"))
              .build();
        }
      }
    }
    return getListChannelsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.CreateChannelRequest,
      io.chatbridge.v1.CreateChannelResponse> getCreateChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateChannel",
      requestType = io.chatbridge.v1.CreateChannelRequest.class,
      responseType = io.chatbridge.v1.CreateChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.CreateChannelRequest,
      io.chatbridge.v1.CreateChannelResponse> getCreateChannelMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.CreateChannelRequest, io.chatbridge.v1.CreateChannelResponse> getCreateChannelMethod;
    if ((getCreateChannelMethod = ConfigurationServiceGrpc.getCreateChannelMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getCreateChannelMethod = ConfigurationServiceGrpc.getCreateChannelMethod) == null) {
          ConfigurationServiceGrpc.getCreateChannelMethod = getCreateChannelMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.CreateChannelRequest, io.chatbridge.v1.CreateChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateChannel"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.CreateChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("CreateChannel"))
              .build();
        }
      }
    }
    return getCreateChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetChannelRequest,
      io.chatbridge.v1.GetChannelResponse> getGetChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetChannel",
      requestType = io.chatbridge.v1.GetChannelRequest.class,
      responseType = io.chatbridge.v1.GetChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetChannelRequest,
      io.chatbridge.v1.GetChannelResponse> getGetChannelMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetChannelRequest, io.chatbridge.v1.GetChannelResponse> getGetChannelMethod;
    if ((getGetChannelMethod = ConfigurationServiceGrpc.getGetChannelMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getGetChannelMethod = ConfigurationServiceGrpc.getGetChannelMethod) == null) {
          ConfigurationServiceGrpc.getGetChannelMethod = getGetChannelMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetChannelRequest, io.chatbridge.v1.GetChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetChannel"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("GetChannel"))
              .build();
        }
      }
    }
    return getGetChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceChannelRequest,
      io.chatbridge.v1.ReplaceChannelResponse> getReplaceChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReplaceChannel",
      requestType = io.chatbridge.v1.ReplaceChannelRequest.class,
      responseType = io.chatbridge.v1.ReplaceChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceChannelRequest,
      io.chatbridge.v1.ReplaceChannelResponse> getReplaceChannelMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.ReplaceChannelRequest, io.chatbridge.v1.ReplaceChannelResponse> getReplaceChannelMethod;
    if ((getReplaceChannelMethod = ConfigurationServiceGrpc.getReplaceChannelMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getReplaceChannelMethod = ConfigurationServiceGrpc.getReplaceChannelMethod) == null) {
          ConfigurationServiceGrpc.getReplaceChannelMethod = getReplaceChannelMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.ReplaceChannelRequest, io.chatbridge.v1.ReplaceChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReplaceChannel"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ReplaceChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.ReplaceChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("ReplaceChannel"))
              .build();
        }
      }
    }
    return getReplaceChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteChannelRequest,
      io.chatbridge.v1.DeleteChannelResponse> getDeleteChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteChannel",
      requestType = io.chatbridge.v1.DeleteChannelRequest.class,
      responseType = io.chatbridge.v1.DeleteChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteChannelRequest,
      io.chatbridge.v1.DeleteChannelResponse> getDeleteChannelMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.DeleteChannelRequest, io.chatbridge.v1.DeleteChannelResponse> getDeleteChannelMethod;
    if ((getDeleteChannelMethod = ConfigurationServiceGrpc.getDeleteChannelMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getDeleteChannelMethod = ConfigurationServiceGrpc.getDeleteChannelMethod) == null) {
          ConfigurationServiceGrpc.getDeleteChannelMethod = getDeleteChannelMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.DeleteChannelRequest, io.chatbridge.v1.DeleteChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteChannel"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DeleteChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.DeleteChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("DeleteChannel"))
              .build();
        }
      }
    }
    return getDeleteChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.chatbridge.v1.GetSigningKeyRequest,
      io.chatbridge.v1.GetSigningKeyResponse> getGetSigningKeyMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetSigningKey",
      requestType = io.chatbridge.v1.GetSigningKeyRequest.class,
      responseType = io.chatbridge.v1.GetSigningKeyResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.chatbridge.v1.GetSigningKeyRequest,
      io.chatbridge.v1.GetSigningKeyResponse> getGetSigningKeyMethod() {
    io.grpc.MethodDescriptor<io.chatbridge.v1.GetSigningKeyRequest, io.chatbridge.v1.GetSigningKeyResponse> getGetSigningKeyMethod;
    if ((getGetSigningKeyMethod = ConfigurationServiceGrpc.getGetSigningKeyMethod) == null) {
      synchronized (ConfigurationServiceGrpc.class) {
        if ((getGetSigningKeyMethod = ConfigurationServiceGrpc.getGetSigningKeyMethod) == null) {
          ConfigurationServiceGrpc.getGetSigningKeyMethod = getGetSigningKeyMethod =
              io.grpc.MethodDescriptor.<io.chatbridge.v1.GetSigningKeyRequest, io.chatbridge.v1.GetSigningKeyResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetSigningKey"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetSigningKeyRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.chatbridge.v1.GetSigningKeyResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ConfigurationServiceMethodDescriptorSupplier("GetSigningKey"))
              .build();
        }
      }
    }
    return getGetSigningKeyMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ConfigurationServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceStub>() {
        @java.lang.Override
        public ConfigurationServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConfigurationServiceStub(channel, callOptions);
        }
      };
    return ConfigurationServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static ConfigurationServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceBlockingV2Stub>() {
        @java.lang.Override
        public ConfigurationServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConfigurationServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return ConfigurationServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ConfigurationServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceBlockingStub>() {
        @java.lang.Override
        public ConfigurationServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConfigurationServiceBlockingStub(channel, callOptions);
        }
      };
    return ConfigurationServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ConfigurationServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ConfigurationServiceFutureStub>() {
        @java.lang.Override
        public ConfigurationServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ConfigurationServiceFutureStub(channel, callOptions);
        }
      };
    return ConfigurationServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * A tenant's webhooks and channels, as the vendor keeps them, and its signing keys.
   * Errors as of `ConversationService`. Identifiers have at most 256 bytes.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Lists a tenant's webhooks.
     * </pre>
     */
    default void listWebhooks(io.chatbridge.v1.ListWebhooksRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListWebhooksResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListWebhooksMethod(), responseObserver);
    }

    /**
     * <pre>
     * Creates a webhook.
     * Idempotent with `request_id`, as `ConversationService.CreateConversation` is, but that a lost answer stays unknown
     * (UNKNOWN, `UPSTREAM_OUTCOME_UNKNOWN`): list, and see whether it is there.
     * </pre>
     */
    default void createWebhook(io.chatbridge.v1.CreateWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateWebhookResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateWebhookMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads a webhook.
     * </pre>
     */
    default void getWebhook(io.chatbridge.v1.GetWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetWebhookResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetWebhookMethod(), responseObserver);
    }

    /**
     * <pre>
     * Replaces a webhook as a whole.
     * </pre>
     */
    default void replaceWebhook(io.chatbridge.v1.ReplaceWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceWebhookResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReplaceWebhookMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a webhook. One that a channel uses the vendor may refuse to delete: ABORTED (`UPSTREAM_CONFLICT`).
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    default void deleteWebhook(io.chatbridge.v1.DeleteWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteWebhookResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteWebhookMethod(), responseObserver);
    }

    /**
     * <pre>
     * Has the vendor send a verification to a URL, which must be answered with 2xx.
     * Never repeated by Chatbridge: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`), and trying once more
     * does no harm. INVALID_ARGUMENT (`UPSTREAM_INVALID`) where the URL does not answer as it must.
     * </pre>
     */
    default void verifyWebhook(io.chatbridge.v1.VerifyWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.VerifyWebhookResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getVerifyWebhookMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's channels.
     * </pre>
     */
    default void listChannels(io.chatbridge.v1.ListChannelsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListChannelsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListChannelsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Creates a channel.
     * As `CreateWebhook`.
     * </pre>
     */
    default void createChannel(io.chatbridge.v1.CreateChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads a channel.
     * </pre>
     */
    default void getChannel(io.chatbridge.v1.GetChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Replaces a channel as a whole.
     * </pre>
     */
    default void replaceChannel(io.chatbridge.v1.ReplaceChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReplaceChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a channel.
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    default void deleteChannel(io.chatbridge.v1.DeleteChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads a public key with which the vendor signs webhooks.
     * </pre>
     */
    default void getSigningKey(io.chatbridge.v1.GetSigningKeyRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSigningKeyResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetSigningKeyMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service ConfigurationService.
   * <pre>
   * A tenant's webhooks and channels, as the vendor keeps them, and its signing keys.
   * Errors as of `ConversationService`. Identifiers have at most 256 bytes.
   * </pre>
   */
  public static abstract class ConfigurationServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ConfigurationServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service ConfigurationService.
   * <pre>
   * A tenant's webhooks and channels, as the vendor keeps them, and its signing keys.
   * Errors as of `ConversationService`. Identifiers have at most 256 bytes.
   * </pre>
   */
  public static final class ConfigurationServiceStub
      extends io.grpc.stub.AbstractAsyncStub<ConfigurationServiceStub> {
    private ConfigurationServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConfigurationServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConfigurationServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Lists a tenant's webhooks.
     * </pre>
     */
    public void listWebhooks(io.chatbridge.v1.ListWebhooksRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListWebhooksResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListWebhooksMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Creates a webhook.
     * Idempotent with `request_id`, as `ConversationService.CreateConversation` is, but that a lost answer stays unknown
     * (UNKNOWN, `UPSTREAM_OUTCOME_UNKNOWN`): list, and see whether it is there.
     * </pre>
     */
    public void createWebhook(io.chatbridge.v1.CreateWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateWebhookResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateWebhookMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads a webhook.
     * </pre>
     */
    public void getWebhook(io.chatbridge.v1.GetWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetWebhookResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetWebhookMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Replaces a webhook as a whole.
     * </pre>
     */
    public void replaceWebhook(io.chatbridge.v1.ReplaceWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceWebhookResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReplaceWebhookMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a webhook. One that a channel uses the vendor may refuse to delete: ABORTED (`UPSTREAM_CONFLICT`).
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public void deleteWebhook(io.chatbridge.v1.DeleteWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteWebhookResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteWebhookMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Has the vendor send a verification to a URL, which must be answered with 2xx.
     * Never repeated by Chatbridge: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`), and trying once more
     * does no harm. INVALID_ARGUMENT (`UPSTREAM_INVALID`) where the URL does not answer as it must.
     * </pre>
     */
    public void verifyWebhook(io.chatbridge.v1.VerifyWebhookRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.VerifyWebhookResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getVerifyWebhookMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists a tenant's channels.
     * </pre>
     */
    public void listChannels(io.chatbridge.v1.ListChannelsRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ListChannelsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListChannelsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Creates a channel.
     * As `CreateWebhook`.
     * </pre>
     */
    public void createChannel(io.chatbridge.v1.CreateChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads a channel.
     * </pre>
     */
    public void getChannel(io.chatbridge.v1.GetChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Replaces a channel as a whole.
     * </pre>
     */
    public void replaceChannel(io.chatbridge.v1.ReplaceChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReplaceChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a channel.
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public void deleteChannel(io.chatbridge.v1.DeleteChannelRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads a public key with which the vendor signs webhooks.
     * </pre>
     */
    public void getSigningKey(io.chatbridge.v1.GetSigningKeyRequest request,
        io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSigningKeyResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetSigningKeyMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service ConfigurationService.
   * <pre>
   * A tenant's webhooks and channels, as the vendor keeps them, and its signing keys.
   * Errors as of `ConversationService`. Identifiers have at most 256 bytes.
   * </pre>
   */
  public static final class ConfigurationServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<ConfigurationServiceBlockingV2Stub> {
    private ConfigurationServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConfigurationServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConfigurationServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Lists a tenant's webhooks.
     * </pre>
     */
    public io.chatbridge.v1.ListWebhooksResponse listWebhooks(io.chatbridge.v1.ListWebhooksRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListWebhooksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a webhook.
     * Idempotent with `request_id`, as `ConversationService.CreateConversation` is, but that a lost answer stays unknown
     * (UNKNOWN, `UPSTREAM_OUTCOME_UNKNOWN`): list, and see whether it is there.
     * </pre>
     */
    public io.chatbridge.v1.CreateWebhookResponse createWebhook(io.chatbridge.v1.CreateWebhookRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a webhook.
     * </pre>
     */
    public io.chatbridge.v1.GetWebhookResponse getWebhook(io.chatbridge.v1.GetWebhookRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a webhook as a whole.
     * </pre>
     */
    public io.chatbridge.v1.ReplaceWebhookResponse replaceWebhook(io.chatbridge.v1.ReplaceWebhookRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getReplaceWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a webhook. One that a channel uses the vendor may refuse to delete: ABORTED (`UPSTREAM_CONFLICT`).
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public io.chatbridge.v1.DeleteWebhookResponse deleteWebhook(io.chatbridge.v1.DeleteWebhookRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has the vendor send a verification to a URL, which must be answered with 2xx.
     * Never repeated by Chatbridge: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`), and trying once more
     * does no harm. INVALID_ARGUMENT (`UPSTREAM_INVALID`) where the URL does not answer as it must.
     * </pre>
     */
    public io.chatbridge.v1.VerifyWebhookResponse verifyWebhook(io.chatbridge.v1.VerifyWebhookRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getVerifyWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's channels.
     * </pre>
     */
    public io.chatbridge.v1.ListChannelsResponse listChannels(io.chatbridge.v1.ListChannelsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListChannelsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a channel.
     * As `CreateWebhook`.
     * </pre>
     */
    public io.chatbridge.v1.CreateChannelResponse createChannel(io.chatbridge.v1.CreateChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a channel.
     * </pre>
     */
    public io.chatbridge.v1.GetChannelResponse getChannel(io.chatbridge.v1.GetChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a channel as a whole.
     * </pre>
     */
    public io.chatbridge.v1.ReplaceChannelResponse replaceChannel(io.chatbridge.v1.ReplaceChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getReplaceChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a channel.
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public io.chatbridge.v1.DeleteChannelResponse deleteChannel(io.chatbridge.v1.DeleteChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a public key with which the vendor signs webhooks.
     * </pre>
     */
    public io.chatbridge.v1.GetSigningKeyResponse getSigningKey(io.chatbridge.v1.GetSigningKeyRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetSigningKeyMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service ConfigurationService.
   * <pre>
   * A tenant's webhooks and channels, as the vendor keeps them, and its signing keys.
   * Errors as of `ConversationService`. Identifiers have at most 256 bytes.
   * </pre>
   */
  public static final class ConfigurationServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ConfigurationServiceBlockingStub> {
    private ConfigurationServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConfigurationServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConfigurationServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Lists a tenant's webhooks.
     * </pre>
     */
    public io.chatbridge.v1.ListWebhooksResponse listWebhooks(io.chatbridge.v1.ListWebhooksRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListWebhooksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a webhook.
     * Idempotent with `request_id`, as `ConversationService.CreateConversation` is, but that a lost answer stays unknown
     * (UNKNOWN, `UPSTREAM_OUTCOME_UNKNOWN`): list, and see whether it is there.
     * </pre>
     */
    public io.chatbridge.v1.CreateWebhookResponse createWebhook(io.chatbridge.v1.CreateWebhookRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a webhook.
     * </pre>
     */
    public io.chatbridge.v1.GetWebhookResponse getWebhook(io.chatbridge.v1.GetWebhookRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a webhook as a whole.
     * </pre>
     */
    public io.chatbridge.v1.ReplaceWebhookResponse replaceWebhook(io.chatbridge.v1.ReplaceWebhookRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReplaceWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a webhook. One that a channel uses the vendor may refuse to delete: ABORTED (`UPSTREAM_CONFLICT`).
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public io.chatbridge.v1.DeleteWebhookResponse deleteWebhook(io.chatbridge.v1.DeleteWebhookRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has the vendor send a verification to a URL, which must be answered with 2xx.
     * Never repeated by Chatbridge: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`), and trying once more
     * does no harm. INVALID_ARGUMENT (`UPSTREAM_INVALID`) where the URL does not answer as it must.
     * </pre>
     */
    public io.chatbridge.v1.VerifyWebhookResponse verifyWebhook(io.chatbridge.v1.VerifyWebhookRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getVerifyWebhookMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists a tenant's channels.
     * </pre>
     */
    public io.chatbridge.v1.ListChannelsResponse listChannels(io.chatbridge.v1.ListChannelsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListChannelsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a channel.
     * As `CreateWebhook`.
     * </pre>
     */
    public io.chatbridge.v1.CreateChannelResponse createChannel(io.chatbridge.v1.CreateChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a channel.
     * </pre>
     */
    public io.chatbridge.v1.GetChannelResponse getChannel(io.chatbridge.v1.GetChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a channel as a whole.
     * </pre>
     */
    public io.chatbridge.v1.ReplaceChannelResponse replaceChannel(io.chatbridge.v1.ReplaceChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReplaceChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a channel.
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public io.chatbridge.v1.DeleteChannelResponse deleteChannel(io.chatbridge.v1.DeleteChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads a public key with which the vendor signs webhooks.
     * </pre>
     */
    public io.chatbridge.v1.GetSigningKeyResponse getSigningKey(io.chatbridge.v1.GetSigningKeyRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetSigningKeyMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service ConfigurationService.
   * <pre>
   * A tenant's webhooks and channels, as the vendor keeps them, and its signing keys.
   * Errors as of `ConversationService`. Identifiers have at most 256 bytes.
   * </pre>
   */
  public static final class ConfigurationServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<ConfigurationServiceFutureStub> {
    private ConfigurationServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ConfigurationServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ConfigurationServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Lists a tenant's webhooks.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListWebhooksResponse> listWebhooks(
        io.chatbridge.v1.ListWebhooksRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListWebhooksMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Creates a webhook.
     * Idempotent with `request_id`, as `ConversationService.CreateConversation` is, but that a lost answer stays unknown
     * (UNKNOWN, `UPSTREAM_OUTCOME_UNKNOWN`): list, and see whether it is there.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.CreateWebhookResponse> createWebhook(
        io.chatbridge.v1.CreateWebhookRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateWebhookMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reads a webhook.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetWebhookResponse> getWebhook(
        io.chatbridge.v1.GetWebhookRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetWebhookMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Replaces a webhook as a whole.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ReplaceWebhookResponse> replaceWebhook(
        io.chatbridge.v1.ReplaceWebhookRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReplaceWebhookMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a webhook. One that a channel uses the vendor may refuse to delete: ABORTED (`UPSTREAM_CONFLICT`).
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.DeleteWebhookResponse> deleteWebhook(
        io.chatbridge.v1.DeleteWebhookRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteWebhookMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Has the vendor send a verification to a URL, which must be answered with 2xx.
     * Never repeated by Chatbridge: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`), and trying once more
     * does no harm. INVALID_ARGUMENT (`UPSTREAM_INVALID`) where the URL does not answer as it must.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.VerifyWebhookResponse> verifyWebhook(
        io.chatbridge.v1.VerifyWebhookRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getVerifyWebhookMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists a tenant's channels.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ListChannelsResponse> listChannels(
        io.chatbridge.v1.ListChannelsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListChannelsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Creates a channel.
     * As `CreateWebhook`.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.CreateChannelResponse> createChannel(
        io.chatbridge.v1.CreateChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reads a channel.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetChannelResponse> getChannel(
        io.chatbridge.v1.GetChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Replaces a channel as a whole.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.ReplaceChannelResponse> replaceChannel(
        io.chatbridge.v1.ReplaceChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReplaceChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a channel.
     * Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.DeleteChannelResponse> deleteChannel(
        io.chatbridge.v1.DeleteChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reads a public key with which the vendor signs webhooks.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.chatbridge.v1.GetSigningKeyResponse> getSigningKey(
        io.chatbridge.v1.GetSigningKeyRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetSigningKeyMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_LIST_WEBHOOKS = 0;
  private static final int METHODID_CREATE_WEBHOOK = 1;
  private static final int METHODID_GET_WEBHOOK = 2;
  private static final int METHODID_REPLACE_WEBHOOK = 3;
  private static final int METHODID_DELETE_WEBHOOK = 4;
  private static final int METHODID_VERIFY_WEBHOOK = 5;
  private static final int METHODID_LIST_CHANNELS = 6;
  private static final int METHODID_CREATE_CHANNEL = 7;
  private static final int METHODID_GET_CHANNEL = 8;
  private static final int METHODID_REPLACE_CHANNEL = 9;
  private static final int METHODID_DELETE_CHANNEL = 10;
  private static final int METHODID_GET_SIGNING_KEY = 11;

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
        case METHODID_LIST_WEBHOOKS:
          serviceImpl.listWebhooks((io.chatbridge.v1.ListWebhooksRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListWebhooksResponse>) responseObserver);
          break;
        case METHODID_CREATE_WEBHOOK:
          serviceImpl.createWebhook((io.chatbridge.v1.CreateWebhookRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateWebhookResponse>) responseObserver);
          break;
        case METHODID_GET_WEBHOOK:
          serviceImpl.getWebhook((io.chatbridge.v1.GetWebhookRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetWebhookResponse>) responseObserver);
          break;
        case METHODID_REPLACE_WEBHOOK:
          serviceImpl.replaceWebhook((io.chatbridge.v1.ReplaceWebhookRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceWebhookResponse>) responseObserver);
          break;
        case METHODID_DELETE_WEBHOOK:
          serviceImpl.deleteWebhook((io.chatbridge.v1.DeleteWebhookRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteWebhookResponse>) responseObserver);
          break;
        case METHODID_VERIFY_WEBHOOK:
          serviceImpl.verifyWebhook((io.chatbridge.v1.VerifyWebhookRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.VerifyWebhookResponse>) responseObserver);
          break;
        case METHODID_LIST_CHANNELS:
          serviceImpl.listChannels((io.chatbridge.v1.ListChannelsRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ListChannelsResponse>) responseObserver);
          break;
        case METHODID_CREATE_CHANNEL:
          serviceImpl.createChannel((io.chatbridge.v1.CreateChannelRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.CreateChannelResponse>) responseObserver);
          break;
        case METHODID_GET_CHANNEL:
          serviceImpl.getChannel((io.chatbridge.v1.GetChannelRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetChannelResponse>) responseObserver);
          break;
        case METHODID_REPLACE_CHANNEL:
          serviceImpl.replaceChannel((io.chatbridge.v1.ReplaceChannelRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.ReplaceChannelResponse>) responseObserver);
          break;
        case METHODID_DELETE_CHANNEL:
          serviceImpl.deleteChannel((io.chatbridge.v1.DeleteChannelRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.DeleteChannelResponse>) responseObserver);
          break;
        case METHODID_GET_SIGNING_KEY:
          serviceImpl.getSigningKey((io.chatbridge.v1.GetSigningKeyRequest) request,
              (io.grpc.stub.StreamObserver<io.chatbridge.v1.GetSigningKeyResponse>) responseObserver);
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
          getListWebhooksMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListWebhooksRequest,
              io.chatbridge.v1.ListWebhooksResponse>(
                service, METHODID_LIST_WEBHOOKS)))
        .addMethod(
          getCreateWebhookMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.CreateWebhookRequest,
              io.chatbridge.v1.CreateWebhookResponse>(
                service, METHODID_CREATE_WEBHOOK)))
        .addMethod(
          getGetWebhookMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetWebhookRequest,
              io.chatbridge.v1.GetWebhookResponse>(
                service, METHODID_GET_WEBHOOK)))
        .addMethod(
          getReplaceWebhookMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ReplaceWebhookRequest,
              io.chatbridge.v1.ReplaceWebhookResponse>(
                service, METHODID_REPLACE_WEBHOOK)))
        .addMethod(
          getDeleteWebhookMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.DeleteWebhookRequest,
              io.chatbridge.v1.DeleteWebhookResponse>(
                service, METHODID_DELETE_WEBHOOK)))
        .addMethod(
          getVerifyWebhookMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.VerifyWebhookRequest,
              io.chatbridge.v1.VerifyWebhookResponse>(
                service, METHODID_VERIFY_WEBHOOK)))
        .addMethod(
          getListChannelsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ListChannelsRequest,
              io.chatbridge.v1.ListChannelsResponse>(
                service, METHODID_LIST_CHANNELS)))
        .addMethod(
          getCreateChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.CreateChannelRequest,
              io.chatbridge.v1.CreateChannelResponse>(
                service, METHODID_CREATE_CHANNEL)))
        .addMethod(
          getGetChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetChannelRequest,
              io.chatbridge.v1.GetChannelResponse>(
                service, METHODID_GET_CHANNEL)))
        .addMethod(
          getReplaceChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.ReplaceChannelRequest,
              io.chatbridge.v1.ReplaceChannelResponse>(
                service, METHODID_REPLACE_CHANNEL)))
        .addMethod(
          getDeleteChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.DeleteChannelRequest,
              io.chatbridge.v1.DeleteChannelResponse>(
                service, METHODID_DELETE_CHANNEL)))
        .addMethod(
          getGetSigningKeyMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.chatbridge.v1.GetSigningKeyRequest,
              io.chatbridge.v1.GetSigningKeyResponse>(
                service, METHODID_GET_SIGNING_KEY)))
        .build();
  }

  private static abstract class ConfigurationServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ConfigurationServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.chatbridge.v1.ConfigurationServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ConfigurationService");
    }
  }

  private static final class ConfigurationServiceFileDescriptorSupplier
      extends ConfigurationServiceBaseDescriptorSupplier {
    ConfigurationServiceFileDescriptorSupplier() {}
  }

  private static final class ConfigurationServiceMethodDescriptorSupplier
      extends ConfigurationServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    ConfigurationServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (ConfigurationServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ConfigurationServiceFileDescriptorSupplier())
              .addMethod(getListWebhooksMethod())
              .addMethod(getCreateWebhookMethod())
              .addMethod(getGetWebhookMethod())
              .addMethod(getReplaceWebhookMethod())
              .addMethod(getDeleteWebhookMethod())
              .addMethod(getVerifyWebhookMethod())
              .addMethod(getListChannelsMethod())
              .addMethod(getCreateChannelMethod())
              .addMethod(getGetChannelMethod())
              .addMethod(getReplaceChannelMethod())
              .addMethod(getDeleteChannelMethod())
              .addMethod(getGetSigningKeyMethod())
              .build();
        }
      }
    }
    return result;
  }
}
