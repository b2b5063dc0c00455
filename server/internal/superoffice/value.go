package superoffice

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// value is one JSON value. The zero value stands for a key that is absent.
type value struct {
	text string          // the JSON text of a scalar
	tree *structpb.Value // an object or an array
}

// isNull reports whether there is nothing: an absent key, or null.
func (v value) isNull() bool { return v.tree == nil && (v.text == "" || v.text == "null") }

// str returns the content of a string.
func (v value) str() (string, bool) {
	if v.text == "" || v.text[0] != '"' {
		return "", false
	}
	if !strings.Contains(v.text, `\`) {
		return v.text[1 : len(v.text)-1], true
	}
	s, err := jsontext.AppendUnquote(nil, v.text)
	return string(s), err == nil
}

// integer returns a whole number of 32 bits, written as a number or as a string.
func (v value) integer() (int32, bool) {
	if s, ok := v.str(); ok {
		return parseInt32(s)
	}
	return parseInt32(v.text)
}

// flag returns a truth value, written as true or false, or as the integers 1 or 0.
func (v value) flag() (on, ok bool) {
	if v.text == "true" || v.text == "false" {
		return v.text == "true", true
	}
	n, ok := v.integer()
	return n == 1, ok && (n == 0 || n == 1)
}

// date returns a date and time in UTC; nil, and true, when it is the CRM's way of saying never. A date without a zone is one in loc.
func (v value) date(loc *time.Location) (*timestamppb.Timestamp, bool) {
	s, ok := v.str()
	if !ok {
		return nil, false
	}
	t, ok := parseDate(s, loc)
	if !ok || t.IsZero() {
		return nil, ok
	}
	ts := timestamppb.New(t)
	return ts, ts.IsValid()
}

// found names what stands there, for the text of a problem. It never tells the value itself.
func (v value) found() string {
	switch {
	case v.tree.GetListValue() != nil:
		return "an array"
	case v.tree != nil:
		return "an object"
	case v.text == "":
		return "nothing"
	case v.text[0] == '"':
		return "a string"
	case v.text[0] == 'n':
		return "null"
	case v.text[0] == 't', v.text[0] == 'f':
		return "a boolean"
	}
	return "a number"
}

// proto returns the value as Event.fields holds it.
func (v value) proto() *structpb.Value {
	if v.tree != nil {
		return v.tree
	}
	if s, ok := v.str(); ok {
		return structpb.NewStringValue(s)
	}
	switch v.text {
	case "", "null":
		return structpb.NewNullValue()
	case "true", "false":
		return structpb.NewBoolValue(v.text == "true")
	}
	if f, ok := exactFloat(v.text); ok {
		return structpb.NewNumberValue(f)
	}
	return structpb.NewStringValue(v.text)
}

// parseInt32 reads a whole number as JSON writes it. A fraction of zeros is allowed, as some serializer may hold it for a decimal;
// an exponent, a plus sign and leading zeros are not.
func parseInt32(s string) (int32, bool) {
	whole, fraction, hasFraction := strings.Cut(s, ".")
	if hasFraction && (fraction == "" || strings.Trim(fraction, "0") != "") {
		return 0, false
	}
	digits := strings.TrimPrefix(whole, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 32)
	return int32(n), err == nil
}

// maxExact is the largest number up to which a double holds every integer.
const maxExact = 1 << 53

// exactFloat returns the double that a JSON number stands for, if that loses nothing: the number is within the range in which a double
// holds every integer, and the shortest decimal that names the double has the same digits.
func exactFloat(number string) (float64, bool) {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.Abs(f) > maxExact {
		return 0, false
	}
	// Fifteen digits always survive.
	if len(number) <= 15 && !strings.ContainsAny(number, "eE") {
		return f, true
	}
	digits, exp, ok := decimal(number)
	digits2, exp2, _ := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	return f, ok && digits == digits2 && exp == exp2
}

// decimal takes a JSON number without its sign apart: digits × 10^exp, with no zero at either end of digits. Zero has no digits. It
// fails when the exponent is beyond all reason.
func decimal(number string) (digits string, exp int, ok bool) {
	number = strings.TrimPrefix(number, "-")
	if e := strings.IndexAny(number, "eE"); e >= 0 {
		n, err := strconv.Atoi(number[e+1:])
		if err != nil {
			return "", 0, false
		}
		number, exp = number[:e], n
	}
	whole, fraction, _ := strings.Cut(number, ".")
	all := whole + fraction
	digits = strings.TrimRight(all, "0")
	exp += len(all) - len(digits) - len(fraction)
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		exp = 0
	}
	return digits, exp, true
}
