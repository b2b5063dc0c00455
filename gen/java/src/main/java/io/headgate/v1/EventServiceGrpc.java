package io.headgate.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * EventService streams the changes of one or many SuperOffice CRM tenants.
 * What it promises to whoever reads:
 * 1. Durable acceptance. The CRM's webhook is answered with 200 only after the event is on stable storage.
 * 2. At least once. Every accepted event that matches a subscription and its permissions reaches it, while the event
 *    is inside retention.
 * 3. Stable identity. Every delivery of an event carries the same cursor.
 * 4. One order. All readers of a log see one order, the order of acceptance. A filter only removes events.
 * 5. No silent gap. Whoever received a and c received every matching b between. Where that cannot be kept the stream
 *    says so, by an error or a Gap. It never jumps and never falls back to the latest event by itself.
 * 6. Resumable and bookmarked. Any cursor ever sent resumes after it, over gRPC, REST and SSE alike. A Checkpoint moves
 *    on while nothing matches.
 * 7. Isolation. A slow reader delays neither the intake of webhooks nor any other reader.
 * 8. Permission. Each event, live or replayed, is checked against the grant with which its stream started. Any change of that grant ends the
 *    stream, with the reason and the cursor to resume from under the new one.
 * Callers identify themselves with "authorization: Bearer TOKEN", where the token is one of the server's own or a JSON web token of an issuer that it
 * knows, or with a client certificate. An empty filter means everything that the caller may read; what it may not read, no answer, count or error
 * tells it about. A browser, whose EventSource cannot send headers, gets a cookie for its token by POST /v1/session.
 * Errors carry a google.rpc.ErrorInfo whose domain is "headgate" and whose reason is one of these:
 *   START_REQUIRED   INVALID_ARGUMENT     Subscribe without start. Say where to begin.
 *   FILTER_INVALID   INVALID_ARGUMENT     A value of the request is out of range, a name is misspelt, or a request field or query
 *                                         parameter is unknown; metadata "field" names it.
 *   CURSOR_MALFORMED INVALID_ARGUMENT     The text is not a cursor of any Headgate.
 *   CURSOR_EXPIRED   OUT_OF_RANGE         Events after the cursor, of the tenants that the caller reads, are no
 *                                         longer kept (REST 410). Metadata "earliest_cursor" says
 *                                         from where on the log is whole.
 *   CURSOR_FOREIGN   FAILED_PRECONDITION  The cursor is from another log, or from a part of this one that was cut off when it was restored.
 *   EVENT_NOT_FOUND  NOT_FOUND            No event stands at that cursor.
 *   SUBSCRIPTION_NOT_FOUND NOT_FOUND      The caller has no subscription of that name.
 *   SUBSCRIPTION_EXISTS ALREADY_EXISTS    The caller has a subscription of that name already.
 *   SUBSCRIPTION_MISMATCH FAILED_PRECONDITION  The subscription has another number of shards; metadata "shard_count" says how many.
 *   LEASE_LOST       ABORTED              The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it.
 *   CURSOR_BEHIND    FAILED_PRECONDITION  The cursor stands before the saved one.
 *   UNAUTHENTICATED  UNAUTHENTICATED      No credentials, or those of no reader that the server knows.
 *   CONTEXT_FORBIDDEN PERMISSION_DENIED   The filter names a source, context, entity or action that the caller may not read, whether it exists or
 *                                         not; metadata "field" and "value" say which.
 *   RAW_BODY_FORBIDDEN PERMISSION_DENIED  The caller may read the event but not the CRM's request body.
 *   OPERATOR_ONLY    PERMISSION_DENIED    The method is for operators.
 *   DRAINING         UNAVAILABLE          The server is stopping. RetryInfo says when to try again.
 *   UNAVAILABLE      UNAVAILABLE          The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant
 *                                         ended, or an operator ended it, while nothing was being received: metadata "closing" then is GRANT_CHANGED, CREDENTIAL_EXPIRED or
 *                                         OPERATOR. RetryInfo says when to try again.
 *   LIMIT            RESOURCE_EXHAUSTED   The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say
 *                                         what, RetryInfo when to try again.
 *   DATA_LOSS        DATA_LOSS            The log is damaged at the place to be read; nothing is skipped. An operator must act.
 * A request field that the server does not know is refused: an ignored field of a filter would widen the stream.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class EventServiceGrpc {

  private EventServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "headgate.v1.EventService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.SubscribeRequest,
      io.headgate.v1.SubscribeResponse> getSubscribeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Subscribe",
      requestType = io.headgate.v1.SubscribeRequest.class,
      responseType = io.headgate.v1.SubscribeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.headgate.v1.SubscribeRequest,
      io.headgate.v1.SubscribeResponse> getSubscribeMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.SubscribeRequest, io.headgate.v1.SubscribeResponse> getSubscribeMethod;
    if ((getSubscribeMethod = EventServiceGrpc.getSubscribeMethod) == null) {
      synchronized (EventServiceGrpc.class) {
        if ((getSubscribeMethod = EventServiceGrpc.getSubscribeMethod) == null) {
          EventServiceGrpc.getSubscribeMethod = getSubscribeMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.SubscribeRequest, io.headgate.v1.SubscribeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Subscribe"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SubscribeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.SubscribeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EventServiceMethodDescriptorSupplier("Subscribe"))
              .build();
        }
      }
    }
    return getSubscribeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.ListEventsRequest,
      io.headgate.v1.ListEventsResponse> getListEventsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListEvents",
      requestType = io.headgate.v1.ListEventsRequest.class,
      responseType = io.headgate.v1.ListEventsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.ListEventsRequest,
      io.headgate.v1.ListEventsResponse> getListEventsMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.ListEventsRequest, io.headgate.v1.ListEventsResponse> getListEventsMethod;
    if ((getListEventsMethod = EventServiceGrpc.getListEventsMethod) == null) {
      synchronized (EventServiceGrpc.class) {
        if ((getListEventsMethod = EventServiceGrpc.getListEventsMethod) == null) {
          EventServiceGrpc.getListEventsMethod = getListEventsMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.ListEventsRequest, io.headgate.v1.ListEventsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListEvents"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.ListEventsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.ListEventsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EventServiceMethodDescriptorSupplier("ListEvents"))
              .build();
        }
      }
    }
    return getListEventsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.GetEventRequest,
      io.headgate.v1.GetEventResponse> getGetEventMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetEvent",
      requestType = io.headgate.v1.GetEventRequest.class,
      responseType = io.headgate.v1.GetEventResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.GetEventRequest,
      io.headgate.v1.GetEventResponse> getGetEventMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.GetEventRequest, io.headgate.v1.GetEventResponse> getGetEventMethod;
    if ((getGetEventMethod = EventServiceGrpc.getGetEventMethod) == null) {
      synchronized (EventServiceGrpc.class) {
        if ((getGetEventMethod = EventServiceGrpc.getGetEventMethod) == null) {
          EventServiceGrpc.getGetEventMethod = getGetEventMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.GetEventRequest, io.headgate.v1.GetEventResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetEvent"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.GetEventRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.GetEventResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EventServiceMethodDescriptorSupplier("GetEvent"))
              .build();
        }
      }
    }
    return getGetEventMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.headgate.v1.DescribeLogRequest,
      io.headgate.v1.DescribeLogResponse> getDescribeLogMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DescribeLog",
      requestType = io.headgate.v1.DescribeLogRequest.class,
      responseType = io.headgate.v1.DescribeLogResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.headgate.v1.DescribeLogRequest,
      io.headgate.v1.DescribeLogResponse> getDescribeLogMethod() {
    io.grpc.MethodDescriptor<io.headgate.v1.DescribeLogRequest, io.headgate.v1.DescribeLogResponse> getDescribeLogMethod;
    if ((getDescribeLogMethod = EventServiceGrpc.getDescribeLogMethod) == null) {
      synchronized (EventServiceGrpc.class) {
        if ((getDescribeLogMethod = EventServiceGrpc.getDescribeLogMethod) == null) {
          EventServiceGrpc.getDescribeLogMethod = getDescribeLogMethod =
              io.grpc.MethodDescriptor.<io.headgate.v1.DescribeLogRequest, io.headgate.v1.DescribeLogResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DescribeLog"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.DescribeLogRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.headgate.v1.DescribeLogResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EventServiceMethodDescriptorSupplier("DescribeLog"))
              .build();
        }
      }
    }
    return getDescribeLogMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static EventServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceStub>() {
        @java.lang.Override
        public EventServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceStub(channel, callOptions);
        }
      };
    return EventServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static EventServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingV2Stub>() {
        @java.lang.Override
        public EventServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return EventServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static EventServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceBlockingStub>() {
        @java.lang.Override
        public EventServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceBlockingStub(channel, callOptions);
        }
      };
    return EventServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static EventServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EventServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EventServiceFutureStub>() {
        @java.lang.Override
        public EventServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EventServiceFutureStub(channel, callOptions);
        }
      };
    return EventServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * EventService streams the changes of one or many SuperOffice CRM tenants.
   * What it promises to whoever reads:
   * 1. Durable acceptance. The CRM's webhook is answered with 200 only after the event is on stable storage.
   * 2. At least once. Every accepted event that matches a subscription and its permissions reaches it, while the event
   *    is inside retention.
   * 3. Stable identity. Every delivery of an event carries the same cursor.
   * 4. One order. All readers of a log see one order, the order of acceptance. A filter only removes events.
   * 5. No silent gap. Whoever received a and c received every matching b between. Where that cannot be kept the stream
   *    says so, by an error or a Gap. It never jumps and never falls back to the latest event by itself.
   * 6. Resumable and bookmarked. Any cursor ever sent resumes after it, over gRPC, REST and SSE alike. A Checkpoint moves
   *    on while nothing matches.
   * 7. Isolation. A slow reader delays neither the intake of webhooks nor any other reader.
   * 8. Permission. Each event, live or replayed, is checked against the grant with which its stream started. Any change of that grant ends the
   *    stream, with the reason and the cursor to resume from under the new one.
   * Callers identify themselves with "authorization: Bearer TOKEN", where the token is one of the server's own or a JSON web token of an issuer that it
   * knows, or with a client certificate. An empty filter means everything that the caller may read; what it may not read, no answer, count or error
   * tells it about. A browser, whose EventSource cannot send headers, gets a cookie for its token by POST /v1/session.
   * Errors carry a google.rpc.ErrorInfo whose domain is "headgate" and whose reason is one of these:
   *   START_REQUIRED   INVALID_ARGUMENT     Subscribe without start. Say where to begin.
   *   FILTER_INVALID   INVALID_ARGUMENT     A value of the request is out of range, a name is misspelt, or a request field or query
   *                                         parameter is unknown; metadata "field" names it.
   *   CURSOR_MALFORMED INVALID_ARGUMENT     The text is not a cursor of any Headgate.
   *   CURSOR_EXPIRED   OUT_OF_RANGE         Events after the cursor, of the tenants that the caller reads, are no
   *                                         longer kept (REST 410). Metadata "earliest_cursor" says
   *                                         from where on the log is whole.
   *   CURSOR_FOREIGN   FAILED_PRECONDITION  The cursor is from another log, or from a part of this one that was cut off when it was restored.
   *   EVENT_NOT_FOUND  NOT_FOUND            No event stands at that cursor.
   *   SUBSCRIPTION_NOT_FOUND NOT_FOUND      The caller has no subscription of that name.
   *   SUBSCRIPTION_EXISTS ALREADY_EXISTS    The caller has a subscription of that name already.
   *   SUBSCRIPTION_MISMATCH FAILED_PRECONDITION  The subscription has another number of shards; metadata "shard_count" says how many.
   *   LEASE_LOST       ABORTED              The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it.
   *   CURSOR_BEHIND    FAILED_PRECONDITION  The cursor stands before the saved one.
   *   UNAUTHENTICATED  UNAUTHENTICATED      No credentials, or those of no reader that the server knows.
   *   CONTEXT_FORBIDDEN PERMISSION_DENIED   The filter names a source, context, entity or action that the caller may not read, whether it exists or
   *                                         not; metadata "field" and "value" say which.
   *   RAW_BODY_FORBIDDEN PERMISSION_DENIED  The caller may read the event but not the CRM's request body.
   *   OPERATOR_ONLY    PERMISSION_DENIED    The method is for operators.
   *   DRAINING         UNAVAILABLE          The server is stopping. RetryInfo says when to try again.
   *   UNAVAILABLE      UNAVAILABLE          The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant
   *                                         ended, or an operator ended it, while nothing was being received: metadata "closing" then is GRANT_CHANGED, CREDENTIAL_EXPIRED or
   *                                         OPERATOR. RetryInfo says when to try again.
   *   LIMIT            RESOURCE_EXHAUSTED   The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say
   *                                         what, RetryInfo when to try again.
   *   DATA_LOSS        DATA_LOSS            The log is damaged at the place to be read; nothing is skipped. An operator must act.
   * A request field that the server does not know is refused: an ignored field of a filter would widen the stream.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Streams the events after a position, first the stored ones and then live, without a seam between the two.
     * The one rule for every client: after you have handled a message, store its cursor; to resume, send it as
     * start.after_cursor. The cursor covers what the filter left out before it too.
     * The first message is always Started. The stream goes on until the client cancels, the server sends Closing, or an
     * error ends it. A client that hears nothing for two heartbeat intervals should take the stream for dead and
     * reconnect.
     * Over REST the stream is one JSON object per line: {"result": SubscribeResponse} with at most one event, or, as the last
     * line, {"error": google.rpc.Status}. With "Accept: text/event-stream" it is Server-Sent Events: a bare Event is an
     * unnamed message with its cursor as id, so that a browser resumes by itself with Last-Event-ID (which wins over start);
     * a checkpoint is a block with an id and no data; other signals are events named started, gap, erased and closing; an error in
     * mid-stream is an event named failure.
     * </pre>
     */
    default void subscribe(io.headgate.v1.SubscribeRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SubscribeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSubscribeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads one page of stored events, oldest first, and returns at once. The same filter and the same cursors as
     * Subscribe: a client can list until has_more is false and then subscribe after next_cursor.
     * </pre>
     */
    default void listEvents(io.headgate.v1.ListEventsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.ListEventsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListEventsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Returns the one event that stands at a cursor, and on request the CRM's request body as it was received.
     * </pre>
     */
    default void getEvent(io.headgate.v1.GetEventRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.GetEventResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetEventMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells what the log holds: its epoch, from when to when it reaches, and what can be read in it.
     * </pre>
     */
    default void describeLog(io.headgate.v1.DescribeLogRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.DescribeLogResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDescribeLogMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service EventService.
   * <pre>
   * EventService streams the changes of one or many SuperOffice CRM tenants.
   * What it promises to whoever reads:
   * 1. Durable acceptance. The CRM's webhook is answered with 200 only after the event is on stable storage.
   * 2. At least once. Every accepted event that matches a subscription and its permissions reaches it, while the event
   *    is inside retention.
   * 3. Stable identity. Every delivery of an event carries the same cursor.
   * 4. One order. All readers of a log see one order, the order of acceptance. A filter only removes events.
   * 5. No silent gap. Whoever received a and c received every matching b between. Where that cannot be kept the stream
   *    says so, by an error or a Gap. It never jumps and never falls back to the latest event by itself.
   * 6. Resumable and bookmarked. Any cursor ever sent resumes after it, over gRPC, REST and SSE alike. A Checkpoint moves
   *    on while nothing matches.
   * 7. Isolation. A slow reader delays neither the intake of webhooks nor any other reader.
   * 8. Permission. Each event, live or replayed, is checked against the grant with which its stream started. Any change of that grant ends the
   *    stream, with the reason and the cursor to resume from under the new one.
   * Callers identify themselves with "authorization: Bearer TOKEN", where the token is one of the server's own or a JSON web token of an issuer that it
   * knows, or with a client certificate. An empty filter means everything that the caller may read; what it may not read, no answer, count or error
   * tells it about. A browser, whose EventSource cannot send headers, gets a cookie for its token by POST /v1/session.
   * Errors carry a google.rpc.ErrorInfo whose domain is "headgate" and whose reason is one of these:
   *   START_REQUIRED   INVALID_ARGUMENT     Subscribe without start. Say where to begin.
   *   FILTER_INVALID   INVALID_ARGUMENT     A value of the request is out of range, a name is misspelt, or a request field or query
   *                                         parameter is unknown; metadata "field" names it.
   *   CURSOR_MALFORMED INVALID_ARGUMENT     The text is not a cursor of any Headgate.
   *   CURSOR_EXPIRED   OUT_OF_RANGE         Events after the cursor, of the tenants that the caller reads, are no
   *                                         longer kept (REST 410). Metadata "earliest_cursor" says
   *                                         from where on the log is whole.
   *   CURSOR_FOREIGN   FAILED_PRECONDITION  The cursor is from another log, or from a part of this one that was cut off when it was restored.
   *   EVENT_NOT_FOUND  NOT_FOUND            No event stands at that cursor.
   *   SUBSCRIPTION_NOT_FOUND NOT_FOUND      The caller has no subscription of that name.
   *   SUBSCRIPTION_EXISTS ALREADY_EXISTS    The caller has a subscription of that name already.
   *   SUBSCRIPTION_MISMATCH FAILED_PRECONDITION  The subscription has another number of shards; metadata "shard_count" says how many.
   *   LEASE_LOST       ABORTED              The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it.
   *   CURSOR_BEHIND    FAILED_PRECONDITION  The cursor stands before the saved one.
   *   UNAUTHENTICATED  UNAUTHENTICATED      No credentials, or those of no reader that the server knows.
   *   CONTEXT_FORBIDDEN PERMISSION_DENIED   The filter names a source, context, entity or action that the caller may not read, whether it exists or
   *                                         not; metadata "field" and "value" say which.
   *   RAW_BODY_FORBIDDEN PERMISSION_DENIED  The caller may read the event but not the CRM's request body.
   *   OPERATOR_ONLY    PERMISSION_DENIED    The method is for operators.
   *   DRAINING         UNAVAILABLE          The server is stopping. RetryInfo says when to try again.
   *   UNAVAILABLE      UNAVAILABLE          The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant
   *                                         ended, or an operator ended it, while nothing was being received: metadata "closing" then is GRANT_CHANGED, CREDENTIAL_EXPIRED or
   *                                         OPERATOR. RetryInfo says when to try again.
   *   LIMIT            RESOURCE_EXHAUSTED   The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say
   *                                         what, RetryInfo when to try again.
   *   DATA_LOSS        DATA_LOSS            The log is damaged at the place to be read; nothing is skipped. An operator must act.
   * A request field that the server does not know is refused: an ignored field of a filter would widen the stream.
   * </pre>
   */
  public static abstract class EventServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return EventServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service EventService.
   * <pre>
   * EventService streams the changes of one or many SuperOffice CRM tenants.
   * What it promises to whoever reads:
   * 1. Durable acceptance. The CRM's webhook is answered with 200 only after the event is on stable storage.
   * 2. At least once. Every accepted event that matches a subscription and its permissions reaches it, while the event
   *    is inside retention.
   * 3. Stable identity. Every delivery of an event carries the same cursor.
   * 4. One order. All readers of a log see one order, the order of acceptance. A filter only removes events.
   * 5. No silent gap. Whoever received a and c received every matching b between. Where that cannot be kept the stream
   *    says so, by an error or a Gap. It never jumps and never falls back to the latest event by itself.
   * 6. Resumable and bookmarked. Any cursor ever sent resumes after it, over gRPC, REST and SSE alike. A Checkpoint moves
   *    on while nothing matches.
   * 7. Isolation. A slow reader delays neither the intake of webhooks nor any other reader.
   * 8. Permission. Each event, live or replayed, is checked against the grant with which its stream started. Any change of that grant ends the
   *    stream, with the reason and the cursor to resume from under the new one.
   * Callers identify themselves with "authorization: Bearer TOKEN", where the token is one of the server's own or a JSON web token of an issuer that it
   * knows, or with a client certificate. An empty filter means everything that the caller may read; what it may not read, no answer, count or error
   * tells it about. A browser, whose EventSource cannot send headers, gets a cookie for its token by POST /v1/session.
   * Errors carry a google.rpc.ErrorInfo whose domain is "headgate" and whose reason is one of these:
   *   START_REQUIRED   INVALID_ARGUMENT     Subscribe without start. Say where to begin.
   *   FILTER_INVALID   INVALID_ARGUMENT     A value of the request is out of range, a name is misspelt, or a request field or query
   *                                         parameter is unknown; metadata "field" names it.
   *   CURSOR_MALFORMED INVALID_ARGUMENT     The text is not a cursor of any Headgate.
   *   CURSOR_EXPIRED   OUT_OF_RANGE         Events after the cursor, of the tenants that the caller reads, are no
   *                                         longer kept (REST 410). Metadata "earliest_cursor" says
   *                                         from where on the log is whole.
   *   CURSOR_FOREIGN   FAILED_PRECONDITION  The cursor is from another log, or from a part of this one that was cut off when it was restored.
   *   EVENT_NOT_FOUND  NOT_FOUND            No event stands at that cursor.
   *   SUBSCRIPTION_NOT_FOUND NOT_FOUND      The caller has no subscription of that name.
   *   SUBSCRIPTION_EXISTS ALREADY_EXISTS    The caller has a subscription of that name already.
   *   SUBSCRIPTION_MISMATCH FAILED_PRECONDITION  The subscription has another number of shards; metadata "shard_count" says how many.
   *   LEASE_LOST       ABORTED              The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it.
   *   CURSOR_BEHIND    FAILED_PRECONDITION  The cursor stands before the saved one.
   *   UNAUTHENTICATED  UNAUTHENTICATED      No credentials, or those of no reader that the server knows.
   *   CONTEXT_FORBIDDEN PERMISSION_DENIED   The filter names a source, context, entity or action that the caller may not read, whether it exists or
   *                                         not; metadata "field" and "value" say which.
   *   RAW_BODY_FORBIDDEN PERMISSION_DENIED  The caller may read the event but not the CRM's request body.
   *   OPERATOR_ONLY    PERMISSION_DENIED    The method is for operators.
   *   DRAINING         UNAVAILABLE          The server is stopping. RetryInfo says when to try again.
   *   UNAVAILABLE      UNAVAILABLE          The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant
   *                                         ended, or an operator ended it, while nothing was being received: metadata "closing" then is GRANT_CHANGED, CREDENTIAL_EXPIRED or
   *                                         OPERATOR. RetryInfo says when to try again.
   *   LIMIT            RESOURCE_EXHAUSTED   The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say
   *                                         what, RetryInfo when to try again.
   *   DATA_LOSS        DATA_LOSS            The log is damaged at the place to be read; nothing is skipped. An operator must act.
   * A request field that the server does not know is refused: an ignored field of a filter would widen the stream.
   * </pre>
   */
  public static final class EventServiceStub
      extends io.grpc.stub.AbstractAsyncStub<EventServiceStub> {
    private EventServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Streams the events after a position, first the stored ones and then live, without a seam between the two.
     * The one rule for every client: after you have handled a message, store its cursor; to resume, send it as
     * start.after_cursor. The cursor covers what the filter left out before it too.
     * The first message is always Started. The stream goes on until the client cancels, the server sends Closing, or an
     * error ends it. A client that hears nothing for two heartbeat intervals should take the stream for dead and
     * reconnect.
     * Over REST the stream is one JSON object per line: {"result": SubscribeResponse} with at most one event, or, as the last
     * line, {"error": google.rpc.Status}. With "Accept: text/event-stream" it is Server-Sent Events: a bare Event is an
     * unnamed message with its cursor as id, so that a browser resumes by itself with Last-Event-ID (which wins over start);
     * a checkpoint is a block with an id and no data; other signals are events named started, gap, erased and closing; an error in
     * mid-stream is an event named failure.
     * </pre>
     */
    public void subscribe(io.headgate.v1.SubscribeRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.SubscribeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getSubscribeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads one page of stored events, oldest first, and returns at once. The same filter and the same cursors as
     * Subscribe: a client can list until has_more is false and then subscribe after next_cursor.
     * </pre>
     */
    public void listEvents(io.headgate.v1.ListEventsRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.ListEventsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListEventsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Returns the one event that stands at a cursor, and on request the CRM's request body as it was received.
     * </pre>
     */
    public void getEvent(io.headgate.v1.GetEventRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.GetEventResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetEventMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells what the log holds: its epoch, from when to when it reaches, and what can be read in it.
     * </pre>
     */
    public void describeLog(io.headgate.v1.DescribeLogRequest request,
        io.grpc.stub.StreamObserver<io.headgate.v1.DescribeLogResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDescribeLogMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service EventService.
   * <pre>
   * EventService streams the changes of one or many SuperOffice CRM tenants.
   * What it promises to whoever reads:
   * 1. Durable acceptance. The CRM's webhook is answered with 200 only after the event is on stable storage.
   * 2. At least once. Every accepted event that matches a subscription and its permissions reaches it, while the event
   *    is inside retention.
   * 3. Stable identity. Every delivery of an event carries the same cursor.
   * 4. One order. All readers of a log see one order, the order of acceptance. A filter only removes events.
   * 5. No silent gap. Whoever received a and c received every matching b between. Where that cannot be kept the stream
   *    says so, by an error or a Gap. It never jumps and never falls back to the latest event by itself.
   * 6. Resumable and bookmarked. Any cursor ever sent resumes after it, over gRPC, REST and SSE alike. A Checkpoint moves
   *    on while nothing matches.
   * 7. Isolation. A slow reader delays neither the intake of webhooks nor any other reader.
   * 8. Permission. Each event, live or replayed, is checked against the grant with which its stream started. Any change of that grant ends the
   *    stream, with the reason and the cursor to resume from under the new one.
   * Callers identify themselves with "authorization: Bearer TOKEN", where the token is one of the server's own or a JSON web token of an issuer that it
   * knows, or with a client certificate. An empty filter means everything that the caller may read; what it may not read, no answer, count or error
   * tells it about. A browser, whose EventSource cannot send headers, gets a cookie for its token by POST /v1/session.
   * Errors carry a google.rpc.ErrorInfo whose domain is "headgate" and whose reason is one of these:
   *   START_REQUIRED   INVALID_ARGUMENT     Subscribe without start. Say where to begin.
   *   FILTER_INVALID   INVALID_ARGUMENT     A value of the request is out of range, a name is misspelt, or a request field or query
   *                                         parameter is unknown; metadata "field" names it.
   *   CURSOR_MALFORMED INVALID_ARGUMENT     The text is not a cursor of any Headgate.
   *   CURSOR_EXPIRED   OUT_OF_RANGE         Events after the cursor, of the tenants that the caller reads, are no
   *                                         longer kept (REST 410). Metadata "earliest_cursor" says
   *                                         from where on the log is whole.
   *   CURSOR_FOREIGN   FAILED_PRECONDITION  The cursor is from another log, or from a part of this one that was cut off when it was restored.
   *   EVENT_NOT_FOUND  NOT_FOUND            No event stands at that cursor.
   *   SUBSCRIPTION_NOT_FOUND NOT_FOUND      The caller has no subscription of that name.
   *   SUBSCRIPTION_EXISTS ALREADY_EXISTS    The caller has a subscription of that name already.
   *   SUBSCRIPTION_MISMATCH FAILED_PRECONDITION  The subscription has another number of shards; metadata "shard_count" says how many.
   *   LEASE_LOST       ABORTED              The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it.
   *   CURSOR_BEHIND    FAILED_PRECONDITION  The cursor stands before the saved one.
   *   UNAUTHENTICATED  UNAUTHENTICATED      No credentials, or those of no reader that the server knows.
   *   CONTEXT_FORBIDDEN PERMISSION_DENIED   The filter names a source, context, entity or action that the caller may not read, whether it exists or
   *                                         not; metadata "field" and "value" say which.
   *   RAW_BODY_FORBIDDEN PERMISSION_DENIED  The caller may read the event but not the CRM's request body.
   *   OPERATOR_ONLY    PERMISSION_DENIED    The method is for operators.
   *   DRAINING         UNAVAILABLE          The server is stopping. RetryInfo says when to try again.
   *   UNAVAILABLE      UNAVAILABLE          The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant
   *                                         ended, or an operator ended it, while nothing was being received: metadata "closing" then is GRANT_CHANGED, CREDENTIAL_EXPIRED or
   *                                         OPERATOR. RetryInfo says when to try again.
   *   LIMIT            RESOURCE_EXHAUSTED   The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say
   *                                         what, RetryInfo when to try again.
   *   DATA_LOSS        DATA_LOSS            The log is damaged at the place to be read; nothing is skipped. An operator must act.
   * A request field that the server does not know is refused: an ignored field of a filter would widen the stream.
   * </pre>
   */
  public static final class EventServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<EventServiceBlockingV2Stub> {
    private EventServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Streams the events after a position, first the stored ones and then live, without a seam between the two.
     * The one rule for every client: after you have handled a message, store its cursor; to resume, send it as
     * start.after_cursor. The cursor covers what the filter left out before it too.
     * The first message is always Started. The stream goes on until the client cancels, the server sends Closing, or an
     * error ends it. A client that hears nothing for two heartbeat intervals should take the stream for dead and
     * reconnect.
     * Over REST the stream is one JSON object per line: {"result": SubscribeResponse} with at most one event, or, as the last
     * line, {"error": google.rpc.Status}. With "Accept: text/event-stream" it is Server-Sent Events: a bare Event is an
     * unnamed message with its cursor as id, so that a browser resumes by itself with Last-Event-ID (which wins over start);
     * a checkpoint is a block with an id and no data; other signals are events named started, gap, erased and closing; an error in
     * mid-stream is an event named failure.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, io.headgate.v1.SubscribeResponse>
        subscribe(io.headgate.v1.SubscribeRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getSubscribeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads one page of stored events, oldest first, and returns at once. The same filter and the same cursors as
     * Subscribe: a client can list until has_more is false and then subscribe after next_cursor.
     * </pre>
     */
    public io.headgate.v1.ListEventsResponse listEvents(io.headgate.v1.ListEventsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns the one event that stands at a cursor, and on request the CRM's request body as it was received.
     * </pre>
     */
    public io.headgate.v1.GetEventResponse getEvent(io.headgate.v1.GetEventRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetEventMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells what the log holds: its epoch, from when to when it reaches, and what can be read in it.
     * </pre>
     */
    public io.headgate.v1.DescribeLogResponse describeLog(io.headgate.v1.DescribeLogRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDescribeLogMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service EventService.
   * <pre>
   * EventService streams the changes of one or many SuperOffice CRM tenants.
   * What it promises to whoever reads:
   * 1. Durable acceptance. The CRM's webhook is answered with 200 only after the event is on stable storage.
   * 2. At least once. Every accepted event that matches a subscription and its permissions reaches it, while the event
   *    is inside retention.
   * 3. Stable identity. Every delivery of an event carries the same cursor.
   * 4. One order. All readers of a log see one order, the order of acceptance. A filter only removes events.
   * 5. No silent gap. Whoever received a and c received every matching b between. Where that cannot be kept the stream
   *    says so, by an error or a Gap. It never jumps and never falls back to the latest event by itself.
   * 6. Resumable and bookmarked. Any cursor ever sent resumes after it, over gRPC, REST and SSE alike. A Checkpoint moves
   *    on while nothing matches.
   * 7. Isolation. A slow reader delays neither the intake of webhooks nor any other reader.
   * 8. Permission. Each event, live or replayed, is checked against the grant with which its stream started. Any change of that grant ends the
   *    stream, with the reason and the cursor to resume from under the new one.
   * Callers identify themselves with "authorization: Bearer TOKEN", where the token is one of the server's own or a JSON web token of an issuer that it
   * knows, or with a client certificate. An empty filter means everything that the caller may read; what it may not read, no answer, count or error
   * tells it about. A browser, whose EventSource cannot send headers, gets a cookie for its token by POST /v1/session.
   * Errors carry a google.rpc.ErrorInfo whose domain is "headgate" and whose reason is one of these:
   *   START_REQUIRED   INVALID_ARGUMENT     Subscribe without start. Say where to begin.
   *   FILTER_INVALID   INVALID_ARGUMENT     A value of the request is out of range, a name is misspelt, or a request field or query
   *                                         parameter is unknown; metadata "field" names it.
   *   CURSOR_MALFORMED INVALID_ARGUMENT     The text is not a cursor of any Headgate.
   *   CURSOR_EXPIRED   OUT_OF_RANGE         Events after the cursor, of the tenants that the caller reads, are no
   *                                         longer kept (REST 410). Metadata "earliest_cursor" says
   *                                         from where on the log is whole.
   *   CURSOR_FOREIGN   FAILED_PRECONDITION  The cursor is from another log, or from a part of this one that was cut off when it was restored.
   *   EVENT_NOT_FOUND  NOT_FOUND            No event stands at that cursor.
   *   SUBSCRIPTION_NOT_FOUND NOT_FOUND      The caller has no subscription of that name.
   *   SUBSCRIPTION_EXISTS ALREADY_EXISTS    The caller has a subscription of that name already.
   *   SUBSCRIPTION_MISMATCH FAILED_PRECONDITION  The subscription has another number of shards; metadata "shard_count" says how many.
   *   LEASE_LOST       ABORTED              The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it.
   *   CURSOR_BEHIND    FAILED_PRECONDITION  The cursor stands before the saved one.
   *   UNAUTHENTICATED  UNAUTHENTICATED      No credentials, or those of no reader that the server knows.
   *   CONTEXT_FORBIDDEN PERMISSION_DENIED   The filter names a source, context, entity or action that the caller may not read, whether it exists or
   *                                         not; metadata "field" and "value" say which.
   *   RAW_BODY_FORBIDDEN PERMISSION_DENIED  The caller may read the event but not the CRM's request body.
   *   OPERATOR_ONLY    PERMISSION_DENIED    The method is for operators.
   *   DRAINING         UNAVAILABLE          The server is stopping. RetryInfo says when to try again.
   *   UNAVAILABLE      UNAVAILABLE          The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant
   *                                         ended, or an operator ended it, while nothing was being received: metadata "closing" then is GRANT_CHANGED, CREDENTIAL_EXPIRED or
   *                                         OPERATOR. RetryInfo says when to try again.
   *   LIMIT            RESOURCE_EXHAUSTED   The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say
   *                                         what, RetryInfo when to try again.
   *   DATA_LOSS        DATA_LOSS            The log is damaged at the place to be read; nothing is skipped. An operator must act.
   * A request field that the server does not know is refused: an ignored field of a filter would widen the stream.
   * </pre>
   */
  public static final class EventServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<EventServiceBlockingStub> {
    private EventServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Streams the events after a position, first the stored ones and then live, without a seam between the two.
     * The one rule for every client: after you have handled a message, store its cursor; to resume, send it as
     * start.after_cursor. The cursor covers what the filter left out before it too.
     * The first message is always Started. The stream goes on until the client cancels, the server sends Closing, or an
     * error ends it. A client that hears nothing for two heartbeat intervals should take the stream for dead and
     * reconnect.
     * Over REST the stream is one JSON object per line: {"result": SubscribeResponse} with at most one event, or, as the last
     * line, {"error": google.rpc.Status}. With "Accept: text/event-stream" it is Server-Sent Events: a bare Event is an
     * unnamed message with its cursor as id, so that a browser resumes by itself with Last-Event-ID (which wins over start);
     * a checkpoint is a block with an id and no data; other signals are events named started, gap, erased and closing; an error in
     * mid-stream is an event named failure.
     * </pre>
     */
    public java.util.Iterator<io.headgate.v1.SubscribeResponse> subscribe(
        io.headgate.v1.SubscribeRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getSubscribeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads one page of stored events, oldest first, and returns at once. The same filter and the same cursors as
     * Subscribe: a client can list until has_more is false and then subscribe after next_cursor.
     * </pre>
     */
    public io.headgate.v1.ListEventsResponse listEvents(io.headgate.v1.ListEventsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListEventsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns the one event that stands at a cursor, and on request the CRM's request body as it was received.
     * </pre>
     */
    public io.headgate.v1.GetEventResponse getEvent(io.headgate.v1.GetEventRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetEventMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells what the log holds: its epoch, from when to when it reaches, and what can be read in it.
     * </pre>
     */
    public io.headgate.v1.DescribeLogResponse describeLog(io.headgate.v1.DescribeLogRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDescribeLogMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service EventService.
   * <pre>
   * EventService streams the changes of one or many SuperOffice CRM tenants.
   * What it promises to whoever reads:
   * 1. Durable acceptance. The CRM's webhook is answered with 200 only after the event is on stable storage.
   * 2. At least once. Every accepted event that matches a subscription and its permissions reaches it, while the event
   *    is inside retention.
   * 3. Stable identity. Every delivery of an event carries the same cursor.
   * 4. One order. All readers of a log see one order, the order of acceptance. A filter only removes events.
   * 5. No silent gap. Whoever received a and c received every matching b between. Where that cannot be kept the stream
   *    says so, by an error or a Gap. It never jumps and never falls back to the latest event by itself.
   * 6. Resumable and bookmarked. Any cursor ever sent resumes after it, over gRPC, REST and SSE alike. A Checkpoint moves
   *    on while nothing matches.
   * 7. Isolation. A slow reader delays neither the intake of webhooks nor any other reader.
   * 8. Permission. Each event, live or replayed, is checked against the grant with which its stream started. Any change of that grant ends the
   *    stream, with the reason and the cursor to resume from under the new one.
   * Callers identify themselves with "authorization: Bearer TOKEN", where the token is one of the server's own or a JSON web token of an issuer that it
   * knows, or with a client certificate. An empty filter means everything that the caller may read; what it may not read, no answer, count or error
   * tells it about. A browser, whose EventSource cannot send headers, gets a cookie for its token by POST /v1/session.
   * Errors carry a google.rpc.ErrorInfo whose domain is "headgate" and whose reason is one of these:
   *   START_REQUIRED   INVALID_ARGUMENT     Subscribe without start. Say where to begin.
   *   FILTER_INVALID   INVALID_ARGUMENT     A value of the request is out of range, a name is misspelt, or a request field or query
   *                                         parameter is unknown; metadata "field" names it.
   *   CURSOR_MALFORMED INVALID_ARGUMENT     The text is not a cursor of any Headgate.
   *   CURSOR_EXPIRED   OUT_OF_RANGE         Events after the cursor, of the tenants that the caller reads, are no
   *                                         longer kept (REST 410). Metadata "earliest_cursor" says
   *                                         from where on the log is whole.
   *   CURSOR_FOREIGN   FAILED_PRECONDITION  The cursor is from another log, or from a part of this one that was cut off when it was restored.
   *   EVENT_NOT_FOUND  NOT_FOUND            No event stands at that cursor.
   *   SUBSCRIPTION_NOT_FOUND NOT_FOUND      The caller has no subscription of that name.
   *   SUBSCRIPTION_EXISTS ALREADY_EXISTS    The caller has a subscription of that name already.
   *   SUBSCRIPTION_MISMATCH FAILED_PRECONDITION  The subscription has another number of shards; metadata "shard_count" says how many.
   *   LEASE_LOST       ABORTED              The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it.
   *   CURSOR_BEHIND    FAILED_PRECONDITION  The cursor stands before the saved one.
   *   UNAUTHENTICATED  UNAUTHENTICATED      No credentials, or those of no reader that the server knows.
   *   CONTEXT_FORBIDDEN PERMISSION_DENIED   The filter names a source, context, entity or action that the caller may not read, whether it exists or
   *                                         not; metadata "field" and "value" say which.
   *   RAW_BODY_FORBIDDEN PERMISSION_DENIED  The caller may read the event but not the CRM's request body.
   *   OPERATOR_ONLY    PERMISSION_DENIED    The method is for operators.
   *   DRAINING         UNAVAILABLE          The server is stopping. RetryInfo says when to try again.
   *   UNAVAILABLE      UNAVAILABLE          The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant
   *                                         ended, or an operator ended it, while nothing was being received: metadata "closing" then is GRANT_CHANGED, CREDENTIAL_EXPIRED or
   *                                         OPERATOR. RetryInfo says when to try again.
   *   LIMIT            RESOURCE_EXHAUSTED   The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say
   *                                         what, RetryInfo when to try again.
   *   DATA_LOSS        DATA_LOSS            The log is damaged at the place to be read; nothing is skipped. An operator must act.
   * A request field that the server does not know is refused: an ignored field of a filter would widen the stream.
   * </pre>
   */
  public static final class EventServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<EventServiceFutureStub> {
    private EventServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EventServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EventServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reads one page of stored events, oldest first, and returns at once. The same filter and the same cursors as
     * Subscribe: a client can list until has_more is false and then subscribe after next_cursor.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.ListEventsResponse> listEvents(
        io.headgate.v1.ListEventsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListEventsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Returns the one event that stands at a cursor, and on request the CRM's request body as it was received.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.GetEventResponse> getEvent(
        io.headgate.v1.GetEventRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetEventMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells what the log holds: its epoch, from when to when it reaches, and what can be read in it.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.headgate.v1.DescribeLogResponse> describeLog(
        io.headgate.v1.DescribeLogRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDescribeLogMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_SUBSCRIBE = 0;
  private static final int METHODID_LIST_EVENTS = 1;
  private static final int METHODID_GET_EVENT = 2;
  private static final int METHODID_DESCRIBE_LOG = 3;

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
        case METHODID_SUBSCRIBE:
          serviceImpl.subscribe((io.headgate.v1.SubscribeRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.SubscribeResponse>) responseObserver);
          break;
        case METHODID_LIST_EVENTS:
          serviceImpl.listEvents((io.headgate.v1.ListEventsRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.ListEventsResponse>) responseObserver);
          break;
        case METHODID_GET_EVENT:
          serviceImpl.getEvent((io.headgate.v1.GetEventRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.GetEventResponse>) responseObserver);
          break;
        case METHODID_DESCRIBE_LOG:
          serviceImpl.describeLog((io.headgate.v1.DescribeLogRequest) request,
              (io.grpc.stub.StreamObserver<io.headgate.v1.DescribeLogResponse>) responseObserver);
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
          getSubscribeMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.headgate.v1.SubscribeRequest,
              io.headgate.v1.SubscribeResponse>(
                service, METHODID_SUBSCRIBE)))
        .addMethod(
          getListEventsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.ListEventsRequest,
              io.headgate.v1.ListEventsResponse>(
                service, METHODID_LIST_EVENTS)))
        .addMethod(
          getGetEventMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.GetEventRequest,
              io.headgate.v1.GetEventResponse>(
                service, METHODID_GET_EVENT)))
        .addMethod(
          getDescribeLogMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.headgate.v1.DescribeLogRequest,
              io.headgate.v1.DescribeLogResponse>(
                service, METHODID_DESCRIBE_LOG)))
        .build();
  }

  private static abstract class EventServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    EventServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.headgate.v1.EventServiceOuterClass.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("EventService");
    }
  }

  private static final class EventServiceFileDescriptorSupplier
      extends EventServiceBaseDescriptorSupplier {
    EventServiceFileDescriptorSupplier() {}
  }

  private static final class EventServiceMethodDescriptorSupplier
      extends EventServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    EventServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (EventServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new EventServiceFileDescriptorSupplier())
              .addMethod(getSubscribeMethod())
              .addMethod(getListEventsMethod())
              .addMethod(getGetEventMethod())
              .addMethod(getDescribeLogMethod())
              .build();
        }
      }
    }
    return result;
  }
}
