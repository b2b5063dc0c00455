// Package client reads the events of a Headgate gateway.
//
// The normal way is a named subscription, whose position the gateway keeps. The replicas of a service say the same name and share the events:
//
//	c, err := client.Dial("127.0.0.1:9090")
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	return c.Consume(ctx, client.Subscription{
//		Name: "billing", Shards: 8, Start: client.Earliest(),
//		Filter: &headgatev1.Filter{Entities: []string{client.EntityRelation}},
//	}, func(ctx context.Context, m client.Message) error {
//		if m.Gap != nil {
//			return reconcile(ctx, m.Gap)
//		}
//		return link(ctx, m.Event.GetRelation())
//	})
//
// [Client.Subscribe] does the same as a loop, for one shard; and without a name it reads from a position that the caller keeps, in a [Store] or in the transaction of
// its effects. subscriptions.md, beside this package, says when to do which.
//
// Both connect again by themselves and go on after the last message that was handled. Events come at least once.
// What the gateway refuses, a lost cursor above all, ends them with an error: nothing is skipped quietly.
//
// All other calls of the gateway are made with the generated clients over [Client.Conn].
package client
