package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

type sendCommand struct {
	Names       []string  `arg:"" optional:"" name:"name" help:"The samples to send, for example relation.created."`
	URL         string    `name:"url" env:"HEADGATE_URL" default:"http://127.0.0.1:8080/webhooks/superoffice/dev" placeholder:"URL" help:"Where to. Default: ${default}."`
	SecretFile  string    `env:"HEADGATE_SECRET_FILE" type:"existingfile" placeholder:"FILE" help:"File that holds the source's secret, to sign with; else HEADGATE_SECRET is taken."`
	File        []string  `type:"path" sep:"none" placeholder:"FILE" help:"Send this file's contents; - means standard input."`
	AsIs        bool      `help:"Send the bodies byte for byte. Otherwise each gets an EventId and a Timestamp of its own."`
	Count       int       `default:"1" placeholder:"N" help:"Send each so often, for another record each time. Default: ${default}."`
	Rate        perSecond `placeholder:"N/s" help:"Send no more than so many in a second."`
	Concurrency int       `default:"1" placeholder:"N" help:"Send so many at a time. Default: ${default}."`
	List        bool      `help:"List the names of the samples."`
}

// Run sends every payload count times and reports the answers.
func (c *sendCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	if c.List {
		_, err := fmt.Fprintln(std.out, strings.Join(sampleNames(), "\n"))
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	payloads, err := c.payloads(std)
	if err != nil {
		return err
	}
	secret, err := c.secret()
	if err != nil {
		return err
	}
	certificates, err := g.tls()
	if err != nil {
		return err
	}
	post := newPoster(c.URL, secret, certificates, c.Concurrency)
	defer post.close()
	report := newReport(std, len(payloads)*c.Count)
	if err := c.sendAll(ctx, post, payloads, report); err != nil {
		return err
	}
	return report.finish(c.URL, secret != nil)
}

// sendAll returns when every answer has been reported, or ctx has ended.
func (c *sendCommand) sendAll(ctx context.Context, post *poster, payloads []payload, report *report) error {
	sending, ctx := errgroup.WithContext(ctx)
	sending.SetLimit(c.Concurrency)
	pace := rate.NewLimiter(rate.Inf, 1)
	if c.Rate > 0 {
		pace.SetLimit(rate.Limit(c.Rate))
	}
	for n := range c.Count {
		for _, load := range payloads {
			if pace.Wait(ctx) != nil {
				return sending.Wait()
			}
			sending.Go(func() error { return c.sendOne(ctx, post, load, n, report) })
		}
	}
	return sending.Wait()
}

// sendOne sends the nth of its kind. Only what keeps the report from being written is an error.
func (c *sendCommand) sendOne(ctx context.Context, post *poster, load payload, n int, report *report) error {
	if !c.AsIs {
		var err error
		if load, err = load.fresh(n); err != nil {
			return err
		}
	}
	status, text, err := post.post(ctx, load)
	if ctx.Err() != nil {
		return nil // nobody waits for the answer any more
	}
	return report.add(load, status, text, err)
}

func (c *sendCommand) check() error {
	if len(c.Names)+len(c.File) == 0 {
		return usagef("say what to send: a sample (see headgate send --list) or a --file")
	}
	if c.Count < 1 || c.Concurrency < 1 {
		return usagef("--count and --concurrency begin at 1")
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return usagef("--url %q: want http://HOST:PORT/webhooks/superoffice/SOURCE", c.URL)
	}
	return nil
}

func (c *sendCommand) payloads(std *stdio) ([]payload, error) {
	var all []payload
	for _, name := range c.Names {
		p, err := loadSample(name)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	for _, path := range c.File {
		p, err := loadFile(path, std.in, c.AsIs)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// secret reads the secret as the gateway does: without the line break that editors leave at the end of a file.
func (c *sendCommand) secret() ([]byte, error) {
	text := os.Getenv("HEADGATE_SECRET")
	if c.SecretFile != "" {
		content, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return nil, err
		}
		text = strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
		if text == "" {
			return nil, fmt.Errorf("%s is empty: put the source's secret into it", c.SecretFile)
		}
	}
	if text == "" {
		return nil, nil
	}
	return []byte(text), nil
}
