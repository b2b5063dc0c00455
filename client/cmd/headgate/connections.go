package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type connectionsCommand struct {
	List connectionsListCommand `cmd:"" default:"withargs" help:"List the streams, by reader and connection. This is the default."`
	End  connectionsEndCommand  `cmd:"" help:"End one stream. Its client is told so, and comes back by itself after half a minute."`
}

type connectionsListCommand struct {
	listFlag
	Reader string `placeholder:"NAME" help:"Only those of this reader."`
}

// shownID is how much of a stream's id a table shows. It is enough to name it.
const shownID = 8

// Run lists the streams of each connection below what it is.
func (c *connectionsListCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	answer, err := adminv1.NewAdminServiceClient(connection.Conn()).ListStreams(ctx, &adminv1.ListStreamsRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	streams := slices.DeleteFunc(answer.GetStreams(), func(st *adminv1.Stream) bool { return c.Reader != "" && st.GetReader() != c.Reader })
	slices.SortStableFunc(streams, func(a, b *adminv1.Stream) int {
		return cmp.Or(cmp.Compare(a.GetReader(), b.GetReader()), cmp.Compare(a.GetPeer(), b.GetPeer()))
	})
	switch {
	case c.json():
		return jsonLines(std.out, streams)
	case len(streams) == 0 && c.Reader != "":
		_, err = fmt.Fprintf(std.out, "%s reads nothing now: headgate connections shows who does\n", printable(c.Reader))
		return err
	case len(streams) == 0:
		_, err = fmt.Fprintln(std.out, "nobody reads: try headgate tail, or make a reader's token with headgate token new")
		return err
	}
	return streamsTable(streams, time.Now()).write(std.out)
}

func streamsTable(streams []*adminv1.Stream, now time.Time) *table {
	t := newTable("STREAM", "STATE", "LAG>", "SENT>", "SINCE", "CLIENT", "FILTER")
	of := ""
	for _, st := range streams {
		if to := fmt.Sprintf("%s at %s, %s", known(st.GetReader()), known(st.GetPeer()), known(st.GetCredential())); to != of {
			of = to
			t.row(of)
		}
		behind := "-"
		if !st.GetCaughtUp() && st.GetState() != adminv1.Stream_STATE_STANDBY {
			behind = terminal.Short(st.GetLag().AsDuration())
		}
		who := known(st.GetClientName())
		if st.GetSubscription() != "" {
			who += " for " + printable(st.GetSubscription())
		}
		t.row(printable(st.GetId()[:min(shownID, len(st.GetId()))]), stateOf(st), behind, terminal.Count(st.GetEventsSent()), ago(st.GetStartedAt(), now), who, filterWords(st.GetFilter()))
	}
	return t
}

func stateOf(st *adminv1.Stream) string {
	return strings.ToLower(strings.TrimPrefix(st.GetState().String(), "STATE_"))
}

// filterWords is a filter on one line: its fields that say something.
func filterWords(f *headgatev1.Filter) string {
	if f == nil {
		return "everything"
	}
	var words []string
	fields := f.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		var values []string
		list := f.ProtoReflect().Get(field).List()
		for j := range list.Len() {
			values = append(values, fmt.Sprint(list.Get(j).Interface()))
		}
		if len(values) > 0 {
			words = append(words, string(field.Name())+"="+strings.Join(values, ","))
		}
	}
	if len(words) == 0 {
		return "everything"
	}
	return printable(strings.Join(words, " "))
}

type connectionsEndCommand struct {
	ID text `arg:"" name:"id" help:"The stream's id, or how it begins, as listed."`
}

// Run ends the one stream that is meant.
func (c *connectionsEndCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	admin := adminv1.NewAdminServiceClient(connection.Conn())
	all, err := admin.ListStreams(ctx, &adminv1.ListStreamsRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	id, err := c.find(all.GetStreams())
	if err != nil {
		return err
	}
	ended, err := admin.EndStream(ctx, &adminv1.EndStreamRequest{Id: id})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	st := ended.GetStream()
	_, err = fmt.Fprintf(std.out, "ended %s of %s at %s; its client may come back after 30s\n", printable(st.GetId()), nameOf(st), printable(st.GetPeer()))
	return err
}

// find returns the id of the one stream whose id begins so.
func (c *connectionsEndCommand) find(streams []*adminv1.Stream) (string, error) {
	var found []string
	for _, st := range streams {
		if strings.HasPrefix(st.GetId(), strings.ToUpper(string(c.ID))) {
			found = append(found, st.GetId())
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no stream's id begins with %s: it may have ended; see headgate connections", printable(string(c.ID)))
	case 1:
		return found[0], nil
	}
	return "", usagef("%d streams have ids that begin with %s: say more of the one that is meant", len(found), printable(string(c.ID)))
}
