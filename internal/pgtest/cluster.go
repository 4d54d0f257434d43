package pgtest

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Options say how a throw-away cluster is run.
type Options struct {
	// Durable keeps fsync, synchronous_commit and full_page_writes on, as a
	// production server has them: benchmarks must pay what users pay. The
	// default switches them off, because tests never survive a power cut.
	Durable bool
	// Settings are further lines of postgresql.conf by parameter name, such as
	// shared_preload_libraries, which can only be set before the server starts.
	// They win over those of Durable.
	Settings map[string]string
}

// Cluster is a running PostgreSQL server that exists for this process alone.
type Cluster struct {
	// URL is that of the maintenance database, as a superuser, over a Unix socket.
	URL string

	folder   string
	lock     *os.File
	watchdog *exec.Cmd
	alive    io.Closer // the watchdog's standard input; it closes when this process dies
}

// watchdogScript starts the server and waits for the end of its standard input,
// which the kernel closes however this process ends. A shell does this on every
// Unix, and unlike a parent-death signal it can also remove the folder.
//
//go:embed watchdog.sh
var watchdogScript string

const superuser = "usher"

// Start makes and starts a cluster in a temporary folder. Close stops it, and so
// does the end of this process. The error says how to install PostgreSQL when it
// is missing.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	base, err := baseFolder(account)
	if err != nil {
		return nil, err
	}
	sweep(base)
	cluster, err := newFolder(base, account)
	if err != nil {
		return nil, err
	}
	if err := cluster.initialise(ctx, programs, account, options); err != nil {
		return nil, errors.Join(err, cluster.discard())
	}
	if err := cluster.launch(programs, account); err != nil {
		return nil, errors.Join(err, cluster.Close())
	}
	return cluster, nil
}

// Close stops the server and removes its folder.
func (c *Cluster) Close() error {
	var failures error
	if c.alive != nil {
		failures = errors.Join(c.alive.Close(), c.watchdog.Wait())
		c.alive = nil
	}
	stopOrphan(c.folder) // nothing is left to stop unless the watchdog was killed
	return errors.Join(failures, c.discard())
}

// Environment returns what a child process needs to use this cluster in its tests.
func (c *Cluster) Environment() []string { return append(os.Environ(), EnvURL+"="+c.URL) }

func (c *Cluster) discard() error {
	return errors.Join(os.RemoveAll(c.folder), c.lock.Close())
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }

func (c *Cluster) initialise(ctx context.Context, programs string, account *syscall.Credential, options Options) error {
	var output []byte
	// C.UTF-8 sorts by code point on every machine. Some systems do not know the
	// name; there C sorts in the same order.
	for _, locale := range []string{"C.UTF-8", "C"} {
		command := exec.CommandContext(ctx, filepath.Join(programs, "initdb"),
			"--pgdata="+c.data(), "--username="+superuser, "--auth=trust",
			"--locale="+locale, "--encoding=UTF8", "--no-sync", "--no-instructions")
		command.Dir = c.folder
		command.SysProcAttr = &syscall.SysProcAttr{Credential: account}
		var err error
		if output, err = command.CombinedOutput(); err == nil {
			return c.configure(options)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("initdb: %w", ctx.Err())
		}
		if err := os.RemoveAll(c.data()); err != nil {
			return err
		}
	}
	return fmt.Errorf("initdb failed: %s", strings.TrimSpace(string(output)))
}

func (c *Cluster) configure(options Options) error {
	settings := `
listen_addresses = ''
max_connections = 200
`
	if options.Durable {
		settings += "shared_buffers = '256MB'\nmax_wal_size = '4GB'\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\n"
	} else {
		settings += "shared_buffers = '64MB'\nwal_level = minimal\nmax_wal_senders = 0\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
	}
	settings += fmt.Sprintf("unix_socket_directories = '%s'\n", c.folder)
	for _, name := range slices.Sorted(maps.Keys(options.Settings)) {
		settings += fmt.Sprintf("%s = '%s'\n", name, strings.ReplaceAll(options.Settings[name], "'", "''"))
	}
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(settings)
	return errors.Join(err, file.Close())
}

// launch runs the watchdog and waits until it reports that the server answers.
func (c *Cluster) launch(programs string, account *syscall.Credential) error {
	command := exec.Command("/bin/sh", "-c", watchdogScript, "usher-pgtest", programs, c.folder)
	command.Dir = c.folder
	command.ExtraFiles = []*os.File{c.lock} // file descriptor 3: held as long as the watchdog runs
	// A group of its own: an interrupt at the terminal must not end the watchdog
	// before the tests that use its server.
	command.SysProcAttr = &syscall.SysProcAttr{Credential: account, Setpgid: true}
	input, err := command.StdinPipe()
	if err != nil {
		return err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start the watchdog: %w", err)
	}
	c.watchdog, c.alive = command, input
	answer, _ := bufio.NewReader(output).ReadString('\n')
	if answer != "ready\n" {
		log, _ := os.ReadFile(filepath.Join(c.folder, "log"))
		return fmt.Errorf("PostgreSQL did not start: %s %s", strings.TrimSpace(answer), strings.TrimSpace(string(log)))
	}
	address := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/postgres", RawQuery: url.Values{"host": {c.folder}}.Encode()}
	c.URL = address.String()
	return nil
}
