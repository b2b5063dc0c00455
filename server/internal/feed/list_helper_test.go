package feed

import headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"

// pages lists to the end, and returns what keys returns of a stream.
func pages(g *gateway, f *headgatev1.Filter, size uint32) (list []string) {
	g.t.Helper()
	req := &headgatev1.ListEventsRequest{Filter: f, PageSize: size}
	for {
		page, err := g.client.ListEvents(g.t.Context(), req)
		if err != nil {
			g.t.Fatal(err)
		}
		list = append(list, keys([]*headgatev1.SubscribeResponse{{Events: page.GetEvents()}})...)
		switch s := page.GetSignal().(type) {
		case *headgatev1.ListEventsResponse_Gap:
			list = append(list, s.Gap.GetReason().String())
		case *headgatev1.ListEventsResponse_Erased:
			list = append(list, "erased")
		}
		if !page.GetHasMore() {
			return list
		}
		req.AfterCursor = page.GetNextCursor()
	}
}
