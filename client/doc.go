// Package client reads the events of a Headgate gateway.
//
//	c, err := client.Dial("127.0.0.1:9090")
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	for msg, err := range c.Subscribe(ctx, client.Subscription{
//		Filter: &headgatev1.Filter{Entities: []string{client.EntityRelation}},
//		Start:  client.Earliest(),
//		Store:  client.FileStore("relations.cursor"),
//	}) {
//		if err != nil {
//			return err // the iteration is over; a *client.Error says what the gateway refused
//		}
//		switch {
//		case msg.Event != nil:
//			link(msg.Event.GetRelation())
//		case msg.Gap != nil:
//			reconcile(msg.Gap)
//		}
//	}
//
// Subscribe connects again by itself and goes on after the last message that the loop has handled. Events come at least once.
// What the gateway refuses, a lost cursor above all, ends the loop with an error: nothing is skipped quietly.
//
// All other calls of the gateway are made with the generated clients over [Client.Conn].
package client
