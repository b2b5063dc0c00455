// Package server puts the rooms of a gateway together: listeners, log, webhooks and readers. It is the only place that
// wires; everything else is told what it needs.
package server

import (
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config is everything that a server can be told. It holds plain values, is filled and validated once, and is read only by New.
//
// A setting is taken from the first of these that has it:
//
//  1. the command line: --listen-grpc
//  2. the environment: HEADGATE_LISTEN_GRPC, the path in the file in capitals, with _ for every dot
//  3. the configuration file: listen.grpc
//  4. Default
//
// Sources, readers, TLS and lists stand only in the file. An empty environment variable counts as not set; of
// others that begin with HEADGATE_ see CheckVariables.
//
// A running server reads its configuration again with Reload. What then takes effect: sources, readers and their limits, the files of secrets, keys
// and certificates, and the log's level. All else waits for a restart.
type Config struct {
	// DataDir is the folder where the log is kept: data_dir. Required. In the file it is relative to the file's folder.
	DataDir   string
	Listen    Listen
	TLS       TLS
	Retention Retention
	Webhook   Webhook
	Limits    Limits
	Log       Log
	Tracing   Tracing
	// Drain is how long streams and requests under way get to end once the server was told to stop, or another one takes over: shutdown_timeout. A taking
	// over uses it up only when a reader takes nothing, or a sender keeps a connection that it does not use.
	Drain time.Duration
	// Sources are the webhook endpoints by name.
	Sources map[string]Source
	// Readers are the identities that may read, by name. Without any, whoever reaches the gateway may read everything, so it stays on loopback.
	Readers map[string]Reader

	// Dev is set by Dev alone: one source that needs no signature, everything on loopback.
	Dev bool
	// Version is what the server calls itself.
	Version string
	// AcceptDataLoss lets a server start although its log came back shorter than it was. It begins a new epoch and tells readers with
	// a gap. It is set only by --accept-data-loss, never by file or environment: it is meant for one start.
	AcceptDataLoss bool
	// Warnings are what Load found that is not wrong but should be looked at. They hold no secrets.
	Warnings []string
	// Files are those that the configuration was read from: its own, and those of secrets, keys and certificates. A server watches them.
	Files []string
	// Reload reads the configuration again. Nil when there is nothing to read: then a running server keeps what it has. When it fails, the
	// Files of the Config that it returns still count.
	Reload func() (Config, error) `json:"-" yaml:"-"`

	// Sockets are listened on instead of the addresses in Listen, by the listener's name. See TakeSockets.
	Sockets map[string]*net.TCPListener `json:"-" yaml:"-"`
}

// Listen holds the addresses of the listeners, host:port. Port 0 takes any free one.
type Listen struct {
	// Webhook is the one that must be public.
	Webhook string
	// API and GRPC may leave loopback only with readers and with TLS.
	API, GRPC string
	// Admin serves metrics and health to anybody. They hold no events.
	Admin string
	// PProf serves profiles of the process, while somebody looks for where its time or memory goes. Default off, which the file says as off. On loopback
	// whoever is on the machine may ask; it may leave loopback only with TLS, and then every request needs an operator's credentials.
	PProf string
}

// Retention says what the log keeps.
type Retention struct {
	// MaxAge: older events are removed.
	MaxAge time.Duration
	// MaxSize is how many bytes the log may take on disk; beyond that the oldest events are removed.
	MaxSize int64
	// AtLeast: events younger than this are kept even when the disk is nearly full; then webhooks are refused.
	AtLeast time.Duration
	// DiskReserve is how many bytes of the disk stay free.
	DiskReserve int64
	// QuarantineMaxSize is how many bytes of webhooks may lie in quarantine, each counting its body and 1 KiB; a quarter of MaxSize when that is less. Beyond
	// that the oldest of the source that has most are dropped. Their gaps stay.
	QuarantineMaxSize int64
}

// Webhook says what a webhook may be.
type Webhook struct {
	// MaxBodyBytes is the size of the largest request body that is accepted: webhook.max_body_size.
	MaxBodyBytes int64
	// TrustedProxies are those whose X-Forwarded-For is believed. The sender is then the last address in it that is not one of theirs.
	TrustedProxies []netip.Prefix
	// UnauthenticatedPerSecond is how many refused posts of one address are answered in a second; what is authentic is not limited.
	UnauthenticatedPerSecond int
}

// Limits bounds what clients may take, and so the gateway's memory. Whatever readers do, what is in use stays below the sum of
//
//   - 320 MiB: the store's cache and tables (64 + 4 × 16 MiB), records that wait for the disk (64 MiB) and on their way to the tail (16 MiB), large
//     webhooks (64 MiB), and the program with its indexes
//   - TailBytes
//   - 16 KiB for each stream, and half a MiB more where its filter is the largest there can be
//   - 2 MiB for each stream whose client does not take what is sent: 64 KiB and one message, which may refer to at most 16 times as much of the memory that
//     all share, and what was read and not sent; 8 MiB if the events are of the largest size
//   - 128 KiB for each connection, those of webhooks too
//   - 8 MiB for each reader that takes no answers, or 400 MiB if the events are of the largest size and it may read raw bodies; over REST twice that.
//
// A stream that ended counts until its client took what was sent, see ReaderLimits. Go collects garbage when there is as much as is in use, so the process may
// take twice the sum; the environment variable GOMEMLIMIT makes it collect earlier.
type Limits struct {
	// TailBytes is how much memory the newest events take, which all readers who keep up share: tail_size. Who is further behind reads from the disk.
	TailBytes int64
	// MaxStreams is how many subscriptions are served at once.
	MaxStreams int
	// Reader is what one reader may take where its own limits say nothing: limits.reader.
	Reader ReaderLimits
}

// Log says what the server writes about itself, to standard error.
type Log struct {
	Level slog.Level
	// Var is what the program's logger goes by, if its level can change: a reload sets it to Level.
	Var *slog.LevelVar `json:"-" yaml:"-"`
	// Format is LogAuto, LogText or LogJSON.
	Format string
}

// The formats of the server's own log.
const (
	// LogAuto is text on a terminal and in Dev, else JSON.
	LogAuto = "auto"
	LogText = "text"
	LogJSON = "json"
)

// Tracing says where traces go, of events from their post to each reader's stream, by OTLP. By default there are none. What neither the file nor a variable
// that begins with HEADGATE_ says, OpenTelemetry's own variables do: OTEL_EXPORTER_OTLP_ENDPOINT, _PROTOCOL and _HEADERS (or OTEL_EXPORTER_OTLP_TRACES_…),
// OTEL_TRACES_EXPORTER (otlp or none), OTEL_TRACES_SAMPLER with its _ARG, OTEL_SDK_DISABLED; the exporter takes others, like OTEL_SERVICE_NAME and
// OTEL_EXPORTER_OTLP_CERTIFICATE, as it finds them. A collector that is slow or away costs traces, never events.
type Tracing struct {
	// Endpoint is the collector's URL, like https://collector:4318; over HTTP /v1/traces is added where it has no path. Empty, in the file off: no traces.
	Endpoint string
	// Protocol is TracingHTTP, the default, or TracingGRPC.
	Protocol string
	// Headers are sent with every request to the collector, often its credentials: name=value,other=value, as in OTEL_EXPORTER_OTLP_HEADERS. In the file,
	// tracing.headers says where they stand: {file: secrets/collector} or {env: COLLECTOR_HEADERS}.
	Headers SecretKey
	// SampleRatio is which share of the traces that begin here is taken, 0 to 1: sample_ratio. Default 1. A post whose sender traces it is taken if its
	// sender takes it and it brings a new event. 0: no traces, not even of those.
	SampleRatio float64
}

// on says whether traces are made.
func (t *Tracing) on() bool { return t.Endpoint != "" && t.SampleRatio > 0 }

// Source is one webhook endpoint, /webhooks/superoffice/{name}.
type Source struct {
	// Contexts are the CRM tenants that the source's secrets may speak for. Empty means any, which only Dev may.
	Contexts []string
	// Location is the zone of dates that come without one: time_zone. Required.
	Location *time.Location
	// Tables names the entities of the tenant's table numbers, before those that the CRM usually has.
	Tables map[int32]string
	// Secrets are what signatures are checked with. A webhook is authentic when one of those that are valid now made its signature.
	Secrets []Secret
	// AllowAddresses are those that webhooks may come from. Empty means any.
	AllowAddresses []netip.Prefix
	// AwaitingSecretUntil lets a source be without secrets: of a webhook whose secret the CRM makes up. Until then it takes the CRM's test call,
	// without a signature, and nothing else.
	AwaitingSecretUntil time.Time
	// Unsigned takes webhooks without a signature. Only Dev may.
	Unsigned bool
}

// Secret is a key that a source's webhooks are signed with.
type Secret struct {
	// ID names the secret in logs and metrics.
	ID  string
	Key SecretKey
	// The secret is valid from NotBefore until just before NotAfter. Zero means no bound.
	NotBefore, NotAfter time.Time
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
	day = 24 * time.Hour
)

// Default returns the settings that hold where nothing else is said. It has no data directory and no sources: those are required.
func Default() Config {
	return Config{
		Listen: Listen{
			Webhook: ":8080",
			API:     "127.0.0.1:8081",
			GRPC:    "127.0.0.1:9090",
			Admin:   "127.0.0.1:9100",
		},
		Retention: Retention{MaxAge: 90 * day, MaxSize: 10 * gib, AtLeast: 3 * day, DiskReserve: gib, QuarantineMaxSize: 256 * mib},
		Webhook:   Webhook{MaxBodyBytes: mib, UnauthenticatedPerSecond: 10},
		Limits:    Limits{TailBytes: 32 * mib, MaxStreams: 10_000, Reader: ReaderLimits{Streams: 1000, Connections: 100, RequestsPerSecond: 100}},
		Log:       Log{Level: slog.LevelInfo, Format: LogAuto},
		Tracing:   Tracing{Protocol: TracingHTTP, SampleRatio: 1},
		Drain:     5 * time.Second,
		Version:   "devel",
	}
}

// Dev returns settings to try the gateway out with: one source "dev" that takes unsigned webhooks of any context, everything on
// loopback, the log in ./headgate-dev.
func Dev() Config {
	c := Default()
	c.Dev = true
	c.DataDir = "./headgate-dev"
	c.Listen.Webhook = "127.0.0.1:8080"
	c.Retention.DiskReserve = 256 * mib
	c.Sources = map[string]Source{"dev": {Location: time.UTC, Unsigned: true}}
	return c
}
