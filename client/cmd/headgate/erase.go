package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

type eraseCommand struct {
	listFlag
	Source  text `required:"" placeholder:"NAME" help:"The source."`
	Context text `required:"" placeholder:"NAME" help:"The tenant."`

	Person     *int32 `xor:"subject" placeholder:"ID" help:"A person: its events, and those that mention it."`
	Associate  *int32 `xor:"subject" placeholder:"ID" help:"An associate (user): its events, those it is the author of, and those that mention it."`
	Entity     text   `xor:"subject" placeholder:"NAME" help:"With --primary-key: the events of one record."`
	PrimaryKey *int32 `placeholder:"ID" help:"The record's number."`
	Cursor     []text `xor:"subject" placeholder:"CURSOR" help:"These events, or quarantined webhooks by their ids."`
	Everything bool   `xor:"subject" help:"All of the tenant."`
	Execute    bool   `help:"Erase. Otherwise it is only shown what would go."`
}

// Run goes step by step. When it ends without an error, all is done.
func (c *eraseCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	admin := adminv1.NewAdminServiceClient(connection.Conn())
	progress, searched := terminal.NewProgress(std.err, "searched", records), 0.0
	defer progress.Clear()
	var found, undecided []*adminv1.Erasable
	for more, told := true, false; more; {
		step, err := admin.Erase(ctx, request)
		if err != nil {
			return g.explain(client.ErrorOf(err))
		}
		searched += float64(step.GetSearched())
		progress.Tell(searched, -1)
		if len(step.GetFound())+len(step.GetUndecided()) > 0 {
			progress.Clear()
		}
		found, undecided = append(found, step.GetFound()...), append(undecided, step.GetUndecided()...)
		if err := c.show(std, step, time.Now()); err != nil {
			return err
		}
		request.AfterCursor, more = step.GetNextCursor(), step.GetHasMore()
		if more && step.GetSearched() == 0 && !told {
			told = true
			progress.Clear()
			_, _ = fmt.Fprintln(std.err, "erased; waiting until the bytes are gone from the disk")
		}
	}
	return c.sumUp(std, len(found), len(undecided))
}

// records is a number of them.
func records(n float64) string { return some(uint64(n), "record") }

func (c *eraseCommand) request() (*adminv1.EraseRequest, error) {
	r := &adminv1.EraseRequest{Source: string(c.Source), Context: string(c.Context), Execute: c.Execute}
	if (c.Entity == "") != (c.PrimaryKey == nil) {
		return nil, usagef("--entity and --primary-key go together")
	}
	switch {
	case c.Person != nil:
		r.Subject = &adminv1.EraseRequest_PersonId{PersonId: *c.Person}
	case c.Associate != nil:
		r.Subject = &adminv1.EraseRequest_AssociateId{AssociateId: *c.Associate}
	case c.Entity != "":
		r.Subject = &adminv1.EraseRequest_Record_{Record: &adminv1.EraseRequest_Record{Entity: string(c.Entity), PrimaryKey: c.PrimaryKey}}
	case len(c.Cursor) > 0:
		cursors := &adminv1.EraseRequest_Cursors{}
		for _, cursor := range c.Cursor {
			cursors.Cursors = append(cursors.Cursors, string(cursor))
		}
		r.Subject = &adminv1.EraseRequest_Cursors_{Cursors: cursors}
	case c.Everything:
		r.Subject = &adminv1.EraseRequest_Everything{Everything: true}
	default:
		return nil, usagef("say what is to go: --person, --associate, --entity with --primary-key, --cursor or --everything")
	}
	return r, nil
}

// show writes what a step found. In JSON there is no telling apart what is undecided, which is in quarantine and counted at the end.
func (c *eraseCommand) show(std *stdio, step *adminv1.EraseResponse, now time.Time) error {
	if c.json() {
		return errors.Join(jsonLines(std.out, step.GetFound()), jsonLines(std.out, step.GetUndecided()))
	}
	if len(step.GetFound())+len(step.GetUndecided()) == 0 {
		return nil
	}
	t := newTable("CURSOR", "RECEIVED", "WHAT")
	row := func(e *adminv1.Erasable, remark string) {
		what := printable(e.GetEntity())
		if e.GetQuarantined() {
			what = "in quarantine"
		}
		t.row(printable(e.GetCursor()), ago(e.GetReceivedAt(), now), what+remark)
	}
	for _, e := range step.GetFound() {
		row(e, "")
	}
	for _, e := range step.GetUndecided() {
		row(e, ", undecided")
	}
	return t.write(std.out)
}

func (c *eraseCommand) sumUp(std *stdio, found, undecided int) error {
	done := fmt.Sprintf("%d would be erased: run it again with --execute", found)
	if c.Execute {
		done = fmt.Sprintf("%d erased, and gone from the disk; copies in backups and at the readers are not", found)
	}
	out := std.out
	if c.json() { // there it is no line of the list
		out = std.err
	}
	if _, err := fmt.Fprintln(out, done); err != nil {
		return err
	}
	if undecided > 0 {
		_, err := fmt.Fprintf(std.err, "%d quarantined webhooks cannot be read, or say neither whose nor of what tenant they are: look with headgate quarantine show ID --raw, and erase with --cursor\n",
			undecided)
		return err
	}
	return nil
}
