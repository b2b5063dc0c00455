package io.headgate.client;

/** Handles the messages of a named subscription, for {@link Headgate#consume}. */
@FunctionalInterface
public interface MessageHandler {
  /**
   * Handles one event, gap or erased one. It is called by one thread per shard, so for several shards at once.
   *
   * <p>The message counts as handled when this returns, and does not come again. When it throws it is called again for the same message, after growing pauses,
   * for as long as it takes. It must be able to take a message twice: when the process dies before the position is saved, the message comes again.
   *
   * <p>The thread is interrupted when the shard is lost, to another member or because its position was moved, and ten seconds after the end of the consumption
   * was wished. What this then does with the message does not count: it goes to whoever has the shard next.
   *
   * @param message never null; exactly one of event, gap and erased is set
   * @throws Exception when the message is to be tried again; an Error ends the consumption instead
   */
  void handle(Message message) throws Exception;
}
