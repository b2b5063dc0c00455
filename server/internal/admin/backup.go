package admin

import (
	"crypto/sha256"
	"hash"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

// maxChunk is how much of a backup a message has: far below what clients take.
const maxChunk = 256 << 10

// Backup implements AdminService.
func (s *Service) Backup(_ *adminv1.BackupRequest, stream adminv1.AdminService_BackupServer) error {
	out := chunks{stream: stream, sum: sha256.New()}
	about, err := s.gw.Backup(stream.Context(), &out, func(done float64) { out.progress = float32(done) })
	if err != nil {
		return statusOf(err)
	}
	return stream.Send(&adminv1.BackupResponse{Progress: 1, Summary: &adminv1.BackupSummary{
		Sha256: out.sum.Sum(nil), TakenAt: timestamppb.New(about.At), Records: about.Records,
	}})
}

// chunks sends what is written to it. A client that does not take it holds up the writer, and nobody else.
type chunks struct {
	stream   adminv1.AdminService_BackupServer
	sum      hash.Hash
	progress float32
}

// Write sends b.
func (c *chunks) Write(b []byte) (n int, err error) {
	c.sum.Write(b)
	for n < len(b) {
		part := b[n:min(n+maxChunk, len(b))]
		if err := c.stream.Send(&adminv1.BackupResponse{Chunk: part, Progress: c.progress}); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}
