// Command bench measures Usher as Microsoft Entra's provisioning service drives it.
//
// By itself it starts a durable throw-away PostgreSQL, builds and starts Usher on
// one database and the floor (bench/floor) on another, loads both, and runs every
// operation against them in turns. It prints a report as Markdown and fails if an
// answer was wrong or an acknowledged write was lost. It owns the run: flags,
// processes, the order of the rounds. It imports its own sub-packages,
// internal/pgtest, internal/simulator and the standard library; Usher itself it
// only starts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"usher/bench/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// errWrong ends a run that measured well but found the target wanting.
var errWrong = errors.New("there were errors; see the report")

func run(ctx context.Context, arguments []string, output, progress io.Writer) error {
	o, err := parse(arguments, progress)
	if err != nil {
		return err
	}
	if o.floorServe != "" {
		return serveFloor(ctx, o.floorServe)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.maxTime, fmt.Errorf("not done after -max-time %s", o.maxTime))
	defer cancel()
	b := &bench{options: o, progress: progress}
	err = b.run(ctx, output)
	if cause := context.Cause(ctx); cause != nil {
		err = errors.Join(cause, err)
	}
	return errors.Join(err, b.close())
}

// run does what the phases ask for and writes the reports.
func (b *bench) run(ctx context.Context, output io.Writer) error {
	if err := b.start(ctx); err != nil {
		return err
	}
	wrong := false
	if phases := b.options.loadPhases(); len(phases) > 0 {
		measured, err := b.measure(ctx)
		if err != nil {
			return err
		}
		wrong = measured.Failed()
		if err := b.publish(output, "load", measured.Markdown()); err != nil {
			return err
		}
	}
	if b.options.has(phaseCalendars) && b.options.target == "" {
		measured, err := b.calendars(ctx)
		if err != nil {
			return err
		}
		if err := b.publish(output, phaseCalendars, measured.Markdown()); err != nil {
			return err
		}
	}
	if b.options.has(phaseReevaluation) {
		measured, err := b.reevaluate(ctx)
		if err != nil {
			return err
		}
		wrong = wrong || len(measured.Failed) > 0
		if err := b.publish(output, phaseReevaluation, measured.Markdown()); err != nil {
			return err
		}
	}
	if b.options.has(phaseImport) {
		measured, err := b.importTenant(ctx)
		if err != nil {
			return err
		}
		if err := b.publish(output, phaseImport, measured.Markdown()); err != nil {
			return err
		}
	}
	if wrong {
		return errWrong
	}
	return nil
}

// publish prints a report and writes it into the document of -write.
func (b *bench) publish(output io.Writer, section, markdown string) error {
	if _, err := fmt.Fprintln(output, markdown); err != nil {
		return err
	}
	if b.options.write == "" {
		return nil
	}
	document, err := os.ReadFile(b.options.write)
	if err != nil {
		return err
	}
	replaced, err := report.Replace(string(document), section, markdown)
	if err != nil {
		return fmt.Errorf("%s: %w", b.options.write, err)
	}
	return os.WriteFile(b.options.write, []byte(replaced), 0o644)
}
