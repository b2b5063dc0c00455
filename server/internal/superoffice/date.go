package superoffice

import (
	"strings"
	"time"
)

// dateLength is the length of a date up to its seconds, "2006-01-02T15:04:05".
const dateLength = 19

// parseDate reads a date and time: 2006-01-02T15:04:05, then one to nine digits of fraction or none, then Z, an offset or nothing. Without
// a zone it is one in loc. The result is in UTC. 0001-01-01T00:00:00 in any zone is the CRM's way of saying never; it gives the zero time,
// as does whatever else falls on that instant.
//
// Where clocks were put back, an hour comes twice and nothing in the text says which of the two is meant; where they were put forward, an
// hour is missing. time.Date settles both: it takes one of the two offsets in use around that time.
func parseDate(s string, loc *time.Location) (time.Time, bool) {
	if len(s) < dateLength {
		return time.Time{}, false
	}
	clock, rest := s[:dateLength], s[dateLength:]
	nanos, rest, ok := parseFraction(rest)
	if !ok {
		return time.Time{}, false
	}
	year, month, day := parseDigits(clock[0:4]), parseDigits(clock[5:7]), parseDigits(clock[8:10])
	hour, minute, second := parseDigits(clock[11:13]), parseDigits(clock[14:16]), parseDigits(clock[17:19])
	if clock[4] != '-' || clock[7] != '-' || clock[10] != 'T' || clock[13] != ':' || clock[16] != ':' ||
		year < 1 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0 ||
		month > 12 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	date := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if date.Day() != day { // the 30th of February
		return time.Time{}, false
	}
	if rest == "" && !date.IsZero() && loc != nil {
		return time.Date(year, time.Month(month), day, hour, minute, second, nanos, loc).UTC(), true
	}
	offset, ok := parseZone(rest)
	if !ok || date.IsZero() {
		return time.Time{}, ok
	}
	return date.Add(-offset), true
}

// parseFraction reads a point and the digits of a fraction of a second, if there are any.
func parseFraction(s string) (nanos int, rest string, ok bool) {
	if !strings.HasPrefix(s, ".") {
		return 0, s, true
	}
	n := 1
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	if n == 1 || n > 10 {
		return 0, "", false
	}
	nanos = parseDigits(s[1:n])
	for range 10 - n {
		nanos *= 10
	}
	return nanos, s[n:], true
}

// parseZone reads Z or an offset. No zone at all counts as UTC here.
func parseZone(s string) (offset time.Duration, ok bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, minutes := parseDigits(s[1:3]), parseDigits(s[4:6])
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// parseDigits reads a number of at most nine digits, -1 when there is anything else among them.
func parseDigits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}
