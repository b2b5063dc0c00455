package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

// someQuarantined is which quarantined webhooks are meant.
type someQuarantined struct {
	IDs    []string `arg:"" optional:"" name:"id" help:"Their ids, as listed."`
	Source string   `placeholder:"NAME" help:"All of this source, instead of ids."`
}

func (s *someQuarantined) check() error {
	if (len(s.IDs) == 0) == (s.Source == "") {
		return usagef("say which: their ids, or --source")
	}
	return nil
}

// idsAtOnce is how many ids one call takes.
const idsAtOnce = 100

type quarantineReprocessCommand struct {
	someQuarantined
	listFlag
	DryRun bool `help:"Only show what would come of it."`

	headed bool // the table's head was written
}

// Run tries them again, and shows what came of each as soon as it is known.
func (c *quarantineReprocessCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	if err := c.check(); err != nil {
		return err
	}
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	admin := adminv1.NewAdminServiceClient(connection.Conn())
	count := make(map[adminv1.Reprocessed_Outcome]int)
	call := func(request *adminv1.ReprocessQuarantinedRequest) (*adminv1.ReprocessQuarantinedResponse, error) {
		request.DryRun = c.DryRun
		answer, err := admin.ReprocessQuarantined(ctx, request)
		if err != nil {
			return nil, g.explain(client.ErrorOf(err))
		}
		for _, one := range answer.GetReprocessed() {
			count[one.GetOutcome()]++
		}
		return answer, c.show(std.out, answer.GetReprocessed())
	}
	for ids := range slices.Chunk(c.IDs, idsAtOnce) {
		if _, err := call(&adminv1.ReprocessQuarantinedRequest{Ids: ids}); err != nil {
			return err
		}
	}
	request := &adminv1.ReprocessQuarantinedRequest{Source: c.Source}
	for more := c.Source != ""; more; {
		answer, err := call(request)
		if err != nil {
			return err
		}
		list := answer.GetReprocessed()
		if more = answer.GetHasMore() && len(list) > 0; more {
			request = &adminv1.ReprocessQuarantinedRequest{Source: c.Source, AfterId: list[len(list)-1].GetId()}
		}
	}
	return c.sum(std.out, count)
}

func (c *quarantineReprocessCommand) sum(out io.Writer, count map[adminv1.Reprocessed_Outcome]int) error {
	if c.json() {
		return nil
	}
	if len(count) == 0 {
		_, err := fmt.Fprintln(out, "nothing of this source is in quarantine")
		return err
	}
	would := ""
	if c.DryRun {
		would = "would be: "
	}
	_, err := fmt.Fprintf(out, "%s%d appended, %d already there, %d test calls, %d stay, %d not found\n", would,
		count[adminv1.Reprocessed_OUTCOME_APPENDED], count[adminv1.Reprocessed_OUTCOME_DUPLICATE], count[adminv1.Reprocessed_OUTCOME_TEST_CALL],
		count[adminv1.Reprocessed_OUTCOME_STAYS], count[adminv1.Reprocessed_OUTCOME_NOT_FOUND])
	return err
}

var outcomes = map[adminv1.Reprocessed_Outcome]string{
	adminv1.Reprocessed_OUTCOME_APPENDED:  "appended",
	adminv1.Reprocessed_OUTCOME_DUPLICATE: "already there",
	adminv1.Reprocessed_OUTCOME_TEST_CALL: "a test call",
	adminv1.Reprocessed_OUTCOME_STAYS:     "stays",
	adminv1.Reprocessed_OUTCOME_NOT_FOUND: "not found",
}

func (c *quarantineReprocessCommand) show(out io.Writer, list []*adminv1.Reprocessed) error {
	if c.json() || len(list) == 0 {
		return jsonLines(out, list)
	}
	t := newTable("ID", "OUTCOME", "SOURCE", "CONTEXT", "EVENT TYPE", "PROBLEM")
	for _, one := range list {
		outcome, ok := outcomes[one.GetOutcome()]
		if !ok {
			outcome = one.GetOutcome().String()
		}
		t.row(printable(one.GetId()), outcome, known(one.GetSource()), known(one.GetContext()), known(one.GetEventType()), printable(one.GetProblem()))
	}
	t.headless = c.headed
	c.headed = true
	return t.write(out)
}

type quarantineDiscardCommand struct {
	someQuarantined
	Reason text `required:"" placeholder:"TEXT" help:"Why, for the audit."`
}

// Run gives them up.
func (c *quarantineDiscardCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	if err := c.check(); err != nil {
		return err
	}
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	admin := adminv1.NewAdminServiceClient(connection.Conn())
	requests := []*adminv1.DiscardQuarantinedRequest{{Source: c.Source}}
	if c.Source == "" {
		requests = nil
		for ids := range slices.Chunk(c.IDs, idsAtOnce) {
			requests = append(requests, &adminv1.DiscardQuarantinedRequest{Ids: ids})
		}
	}
	var discarded uint64
	for _, request := range requests {
		request.Reason = string(c.Reason)
		answer, err := admin.DiscardQuarantined(ctx, request)
		if err != nil {
			return g.explain(client.ErrorOf(err))
		}
		discarded += answer.GetDiscarded()
	}
	_, err = fmt.Fprintf(std.out, "%d discarded\n", discarded)
	return err
}
