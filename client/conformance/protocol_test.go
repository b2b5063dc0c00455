package conformance

// request is the first line of an adapter's standard input.
type request struct {
	Address          string         `json:"address"`
	REST             string         `json:"rest"`
	Token            string         `json:"token,omitempty"`
	Filter           map[string]any `json:"filter,omitempty"`
	Start            *start         `json:"start,omitempty"`
	OnLostCursor     string         `json:"on_lost_cursor,omitempty"`
	HeartbeatSeconds int            `json:"heartbeat_seconds,omitempty"`
	Store            string         `json:"store,omitempty"`
	Subscription     *membership    `json:"subscription,omitempty"`
	StopWhenCaughtUp bool           `json:"stop_when_caught_up,omitempty"`
	Acknowledge      bool           `json:"acknowledge,omitempty"`
	Constants        bool           `json:"constants,omitempty"`
}

type start struct {
	At          string `json:"at,omitempty"`
	AfterCursor string `json:"after_cursor,omitempty"`
	FromTime    string `json:"from_time,omitempty"`
}

type membership struct {
	Name   string `json:"name"`
	Shards int    `json:"shards"`
	Member string `json:"member"`
}

var earliest, latest = &start{At: "earliest"}, &start{At: "latest"}

func after(cursor string) *start { return &start{AfterCursor: cursor} }

// line is what an adapter wrote.
type line struct {
	Kind       string   `json:"kind"`
	Cursor     string   `json:"cursor"`
	Key        int      `json:"key"`
	Type       string   `json:"type"`
	Shard      *int     `json:"shard"`
	Reason     string   `json:"reason"`
	Code       string   `json:"code"`
	CaughtUp   bool     `json:"caught_up"`
	Cause      string   `json:"cause"`
	Entities   []string `json:"entities"`
	Actions    []string `json:"actions"`
	EventTypes []string `json:"event_types"`
	Reasons    []string `json:"reasons"`

	text string // as it was written
}

func (l line) String() string { return l.text }
