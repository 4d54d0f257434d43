// Command throwaway runs a command with a PostgreSQL of its own:
//
//	throwaway [-durable] -- go test ./...
//	throwaway -check
//
// It starts one throw-away cluster, sets USHER_TEST_POSTGRES_URL for the command,
// and stops the cluster when the command ends, so that all packages of one test
// run share one server. When the variable is set already, that server is used.
// The exit status is that of the command. With -check it only tells, by its exit
// status, whether PostgreSQL is there; `make deps` asks it. It may import internal/pgtest alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"usher/internal/pgtest"
)

// killDelay is how long a command may take to end after it was asked to.
const killDelay = 20 * time.Second

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(arguments []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("throwaway", flag.ContinueOnError)
	flags.SetOutput(stderr)
	durable := flags.Bool("durable", false, "keep fsync on, as in production; for benchmarks")
	check := flags.Bool("check", false, "only check that PostgreSQL is installed")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "usage: throwaway [-durable] -- command [argument…] | throwaway -check")
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); err != nil {
		return 2
	}
	if *check {
		if err := pgtest.Installed(); err != nil {
			_, _ = fmt.Fprintln(stderr, "throwaway:", err)
			return 1
		}
		return 0
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}
	status, err := with(pgtest.Options{Durable: *durable}, flags.Args(), stdout, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "throwaway:", err)
		return 1
	}
	return status
}

// with runs the command and returns its exit status; the error is about the
// cluster or about a command that could not be started.
func with(options pgtest.Options, arguments []string, stdout, stderr io.Writer) (status int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	environment := os.Environ()
	if os.Getenv(pgtest.EnvURL) == "" {
		cluster, startErr := pgtest.Start(ctx, options)
		if startErr != nil {
			return 0, startErr
		}
		defer func() { err = errors.Join(err, cluster.Close()) }()
		environment = cluster.Environment()
	}
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Env, command.Stdin, command.Stdout, command.Stderr = environment, os.Stdin, stdout, stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = killDelay
	err = command.Run()
	if failure, ok := errors.AsType[*exec.ExitError](err); ok {
		if code := failure.ExitCode(); code > 0 {
			return code, nil
		}
		return 1, nil // ended by a signal
	}
	return 0, err
}
