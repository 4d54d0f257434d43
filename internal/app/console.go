package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"time"

	"usher/directory"
	"usher/internal/jobs"
	"usher/model"
	"usher/web/console"
)

// console makes the administrators' console.
func (a *App) console(room console.Room) *console.Console {
	return console.New(console.Options{
		Service: a.Service, Calendars: a.Calendars, PublicURL: a.Config.PublicURL, Version: a.Config.Version, Logger: a.log,
		Room: room, Stopping: a.stopping, Graph: a.doors, Jobs: jobCounts{a.queue}, Entra: a.Config.entraSignIn(), Facts: a.Config.facts(),
	})
}

// entraSignIn gives the application that operators sign in with, nil where none is configured.
func (c *Config) entraSignIn() *console.EntraSignIn {
	if c.SignInClientID == "" {
		return nil
	}
	root := "https://login.microsoftonline.com"
	if c.LoginURL != "" {
		root = strings.TrimRight(c.LoginURL, "/")
	}
	return &console.EntraSignIn{
		Issuer: root + "/" + c.SignInTenant + "/v2.0", TenantID: c.SignInTenant, ClientID: c.SignInClientID,
		ClientSecret: c.SignInClientSecret, Client: loginClient(c.LoginCA),
	}
}

// checkSignIn refuses half a configuration of signing in with Entra.
func (c *Config) checkSignIn() error {
	set := 0
	for _, text := range []string{c.SignInTenant, c.SignInClientID, c.SignInClientSecret} {
		if text != "" {
			set++
		}
	}
	if set != 0 && set != 3 {
		return fmt.Errorf("sign-in-tenant, sign-in-client-id and sign-in-client-secret go together")
	}
	if c.SignInTenant != "" && !directory.IsTenantID(c.SignInTenant) {
		return fmt.Errorf("sign-in-tenant: %q is not the id of a tenant", c.SignInTenant)
	}
	return nil
}

// facts are what the console tells of the configuration; nothing of it is secret.
func (c *Config) facts() []console.Fact {
	database := "SQLite, in one file"
	if !strings.HasPrefix(c.DatabaseURL, "sqlite:") {
		database = "PostgreSQL"
	}
	list := []console.Fact{
		{Name: "Public URL", Value: c.PublicURL, Help: "the base of every address that is handed out (USHER_PUBLIC_URL)"},
		{Name: "Database", Value: database, Help: "USHER_DATABASE_URL"},
		{Name: "SCIM request log", Value: fmt.Sprintf("%s, kept %d days", c.SCIMLog, c.SCIMLogDays), Help: "USHER_SCIM_LOG, USHER_SCIM_LOG_DAYS"},
		{
			Name: "Journals", Value: fmt.Sprintf("the activity log is kept %d days, changes and deliveries %d days", c.ActivityDays, c.FeedDays),
			Help: "USHER_ACTIVITY_DAYS, USHER_FEED_DAYS",
		},
		{Name: "Calendars are read anew", Value: "every " + c.CalendarSweep.String(), Help: "USHER_CALENDAR_SWEEP"},
		{Name: "Subscriptions are compared", Value: "every " + c.SubscriptionCheck.String(), Help: "USHER_SUBSCRIPTION_CHECK"},
	}
	entra := "off"
	if c.SignInClientID != "" {
		entra = "tenant " + c.SignInTenant
	}
	return append(list, console.Fact{Name: "Sign-in with Entra", Value: entra, Help: "USHER_SIGN_IN_TENANT, USHER_SIGN_IN_CLIENT_ID, USHER_SIGN_IN_CLIENT_SECRET"})
}

// FirstOperatorURL gives a link with which somebody becomes the first operator of the default organization, "" where there is
// one.
func (a *App) FirstOperatorURL(ctx context.Context) (string, error) {
	org, err := a.Store.Read(ctx).Organization(model.DefaultOrganization)
	if err != nil {
		return "", err
	}
	token, err := a.Service.FirstOperatorLink(ctx, org.ID)
	if err != nil || token == "" {
		return "", err
	}
	return a.welcomeURL(token), nil
}

// OperatorURL makes an operator with every right in the default organization, where there is none of that e-mail, and gives a link
// with which one signs in as that operator.
func (a *App) OperatorURL(ctx context.Context, email, name string) (string, error) {
	org, err := a.Store.Read(ctx).Organization(model.DefaultOrganization)
	if err != nil {
		return "", err
	}
	by := model.Operator{OrganizationID: org.ID, Rights: []model.Right{model.RightAll}}
	o, err := a.Store.Read(ctx).OperatorByEmail(org.ID, email)
	if model.KindOf(err) == model.NotFound && err != nil {
		o, _, err = a.Service.InviteOperator(ctx, by, email, name, by.Rights)
	}
	if err != nil {
		return "", err
	}
	token, err := a.Service.RenewOperatorLink(ctx, by, o.ID, model.LinkSignIn)
	return a.welcomeURL(token), err
}

func (a *App) welcomeURL(token string) string {
	return a.Config.PublicURL + console.Base + "/welcome?token=" + token
}

// signInTime bounds a question to Entra while somebody waits to be signed in.
const signInTime = 10 * time.Second

// loginClient gives a client that trusts the authorities as well that a stand-in for Entra has.
func loginClient(more *x509.CertPool) *http.Client {
	if more == nil {
		return &http.Client{Timeout: signInTime}
	}
	return &http.Client{Timeout: signInTime, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: more, MinVersion: tls.VersionTLS12}}}
}

// jobCounts tells the console what the queue holds.
type jobCounts struct{ queue *jobs.Queue }

// JobCounts counts the jobs of the installation by kind and state.
func (j jobCounts) JobCounts(ctx context.Context) ([]console.JobCount, error) {
	counts, err := j.queue.Counts(ctx)
	list := make([]console.JobCount, len(counts))
	for i, c := range counts {
		list[i] = console.JobCount(c)
	}
	return list, err
}
