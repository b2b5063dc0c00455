/**
 * Reads the events of a Headgate gateway.
 *
 * <p>The normal way is a named subscription, whose position the gateway keeps. The replicas of a service say the same name and share the events:
 *
 * <pre>{@code
 * try (Headgate client = Headgate.connect("127.0.0.1:9090");
 *     Consumption billing = client.consume(
 *         Subscription.named("billing").shards(8).startAtEarliest()
 *             .filter(Filter.newBuilder().addEntities(Entities.RELATION).build()).build(),
 *         message -> {
 *           if (message.gap() != null) {
 *             reconcile(message.gap());
 *           } else if (message.event() != null) {
 *             link(message.event().getRelation());
 *           }
 *         })) {
 *   billing.await();
 * }
 * }</pre>
 *
 * <p>{@link io.headgate.client.Headgate#subscribe} does the same as a loop, for one shard; and without a name it reads from a position that the caller
 * keeps, in a {@link io.headgate.client.CursorStore} or in the transaction of its effects.
 *
 * <p>Both connect again by themselves and go on after the last message that was handled. Events come at least once. What the gateway refuses, a lost cursor
 * above all, ends them with a {@link io.headgate.client.HeadgateException}: nothing is skipped quietly.
 *
 * <p>All other calls of the gateway are made with the generated stubs over {@link io.headgate.client.Headgate#channel}.
 */
package io.headgate.client;
