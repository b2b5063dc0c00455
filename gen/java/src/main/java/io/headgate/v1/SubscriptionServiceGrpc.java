package io.headgate.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * SubscriptionService keeps positions under a name, for services that have several replicas or no disk.
 * A subscription is saved cursors and nothing else: the log is the only queue, and nothing is kept per event. It has a fixed number of shards, each with a
 * cursor of its own, and every event belongs to exactly one of them: all events of one record (source, context, entity, primary key) to the same.
 * EventService.Subscribe with subscription and start.saved serves one shard to the stream, from its saved cursor on. A shard is never served to two streams at
 * once; a stream that finds none free stands by. So:
 * - One shard makes an exclusive consumer: one replica is served, the others stand by and take over.
 * - Several shards make a balanced one. Every replica opens as many streams as there are shards, and the server spreads the shards evenly over the
 *   members. A replica that joins gets its share at once, from members that have more; what a member leaves behind, the others take.
 * - With shard set a stream serves that one and no other, for replicas that know their number.
 * The lease. What a stream is served stands under a lease, told by Assigned and presented with every SaveCursors. Whoever gets the shard next has another
 * lease, and from then on the old one saves nothing any more (LEASE_LOST). When a stream ends, by whichever side, its shard is given on as soon as all that was
 * sent to it is saved, or its lease is released; or when its holder has saved nothing for five seconds. Until then its saves are still taken. So an event is handled
 * twice only when a holder died, was cut off, or was too slow to save.
 * The rule for every client: handle a message, then save its cursor with the lease, and only then take for granted that it does not come again. Saving each one
 * is not needed: a cursor covers all messages of its shard before it. After Closing, handle and save what was received, and subscribe again.
 * Names belong to the reader that made them: 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. What one reader calls "billing" has nothing to
 * do with another's. Errors are those of EventService.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class SubscriptionServiceGrpc {

  private SubscriptionServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "headgate.v1.SubscriptionService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.CreateSubscriptionRequest,
      io.headgate.v1.CreateSubscriptionResponse> getCreateSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateSubscription",
      requestType = io.headgate.v1.CreateSubscriptionRequest.class,
      responseType = io.headgate.v1.CreateSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.CreateSubscriptionRequest,
      io.headgate.v1.CreateSubscriptionResponse> getCreateSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.CreateSubscriptionRequest, io.headgate.v1.CreateSubscriptionResponse> getCreateSubscriptionMethod;
    if ((getCreateSubscriptionMethod = SubscriptionServiceGrpc.getCreateSubscriptionMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getCreateSubscriptionMethod = SubscriptionServiceGrpc.getCreateSubscriptionMethod) == null) {
          SubscriptionServiceGrpc.getCreateSubscriptionMethod = getCreateSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.CreateSubscriptionRequest, io.headgate.v1.CreateSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateSubscription"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.CreateSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.CreateSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("CreateSubscription"))
              .build();
        }
      }
    }
    return getCreateSubscriptionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.GetSubscriptionRequest,
      io.headgate.v1.GetSubscriptionResponse> getGetSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetSubscription",
      requestType = io.headgate.v1.GetSubscriptionRequest.class,
      responseType = io.headgate.v1.GetSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.GetSubscriptionRequest,
      io.headgate.v1.GetSubscriptionResponse> getGetSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.GetSubscriptionRequest, io.headgate.v1.GetSubscriptionResponse> getGetSubscriptionMethod;
    if ((getGetSubscriptionMethod = SubscriptionServiceGrpc.getGetSubscriptionMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getGetSubscriptionMethod = SubscriptionServiceGrpc.getGetSubscriptionMethod) == null) {
          SubscriptionServiceGrpc.getGetSubscriptionMethod = getGetSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.GetSubscriptionRequest, io.headgate.v1.GetSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetSubscription"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.GetSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.GetSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("GetSubscription"))
              .build();
        }
      }
    }
    return getGetSubscriptionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.ListSubscriptionsRequest,
      io.headgate.v1.ListSubscriptionsResponse> getListSubscriptionsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListSubscriptions",
      requestType = io.headgate.v1.ListSubscriptionsRequest.class,
      responseType = io.headgate.v1.ListSubscriptionsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.ListSubscriptionsRequest,
      io.headgate.v1.ListSubscriptionsResponse> getListSubscriptionsMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.ListSubscriptionsRequest, io.headgate.v1.ListSubscriptionsResponse> getListSubscriptionsMethod;
    if ((getListSubscriptionsMethod = SubscriptionServiceGrpc.getListSubscriptionsMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getListSubscriptionsMethod = SubscriptionServiceGrpc.getListSubscriptionsMethod) == null) {
          SubscriptionServiceGrpc.getListSubscriptionsMethod = getListSubscriptionsMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.ListSubscriptionsRequest, io.headgate.v1.ListSubscriptionsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListSubscriptions"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.ListSubscriptionsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.ListSubscriptionsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("ListSubscriptions"))
              .build();
        }
      }
    }
    return getListSubscriptionsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.DeleteSubscriptionRequest,
      io.headgate.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteSubscription",
      requestType = io.headgate.v1.DeleteSubscriptionRequest.class,
      responseType = io.headgate.v1.DeleteSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.DeleteSubscriptionRequest,
      io.headgate.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.DeleteSubscriptionRequest, io.headgate.v1.DeleteSubscriptionResponse> getDeleteSubscriptionMethod;
    if ((getDeleteSubscriptionMethod = SubscriptionServiceGrpc.getDeleteSubscriptionMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getDeleteSubscriptionMethod = SubscriptionServiceGrpc.getDeleteSubscriptionMethod) == null) {
          SubscriptionServiceGrpc.getDeleteSubscriptionMethod = getDeleteSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.DeleteSubscriptionRequest, io.headgate.v1.DeleteSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteSubscription"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.DeleteSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.DeleteSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("DeleteSubscription"))
              .build();
        }
      }
    }
    return getDeleteSubscriptionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.SaveCursorsRequest,
      io.headgate.v1.SaveCursorsResponse> getSaveCursorsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SaveCursors",
      requestType = io.headgate.v1.SaveCursorsRequest.class,
      responseType = io.headgate.v1.SaveCursorsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.SaveCursorsRequest,
      io.headgate.v1.SaveCursorsResponse> getSaveCursorsMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.SaveCursorsRequest, io.headgate.v1.SaveCursorsResponse> getSaveCursorsMethod;
    if ((getSaveCursorsMethod = SubscriptionServiceGrpc.getSaveCursorsMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getSaveCursorsMethod = SubscriptionServiceGrpc.getSaveCursorsMethod) == null) {
          SubscriptionServiceGrpc.getSaveCursorsMethod = getSaveCursorsMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.SaveCursorsRequest, io.headgate.v1.SaveCursorsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SaveCursors"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SaveCursorsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SaveCursorsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("SaveCursors"))
              .build();
        }
      }
    }
    return getSaveCursorsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.SeekSubscriptionRequest,
      io.headgate.v1.SeekSubscriptionResponse> getSeekSubscriptionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SeekSubscription",
      requestType = io.headgate.v1.SeekSubscriptionRequest.class,
      responseType = io.headgate.v1.SeekSubscriptionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.SeekSubscriptionRequest,
      io.headgate.v1.SeekSubscriptionResponse> getSeekSubscriptionMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.SeekSubscriptionRequest, io.headgate.v1.SeekSubscriptionResponse> getSeekSubscriptionMethod;
    if ((getSeekSubscriptionMethod = SubscriptionServiceGrpc.getSeekSubscriptionMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getSeekSubscriptionMethod = SubscriptionServiceGrpc.getSeekSubscriptionMethod) == null) {
          SubscriptionServiceGrpc.getSeekSubscriptionMethod = getSeekSubscriptionMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.SeekSubscriptionRequest, io.headgate.v1.SeekSubscriptionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SeekSubscription"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SeekSubscriptionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SeekSubscriptionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("SeekSubscription"))
              .build();
        }
      }
    }
    return getSeekSubscriptionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.SkipEventRequest,
      io.headgate.v1.SkipEventResponse> getSkipEventMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SkipEvent",
      requestType = io.headgate.v1.SkipEventRequest.class,
      responseType = io.headgate.v1.SkipEventResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.SkipEventRequest,
      io.headgate.v1.SkipEventResponse> getSkipEventMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.SkipEventRequest, io.headgate.v1.SkipEventResponse> getSkipEventMethod;
    if ((getSkipEventMethod = SubscriptionServiceGrpc.getSkipEventMethod) == null) {
      synchronized (SubscriptionServiceGrpc.class) {
        if ((getSkipEventMethod = SubscriptionServiceGrpc.getSkipEventMethod) == null) {
          SubscriptionServiceGrpc.getSkipEventMethod = getSkipEventMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.SkipEventRequest, io.headgate.v1.SkipEventResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SkipEvent"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SkipEventRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SkipEventResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SubscriptionServiceMethodDescriptorSupplier("SkipEvent"))
              .build();
        }
      }
    }
    return getSkipEventMethod;
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
   * SubscriptionService keeps positions under a name, for services that have several replicas or no disk.
   * A subscription is saved cursors and nothing else: the log is the only queue, and nothing is kept per event. It has a fixed number of shards, each with a
   * cursor of its own, and every event belongs to exactly one of them: all events of one record (source, context, entity, primary key) to the same.
   * EventService.Subscribe with subscription and start.saved serves one shard to the stream, from its saved cursor on. A shard is never served to two streams at
   * once; a stream that finds none free stands by. So:
   * - One shard makes an exclusive consumer: one replica is served, the others stand by and take over.
   * - Several shards make a balanced one. Every replica opens as many streams as there are shards, and the server spreads the shards evenly over the
   *   members. A replica that joins gets its share at once, from members that have more; what a member leaves behind, the others take.
   * - With shard set a stream serves that one and no other, for replicas that know their number.
   * The lease. What a stream is served stands under a lease, told by Assigned and presented with every SaveCursors. Whoever gets the shard next has another
   * lease, and from then on the old one saves nothing any more (LEASE_LOST). When a stream ends, by whichever side, its shard is given on as soon as all that was
   * sent to it is saved, or its lease is released; or when its holder has saved nothing for five seconds. Until then its saves are still taken. So an event is handled
   * twice only when a holder died, was cut off, or was too slow to save.
   * The rule for every client: handle a message, then save its cursor with the lease, and only then take for granted that it does not come again. Saving each one
   * is not needed: a cursor covers all messages of its shard before it. After Closing, handle and save what was received, and subscribe again.
   * Names belong to the reader that made them: 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. What one reader calls "billing" has nothing to
   * do with another's. Errors are those of EventService.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Makes a subscription. Subscribe does that by itself when the name is new; here it is made before anybody subscribes. SUBSCRIPTION_EXISTS.
     * </pre>
     */
    default void createSubscription(io.headgate.v1.CreateSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.CreateSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateSubscriptionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Returns one subscription with its shards and what was skipped. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    default void getSubscription(io.headgate.v1.GetSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.GetSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetSubscriptionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the caller's subscriptions, without their shards, in alphabetical order.
     * </pre>
     */
    default void listSubscriptions(io.headgate.v1.ListSubscriptionsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.ListSubscriptionsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListSubscriptionsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a subscription with its positions. Its streams end with SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    default void deleteSubscription(io.headgate.v1.DeleteSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.DeleteSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteSubscriptionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Saves how far shards have been handled. When it returns, the cursors are on stable storage. A replica with several shards saves them together. LEASE_LOST
     * when the lease of any of them is not, or no longer, in force: metadata "shards" lists those, separated by commas, and all others are saved. A cursor that
     * stands before the saved one is refused with CURSOR_BEHIND. After that and any other error it is unknown which ones were saved; saving again does no harm.
     * These calls do not count against a reader's requests per second.
     * </pre>
     */
    default void saveCursors(io.headgate.v1.SaveCursorsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SaveCursorsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSaveCursorsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Moves the saved position of one shard or of all, forward or back, whatever is being served: streams of these shards end with Closing, their leases are lost,
     * and whoever is served next begins at the new position.
     * </pre>
     */
    default void seekSubscription(io.headgate.v1.SeekSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SeekSubscriptionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSeekSubscriptionMethod(), responseObserver);
    }

    /**
     * <pre>
     * Leaves out one event that cannot be handled, so that its shard goes on. The stream that is stuck at it ends with Closing and its lease is lost. The event
     * stays in the log, where GetEvent finds it, and in the subscription's list of skips. EVENT_NOT_FOUND; CURSOR_BEHIND when it has been handled.
     * </pre>
     */
    default void skipEvent(io.headgate.v1.SkipEventRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SkipEventResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSkipEventMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service SubscriptionService.
   * <pre>
   * SubscriptionService keeps positions under a name, for services that have several replicas or no disk.
   * A subscription is saved cursors and nothing else: the log is the only queue, and nothing is kept per event. It has a fixed number of shards, each with a
   * cursor of its own, and every event belongs to exactly one of them: all events of one record (source, context, entity, primary key) to the same.
   * EventService.Subscribe with subscription and start.saved serves one shard to the stream, from its saved cursor on. A shard is never served to two streams at
   * once; a stream that finds none free stands by. So:
   * - One shard makes an exclusive consumer: one replica is served, the others stand by and take over.
   * - Several shards make a balanced one. Every replica opens as many streams as there are shards, and the server spreads the shards evenly over the
   *   members. A replica that joins gets its share at once, from members that have more; what a member leaves behind, the others take.
   * - With shard set a stream serves that one and no other, for replicas that know their number.
   * The lease. What a stream is served stands under a lease, told by Assigned and presented with every SaveCursors. Whoever gets the shard next has another
   * lease, and from then on the old one saves nothing any more (LEASE_LOST). When a stream ends, by whichever side, its shard is given on as soon as all that was
   * sent to it is saved, or its lease is released; or when its holder has saved nothing for five seconds. Until then its saves are still taken. So an event is handled
   * twice only when a holder died, was cut off, or was too slow to save.
   * The rule for every client: handle a message, then save its cursor with the lease, and only then take for granted that it does not come again. Saving each one
   * is not needed: a cursor covers all messages of its shard before it. After Closing, handle and save what was received, and subscribe again.
   * Names belong to the reader that made them: 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. What one reader calls "billing" has nothing to
   * do with another's. Errors are those of EventService.
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
   * SubscriptionService keeps positions under a name, for services that have several replicas or no disk.
   * A subscription is saved cursors and nothing else: the log is the only queue, and nothing is kept per event. It has a fixed number of shards, each with a
   * cursor of its own, and every event belongs to exactly one of them: all events of one record (source, context, entity, primary key) to the same.
   * EventService.Subscribe with subscription and start.saved serves one shard to the stream, from its saved cursor on. A shard is never served to two streams at
   * once; a stream that finds none free stands by. So:
   * - One shard makes an exclusive consumer: one replica is served, the others stand by and take over.
   * - Several shards make a balanced one. Every replica opens as many streams as there are shards, and the server spreads the shards evenly over the
   *   members. A replica that joins gets its share at once, from members that have more; what a member leaves behind, the others take.
   * - With shard set a stream serves that one and no other, for replicas that know their number.
   * The lease. What a stream is served stands under a lease, told by Assigned and presented with every SaveCursors. Whoever gets the shard next has another
   * lease, and from then on the old one saves nothing any more (LEASE_LOST). When a stream ends, by whichever side, its shard is given on as soon as all that was
   * sent to it is saved, or its lease is released; or when its holder has saved nothing for five seconds. Until then its saves are still taken. So an event is handled
   * twice only when a holder died, was cut off, or was too slow to save.
   * The rule for every client: handle a message, then save its cursor with the lease, and only then take for granted that it does not come again. Saving each one
   * is not needed: a cursor covers all messages of its shard before it. After Closing, handle and save what was received, and subscribe again.
   * Names belong to the reader that made them: 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. What one reader calls "billing" has nothing to
   * do with another's. Errors are those of EventService.
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
     * Makes a subscription. Subscribe does that by itself when the name is new; here it is made before anybody subscribes. SUBSCRIPTION_EXISTS.
     * </pre>
     */
    public void createSubscription(io.headgate.v1.CreateSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.CreateSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Returns one subscription with its shards and what was skipped. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public void getSubscription(io.headgate.v1.GetSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.GetSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the caller's subscriptions, without their shards, in alphabetical order.
     * </pre>
     */
    public void listSubscriptions(io.headgate.v1.ListSubscriptionsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.ListSubscriptionsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListSubscriptionsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a subscription with its positions. Its streams end with SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public void deleteSubscription(io.headgate.v1.DeleteSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.DeleteSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Saves how far shards have been handled. When it returns, the cursors are on stable storage. A replica with several shards saves them together. LEASE_LOST
     * when the lease of any of them is not, or no longer, in force: metadata "shards" lists those, separated by commas, and all others are saved. A cursor that
     * stands before the saved one is refused with CURSOR_BEHIND. After that and any other error it is unknown which ones were saved; saving again does no harm.
     * These calls do not count against a reader's requests per second.
     * </pre>
     */
    public void saveCursors(io.headgate.v1.SaveCursorsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SaveCursorsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSaveCursorsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Moves the saved position of one shard or of all, forward or back, whatever is being served: streams of these shards end with Closing, their leases are lost,
     * and whoever is served next begins at the new position.
     * </pre>
     */
    public void seekSubscription(io.headgate.v1.SeekSubscriptionRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SeekSubscriptionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSeekSubscriptionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Leaves out one event that cannot be handled, so that its shard goes on. The stream that is stuck at it ends with Closing and its lease is lost. The event
     * stays in the log, where GetEvent finds it, and in the subscription's list of skips. EVENT_NOT_FOUND; CURSOR_BEHIND when it has been handled.
     * </pre>
     */
    public void skipEvent(io.headgate.v1.SkipEventRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SkipEventResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSkipEventMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service SubscriptionService.
   * <pre>
   * SubscriptionService keeps positions under a name, for services that have several replicas or no disk.
   * A subscription is saved cursors and nothing else: the log is the only queue, and nothing is kept per event. It has a fixed number of shards, each with a
   * cursor of its own, and every event belongs to exactly one of them: all events of one record (source, context, entity, primary key) to the same.
   * EventService.Subscribe with subscription and start.saved serves one shard to the stream, from its saved cursor on. A shard is never served to two streams at
   * once; a stream that finds none free stands by. So:
   * - One shard makes an exclusive consumer: one replica is served, the others stand by and take over.
   * - Several shards make a balanced one. Every replica opens as many streams as there are shards, and the server spreads the shards evenly over the
   *   members. A replica that joins gets its share at once, from members that have more; what a member leaves behind, the others take.
   * - With shard set a stream serves that one and no other, for replicas that know their number.
   * The lease. What a stream is served stands under a lease, told by Assigned and presented with every SaveCursors. Whoever gets the shard next has another
   * lease, and from then on the old one saves nothing any more (LEASE_LOST). When a stream ends, by whichever side, its shard is given on as soon as all that was
   * sent to it is saved, or its lease is released; or when its holder has saved nothing for five seconds. Until then its saves are still taken. So an event is handled
   * twice only when a holder died, was cut off, or was too slow to save.
   * The rule for every client: handle a message, then save its cursor with the lease, and only then take for granted that it does not come again. Saving each one
   * is not needed: a cursor covers all messages of its shard before it. After Closing, handle and save what was received, and subscribe again.
   * Names belong to the reader that made them: 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. What one reader calls "billing" has nothing to
   * do with another's. Errors are those of EventService.
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
     * Makes a subscription. Subscribe does that by itself when the name is new; here it is made before anybody subscribes. SUBSCRIPTION_EXISTS.
     * </pre>
     */
    public io.headgate.v1.CreateSubscriptionResponse createSubscription(io.headgate.v1.CreateSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns one subscription with its shards and what was skipped. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public io.headgate.v1.GetSubscriptionResponse getSubscription(io.headgate.v1.GetSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the caller's subscriptions, without their shards, in alphabetical order.
     * </pre>
     */
    public io.headgate.v1.ListSubscriptionsResponse listSubscriptions(io.headgate.v1.ListSubscriptionsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListSubscriptionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a subscription with its positions. Its streams end with SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public io.headgate.v1.DeleteSubscriptionResponse deleteSubscription(io.headgate.v1.DeleteSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Saves how far shards have been handled. When it returns, the cursors are on stable storage. A replica with several shards saves them together. LEASE_LOST
     * when the lease of any of them is not, or no longer, in force: metadata "shards" lists those, separated by commas, and all others are saved. A cursor that
     * stands before the saved one is refused with CURSOR_BEHIND. After that and any other error it is unknown which ones were saved; saving again does no harm.
     * These calls do not count against a reader's requests per second.
     * </pre>
     */
    public io.headgate.v1.SaveCursorsResponse saveCursors(io.headgate.v1.SaveCursorsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSaveCursorsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Moves the saved position of one shard or of all, forward or back, whatever is being served: streams of these shards end with Closing, their leases are lost,
     * and whoever is served next begins at the new position.
     * </pre>
     */
    public io.headgate.v1.SeekSubscriptionResponse seekSubscription(io.headgate.v1.SeekSubscriptionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSeekSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Leaves out one event that cannot be handled, so that its shard goes on. The stream that is stuck at it ends with Closing and its lease is lost. The event
     * stays in the log, where GetEvent finds it, and in the subscription's list of skips. EVENT_NOT_FOUND; CURSOR_BEHIND when it has been handled.
     * </pre>
     */
    public io.headgate.v1.SkipEventResponse skipEvent(io.headgate.v1.SkipEventRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSkipEventMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service SubscriptionService.
   * <pre>
   * SubscriptionService keeps positions under a name, for services that have several replicas or no disk.
   * A subscription is saved cursors and nothing else: the log is the only queue, and nothing is kept per event. It has a fixed number of shards, each with a
   * cursor of its own, and every event belongs to exactly one of them: all events of one record (source, context, entity, primary key) to the same.
   * EventService.Subscribe with subscription and start.saved serves one shard to the stream, from its saved cursor on. A shard is never served to two streams at
   * once; a stream that finds none free stands by. So:
   * - One shard makes an exclusive consumer: one replica is served, the others stand by and take over.
   * - Several shards make a balanced one. Every replica opens as many streams as there are shards, and the server spreads the shards evenly over the
   *   members. A replica that joins gets its share at once, from members that have more; what a member leaves behind, the others take.
   * - With shard set a stream serves that one and no other, for replicas that know their number.
   * The lease. What a stream is served stands under a lease, told by Assigned and presented with every SaveCursors. Whoever gets the shard next has another
   * lease, and from then on the old one saves nothing any more (LEASE_LOST). When a stream ends, by whichever side, its shard is given on as soon as all that was
   * sent to it is saved, or its lease is released; or when its holder has saved nothing for five seconds. Until then its saves are still taken. So an event is handled
   * twice only when a holder died, was cut off, or was too slow to save.
   * The rule for every client: handle a message, then save its cursor with the lease, and only then take for granted that it does not come again. Saving each one
   * is not needed: a cursor covers all messages of its shard before it. After Closing, handle and save what was received, and subscribe again.
   * Names belong to the reader that made them: 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. What one reader calls "billing" has nothing to
   * do with another's. Errors are those of EventService.
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
     * Makes a subscription. Subscribe does that by itself when the name is new; here it is made before anybody subscribes. SUBSCRIPTION_EXISTS.
     * </pre>
     */
    public io.headgate.v1.CreateSubscriptionResponse createSubscription(io.headgate.v1.CreateSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns one subscription with its shards and what was skipped. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public io.headgate.v1.GetSubscriptionResponse getSubscription(io.headgate.v1.GetSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the caller's subscriptions, without their shards, in alphabetical order.
     * </pre>
     */
    public io.headgate.v1.ListSubscriptionsResponse listSubscriptions(io.headgate.v1.ListSubscriptionsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListSubscriptionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a subscription with its positions. Its streams end with SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public io.headgate.v1.DeleteSubscriptionResponse deleteSubscription(io.headgate.v1.DeleteSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Saves how far shards have been handled. When it returns, the cursors are on stable storage. A replica with several shards saves them together. LEASE_LOST
     * when the lease of any of them is not, or no longer, in force: metadata "shards" lists those, separated by commas, and all others are saved. A cursor that
     * stands before the saved one is refused with CURSOR_BEHIND. After that and any other error it is unknown which ones were saved; saving again does no harm.
     * These calls do not count against a reader's requests per second.
     * </pre>
     */
    public io.headgate.v1.SaveCursorsResponse saveCursors(io.headgate.v1.SaveCursorsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSaveCursorsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Moves the saved position of one shard or of all, forward or back, whatever is being served: streams of these shards end with Closing, their leases are lost,
     * and whoever is served next begins at the new position.
     * </pre>
     */
    public io.headgate.v1.SeekSubscriptionResponse seekSubscription(io.headgate.v1.SeekSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSeekSubscriptionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Leaves out one event that cannot be handled, so that its shard goes on. The stream that is stuck at it ends with Closing and its lease is lost. The event
     * stays in the log, where GetEvent finds it, and in the subscription's list of skips. EVENT_NOT_FOUND; CURSOR_BEHIND when it has been handled.
     * </pre>
     */
    public io.headgate.v1.SkipEventResponse skipEvent(io.headgate.v1.SkipEventRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSkipEventMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service SubscriptionService.
   * <pre>
   * SubscriptionService keeps positions under a name, for services that have several replicas or no disk.
   * A subscription is saved cursors and nothing else: the log is the only queue, and nothing is kept per event. It has a fixed number of shards, each with a
   * cursor of its own, and every event belongs to exactly one of them: all events of one record (source, context, entity, primary key) to the same.
   * EventService.Subscribe with subscription and start.saved serves one shard to the stream, from its saved cursor on. A shard is never served to two streams at
   * once; a stream that finds none free stands by. So:
   * - One shard makes an exclusive consumer: one replica is served, the others stand by and take over.
   * - Several shards make a balanced one. Every replica opens as many streams as there are shards, and the server spreads the shards evenly over the
   *   members. A replica that joins gets its share at once, from members that have more; what a member leaves behind, the others take.
   * - With shard set a stream serves that one and no other, for replicas that know their number.
   * The lease. What a stream is served stands under a lease, told by Assigned and presented with every SaveCursors. Whoever gets the shard next has another
   * lease, and from then on the old one saves nothing any more (LEASE_LOST). When a stream ends, by whichever side, its shard is given on as soon as all that was
   * sent to it is saved, or its lease is released; or when its holder has saved nothing for five seconds. Until then its saves are still taken. So an event is handled
   * twice only when a holder died, was cut off, or was too slow to save.
   * The rule for every client: handle a message, then save its cursor with the lease, and only then take for granted that it does not come again. Saving each one
   * is not needed: a cursor covers all messages of its shard before it. After Closing, handle and save what was received, and subscribe again.
   * Names belong to the reader that made them: 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. What one reader calls "billing" has nothing to
   * do with another's. Errors are those of EventService.
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
     * Makes a subscription. Subscribe does that by itself when the name is new; here it is made before anybody subscribes. SUBSCRIPTION_EXISTS.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.CreateSubscriptionResponse> createSubscription(
        io.headgate.v1.CreateSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateSubscriptionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Returns one subscription with its shards and what was skipped. SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.GetSubscriptionResponse> getSubscription(
        io.headgate.v1.GetSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetSubscriptionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the caller's subscriptions, without their shards, in alphabetical order.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.ListSubscriptionsResponse> listSubscriptions(
        io.headgate.v1.ListSubscriptionsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListSubscriptionsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a subscription with its positions. Its streams end with SUBSCRIPTION_NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.DeleteSubscriptionResponse> deleteSubscription(
        io.headgate.v1.DeleteSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteSubscriptionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Saves how far shards have been handled. When it returns, the cursors are on stable storage. A replica with several shards saves them together. LEASE_LOST
     * when the lease of any of them is not, or no longer, in force: metadata "shards" lists those, separated by commas, and all others are saved. A cursor that
     * stands before the saved one is refused with CURSOR_BEHIND. After that and any other error it is unknown which ones were saved; saving again does no harm.
     * These calls do not count against a reader's requests per second.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.SaveCursorsResponse> saveCursors(
        io.headgate.v1.SaveCursorsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSaveCursorsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Moves the saved position of one shard or of all, forward or back, whatever is being served: streams of these shards end with Closing, their leases are lost,
     * and whoever is served next begins at the new position.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.SeekSubscriptionResponse> seekSubscription(
        io.headgate.v1.SeekSubscriptionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSeekSubscriptionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Leaves out one event that cannot be handled, so that its shard goes on. The stream that is stuck at it ends with Closing and its lease is lost. The event
     * stays in the log, where GetEvent finds it, and in the subscription's list of skips. EVENT_NOT_FOUND; CURSOR_BEHIND when it has been handled.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.SkipEventResponse> skipEvent(
        io.headgate.v1.SkipEventRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSkipEventMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_SUBSCRIPTION = 0;
  private static final int METHODID_GET_SUBSCRIPTION = 1;
  private static final int METHODID_LIST_SUBSCRIPTIONS = 2;
  private static final int METHODID_DELETE_SUBSCRIPTION = 3;
  private static final int METHODID_SAVE_CURSORS = 4;
  private static final int METHODID_SEEK_SUBSCRIPTION = 5;
  private static final int METHODID_SKIP_EVENT = 6;

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
          serviceImpl.createSubscription((io.headgate.v1.CreateSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.CreateSubscriptionResponse>) responseObserver);
          break;
        case METHODID_GET_SUBSCRIPTION:
          serviceImpl.getSubscription((io.headgate.v1.GetSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.GetSubscriptionResponse>) responseObserver);
          break;
        case METHODID_LIST_SUBSCRIPTIONS:
          serviceImpl.listSubscriptions((io.headgate.v1.ListSubscriptionsRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.ListSubscriptionsResponse>) responseObserver);
          break;
        case METHODID_DELETE_SUBSCRIPTION:
          serviceImpl.deleteSubscription((io.headgate.v1.DeleteSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.DeleteSubscriptionResponse>) responseObserver);
          break;
        case METHODID_SAVE_CURSORS:
          serviceImpl.saveCursors((io.headgate.v1.SaveCursorsRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.SaveCursorsResponse>) responseObserver);
          break;
        case METHODID_SEEK_SUBSCRIPTION:
          serviceImpl.seekSubscription((io.headgate.v1.SeekSubscriptionRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.SeekSubscriptionResponse>) responseObserver);
          break;
        case METHODID_SKIP_EVENT:
          serviceImpl.skipEvent((io.headgate.v1.SkipEventRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.SkipEventResponse>) responseObserver);
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
              io.headgate.v1.CreateSubscriptionRequest,
              io.headgate.v1.CreateSubscriptionResponse>(
                service, METHODID_CREATE_SUBSCRIPTION)))
        .addMethod(
          getGetSubscriptionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.GetSubscriptionRequest,
              io.headgate.v1.GetSubscriptionResponse>(
                service, METHODID_GET_SUBSCRIPTION)))
        .addMethod(
          getListSubscriptionsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.ListSubscriptionsRequest,
              io.headgate.v1.ListSubscriptionsResponse>(
                service, METHODID_LIST_SUBSCRIPTIONS)))
        .addMethod(
          getDeleteSubscriptionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.DeleteSubscriptionRequest,
              io.headgate.v1.DeleteSubscriptionResponse>(
                service, METHODID_DELETE_SUBSCRIPTION)))
        .addMethod(
          getSaveCursorsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.SaveCursorsRequest,
              io.headgate.v1.SaveCursorsResponse>(
                service, METHODID_SAVE_CURSORS)))
        .addMethod(
          getSeekSubscriptionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.SeekSubscriptionRequest,
              io.headgate.v1.SeekSubscriptionResponse>(
                service, METHODID_SEEK_SUBSCRIPTION)))
        .addMethod(
          getSkipEventMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.SkipEventRequest,
              io.headgate.v1.SkipEventResponse>(
                service, METHODID_SKIP_EVENT)))
        .build();
  }

  private static abstract class SubscriptionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    SubscriptionServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.headgate.v1.SubscriptionServiceOuterClass.getDescriptor();
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
              .addMethod(getSaveCursorsMethod())
              .addMethod(getSeekSubscriptionMethod())
              .addMethod(getSkipEventMethod())
              .build();
        }
      }
    }
    return result;
  }
}
