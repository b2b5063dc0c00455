package conformance

import "fmt"

var permitting = []behaviour{
	{"forbidden context", nil, forbidden},
	{"unknown token", nil, unknownToken},
	{"changed grant", nil, changedGrant},
	{"revoked reader", nil, revoked},
}

// reads are two readers: the asker, who reads everything, and another with what it may read.
func reads(token, allow string) string {
	return fmt.Sprintf("asker: {tokens: [%s], allow: [{sources: ['*']}]}\nbilling: {tokens: [%s], allow: [%s]}", hashed(askerToken), hashed(token), allow)
}

func forbidden(k *kit) {
	g := k.start(settings{readers: reads("t", "{sources: [acme], contexts: [Cust26759]}")})
	g.sender.send(change{n: 1, key: 1})
	a := k.run(g.front, request{Start: earliest, Token: "t", Filter: map[string]any{"contexts": []string{"Cust1234"}}})
	a.refusal("CONTEXT_FORBIDDEN", "PERMISSION_DENIED")
}

func unknownToken(k *kit) {
	g := k.start(settings{readers: reads("t", "{sources: [acme]}")})
	g.sender.send(change{n: 1, key: 1})
	k.run(g.front, request{Start: earliest, Token: "no reader's"}).refusal("UNAUTHENTICATED", "UNAUTHENTICATED")
}

// changedGrant: the stream ends, and the next one is under the new grant.
func changedGrant(k *kit) {
	g := k.start(settings{readers: reads("t", "{sources: [acme]}")})
	g.sender.send(change{n: 1, key: 1})
	a := k.run(g.front, request{Start: earliest, Token: "t"})
	a.next("started")
	got := a.events(1, false)
	g.permit(reads("t", "{sources: [acme], entities: [contact]}"))
	a.next("retry")
	a.next("started")
	g.sender.send(change{n: 2, key: 2, event: "relation.created"}, change{n: 3, key: 3})
	got = append(got, a.events(1, false)...)
	log := cursors(g.asker.log(), nil)
	k.want([]string{log[0], log[2]}, got)
	a.leave()
}

func revoked(k *kit) {
	g := k.start(settings{readers: reads("t", "{sources: [acme]}")})
	g.sender.send(change{n: 1, key: 1})
	a := k.run(g.front, request{Start: earliest, Token: "t"})
	a.events(1, false)
	g.permit(reads("another", "{sources: [acme]}"))
	if l := a.next("error"); l.Reason != "UNAUTHENTICATED" {
		k.Errorf("it ended with %v, want UNAUTHENTICATED", l)
	}
	a.gone("its subscription ended")
}
