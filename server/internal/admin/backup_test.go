package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// What is written arrives, in messages that every client takes, with the sum of all of it; and a failure says what it was.
func TestBackup(t *testing.T) {
	want := make([]byte, 3<<20)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(want)
	var fails error
	_, client := start(t, Gateway{Backup: func(_ context.Context, out io.Writer, progress func(float64)) (eventlog.Copied, error) {
		progress(0.5)
		for _, part := range [][]byte{want[:10], want[10 : 2<<20], want[2<<20:]} {
			if _, err := out.Write(part); err != nil {
				return eventlog.Copied{}, err
			}
		}
		return eventlog.Copied{At: now, Records: 7}, fails
	}})
	take := func() (got []byte, summary *adminv1.BackupSummary, err error) {
		stream, err := client.Backup(t.Context(), &adminv1.BackupRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return got, summary, err
			}
			if len(m.GetChunk()) > 1<<20 {
				t.Errorf("a message of %d bytes", len(m.GetChunk()))
			}
			if m.GetChunk() != nil && m.GetProgress() != 0.5 {
				t.Errorf("progress %v", m.GetProgress())
			}
			got, summary = append(got, m.GetChunk()...), m.GetSummary()
		}
	}
	got, summary, err := take()
	sum := sha256.Sum256(want)
	if !bytes.Equal(got, want) || err != io.EOF || !bytes.Equal(summary.GetSha256(), sum[:]) || summary.GetRecords() != 7 || !summary.GetTakenAt().AsTime().Equal(now) {
		t.Errorf("%d bytes, %v, %v", len(got), summary, err)
	}
	for code, cause := range map[codes.Code]error{
		codes.DataLoss:    fmt.Errorf("%w: there", eventlog.ErrDamaged),
		codes.Unavailable: fmt.Errorf("%w: another copy is being made", eventlog.ErrBusy),
	} {
		fails = cause
		if _, summary, err := take(); status.Code(err) != code || summary != nil {
			t.Errorf("%v: %v, %v", cause, summary, err)
		}
	}
}
