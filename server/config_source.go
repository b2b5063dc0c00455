package server

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that time zones are known in an image that holds nothing but the binary

	"go.yaml.in/yaml/v3"
)

func (l *loader) sources(n *yaml.Node, path string) map[string]Source {
	sources := map[string]Source{}
	l.pairs(n, path, plainName.MatchString, func(key, val *yaml.Node, at string) {
		if !plainName.MatchString(key.Value) {
			l.refuse(key, at, badSourceName)
			return
		}
		sources[key.Value] = l.source(val, at)
	})
	return sources
}

func (l *loader) source(n *yaml.Node, path string) Source {
	var s Source
	l.mapping(n, path, map[string]field{
		"contexts": l.texts(&s.Contexts),
		"time_zone": func(n *yaml.Node, path string) {
			text, ok := l.scalar(n, path)
			if !ok {
				return
			}
			loc, err := loadZone(text)
			if err != nil {
				l.refuse(n, path, "%s", err)
			}
			s.Location = loc
		},
		"tables": func(n *yaml.Node, path string) { s.Tables = l.tables(n, path) },
		"secrets": func(n *yaml.Node, path string) {
			l.list(n, path, func(item *yaml.Node, at string) { s.Secrets = append(s.Secrets, l.secret(item, at)) })
		},
		"allow_addresses": l.prefixes(&s.AllowAddresses),
		// A date is meant to be the last day on which the secret is awaited.
		"awaiting_secret_until": func(n *yaml.Node, path string) { s.AwaitingSecretUntil = l.moment(n, path, day) },
	})
	return s
}

func loadZone(name string) (*time.Location, error) {
	loc, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") {
		return nil, errors.New("is not a time zone; use a name of the tz database, like Europe/Oslo")
	}
	return loc, nil
}

var tableName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (l *loader) tables(n *yaml.Node, path string) map[int32]string {
	tables := map[int32]string{}
	l.pairs(n, path, isTable, func(key, val *yaml.Node, at string) {
		if !isTable(key.Value) {
			l.refuse(key, at, "is not a table number; write them like {5: contact}")
			return
		}
		number, _ := strconv.ParseInt(key.Value, 10, 32)
		name, ok := l.scalar(val, at)
		if ok && !tableName.MatchString(name) {
			l.refuse(val, at, "is not an entity; use a name like contact, in small letters")
		}
		if other, ok := tables[int32(number)]; ok {
			l.refuse(key, at, "table %d is already %s; remove one", number, other)
		}
		tables[int32(number)] = name
	})
	return tables
}

func isTable(text string) bool {
	number, err := strconv.ParseInt(text, 10, 32)
	return err == nil && number >= 1
}

func (l *loader) secret(n *yaml.Node, path string) Secret {
	var s Secret
	var file, variable string
	inline := func(n *yaml.Node, path string) {
		l.refuse(n, path, "a secret must not stand in the configuration; write it to a file and give file: its name, or put it in an environment variable and give env: the variable's name")
	}
	before := len(l.problems)
	l.mapping(n, path, map[string]field{
		"id":         l.into(&s.ID),
		"file":       l.into(&file),
		"env":        l.into(&variable),
		"not_before": func(n *yaml.Node, path string) { s.NotBefore = l.moment(n, path, 0) },
		// A date is meant to be the last day on which the secret is valid.
		"not_after": func(n *yaml.Node, path string) { s.NotAfter = l.moment(n, path, day) },
		"secret":    inline,
		"value":     inline,
		"key":       inline,
	})
	if len(l.problems) > before {
		return s
	}
	if file == "" && variable == "" {
		l.problems.add(path, "has no secret; give file: the name of the file that holds it, or env: the environment variable")
		return s
	}
	at, key, err := l.held(file, variable, path, "the webhook's secret", checkSecret)
	if err != nil {
		l.problems.add(at, "%s", err)
	}
	s.Key = key
	return s
}

// held returns the secret that a file or an environment variable holds; what says what it should be, and at where the configuration names it.
func (l *loader) held(file, variable, path, what string, check func(SecretKey) error) (at string, key SecretKey, err error) {
	switch {
	case file != "" && variable != "":
		return path, nil, errors.New("has both file and env; keep one")
	case file != "":
		key, err = l.secretFromFile(file, path+".file", what, check)
		return path + ".file", key, err
	}
	key, err = l.secretFromEnv(variable, what, check)
	return path + ".env", key, err
}

func (l *loader) secretFromFile(file, at, what string, check func(SecretKey) error) (SecretKey, error) {
	path := l.fromDir(file)
	l.warnOpen(path, at)
	data, err := l.read(path, maxSecretBytes, what)
	if err != nil {
		return nil, err
	}
	key := trimNewline(data)
	if err := check(key); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (l *loader) secretFromEnv(variable, what string, check func(SecretKey) error) (SecretKey, error) {
	if !variableName.MatchString(variable) {
		return nil, errors.New("this is not the name of an environment variable; give the variable's name, not what it holds")
	}
	text, ok := l.env(variable)
	if !ok {
		return nil, fmt.Errorf("there is no environment variable of this name; put %s in it, or correct the name", what)
	}
	key := trimNewline([]byte(text))
	if err := check(key); err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", variable, err)
	}
	return key, nil
}

// moment reads a date or an RFC 3339 time. A date means its midnight in UTC and offset later.
func (l *loader) moment(n *yaml.Node, path string, offset time.Duration) time.Time {
	text, ok := l.scalar(n, path)
	if !ok {
		return time.Time{}
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.Add(offset)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		l.refuse(n, path, "is not a date; write 2026-12-31 or 2026-12-31T23:59:59Z")
	}
	return t.UTC()
}
