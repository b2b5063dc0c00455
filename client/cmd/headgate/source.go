package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // so that time zones are known where there is none of the tz database, as on Windows
)

type sourceCommand struct {
	New sourceNewCommand `cmd:"" help:"Make a source: its configuration, a fresh secret, and the request that registers the webhook in the CRM."`
}

type sourceNewCommand struct {
	Name       string `arg:"" help:"What to call it. It becomes the end of the webhook's URL."`
	Context    texts  `placeholder:"NAME" required:"" help:"The tenant it may speak for, such as Cust12345, or Default for an on-site CRM."`
	TimeZone   text   `placeholder:"ZONE" required:"" help:"The zone of the tenant's dates, such as Europe/Oslo."`
	URL        text   `placeholder:"URL" required:"" help:"The gateway's public address as the CRM reaches it, such as https://hooks.example.com."`
	Event      texts  `placeholder:"NAME" default:"relation.created,relation.changed,relation.deleted,associate.created,associate.changed,associate.deleted" help:"The events to register for."`
	SecretFile string `placeholder:"FILE" type:"path" help:"Write the secret to this new file. Default: secrets/NAME."`
}

// Run writes the secret to a file of its own, readable by its owner only, and prints everything else.
func (c *sourceNewCommand) Run(std *stdio) error {
	base, err := url.Parse(string(c.URL))
	if err != nil || base.Scheme != "https" || base.Host == "" || base.RawQuery != "" {
		return usagef("--url %s: the CRM posts to https addresses only, such as https://hooks.example.com", printable(string(c.URL)))
	}
	if _, err := time.LoadLocation(string(c.TimeZone)); err != nil {
		return usagef("--time-zone %s: no such zone; write it like Europe/Oslo", printable(string(c.TimeZone)))
	}
	if !isSourceName(c.Name) {
		return usagef("%s: a source's name has up to 63 small letters, digits and hyphens", printable(c.Name))
	}
	file := c.SecretFile
	if file == "" {
		file = "secrets/" + c.Name
	}
	secret := randomText()
	if err := writeSecret(file, secret); err != nil {
		return err
	}
	request, err := json.MarshalIndent(registration{
		Name: "Headgate " + c.Name, Events: c.Event, TargetURL: base.JoinPath("webhooks", "superoffice", c.Name).String(),
		Secret: secret, State: "Active", Type: "webhook",
	}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, `for the gateway's configuration, which is read again when it changes:

sources:
  %s:
    contexts: [%s]
    time_zone: %s
    secrets:
      - {id: a, file: %s}

When the gateway has it, send this to the CRM, once for each tenant; it answers by posting a test call, which headgate sources shows:

POST /api/v1/Webhook
Content-Type: application/json

%s
`, c.Name, strings.Join(c.Context, ", "), c.TimeZone, file, request)
	return err
}

// registration is the body with which the CRM's REST API creates a webhook, as its vendor documents it.
type registration struct {
	Name      string
	Events    []string
	TargetURL string `json:"TargetUrl"`
	Secret    string
	State     string
	Type      string
}

// writeSecret never overwrites: the file may hold the secret that is in use.
func writeSecret(path, secret string) error {
	if i := strings.LastIndexByte(path, os.PathSeparator); i > 0 {
		if err := os.MkdirAll(path[:i], 0o700); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists and may be in use: choose another with --secret-file, and list both while the CRM changes over", path)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(secret + "\n")
	return errors.Join(err, f.Close())
}

func isSourceName(name string) bool {
	ok := len(name) >= 1 && len(name) <= 63 && name[0] != '-'
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	return ok
}
