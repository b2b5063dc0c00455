import io.headgate.client.Consumption;
import io.headgate.client.Entities;
import io.headgate.client.Headgate;
import io.headgate.client.Message;
import io.headgate.client.Subscription;
import io.headgate.v1.Event;
import io.headgate.v1.Filter;
import io.headgate.v1.RelationEvent;

/** Shows the relations of a CRM as they change, from the first one on. Run again, it goes on where it was. */
public final class Relations {
  private Relations() {}

  /**
   * Runs until it is told to stop.
   *
   * @param args the gateway's gRPC address; 127.0.0.1:9090 when there is none
   */
  public static void main(String[] args) throws Exception {
    Subscription subscription = Subscription.named("java-example")
        .startAtEarliest()
        .filter(Filter.newBuilder().addEntities(Entities.RELATION).build())
        .onRetry((cause, wait) -> System.err.println("again in " + wait.toMillis() + " ms: " + cause.getMessage()))
        .build();
    try (Headgate client = Headgate.connect(args.length > 0 ? args[0] : "127.0.0.1:9090");
        Consumption consumption = client.consume(subscription, Relations::show)) {
      Runtime.getRuntime().addShutdownHook(new Thread(consumption::close));
      consumption.await();
    }
  }

  private static void show(Message message) {
    if (message.gap() != null) {
      System.out.println("something may be missing here: " + message.gap().getReason());
    }
    if (message.event() == null) {
      return;
    }
    Event event = message.event();
    RelationEvent relation = event.getRelation();
    String link = "";
    if (relation.hasSourceRecord()) { // a change may come without the values
      link = String.format("%s %d -> %s %d  ", relation.getSourceEntity(), relation.getSourceRecord(), relation.getDestinationEntity(),
          relation.getDestinationRecord());
    }
    System.out.printf("%s  %s  #%d  %sby %d%n", event.getEventType(), event.getContext(), event.getPrimaryKey(), link, event.getChangedByAssociateId());
  }
}
