// Command usher is the SCIM provisioning server and its tools. It owns flags, configuration, exit codes and the text that
// a shell sees; everything it does is done by the rooms below, any of which it may import.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones are checked on machines that have none

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "dev"

// commands is the command line; each field is a command with its own Run.
type commands struct {
	settings

	Serve        serveCmd        `cmd:"" help:"Run the server."`
	Demo         demoCmd         `cmd:"" help:"Run everything in one process with a simulated tenant, and show what happens."`
	Migrate      migrateCmd      `cmd:"" help:"Bring the database schema up to date, or show where it stands."`
	Doctor       doctorCmd       `cmd:"" help:"Check configuration, database and clock, and say what to do."`
	Organization organizationCmd `cmd:"" help:"List and create organizations."`
	Integration  integrationCmd  `cmd:"" help:"List, create, show and remove integrations."`
	Import       importCmd       `cmd:"" help:"Start, follow, apply, discard and undo runs: imports, previews, re-evaluations."`
	Token        tokenCmd        `cmd:"" help:"Create, list and revoke SCIM tokens."`
	Client       clientCmd       `cmd:"" help:"Create, list and delete SCIM clients, their secrets and the issuers that they trust."`
	Entra        entraCmd        `cmd:"" help:"Create, change and off-board people in Entra, their groups and licences."`
	Calendar     calendarCmd     `cmd:"" help:"List calendars, mailboxes and rooms, switch calendars on and off, check permissions."`
	Webhook      webhookCmd      `cmd:"" help:"Tell applications of changes over HTTP: endpoints, deliveries, replays."`
	APIKey       apiKeyCmd       `cmd:"" name:"api-key" help:"Create, list and revoke API keys."`
	Operator     operatorCmd     `cmd:"" help:"Create, list and remove operators of the console."`
	Key          keyCmd          `cmd:"" help:"Make a new secret key, or seal stored secrets anew under the first one."`
	Verify       verifyCmd       `cmd:"" help:"Ask any SCIM endpoint what Entra and the standard ask, and report."`
	Healthcheck  healthcheckCmd  `cmd:"" help:"Ask the server on this machine whether it is alive; for containers."`
	Version      versionCmd      `cmd:"" help:"Print the version."`
}

// console is what a command may write to: results to out, remarks to err.
type console struct {
	out, err io.Writer
	in       io.Reader
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], console{os.Stdout, os.Stderr, os.Stdin})
	stop()
	os.Exit(code)
}

// The exit codes: 0 done, 1 failed, 2 used wrongly.
const (
	exitFailed = 1
	exitUsage  = 2
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, con console) int {
	var cli commands
	left := false
	parser, err := kong.New(&cli, kong.Name("usher"), kong.Description("SCIM provisioning server and calendar bridge for Microsoft Entra ID and Microsoft 365."),
		kong.Writers(con.out, con.err), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(con, &cli.settings),
		kong.Exit(func(int) { left = true }))
	if err != nil {
		_, _ = fmt.Fprintln(con.err, "usher:", err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	if left { // --help was printed
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(con.err, "usher:", err)
		return exitUsage
	}
	work := func() error { return command.Run() }
	if command.Command() == "serve" {
		work = cli.served(ctx, con)
	}
	if err := work(); err != nil {
		_, _ = fmt.Fprintln(con.err, "usher:", err)
		if _, wrong := errors.AsType[usageError](err); wrong {
			return exitUsage
		}
		return exitFailed
	}
	return 0
}

// served runs the server, from copies: kong runs commands with its model of the command line in hand, and half a megabyte of it
// would be held, and looked through by the collector, for as long as the server runs.
func (c *commands) served(ctx context.Context, con console) func() error {
	serve, set := c.Serve, c.settings
	return func() error { return serve.Run(ctx, con, &set) }
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(con console) error {
	_, err := fmt.Fprintln(con.out, "usher", version)
	return err
}
