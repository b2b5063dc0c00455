package io.headgate.admin.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * AdminService shows operators what a running gateway does and what it could not use, and lets them set that right.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class AdminServiceGrpc {

  private AdminServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "headgate.admin.v1.AdminService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.GetStatusRequest,
      io.headgate.admin.v1.GetStatusResponse> getGetStatusMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetStatus",
      requestType = io.headgate.admin.v1.GetStatusRequest.class,
      responseType = io.headgate.admin.v1.GetStatusResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.GetStatusRequest,
      io.headgate.admin.v1.GetStatusResponse> getGetStatusMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.GetStatusRequest, io.headgate.admin.v1.GetStatusResponse> getGetStatusMethod;
    if ((getGetStatusMethod = AdminServiceGrpc.getGetStatusMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getGetStatusMethod = AdminServiceGrpc.getGetStatusMethod) == null) {
          AdminServiceGrpc.getGetStatusMethod = getGetStatusMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.GetStatusRequest, io.headgate.admin.v1.GetStatusResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetStatus"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.GetStatusRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.GetStatusResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("GetStatus"))
              .build();
        }
      }
    }
    return getGetStatusMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.GetHistoryRequest,
      io.headgate.admin.v1.GetHistoryResponse> getGetHistoryMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetHistory",
      requestType = io.headgate.admin.v1.GetHistoryRequest.class,
      responseType = io.headgate.admin.v1.GetHistoryResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.GetHistoryRequest,
      io.headgate.admin.v1.GetHistoryResponse> getGetHistoryMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.GetHistoryRequest, io.headgate.admin.v1.GetHistoryResponse> getGetHistoryMethod;
    if ((getGetHistoryMethod = AdminServiceGrpc.getGetHistoryMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getGetHistoryMethod = AdminServiceGrpc.getGetHistoryMethod) == null) {
          AdminServiceGrpc.getGetHistoryMethod = getGetHistoryMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.GetHistoryRequest, io.headgate.admin.v1.GetHistoryResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetHistory"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.GetHistoryRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.GetHistoryResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("GetHistory"))
              .build();
        }
      }
    }
    return getGetHistoryMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.ListStreamsRequest,
      io.headgate.admin.v1.ListStreamsResponse> getListStreamsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListStreams",
      requestType = io.headgate.admin.v1.ListStreamsRequest.class,
      responseType = io.headgate.admin.v1.ListStreamsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.ListStreamsRequest,
      io.headgate.admin.v1.ListStreamsResponse> getListStreamsMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.ListStreamsRequest, io.headgate.admin.v1.ListStreamsResponse> getListStreamsMethod;
    if ((getListStreamsMethod = AdminServiceGrpc.getListStreamsMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getListStreamsMethod = AdminServiceGrpc.getListStreamsMethod) == null) {
          AdminServiceGrpc.getListStreamsMethod = getListStreamsMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.ListStreamsRequest, io.headgate.admin.v1.ListStreamsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListStreams"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ListStreamsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ListStreamsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ListStreams"))
              .build();
        }
      }
    }
    return getListStreamsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.EndStreamRequest,
      io.headgate.admin.v1.EndStreamResponse> getEndStreamMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "EndStream",
      requestType = io.headgate.admin.v1.EndStreamRequest.class,
      responseType = io.headgate.admin.v1.EndStreamResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.EndStreamRequest,
      io.headgate.admin.v1.EndStreamResponse> getEndStreamMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.EndStreamRequest, io.headgate.admin.v1.EndStreamResponse> getEndStreamMethod;
    if ((getEndStreamMethod = AdminServiceGrpc.getEndStreamMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getEndStreamMethod = AdminServiceGrpc.getEndStreamMethod) == null) {
          AdminServiceGrpc.getEndStreamMethod = getEndStreamMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.EndStreamRequest, io.headgate.admin.v1.EndStreamResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "EndStream"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.EndStreamRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.EndStreamResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("EndStream"))
              .build();
        }
      }
    }
    return getEndStreamMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.ListSubscriptionsRequest,
      io.headgate.admin.v1.ListSubscriptionsResponse> getListSubscriptionsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListSubscriptions",
      requestType = io.headgate.admin.v1.ListSubscriptionsRequest.class,
      responseType = io.headgate.admin.v1.ListSubscriptionsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.ListSubscriptionsRequest,
      io.headgate.admin.v1.ListSubscriptionsResponse> getListSubscriptionsMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.ListSubscriptionsRequest, io.headgate.admin.v1.ListSubscriptionsResponse> getListSubscriptionsMethod;
    if ((getListSubscriptionsMethod = AdminServiceGrpc.getListSubscriptionsMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getListSubscriptionsMethod = AdminServiceGrpc.getListSubscriptionsMethod) == null) {
          AdminServiceGrpc.getListSubscriptionsMethod = getListSubscriptionsMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.ListSubscriptionsRequest, io.headgate.admin.v1.ListSubscriptionsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListSubscriptions"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ListSubscriptionsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ListSubscriptionsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ListSubscriptions"))
              .build();
        }
      }
    }
    return getListSubscriptionsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.DeleteSubscriptionRequest,
      io.headgate.admin.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteSubscription",
      requestType = io.headgate.admin.v1.DeleteSubscriptionRequest.class,
      responseType = io.headgate.admin.v1.DeleteSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.DeleteSubscriptionRequest,
      io.headgate.admin.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.DeleteSubscriptionRequest, io.headgate.admin.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod;
    if ((getDeleteSubscriptionMethod = AdminServiceGrpc.getDeleteSubscriptionMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getDeleteSubscriptionMethod = AdminServiceGrpc.getDeleteSubscriptionMethod) == null) {
          AdminServiceGrpc.getDeleteSubscriptionMethod = getDeleteSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.DeleteSubscriptionRequest, io.headgate.admin.v1.DeleteSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteSubscription"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.DeleteSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.DeleteSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("DeleteSubscription"))
              .build();
        }
      }
    }
    return getDeleteSubscriptionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.SkipEventRequest,
      io.headgate.admin.v1.SkipEventResponse> getSkipEventMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SkipEvent",
      requestType = io.headgate.admin.v1.SkipEventRequest.class,
      responseType = io.headgate.admin.v1.SkipEventResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.SkipEventRequest,
      io.headgate.admin.v1.SkipEventResponse> getSkipEventMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.SkipEventRequest, io.headgate.admin.v1.SkipEventResponse> getSkipEventMethod;
    if ((getSkipEventMethod = AdminServiceGrpc.getSkipEventMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getSkipEventMethod = AdminServiceGrpc.getSkipEventMethod) == null) {
          AdminServiceGrpc.getSkipEventMethod = getSkipEventMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.SkipEventRequest, io.headgate.admin.v1.SkipEventResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SkipEvent"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.SkipEventRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.SkipEventResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("SkipEvent"))
              .build();
        }
      }
    }
    return getSkipEventMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.ListQuarantineRequest,
      io.headgate.admin.v1.ListQuarantineResponse> getListQuarantineMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListQuarantine",
      requestType = io.headgate.admin.v1.ListQuarantineRequest.class,
      responseType = io.headgate.admin.v1.ListQuarantineResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.ListQuarantineRequest,
      io.headgate.admin.v1.ListQuarantineResponse> getListQuarantineMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.ListQuarantineRequest, io.headgate.admin.v1.ListQuarantineResponse> getListQuarantineMethod;
    if ((getListQuarantineMethod = AdminServiceGrpc.getListQuarantineMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getListQuarantineMethod = AdminServiceGrpc.getListQuarantineMethod) == null) {
          AdminServiceGrpc.getListQuarantineMethod = getListQuarantineMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.ListQuarantineRequest, io.headgate.admin.v1.ListQuarantineResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListQuarantine"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ListQuarantineRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ListQuarantineResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ListQuarantine"))
              .build();
        }
      }
    }
    return getListQuarantineMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.GetQuarantinedRequest,
      io.headgate.admin.v1.GetQuarantinedResponse> getGetQuarantinedMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetQuarantined",
      requestType = io.headgate.admin.v1.GetQuarantinedRequest.class,
      responseType = io.headgate.admin.v1.GetQuarantinedResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.GetQuarantinedRequest,
      io.headgate.admin.v1.GetQuarantinedResponse> getGetQuarantinedMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.GetQuarantinedRequest, io.headgate.admin.v1.GetQuarantinedResponse> getGetQuarantinedMethod;
    if ((getGetQuarantinedMethod = AdminServiceGrpc.getGetQuarantinedMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getGetQuarantinedMethod = AdminServiceGrpc.getGetQuarantinedMethod) == null) {
          AdminServiceGrpc.getGetQuarantinedMethod = getGetQuarantinedMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.GetQuarantinedRequest, io.headgate.admin.v1.GetQuarantinedResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetQuarantined"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.GetQuarantinedRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.GetQuarantinedResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("GetQuarantined"))
              .build();
        }
      }
    }
    return getGetQuarantinedMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.BackupRequest,
      io.headgate.admin.v1.BackupResponse> getBackupMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Backup",
      requestType = io.headgate.admin.v1.BackupRequest.class,
      responseType = io.headgate.admin.v1.BackupResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.BackupRequest,
      io.headgate.admin.v1.BackupResponse> getBackupMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.BackupRequest, io.headgate.admin.v1.BackupResponse> getBackupMethod;
    if ((getBackupMethod = AdminServiceGrpc.getBackupMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getBackupMethod = AdminServiceGrpc.getBackupMethod) == null) {
          AdminServiceGrpc.getBackupMethod = getBackupMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.BackupRequest, io.headgate.admin.v1.BackupResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Backup"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.BackupRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.BackupResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("Backup"))
              .build();
        }
      }
    }
    return getBackupMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.EraseRequest,
      io.headgate.admin.v1.EraseResponse> getEraseMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Erase",
      requestType = io.headgate.admin.v1.EraseRequest.class,
      responseType = io.headgate.admin.v1.EraseResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.EraseRequest,
      io.headgate.admin.v1.EraseResponse> getEraseMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.EraseRequest, io.headgate.admin.v1.EraseResponse> getEraseMethod;
    if ((getEraseMethod = AdminServiceGrpc.getEraseMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getEraseMethod = AdminServiceGrpc.getEraseMethod) == null) {
          AdminServiceGrpc.getEraseMethod = getEraseMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.EraseRequest, io.headgate.admin.v1.EraseResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Erase"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.EraseRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.EraseResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("Erase"))
              .build();
        }
      }
    }
    return getEraseMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.ReprocessQuarantinedRequest,
      io.headgate.admin.v1.ReprocessQuarantinedResponse> getReprocessQuarantinedMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReprocessQuarantined",
      requestType = io.headgate.admin.v1.ReprocessQuarantinedRequest.class,
      responseType = io.headgate.admin.v1.ReprocessQuarantinedResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.ReprocessQuarantinedRequest,
      io.headgate.admin.v1.ReprocessQuarantinedResponse> getReprocessQuarantinedMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.ReprocessQuarantinedRequest, io.headgate.admin.v1.ReprocessQuarantinedResponse> getReprocessQuarantinedMethod;
    if ((getReprocessQuarantinedMethod = AdminServiceGrpc.getReprocessQuarantinedMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getReprocessQuarantinedMethod = AdminServiceGrpc.getReprocessQuarantinedMethod) == null) {
          AdminServiceGrpc.getReprocessQuarantinedMethod = getReprocessQuarantinedMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.ReprocessQuarantinedRequest, io.headgate.admin.v1.ReprocessQuarantinedResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReprocessQuarantined"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ReprocessQuarantinedRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.ReprocessQuarantinedResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ReprocessQuarantined"))
              .build();
        }
      }
    }
    return getReprocessQuarantinedMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.admin.v1.DiscardQuarantinedRequest,
      io.headgate.admin.v1.DiscardQuarantinedResponse> getDiscardQuarantinedMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DiscardQuarantined",
      requestType = io.headgate.admin.v1.DiscardQuarantinedRequest.class,
      responseType = io.headgate.admin.v1.DiscardQuarantinedResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.admin.v1.DiscardQuarantinedRequest,
      io.headgate.admin.v1.DiscardQuarantinedResponse> getDiscardQuarantinedMethod() {
    io.grpc.MethodDescriptor<io.headgate.admin.v1.DiscardQuarantinedRequest, io.headgate.admin.v1.DiscardQuarantinedResponse> getDiscardQuarantinedMethod;
    if ((getDiscardQuarantinedMethod = AdminServiceGrpc.getDiscardQuarantinedMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getDiscardQuarantinedMethod = AdminServiceGrpc.getDiscardQuarantinedMethod) == null) {
          AdminServiceGrpc.getDiscardQuarantinedMethod = getDiscardQuarantinedMethod =
              io.grpc.MethodDescriptor.<io.headgate.admin.v1.DiscardQuarantinedRequest, io.headgate.admin.v1.DiscardQuarantinedResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DiscardQuarantined"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.DiscardQuarantinedRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.admin.v1.DiscardQuarantinedResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("DiscardQuarantined"))
              .build();
        }
      }
    }
    return getDiscardQuarantinedMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static AdminServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceStub>() {
        @java.lang.Override
        public AdminServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceStub(channel, callOptions);
        }
      };
    return AdminServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static AdminServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingV2Stub>() {
        @java.lang.Override
        public AdminServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return AdminServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static AdminServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingStub>() {
        @java.lang.Override
        public AdminServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceBlockingStub(channel, callOptions);
        }
      };
    return AdminServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static AdminServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceFutureStub>() {
        @java.lang.Override
        public AdminServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceFutureStub(channel, callOptions);
        }
      };
    return AdminServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * AdminService shows operators what a running gateway does and what it could not use, and lets them set that right.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Tells how the gateway is: version, log, sources.
     * </pre>
     */
    default void getStatus(io.headgate.admin.v1.GetStatusRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetStatusResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetStatusMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells how the last hour was, in points of ten seconds, so that whoever looks now sees what was before. It is kept in memory, and begins anew with each
     * start of the process.
     * </pre>
     */
    default void getHistory(io.headgate.admin.v1.GetHistoryRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetHistoryResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetHistoryMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the streams that are being served, oldest first.
     * </pre>
     */
    default void listStreams(io.headgate.admin.v1.ListStreamsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListStreamsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListStreamsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Ends one stream, whatever it is doing: its client gets Closing with REASON_OPERATOR and comes back by itself, with its last cursor, after half a minute. One
     * that takes nothing, so that it cannot be told, is cut off within seconds. It leaves a line in the audit. NOT_FOUND when no stream of that id is being served:
     * it may have ended by itself. To keep a reader out, take away its credential.
     * </pre>
     */
    default void endStream(io.headgate.admin.v1.EndStreamRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.EndStreamResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getEndStreamMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists all readers' subscriptions, by reader and name, with how far behind they are.
     * </pre>
     */
    default void listSubscriptions(io.headgate.admin.v1.ListSubscriptionsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListSubscriptionsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListSubscriptionsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a reader's subscription with its positions, for example of a reader that is gone. Its streams end. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    default void deleteSubscription(io.headgate.admin.v1.DeleteSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.DeleteSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteSubscriptionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Leaves out one event that a reader's subscription cannot handle: SubscriptionService.SkipEvent in its stead. It is recorded as the operator's.
     * </pre>
     */
    default void skipEvent(io.headgate.admin.v1.SkipEventRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.SkipEventResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSkipEventMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the quarantine, newest first: authentic webhooks that could not be turned into an event.
     * </pre>
     */
    default void listQuarantine(io.headgate.admin.v1.ListQuarantineRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListQuarantineResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListQuarantineMethod(), responseObserver);
    }

    /**
     * <pre>
     * Returns one quarantined webhook with its raw body. NOT_FOUND when there is none of that id.
     * </pre>
     */
    default void getQuarantined(io.headgate.admin.v1.GetQuarantinedRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetQuarantinedResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetQuarantinedMethod(), responseObserver);
    }

    /**
     * <pre>
     * Copies the log and the subscriptions, as they are at one moment, while everything goes on. It is a file's bytes, and only whole when the last message, with
     * the summary, has come. They hold every event, every raw body and the key of the cursors: keep them as the data directory is kept. One copy is made at a time,
     * and it ends with UNAVAILABLE when nothing of it is taken for a minute, or when the disk gets full, as what is trimmed meanwhile stays until its end.
     * DATA_LOSS when the log is damaged. Not over REST.
     * </pre>
     */
    default void backup(io.headgate.admin.v1.BackupRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.BackupResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getBackupMethod(), responseObserver);
    }

    /**
     * <pre>
     * Erases what the log holds of a person, a user, a record or a whole tenant, in steps: call it again with next_cursor while has_more. Without execute it is a
     * dry run that tells what would go.
     * After the last step of a run with execute no file in the data directory holds the bytes any more: neither the events nor their raw bodies, nor quarantined
     * webhooks, nor what the retention removed before. Readers get an Erased in the place of each event, and cursors stay valid. What was sent before the erasure
     * is the readers' own. Of each event there remain its source, context, entity, event id and time, and a hash by which the CRM's sending it once more is known
     * and dropped; what the CRM posts about the person afterwards is new, and erased by a new run. A run that ended early, by a crash too, is run again from its
     * beginning. It ends a backup that is being made; what older ones hold is not erased: run it again after restoring one.
     * </pre>
     */
    default void erase(io.headgate.admin.v1.EraseRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.EraseResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getEraseMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tries quarantined webhooks again, oldest first, with the configuration that is now in force: of some, or of a source. What becomes an event is appended as
     * the newest, with first_received_at. What does not stays, with its new problem.
     * </pre>
     */
    default void reprocessQuarantined(io.headgate.admin.v1.ReprocessQuarantinedRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ReprocessQuarantinedResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReprocessQuarantinedMethod(), responseObserver);
    }

    /**
     * <pre>
     * Gives quarantined webhooks up: some, or all of a source. Their bodies are gone, their gaps stay. It leaves a line in the audit.
     * </pre>
     */
    default void discardQuarantined(io.headgate.admin.v1.DiscardQuarantinedRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.DiscardQuarantinedResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDiscardQuarantinedMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service AdminService.
   * <pre>
   * AdminService shows operators what a running gateway does and what it could not use, and lets them set that right.
   * </pre>
   */
  public static abstract class AdminServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return AdminServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service AdminService.
   * <pre>
   * AdminService shows operators what a running gateway does and what it could not use, and lets them set that right.
   * </pre>
   */
  public static final class AdminServiceStub
      extends io.grpc.stub.AbstractAsyncStub<AdminServiceStub> {
    private AdminServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Tells how the gateway is: version, log, sources.
     * </pre>
     */
    public void getStatus(io.headgate.admin.v1.GetStatusRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetStatusResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetStatusMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells how the last hour was, in points of ten seconds, so that whoever looks now sees what was before. It is kept in memory, and begins anew with each
     * start of the process.
     * </pre>
     */
    public void getHistory(io.headgate.admin.v1.GetHistoryRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetHistoryResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetHistoryMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the streams that are being served, oldest first.
     * </pre>
     */
    public void listStreams(io.headgate.admin.v1.ListStreamsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListStreamsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListStreamsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Ends one stream, whatever it is doing: its client gets Closing with REASON_OPERATOR and comes back by itself, with its last cursor, after half a minute. One
     * that takes nothing, so that it cannot be told, is cut off within seconds. It leaves a line in the audit. NOT_FOUND when no stream of that id is being served:
     * it may have ended by itself. To keep a reader out, take away its credential.
     * </pre>
     */
    public void endStream(io.headgate.admin.v1.EndStreamRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.EndStreamResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getEndStreamMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists all readers' subscriptions, by reader and name, with how far behind they are.
     * </pre>
     */
    public void listSubscriptions(io.headgate.admin.v1.ListSubscriptionsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListSubscriptionsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListSubscriptionsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a reader's subscription with its positions, for example of a reader that is gone. Its streams end. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public void deleteSubscription(io.headgate.admin.v1.DeleteSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.DeleteSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Leaves out one event that a reader's subscription cannot handle: SubscriptionService.SkipEvent in its stead. It is recorded as the operator's.
     * </pre>
     */
    public void skipEvent(io.headgate.admin.v1.SkipEventRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.SkipEventResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSkipEventMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the quarantine, newest first: authentic webhooks that could not be turned into an event.
     * </pre>
     */
    public void listQuarantine(io.headgate.admin.v1.ListQuarantineRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListQuarantineResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListQuarantineMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Returns one quarantined webhook with its raw body. NOT_FOUND when there is none of that id.
     * </pre>
     */
    public void getQuarantined(io.headgate.admin.v1.GetQuarantinedRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetQuarantinedResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetQuarantinedMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Copies the log and the subscriptions, as they are at one moment, while everything goes on. It is a file's bytes, and only whole when the last message, with
     * the summary, has come. They hold every event, every raw body and the key of the cursors: keep them as the data directory is kept. One copy is made at a time,
     * and it ends with UNAVAILABLE when nothing of it is taken for a minute, or when the disk gets full, as what is trimmed meanwhile stays until its end.
     * DATA_LOSS when the log is damaged. Not over REST.
     * </pre>
     */
    public void backup(io.headgate.admin.v1.BackupRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.BackupResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getBackupMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Erases what the log holds of a person, a user, a record or a whole tenant, in steps: call it again with next_cursor while has_more. Without execute it is a
     * dry run that tells what would go.
     * After the last step of a run with execute no file in the data directory holds the bytes any more: neither the events nor their raw bodies, nor quarantined
     * webhooks, nor what the retention removed before. Readers get an Erased in the place of each event, and cursors stay valid. What was sent before the erasure
     * is the readers' own. Of each event there remain its source, context, entity, event id and time, and a hash by which the CRM's sending it once more is known
     * and dropped; what the CRM posts about the person afterwards is new, and erased by a new run. A run that ended early, by a crash too, is run again from its
     * beginning. It ends a backup that is being made; what older ones hold is not erased: run it again after restoring one.
     * </pre>
     */
    public void erase(io.headgate.admin.v1.EraseRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.EraseResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getEraseMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tries quarantined webhooks again, oldest first, with the configuration that is now in force: of some, or of a source. What becomes an event is appended as
     * the newest, with first_received_at. What does not stays, with its new problem.
     * </pre>
     */
    public void reprocessQuarantined(io.headgate.admin.v1.ReprocessQuarantinedRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.ReprocessQuarantinedResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReprocessQuarantinedMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Gives quarantined webhooks up: some, or all of a source. Their bodies are gone, their gaps stay. It leaves a line in the audit.
     * </pre>
     */
    public void discardQuarantined(io.headgate.admin.v1.DiscardQuarantinedRequest request,
        io.grpc.stub.StreamObserver<io.headgate.admin.v1.DiscardQuarantinedResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDiscardQuarantinedMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service AdminService.
   * <pre>
   * AdminService shows operators what a running gateway does and what it could not use, and lets them set that right.
   * </pre>
   */
  public static final class AdminServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<AdminServiceBlockingV2Stub> {
    private AdminServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Tells how the gateway is: version, log, sources.
     * </pre>
     */
    public io.headgate.admin.v1.GetStatusResponse getStatus(io.headgate.admin.v1.GetStatusRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells how the last hour was, in points of ten seconds, so that whoever looks now sees what was before. It is kept in memory, and begins anew with each
     * start of the process.
     * </pre>
     */
    public io.headgate.admin.v1.GetHistoryResponse getHistory(io.headgate.admin.v1.GetHistoryRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetHistoryMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the streams that are being served, oldest first.
     * </pre>
     */
    public io.headgate.admin.v1.ListStreamsResponse listStreams(io.headgate.admin.v1.ListStreamsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListStreamsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends one stream, whatever it is doing: its client gets Closing with REASON_OPERATOR and comes back by itself, with its last cursor, after half a minute. One
     * that takes nothing, so that it cannot be told, is cut off within seconds. It leaves a line in the audit. NOT_FOUND when no stream of that id is being served:
     * it may have ended by itself. To keep a reader out, take away its credential.
     * </pre>
     */
    public io.headgate.admin.v1.EndStreamResponse endStream(io.headgate.admin.v1.EndStreamRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getEndStreamMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists all readers' subscriptions, by reader and name, with how far behind they are.
     * </pre>
     */
    public io.headgate.admin.v1.ListSubscriptionsResponse listSubscriptions(io.headgate.admin.v1.ListSubscriptionsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListSubscriptionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a reader's subscription with its positions, for example of a reader that is gone. Its streams end. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public io.headgate.admin.v1.DeleteSubscriptionResponse deleteSubscription(io.headgate.admin.v1.DeleteSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Leaves out one event that a reader's subscription cannot handle: SubscriptionService.SkipEvent in its stead. It is recorded as the operator's.
     * </pre>
     */
    public io.headgate.admin.v1.SkipEventResponse skipEvent(io.headgate.admin.v1.SkipEventRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSkipEventMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the quarantine, newest first: authentic webhooks that could not be turned into an event.
     * </pre>
     */
    public io.headgate.admin.v1.ListQuarantineResponse listQuarantine(io.headgate.admin.v1.ListQuarantineRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListQuarantineMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns one quarantined webhook with its raw body. NOT_FOUND when there is none of that id.
     * </pre>
     */
    public io.headgate.admin.v1.GetQuarantinedResponse getQuarantined(io.headgate.admin.v1.GetQuarantinedRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetQuarantinedMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Copies the log and the subscriptions, as they are at one moment, while everything goes on. It is a file's bytes, and only whole when the last message, with
     * the summary, has come. They hold every event, every raw body and the key of the cursors: keep them as the data directory is kept. One copy is made at a time,
     * and it ends with UNAVAILABLE when nothing of it is taken for a minute, or when the disk gets full, as what is trimmed meanwhile stays until its end.
     * DATA_LOSS when the log is damaged. Not over REST.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.headgate.admin.v1.BackupResponse>
        backup(io.headgate.admin.v1.BackupRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getBackupMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Erases what the log holds of a person, a user, a record or a whole tenant, in steps: call it again with next_cursor while has_more. Without execute it is a
     * dry run that tells what would go.
     * After the last step of a run with execute no file in the data directory holds the bytes any more: neither the events nor their raw bodies, nor quarantined
     * webhooks, nor what the retention removed before. Readers get an Erased in the place of each event, and cursors stay valid. What was sent before the erasure
     * is the readers' own. Of each event there remain its source, context, entity, event id and time, and a hash by which the CRM's sending it once more is known
     * and dropped; what the CRM posts about the person afterwards is new, and erased by a new run. A run that ended early, by a crash too, is run again from its
     * beginning. It ends a backup that is being made; what older ones hold is not erased: run it again after restoring one.
     * </pre>
     */
    public io.headgate.admin.v1.EraseResponse erase(io.headgate.admin.v1.EraseRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getEraseMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tries quarantined webhooks again, oldest first, with the configuration that is now in force: of some, or of a source. What becomes an event is appended as
     * the newest, with first_received_at. What does not stays, with its new problem.
     * </pre>
     */
    public io.headgate.admin.v1.ReprocessQuarantinedResponse reprocessQuarantined(io.headgate.admin.v1.ReprocessQuarantinedRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getReprocessQuarantinedMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Gives quarantined webhooks up: some, or all of a source. Their bodies are gone, their gaps stay. It leaves a line in the audit.
     * </pre>
     */
    public io.headgate.admin.v1.DiscardQuarantinedResponse discardQuarantined(io.headgate.admin.v1.DiscardQuarantinedRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDiscardQuarantinedMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service AdminService.
   * <pre>
   * AdminService shows operators what a running gateway does and what it could not use, and lets them set that right.
   * </pre>
   */
  public static final class AdminServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<AdminServiceBlockingStub> {
    private AdminServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Tells how the gateway is: version, log, sources.
     * </pre>
     */
    public io.headgate.admin.v1.GetStatusResponse getStatus(io.headgate.admin.v1.GetStatusRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells how the last hour was, in points of ten seconds, so that whoever looks now sees what was before. It is kept in memory, and begins anew with each
     * start of the process.
     * </pre>
     */
    public io.headgate.admin.v1.GetHistoryResponse getHistory(io.headgate.admin.v1.GetHistoryRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetHistoryMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the streams that are being served, oldest first.
     * </pre>
     */
    public io.headgate.admin.v1.ListStreamsResponse listStreams(io.headgate.admin.v1.ListStreamsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListStreamsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends one stream, whatever it is doing: its client gets Closing with REASON_OPERATOR and comes back by itself, with its last cursor, after half a minute. One
     * that takes nothing, so that it cannot be told, is cut off within seconds. It leaves a line in the audit. NOT_FOUND when no stream of that id is being served:
     * it may have ended by itself. To keep a reader out, take away its credential.
     * </pre>
     */
    public io.headgate.admin.v1.EndStreamResponse endStream(io.headgate.admin.v1.EndStreamRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getEndStreamMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists all readers' subscriptions, by reader and name, with how far behind they are.
     * </pre>
     */
    public io.headgate.admin.v1.ListSubscriptionsResponse listSubscriptions(io.headgate.admin.v1.ListSubscriptionsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListSubscriptionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a reader's subscription with its positions, for example of a reader that is gone. Its streams end. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public io.headgate.admin.v1.DeleteSubscriptionResponse deleteSubscription(io.headgate.admin.v1.DeleteSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Leaves out one event that a reader's subscription cannot handle: SubscriptionService.SkipEvent in its stead. It is recorded as the operator's.
     * </pre>
     */
    public io.headgate.admin.v1.SkipEventResponse skipEvent(io.headgate.admin.v1.SkipEventRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSkipEventMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the quarantine, newest first: authentic webhooks that could not be turned into an event.
     * </pre>
     */
    public io.headgate.admin.v1.ListQuarantineResponse listQuarantine(io.headgate.admin.v1.ListQuarantineRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListQuarantineMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns one quarantined webhook with its raw body. NOT_FOUND when there is none of that id.
     * </pre>
     */
    public io.headgate.admin.v1.GetQuarantinedResponse getQuarantined(io.headgate.admin.v1.GetQuarantinedRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetQuarantinedMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Copies the log and the subscriptions, as they are at one moment, while everything goes on. It is a file's bytes, and only whole when the last message, with
     * the summary, has come. They hold every event, every raw body and the key of the cursors: keep them as the data directory is kept. One copy is made at a time,
     * and it ends with UNAVAILABLE when nothing of it is taken for a minute, or when the disk gets full, as what is trimmed meanwhile stays until its end.
     * DATA_LOSS when the log is damaged. Not over REST.
     * </pre>
     */
    public java.util.Iterator<io.headgate.admin.v1.BackupResponse> backup(
        io.headgate.admin.v1.BackupRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getBackupMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Erases what the log holds of a person, a user, a record or a whole tenant, in steps: call it again with next_cursor while has_more. Without execute it is a
     * dry run that tells what would go.
     * After the last step of a run with execute no file in the data directory holds the bytes any more: neither the events nor their raw bodies, nor quarantined
     * webhooks, nor what the retention removed before. Readers get an Erased in the place of each event, and cursors stay valid. What was sent before the erasure
     * is the readers' own. Of each event there remain its source, context, entity, event id and time, and a hash by which the CRM's sending it once more is known
     * and dropped; what the CRM posts about the person afterwards is new, and erased by a new run. A run that ended early, by a crash too, is run again from its
     * beginning. It ends a backup that is being made; what older ones hold is not erased: run it again after restoring one.
     * </pre>
     */
    public io.headgate.admin.v1.EraseResponse erase(io.headgate.admin.v1.EraseRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getEraseMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tries quarantined webhooks again, oldest first, with the configuration that is now in force: of some, or of a source. What becomes an event is appended as
     * the newest, with first_received_at. What does not stays, with its new problem.
     * </pre>
     */
    public io.headgate.admin.v1.ReprocessQuarantinedResponse reprocessQuarantined(io.headgate.admin.v1.ReprocessQuarantinedRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReprocessQuarantinedMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Gives quarantined webhooks up: some, or all of a source. Their bodies are gone, their gaps stay. It leaves a line in the audit.
     * </pre>
     */
    public io.headgate.admin.v1.DiscardQuarantinedResponse discardQuarantined(io.headgate.admin.v1.DiscardQuarantinedRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDiscardQuarantinedMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service AdminService.
   * <pre>
   * AdminService shows operators what a running gateway does and what it could not use, and lets them set that right.
   * </pre>
   */
  public static final class AdminServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<AdminServiceFutureStub> {
    private AdminServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Tells how the gateway is: version, log, sources.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.GetStatusResponse> getStatus(
        io.headgate.admin.v1.GetStatusRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetStatusMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells how the last hour was, in points of ten seconds, so that whoever looks now sees what was before. It is kept in memory, and begins anew with each
     * start of the process.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.GetHistoryResponse> getHistory(
        io.headgate.admin.v1.GetHistoryRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetHistoryMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the streams that are being served, oldest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.ListStreamsResponse> listStreams(
        io.headgate.admin.v1.ListStreamsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListStreamsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Ends one stream, whatever it is doing: its client gets Closing with REASON_OPERATOR and comes back by itself, with its last cursor, after half a minute. One
     * that takes nothing, so that it cannot be told, is cut off within seconds. It leaves a line in the audit. NOT_FOUND when no stream of that id is being served:
     * it may have ended by itself. To keep a reader out, take away its credential.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.EndStreamResponse> endStream(
        io.headgate.admin.v1.EndStreamRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getEndStreamMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists all readers' subscriptions, by reader and name, with how far behind they are.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.ListSubscriptionsResponse> listSubscriptions(
        io.headgate.admin.v1.ListSubscriptionsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListSubscriptionsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a reader's subscription with its positions, for example of a reader that is gone. Its streams end. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.DeleteSubscriptionResponse> deleteSubscription(
        io.headgate.admin.v1.DeleteSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteSubscriptionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Leaves out one event that a reader's subscription cannot handle: SubscriptionService.SkipEvent in its stead. It is recorded as the operator's.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.SkipEventResponse> skipEvent(
        io.headgate.admin.v1.SkipEventRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSkipEventMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the quarantine, newest first: authentic webhooks that could not be turned into an event.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.ListQuarantineResponse> listQuarantine(
        io.headgate.admin.v1.ListQuarantineRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListQuarantineMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Returns one quarantined webhook with its raw body. NOT_FOUND when there is none of that id.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.GetQuarantinedResponse> getQuarantined(
        io.headgate.admin.v1.GetQuarantinedRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetQuarantinedMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Erases what the log holds of a person, a user, a record or a whole tenant, in steps: call it again with next_cursor while has_more. Without execute it is a
     * dry run that tells what would go.
     * After the last step of a run with execute no file in the data directory holds the bytes any more: neither the events nor their raw bodies, nor quarantined
     * webhooks, nor what the retention removed before. Readers get an Erased in the place of each event, and cursors stay valid. What was sent before the erasure
     * is the readers' own. Of each event there remain its source, context, entity, event id and time, and a hash by which the CRM's sending it once more is known
     * and dropped; what the CRM posts about the person afterwards is new, and erased by a new run. A run that ended early, by a crash too, is run again from its
     * beginning. It ends a backup that is being made; what older ones hold is not erased: run it again after restoring one.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.EraseResponse> erase(
        io.headgate.admin.v1.EraseRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getEraseMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tries quarantined webhooks again, oldest first, with the configuration that is now in force: of some, or of a source. What becomes an event is appended as
     * the newest, with first_received_at. What does not stays, with its new problem.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.ReprocessQuarantinedResponse> reprocessQuarantined(
        io.headgate.admin.v1.ReprocessQuarantinedRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReprocessQuarantinedMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Gives quarantined webhooks up: some, or all of a source. Their bodies are gone, their gaps stay. It leaves a line in the audit.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.admin.v1.DiscardQuarantinedResponse> discardQuarantined(
        io.headgate.admin.v1.DiscardQuarantinedRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDiscardQuarantinedMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_STATUS = 0;
  private static final int METHODID_GET_HISTORY = 1;
  private static final int METHODID_LIST_STREAMS = 2;
  private static final int METHODID_END_STREAM = 3;
  private static final int METHODID_LIST_SUBSCRIPTIONS = 4;
  private static final int METHODID_DELETE_SUBSCRIPTION = 5;
  private static final int METHODID_SKIP_EVENT = 6;
  private static final int METHODID_LIST_QUARANTINE = 7;
  private static final int METHODID_GET_QUARANTINED = 8;
  private static final int METHODID_BACKUP = 9;
  private static final int METHODID_ERASE = 10;
  private static final int METHODID_REPROCESS_QUARANTINED = 11;
  private static final int METHODID_DISCARD_QUARANTINED = 12;

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
        case METHODID_GET_STATUS:
          serviceImpl.getStatus((io.headgate.admin.v1.GetStatusRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetStatusResponse>) responseObserver);
          break;
        case METHODID_GET_HISTORY:
          serviceImpl.getHistory((io.headgate.admin.v1.GetHistoryRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetHistoryResponse>) responseObserver);
          break;
        case METHODID_LIST_STREAMS:
          serviceImpl.listStreams((io.headgate.admin.v1.ListStreamsRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListStreamsResponse>) responseObserver);
          break;
        case METHODID_END_STREAM:
          serviceImpl.endStream((io.headgate.admin.v1.EndStreamRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.EndStreamResponse>) responseObserver);
          break;
        case METHODID_LIST_SUBSCRIPTIONS:
          serviceImpl.listSubscriptions((io.headgate.admin.v1.ListSubscriptionsRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListSubscriptionsResponse>) responseObserver);
          break;
        case METHODID_DELETE_SUBSCRIPTION:
          serviceImpl.deleteSubscription((io.headgate.admin.v1.DeleteSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.DeleteSubscriptionResponse>) responseObserver);
          break;
        case METHODID_SKIP_EVENT:
          serviceImpl.skipEvent((io.headgate.admin.v1.SkipEventRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.SkipEventResponse>) responseObserver);
          break;
        case METHODID_LIST_QUARANTINE:
          serviceImpl.listQuarantine((io.headgate.admin.v1.ListQuarantineRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.ListQuarantineResponse>) responseObserver);
          break;
        case METHODID_GET_QUARANTINED:
          serviceImpl.getQuarantined((io.headgate.admin.v1.GetQuarantinedRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.GetQuarantinedResponse>) responseObserver);
          break;
        case METHODID_BACKUP:
          serviceImpl.backup((io.headgate.admin.v1.BackupRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.BackupResponse>) responseObserver);
          break;
        case METHODID_ERASE:
          serviceImpl.erase((io.headgate.admin.v1.EraseRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.EraseResponse>) responseObserver);
          break;
        case METHODID_REPROCESS_QUARANTINED:
          serviceImpl.reprocessQuarantined((io.headgate.admin.v1.ReprocessQuarantinedRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.ReprocessQuarantinedResponse>) responseObserver);
          break;
        case METHODID_DISCARD_QUARANTINED:
          serviceImpl.discardQuarantined((io.headgate.admin.v1.DiscardQuarantinedRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.admin.v1.DiscardQuarantinedResponse>) responseObserver);
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
          getGetStatusMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.GetStatusRequest,
              io.headgate.admin.v1.GetStatusResponse>(
                service, METHODID_GET_STATUS)))
        .addMethod(
          getGetHistoryMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.GetHistoryRequest,
              io.headgate.admin.v1.GetHistoryResponse>(
                service, METHODID_GET_HISTORY)))
        .addMethod(
          getListStreamsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.ListStreamsRequest,
              io.headgate.admin.v1.ListStreamsResponse>(
                service, METHODID_LIST_STREAMS)))
        .addMethod(
          getEndStreamMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.EndStreamRequest,
              io.headgate.admin.v1.EndStreamResponse>(
                service, METHODID_END_STREAM)))
        .addMethod(
          getListSubscriptionsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.ListSubscriptionsRequest,
              io.headgate.admin.v1.ListSubscriptionsResponse>(
                service, METHODID_LIST_SUBSCRIPTIONS)))
        .addMethod(
          getDeleteSubscriptionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.DeleteSubscriptionRequest,
              io.headgate.admin.v1.DeleteSubscriptionResponse>(
                service, METHODID_DELETE_SUBSCRIPTION)))
        .addMethod(
          getSkipEventMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.SkipEventRequest,
              io.headgate.admin.v1.SkipEventResponse>(
                service, METHODID_SKIP_EVENT)))
        .addMethod(
          getListQuarantineMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.ListQuarantineRequest,
              io.headgate.admin.v1.ListQuarantineResponse>(
                service, METHODID_LIST_QUARANTINE)))
        .addMethod(
          getGetQuarantinedMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.GetQuarantinedRequest,
              io.headgate.admin.v1.GetQuarantinedResponse>(
                service, METHODID_GET_QUARANTINED)))
        .addMethod(
          getBackupMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.headgate.admin.v1.BackupRequest,
              io.headgate.admin.v1.BackupResponse>(
                service, METHODID_BACKUP)))
        .addMethod(
          getEraseMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.EraseRequest,
              io.headgate.admin.v1.EraseResponse>(
                service, METHODID_ERASE)))
        .addMethod(
          getReprocessQuarantinedMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.ReprocessQuarantinedRequest,
              io.headgate.admin.v1.ReprocessQuarantinedResponse>(
                service, METHODID_REPROCESS_QUARANTINED)))
        .addMethod(
          getDiscardQuarantinedMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.admin.v1.DiscardQuarantinedRequest,
              io.headgate.admin.v1.DiscardQuarantinedResponse>(
                service, METHODID_DISCARD_QUARANTINED)))
        .build();
  }

  private static abstract class AdminServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    AdminServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.headgate.admin.v1.AdminServiceOuterClass.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("AdminService");
    }
  }

  private static final class AdminServiceFileDescriptorSupplier
      extends AdminServiceBaseDescriptorSupplier {
    AdminServiceFileDescriptorSupplier() {}
  }

  private static final class AdminServiceMethodDescriptorSupplier
      extends AdminServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    AdminServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (AdminServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new AdminServiceFileDescriptorSupplier())
              .addMethod(getGetStatusMethod())
              .addMethod(getGetHistoryMethod())
              .addMethod(getListStreamsMethod())
              .addMethod(getEndStreamMethod())
              .addMethod(getListSubscriptionsMethod())
              .addMethod(getDeleteSubscriptionMethod())
              .addMethod(getSkipEventMethod())
              .addMethod(getListQuarantineMethod())
              .addMethod(getGetQuarantinedMethod())
              .addMethod(getBackupMethod())
              .addMethod(getEraseMethod())
              .addMethod(getReprocessQuarantinedMethod())
              .addMethod(getDiscardQuarantinedMethod())
              .build();
        }
      }
    }
    return result;
  }
}
