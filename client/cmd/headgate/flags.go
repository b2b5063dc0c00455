package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// An empty value, of a shell variable that is not set perhaps, is a mistake in all of these: taken for an absent flag it would widen the
// filter or lose the position.
var errEmpty = errors.New("the value is empty")

// text is a value that is not empty.
type text string

// UnmarshalText refuses the empty value.
func (s *text) UnmarshalText(value []byte) error {
	if len(value) == 0 {
		return errEmpty
	}
	*s = text(value)
	return nil
}

// texts are values with commas between them, or of several flags.
type texts []string

// Decode adds the values of one flag.
func (t *texts) Decode(flag *kong.DecodeContext) error {
	return decodeEach(flag, func(value string) error {
		*t = append(*t, value)
		return nil
	})
}

// numbers are record numbers or ids, given like texts.
type numbers []int32

// Decode adds the values of one flag.
func (n *numbers) Decode(flag *kong.DecodeContext) error {
	return decodeEach(flag, func(value string) error {
		number, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return fmt.Errorf("%q is not a number of the CRM's", value)
		}
		*n = append(*n, int32(number))
		return nil
	})
}

func decodeEach(flag *kong.DecodeContext, add func(string) error) error {
	var list string
	if err := flag.Scan.PopValueInto("list", &list); err != nil {
		return err
	}
	for value := range strings.SplitSeq(list, ",") {
		if value == "" {
			return errEmpty
		}
		if err := add(value); err != nil {
			return err
		}
	}
	return nil
}

// when is a moment: a time, or a duration before now.
type when struct{ time.Time }

// UnmarshalText takes RFC 3339 or a Go duration.
func (w *when) UnmarshalText(value []byte) error {
	if ago, err := time.ParseDuration(string(value)); err == nil {
		if ago < 0 {
			return fmt.Errorf("%q: want how long ago, without a minus", value)
		}
		w.Time = time.Now().Add(-ago)
		return nil
	}
	moment, err := time.Parse(time.RFC3339, string(value))
	if err != nil {
		return fmt.Errorf("%q: want a time such as 2026-01-31T08:00:00Z, or how long ago, such as 90m", value)
	}
	w.Time = moment
	return nil
}

// shard is "INDEX/COUNT".
type shard struct{ index, count uint32 }

// UnmarshalText reads the two numbers. Their limits are the gateway's to check.
func (s *shard) UnmarshalText(value []byte) error {
	first, second, _ := strings.Cut(string(value), "/")
	index, err1 := strconv.ParseUint(first, 10, 32)
	count, err2 := strconv.ParseUint(second, 10, 32)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%q: want INDEX/COUNT, such as 0/4", value)
	}
	s.index, s.count = uint32(index), uint32(count)
	return nil
}

// shardCount is how many shards a subscription has.
type shardCount uint32

// UnmarshalText refuses 0, which the gateway takes for not said. The most is the gateway's to check.
func (n *shardCount) UnmarshalText(value []byte) error {
	count, err := strconv.ParseUint(string(value), 10, 32)
	if err != nil || count == 0 {
		return fmt.Errorf("%q: want a number from 1 on", value)
	}
	*n = shardCount(count)
	return nil
}

// String is the number with its noun.
func (n shardCount) String() string {
	if n == 1 {
		return "1 shard"
	}
	return fmt.Sprintf("%d shards", uint32(n))
}

// perSecond is a rate: "50" or "50/s".
type perSecond float64

// UnmarshalText reads the rate.
func (r *perSecond) UnmarshalText(value []byte) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(string(value), "/s"), 64)
	if err != nil || !(n > 0) { // NaN is not greater either
		return fmt.Errorf("%q: want a number of webhooks a second, such as 50/s", value)
	}
	*r = perSecond(n)
	return nil
}
