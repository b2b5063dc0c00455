/**
 * Reads the events of a Headgate gateway over gRPC, from Node.
 *
 * The normal way is a named subscription, whose position the gateway keeps: Client.consume. Client.subscribe does the same as a loop, for one shard; and
 * without a name it reads from a position that the caller keeps, in a Store or in the transaction of its effects.
 *
 * Both connect again by themselves and go on after the last message that was handled. Events come at least once. What the gateway refuses, a lost cursor above
 * all, ends them with a HeadgateError: nothing is skipped quietly.
 *
 * All other calls of the gateway are made with the generated clients over GrpcClient.transport: createClient(EventService, client.transport).
 */
export { createClient } from "@connectrpc/connect";
export { AdminService } from "@headgate/proto/headgate/admin/v1/admin_service_pb";
export { EventService } from "@headgate/proto/headgate/v1/event_service_pb";
export { SubscriptionService } from "@headgate/proto/headgate/v1/subscription_service_pb";
export * from "./core.js";
export { fileStore } from "./file-store.js";
export { connect, type ConnectOptions, GrpcClient } from "./grpc.js";
export { errorOf } from "./grpc-error.js";
