package filter

import "strings"

// longName is from how many characters on two typing errors are taken for one, not for another name.
const longName = 8

// near is the known name that somebody probably meant, and how far it lies from what was written.
type near struct {
	name     string
	distance int
}

// nearEntity returns the known entity that name nearly is. name is not a known one.
func nearEntity(name string) (near, bool) {
	// Only the case is wrong: "List.category" stands as a heading in the vendor's own reference.
	if lower := strings.ToLower(name); lower != name && openEntity(lower) {
		return near{name: lower}, true
	}
	return nearest(name, entityNames)
}

// nearAction returns the known action that name nearly is. name is not a known one.
func nearAction(name string) (near, bool) { return nearest(name, actionNames) }

// nearEventType returns the event type that name nearly is, as a whole ("relation_created") or because its entity or its action is nearly a
// known one ("y_order.create"). name is not a known one.
func nearEventType(name string) (near, bool) {
	whole, wholeOK := nearest(name, eventTypeNames)
	parts, partsOK := nearParts(name)
	if partsOK && (!wholeOK || parts.distance < whole.distance) {
		return parts, true
	}
	return whole, wholeOK
}

func nearParts(name string) (near, bool) {
	entity, action, ok := splitEventType(name)
	if !ok {
		return near{}, false
	}
	e, a := near{name: entity}, near{name: action}
	found := false
	if !knownEntity(entity) {
		if n, ok := nearEntity(entity); ok {
			e, found = n, true
		}
	}
	if !knownAction(action) {
		if n, ok := nearAction(action); ok {
			a, found = n, true
		}
	}
	return near{name: e.name + "." + a.name, distance: e.distance + a.distance}, found
}

// nearest returns the closest of the known names that is close enough, the first of the alphabet among equals. Case is no distance.
func nearest(name string, known []string) (near, bool) {
	written := []rune(strings.ToLower(name))
	limit := 1
	if len(written) >= longName {
		limit = 2
	}
	best, found := near{}, false
	for _, k := range known {
		if len(written) > len(k)+limit || len(k) > len(written)+limit {
			continue
		}
		if d := distance(written, k); d <= limit {
			best, found = near{name: k, distance: d}, true
			limit = d - 1 // only a closer one is better
		}
	}
	return best, found
}

// longestKnown bounds the known names, so that comparing needs no memory. A test keeps it.
const longestKnown = 31

// distance is how many typing errors lie between a and the known name b: a letter too many, too few or wrong, or two neighbours swapped. It
// is the restricted Damerau-Levenshtein distance, in which no letter is touched twice. b is ASCII.
func distance(a []rune, b string) int {
	var rows [3][longestKnown + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == rune(b[j-1]) {
				wrong = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == rune(b[j-2]) && a[i-2] == rune(b[j-1]) {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
