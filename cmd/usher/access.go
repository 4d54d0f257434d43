package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"usher/internal/app"
	"usher/internal/secret"
	"usher/model"
)

type apiKeyCmd struct {
	Create apiKeyCreate `cmd:"" help:"Create an API key; it is shown this once."`
	List   apiKeyList   `cmd:"" help:"List API keys."`
	Revoke apiKeyRevoke `cmd:"" help:"Revoke an API key."`
}

type apiKeyCreate struct {
	scope
	Name      string        `arg:"" help:"What the key is for."`
	Rights    []string      `help:"Rights of the key, comma separated." default:"read"`
	ExpiresIn time.Duration `help:"How long it is good for, such as 8760h; without end where left out."`
}

// Run creates an API key.
func (c apiKeyCreate) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		row, text, err := a.Service.CreateAPIKey(ctx, o.ID, c.Name, rights(c.Rights), in(c.ExpiresIn))
		if err != nil {
			return err
		}
		return c.print(con.out, map[string]any{"id": row.ID, "key": text, "rights": row.Rights, "expires_at": row.ExpiresAt},
			[]string{"ID", "KEY"}, [][]string{{row.ID, text}})
	})
}

func rights(names []string) []model.Right {
	list := make([]model.Right, len(names))
	for i, n := range names {
		list[i] = model.Right(n)
	}
	return list
}

type apiKeyList struct{ scope }

// Run lists API keys, without their texts.
func (c apiKeyList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "NAME", "RIGHTS", "LAST USED", "EXPIRES"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.APIKey, error) {
			return a.Store.Read(ctx).APIKeysAfter(o.ID, "", listMax)
		},
		func(k model.APIKey) []string {
			return []string{k.ID, k.Name, fmt.Sprint(k.Rights), when(k.LastUsedAt), when(k.ExpiresAt)}
		})
}

type apiKeyRevoke struct {
	scope
	ID string `arg:"" help:"Id of the key."`
}

// Run revokes an API key.
func (c apiKeyRevoke) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if err := a.Service.DeleteAPIKey(ctx, o.ID, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(con.out, "revoked", c.ID)
		return err
	})
}

type operatorCmd struct {
	Create   operatorCreate   `cmd:"" help:"Create an operator; the password is read from standard input."`
	Password operatorPassword `cmd:"" help:"Set an operator's password; it is read from standard input."`
	List     operatorList     `cmd:"" help:"List operators."`
	Remove   operatorRemove   `cmd:"" help:"Remove an operator."`
}

type operatorCreate struct {
	scope
	Email  string   `arg:"" help:"E-mail, by which the operator signs in."`
	Name   string   `help:"Name; the e-mail where left out."`
	Rights []string `help:"Rights, comma separated." default:"all"`
}

// Run creates an operator.
func (c operatorCreate) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, org model.Organization) error {
		password, err := readPassword(con)
		if err != nil {
			return err
		}
		name := c.Name
		if name == "" {
			name = c.Email
		}
		o, err := a.Service.CreateOperator(ctx, org.ID, c.Email, name, password, rights(c.Rights))
		if err != nil {
			return err
		}
		return c.print(con.out, o, []string{"ID", "E-MAIL", "RIGHTS"}, [][]string{{o.ID, o.Email, fmt.Sprint(o.Rights)}})
	})
}

// readPassword reads one line, so that a password stands neither in the process list nor in the shell's history.
func readPassword(con console) (string, error) {
	_, _ = fmt.Fprintln(con.err, "password (one line on standard input):")
	line, err := bufio.NewReader(con.in).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if (err != nil && !errors.Is(err, io.EOF)) || line == "" {
		return "", errors.New("no password on standard input")
	}
	return line, nil
}

type operatorPassword struct {
	scope
	Email string `arg:"" help:"E-mail of the operator."`
}

// Run sets a password.
func (c operatorPassword) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		password, err := readPassword(con)
		if err != nil {
			return err
		}
		if err := a.Service.SetOperatorPassword(ctx, o.ID, c.Email, password); err != nil {
			return err
		}
		_, err = fmt.Fprintln(con.out, "password set for", c.Email)
		return err
	})
}

type operatorList struct{ scope }

// Run lists operators.
func (c operatorList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "E-MAIL", "NAME", "RIGHTS"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.Operator, error) {
			return a.Store.Read(ctx).OperatorsAfter(o.ID, "", listMax)
		},
		func(o model.Operator) []string { return []string{o.ID, o.Email, o.Name, fmt.Sprint(o.Rights)} })
}

type operatorRemove struct {
	scope
	Email string `arg:"" help:"E-mail of the operator."`
}

// Run removes an operator.
func (c operatorRemove) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if err := a.Service.DeleteOperator(ctx, o.ID, c.Email); err != nil {
			return err
		}
		_, err := fmt.Fprintln(con.out, "removed", c.Email)
		return err
	})
}

type keyCmd struct {
	New    keyNew    `cmd:"" help:"Print a new secret key."`
	Rotate keyRotate `cmd:"" help:"Seal every stored secret anew under the first key, so that older keys can go."`
}

type keyNew struct{}

// Run prints a key.
func (keyNew) Run(con console) error {
	_, err := fmt.Fprintln(con.out, secret.NewKey())
	return err
}

type keyRotate struct{}

// Run seals secrets anew.
func (keyRotate) Run(ctx context.Context, con console, s *settings) error {
	a, err := open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	n, err := a.Service.Reseal(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.out, "%d secrets were sealed under key %s; tokens and API keys keep the key they were made with, so keep older keys until those are replaced\n",
		n, a.Service.Keys.KeyID())
	return err
}
