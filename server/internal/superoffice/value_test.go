package superoffice

import (
	"math/big"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestInteger(t *testing.T) {
	for text, want := range map[string]string{
		`0`: "0", `-0`: "0", `20`: "20", `-1`: "-1", `2147483647`: "2147483647", `-2147483648`: "-2147483648",
		`20.0`: "20", `20.000`: "20", `"20"`: "20", `"-7"`: "-7", `"20.0"`: "20", `"\u0032"`: "2",
		`2147483648`: "", `20.5`: "", `2e1`: "", `2.0e1`: "", `""`: "", `"-"`: "", `"."`: "", `".0"`: "", `"20."`: "", `"+1"`: "", `"01"`: "",
		`"--1"`: "", `"-+1"`: "", `" 1"`: "", `"1 "`: "", `"1_0"`: "", `"0x1"`: "", `"1.0.0"`: "", `"٣"`: "", `true`: "", `null`: "",
	} {
		got := ""
		if n, ok := (value{text: text}).integer(); ok {
			got = strconv.Itoa(int(n))
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestFlag(t *testing.T) {
	for text, want := range map[string]string{
		`true`: "true", `false`: "false", `1`: "true", `0`: "false", `"1"`: "true", `"0"`: "false", `1.0`: "true",
		`2`: "", `-1`: "", `"true"`: "", `"false"`: "", `""`: "", `null`: "", `0.5`: "",
	} {
		got := ""
		if on, ok := (value{text: text}).flag(); ok {
			got = strconv.FormatBool(on)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

const unreadable, never = "unreadable", "never"

func TestDate(t *testing.T) {
	for text, want := range map[string]string{
		// In UTC, with an offset, without a zone.
		"2025-05-14T16:07:50Z":                "2025-05-14T16:07:50Z",
		"2025-05-14T16:07:50.9437543Z":        "2025-05-14T16:07:50.9437543Z",
		"2025-05-14T16:07:50.9437543+02:00":   "2025-05-14T14:07:50.9437543Z",
		"2025-05-14T16:07:50-09:30":           "2025-05-15T01:37:50Z",
		"2025-05-14T16:07:50+00:00":           "2025-05-14T16:07:50Z",
		"2025-05-14T16:07:50":                 "2025-05-14T14:07:50Z",
		"2025-01-14T16:07:50.5":               "2025-01-14T15:07:50.5Z",
		"2025-05-14T16:07:50.123456789":       "2025-05-14T14:07:50.123456789Z",
		"2024-02-29T00:00:00Z":                "2024-02-29T00:00:00Z",
		"9999-12-31T23:59:59.999999999Z":      "9999-12-31T23:59:59.999999999Z",
		"0001-01-01T00:00:00.000000001Z":      "0001-01-01T00:00:00.000000001Z",
		"0001-01-02T00:00:00":                 "0001-01-01T23:17:00Z", // local mean time
		"2025-05-14T16:07:50.0000000000Z":     unreadable,
		"2025-05-14T16:07:50.Z":               unreadable,
		"2025-05-14T16:07:50,5Z":              unreadable,
		"2025-05-14 16:07:50":                 unreadable,
		"2025-05-14t16:07:50z":                unreadable,
		"2025-05-14":                          unreadable,
		"2025-05-14T16:07":                    unreadable,
		"2025-05-14T16:07:50 Z":               unreadable,
		"2025-05-14T16:07:50ZZ":               unreadable,
		"2025-05-14T16:07:50+0200":            unreadable,
		"2025-05-14T16:07:50+02":              unreadable,
		"2025-05-14T16:07:50+24:00":           unreadable,
		"2025-05-14T16:07:50+02:60":           unreadable,
		"2025-05-14T16:07:50 02:00":           unreadable,
		"2025-02-29T00:00:00Z":                unreadable,
		"2025-13-01T00:00:00Z":                unreadable,
		"2025-00-01T00:00:00Z":                unreadable,
		"2025-01-00T00:00:00Z":                unreadable,
		"2025-01-32T00:00:00Z":                unreadable,
		"2025-01-01T24:00:00Z":                unreadable,
		"2025-01-01T00:60:00Z":                unreadable,
		"2025-01-01T00:00:60Z":                unreadable,
		"-025-01-01T00:00:00Z":                unreadable,
		"2025-01-01T-1:00:00Z":                unreadable,
		"+2025-01-01T00:00:00Z":               unreadable,
		"0000-01-01T00:00:00Z":                unreadable,
		"0001-01-01T00:00:01+02:00":           unreadable, // before the year 1 in UTC
		"0001-01-01T00:00:01":                 unreadable,
		"9999-12-31T23:59:59-01:00":           unreadable, // after the year 9999
		"[DT:09/16/2025 14:22:14.0000000]":    unreadable,
		"":                                    unreadable,
		"0001-01-01T00:00:00":                 never,
		"0001-01-01T00:00:00Z":                never,
		"0001-01-01T00:00:00+02:00":           never,
		"0001-01-01T00:00:00-02:00":           never,
		"0001-01-01T00:00:00.0000000":         never,
		"0001-01-01T00:00:00.0000000Z":        never,
		"0001-01-01T00:00:00.000000000+01:00": never,
		"0001-01-01T02:00:00+02:00":           never, // the same instant
		"0001-01-01T00:00:00nonsense":         unreadable,
	} {
		ts, ok := value{text: strconv.Quote(text)}.date(testSource(t).Location)
		got := unreadable
		switch {
		case ok && ts == nil:
			got = never
		case ok:
			got = ts.AsTime().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestDateInChangeOfClocks: an hour that comes twice is read as one of the two, an hour that is missing as an hour beside it.
func TestDateInChangeOfClocks(t *testing.T) {
	for _, zone := range []string{"Europe/Oslo", "America/New_York"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, hour := range []int{1, 2} {
			for _, day := range []string{"2025-10-26", "2025-11-02", "2025-03-30", "2025-03-09"} {
				text := day + "T0" + strconv.Itoa(hour) + ":30:00"
				got, ok := parseDate(text, loc)
				if !ok {
					t.Fatalf("%s in %s cannot be read", text, zone)
				}
				naive, _ := parseDate(text+"Z", loc)
				_, before := naive.Add(-24 * time.Hour).In(loc).Zone()
				_, after := naive.Add(24 * time.Hour).In(loc).Zone()
				if used := int(naive.Sub(got).Seconds()); used != before && used != after {
					t.Errorf("%s in %s is read with the offset %d, want %d or %d", text, zone, used, before, after)
				}
			}
		}
	}
}

// TestDateRoundTrip: whatever instant the CRM writes in any shape is the instant that is read.
func TestDateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(1, 9).Draw(t, "digits")
		unit := int64(1)
		for range 9 - digits {
			unit *= 10
		}
		nanos := rapid.Int64Range(0, 999_999_999).Draw(t, "nanos") / unit * unit
		at := time.Unix(rapid.Int64Range(-62135510400, 253402214400).Draw(t, "seconds"), nanos).UTC()
		zone := time.FixedZone("", rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "offset")*60)
		layout := "2006-01-02T15:04:05." + "000000000"[:digits]
		for _, text := range []string{at.Format(layout + "Z"), at.In(zone).Format(layout + "-07:00"), at.In(zone).Format(layout)} {
			if got, ok := parseDate(text, zone); !ok || !got.Equal(at) {
				t.Fatalf("%s in %v: got %v, %v, want %v", text, zone, got, ok, at)
			}
		}
	})
}

// TestNumbersKeepTheirDigits: a number in fields is a double only if its shortest decimal is the very number that the CRM wrote.
func TestNumbersKeepTheirDigits(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		text := number.Draw(t, "number")
		want, _ := new(big.Rat).SetString(text)
		p := value{text: text}.proto()
		if s := p.GetStringValue(); s != "" {
			f, _ := strconv.ParseFloat(text, 64)
			shortest, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
			inRange := new(big.Rat).Abs(want).Cmp(new(big.Rat).SetInt64(maxExact)) <= 0
			if s != text || inRange && shortest.Cmp(want) == 0 {
				t.Fatalf("%s became the string %q", text, s)
			}
			return
		}
		got, _ := new(big.Rat).SetString(strconv.FormatFloat(p.GetNumberValue(), 'g', -1, 64))
		if got.Cmp(want) != 0 {
			t.Fatalf("%s became the number %v", text, p.GetNumberValue())
		}
	})
}

// TestDoublesStayNumbers: what a sender writes for a double comes out as that double.
func TestDoublesStayNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(-maxExact, maxExact).Draw(t, "double")
		text := strconv.FormatFloat(f, byte(rapid.SampledFrom([]rune("eg")).Draw(t, "format")), -1, 64)
		if got, ok := exactFloat(text); !ok || got != f {
			t.Fatalf("%s: got %v, %v", text, got, ok)
		}
	})
}

func TestExponentsBeyondReason(t *testing.T) {
	for _, text := range []string{"1e99999999999999999999", "1e-99999999999999999999", "0e99999999999999999999", "0.1e-9223372036854775808"} {
		if got := (value{text: text}).proto().GetStringValue(); got != text {
			t.Errorf("%s: got %q, want its text", text, got)
		}
	}
}
