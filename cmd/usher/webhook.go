package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"usher/internal/app"
	"usher/model"
	"usher/model/store"
)

type webhookCmd struct {
	Create     webhookCreate     `cmd:"" help:"Tell a URL of changes; prints the secret, this once."`
	List       webhookList       `cmd:"" help:"List endpoints, with how they get on."`
	Test       webhookTest       `cmd:"" help:"Send a test message; a server sends it."`
	Deliveries webhookDeliveries `cmd:"" help:"List the deliveries of an endpoint, the newest first."`
	Resend     webhookResend     `cmd:"" help:"Send a message again."`
	Replay     webhookReplay     `cmd:"" help:"Tell a range of the change feed again."`
	Rotate     webhookRotate     `cmd:"" help:"Replace the secret; both sign for a day. Prints the new one, this once."`
	Pause      webhookPause      `cmd:"" help:"Hold an endpoint; nothing is lost."`
	Resume     webhookResume     `cmd:"" help:"Go on, with everything that was missed."`
	Delete     webhookDelete     `cmd:"" help:"Delete an endpoint."`
}

type webhookCreate struct {
	scope
	URL         string   `arg:"" help:"Where messages are posted to."`
	Types       []string `help:"Types of changes, such as account.*; everything without it."`
	Integration string   `help:"Only changes of this integration."`
	Description string   `help:"What it is for."`
}

// Run makes an endpoint.
func (c webhookCreate) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		in := model.WebhookEndpoint{OrganizationID: o.ID, URL: c.URL, Types: c.Types, Description: c.Description}
		if c.Integration != "" {
			in.IntegrationID = &c.Integration
		}
		e, text, err := a.Service.CreateWebhookEndpoint(ctx, in)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(con.out, "endpoint %s\nsecret %s\n", e.ID, text)
		return err
	})
}

type webhookList struct{ scope }

// Run lists endpoints.
func (c webhookList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "URL", "TYPES", "STATE", "LAST SUCCESS", "ERROR"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.WebhookEndpoint, error) {
			return a.Store.Read(ctx).WebhookEndpointsAfter(o.ID, "", listMax)
		},
		func(e model.WebhookEndpoint) []string {
			problem := e.Reason
			if problem == "" && e.FailingSince != nil {
				problem = e.LastError
			}
			return []string{e.ID, e.URL, strings.Join(e.Types, ","), string(e.State), shortTime(e.LastSuccessAt), problem}
		})
}

// oneEndpoint names an endpoint.
type oneEndpoint struct {
	scope
	Endpoint string `arg:"" help:"Id of the endpoint."`
}

func (c oneEndpoint) do(ctx context.Context, con console, s *settings, fn func(context.Context, *app.App, string) (done string, err error)) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		done, err := fn(ctx, a, o.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(con.out, done)
		return err
	})
}

type webhookTest struct{ oneEndpoint }

// Run sends a test message.
func (c webhookTest) Run(ctx context.Context, con console, s *settings) error {
	return c.do(ctx, con, s, func(ctx context.Context, a *app.App, org string) (string, error) {
		d, err := a.Service.TestWebhookEndpoint(ctx, org, c.Endpoint)
		return "delivery " + d.ID + "; see `usher webhook deliveries`", err
	})
}

type webhookDeliveries struct {
	oneEndpoint
	State string `help:"Only those that are pending, delivered or failed." enum:",pending,delivered,failed" default:""`
}

// Run lists deliveries.
func (c webhookDeliveries) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "MESSAGE", "TYPE", "SUBJECT", "STATE", "ATTEMPTS", "LAST"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.WebhookDelivery, error) {
			if _, err := a.Store.Read(ctx).WebhookEndpoint(o.ID, c.Endpoint); err != nil {
				return nil, err
			}
			return a.Store.Read(ctx).WebhookDeliveriesBefore(o.ID, c.Endpoint, store.DeliveryFilter{State: model.DeliveryState(c.State)}, "", listMax)
		},
		func(d model.WebhookDelivery) []string {
			last := ""
			if n := len(d.Attempts); n > 0 {
				if last = d.Attempts[n-1].Error; last == "" {
					last = strconv.Itoa(d.Attempts[n-1].Status)
				}
			}
			return []string{d.ID, d.MessageID, string(d.Type), d.Subject, string(d.State), strconv.Itoa(len(d.Attempts)), last}
		})
}

type webhookResend struct {
	oneEndpoint
	Delivery string `arg:"" help:"Id of the delivery."`
}

// Run has a message sent again.
func (c webhookResend) Run(ctx context.Context, con console, s *settings) error {
	return c.do(ctx, con, s, func(ctx context.Context, a *app.App, org string) (string, error) {
		_, err := a.Service.ResendWebhook(ctx, org, c.Endpoint, c.Delivery)
		return "a server sends it", err
	})
}

type webhookReplay struct {
	oneEndpoint
	From int64 `arg:"" help:"The first change's place in the feed."`
	To   int64 `arg:"" optional:"" help:"The last one's; the end of the feed without it."`
}

// Run has a range told again.
func (c webhookReplay) Run(ctx context.Context, con console, s *settings) error {
	return c.do(ctx, con, s, func(ctx context.Context, a *app.App, org string) (string, error) {
		to := c.To
		if to == 0 {
			to = math.MaxInt64
		}
		e, err := a.Service.ReplayWebhooks(ctx, org, c.Endpoint, c.From, to)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("changes %d to %d are told again", c.From, *e.ReplayUntil), nil
	})
}

type webhookRotate struct{ oneEndpoint }

// Run replaces the secret.
func (c webhookRotate) Run(ctx context.Context, con console, s *settings) error {
	return c.do(ctx, con, s, func(ctx context.Context, a *app.App, org string) (string, error) {
		return a.Service.RotateWebhookSecret(ctx, org, c.Endpoint)
	})
}

func (c oneEndpoint) turn(ctx context.Context, con console, s *settings, state model.WebhookState) error {
	return c.do(ctx, con, s, func(ctx context.Context, a *app.App, org string) (string, error) {
		e, err := a.Service.ChangeWebhookEndpoint(ctx, org, c.Endpoint, func(e *model.WebhookEndpoint) { e.State = state })
		return string(e.State), err
	})
}

type webhookPause struct{ oneEndpoint }

// Run holds an endpoint.
func (c webhookPause) Run(ctx context.Context, con console, s *settings) error {
	return c.turn(ctx, con, s, model.WebhookPaused)
}

type webhookResume struct{ oneEndpoint }

// Run lets an endpoint go on.
func (c webhookResume) Run(ctx context.Context, con console, s *settings) error {
	return c.turn(ctx, con, s, model.WebhookActive)
}

type webhookDelete struct{ oneEndpoint }

// Run deletes an endpoint.
func (c webhookDelete) Run(ctx context.Context, con console, s *settings) error {
	return c.do(ctx, con, s, func(ctx context.Context, a *app.App, org string) (string, error) {
		return "deleted", a.Service.DeleteWebhookEndpoint(ctx, org, c.Endpoint)
	})
}
