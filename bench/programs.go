package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = time.Minute
	stopTimeout  = 15 * time.Second
	pollEvery    = 50 * time.Millisecond
)

// program is a server that runs as a process of its own, so that its memory and
// processor time can be told from ours.
type program struct {
	name    string
	command *exec.Cmd
	log     string // file
	ended   chan struct{}
	err     error // how it ended; set before ended closes
}

// launch starts the program; its output goes to a file.
func (b *bench) launch(name string, environment []string, path string, arguments ...string) (*program, error) {
	p := &program{name: name, log: filepath.Join(b.folder, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	p.command = exec.Command(path, arguments...)
	p.command.Env = environment
	p.command.Stdout, p.command.Stderr = log, log
	p.command.SysProcAttr = endsWithParent()
	err = errors.Join(p.command.Start(), log.Close())
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.command.Wait()
		close(p.ended)
	}()
	b.programs = append(b.programs, p)
	return p, nil
}

// awaitReady asks until the address answers with the status.
func (p *program) awaitReady(ctx context.Context, address string, status int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not ready after %s", startTimeout))
	defer cancel()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if answers(ctx, address, status) {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended by itself: %w: %s", p.name, p.err, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %s", p.name, context.Cause(ctx), p.tail())
		case <-ticker.C:
		}
	}
}

func answers(ctx context.Context, address string, status int) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == status
}

// tail returns the end of what the program printed.
func (p *program) tail() string {
	const most = 2000
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(content[max(0, len(content)-most):]))
}

// stop asks the program to end, and ends it if it does not.
func (p *program) stop() error {
	select {
	case <-p.ended:
		return nil // whoever noticed has said so
	default:
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended a moment ago
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTimeout):
	}
	err := p.command.Process.Kill()
	<-p.ended
	return errors.Join(fmt.Errorf("%s did not end within %s of being asked", p.name, stopTimeout), err)
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
