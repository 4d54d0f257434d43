package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/internal/verify"
)

type verifyCmd struct {
	URL      string        `arg:"" optional:"" help:"Base of the SCIM endpoint, which Entra calls Tenant URL."`
	Token    string        `help:"Bearer token; better given by the environment, where no list of processes shows it." env:"USHER_VERIFY_TOKEN"`
	Insecure bool          `help:"Take any certificate, and plain http to a host that is not this one."`
	ReadOnly bool          `help:"Send GET alone: nothing is made, changed or removed."`
	Only     []string      `help:"Run these checks or families alone, comma separated." placeholder:"NAME"`
	Format   string        `help:"text, json or junit." enum:"text,json,junit" default:"text"`
	Timeout  time.Duration `help:"How long one request may take." default:"30s"`
	List     bool          `help:"List the checks, with what each asserts, and ask nothing."`
}

// Run asks the endpoint everything and prints what it found. It fails where something fails that Entra or the standard requires.
func (c verifyCmd) Run(ctx context.Context, con console) error {
	if c.List {
		return c.list(con)
	}
	if c.URL == "" {
		return usageError{errors.New("name the URL of the endpoint")}
	}
	text := c.Format == "text"
	var broken error // of the writer
	report, err := verify.Run(ctx, verify.Options{
		URL: c.URL, Token: c.Token, Insecure: c.Insecure, ReadOnly: c.ReadOnly, Only: c.Only, Timeout: c.Timeout,
		Watch: func(r verify.Result) {
			if text {
				_, err := fmt.Fprintln(con.out, r.Line())
				broken = errors.Join(broken, err)
			}
		},
	})
	if errors.Is(err, verify.ErrUsage) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	switch c.Format {
	case "json":
		broken = report.WriteJSON(con.out)
	case "junit":
		broken = report.WriteJUnit(con.out)
	default:
		broken = errors.Join(broken, report.WriteSummary(con.out))
	}
	return errors.Join(broken, report.Err())
}

func (verifyCmd) list(con console) error {
	for _, check := range verify.Checks() {
		if _, err := fmt.Fprintf(con.out, "%s (%s; %s)\n    %s\n", check.Name, check.Severity, check.Source, check.Asserts); err != nil {
			return err
		}
	}
	return nil
}

// usageError is about what was asked for, not about what was found.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
