package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"usher/bench/floor"
	"usher/internal/pgtest"
)

// target returns the address of a floor whose PATCHes of groups are acknowledged
// and dropped while lose is set.
func target(t *testing.T, lose *atomic.Bool) string {
	t.Helper()
	handler, err := floor.New(t.Context(), pgtest.Database(t), "token")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(handler.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lose.Load() && r.Method == http.MethodPatch && strings.HasPrefix(r.URL.Path, "/Groups/") {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func small(address, document string) []string {
	return []string{
		"-target", address, "-token", "token", "-skip-floor", "-no-go", "-users", "60", "-groups", "3", "-sizes", "10,20", "-batches", "15",
		"-concurrency", "1,3", "-rounds", "2", "-duration", "3ms", "-write", document,
	}
}

func document(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("# P\n<!-- bench:load -->\n<!-- /bench:load -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunMeasuresATargetAndWritesTheDocument(t *testing.T) {
	var output bytes.Buffer
	path := document(t)
	if err := run(t.Context(), small(target(t, &atomic.Bool{}), path), &output, io.Discard); err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"No errors", "### Concurrency 1\n", "### Concurrency 3\n", "| PATCH group, 1 member in or out, group of 20 | ",
		"| PATCH group, 15 members in or out | ", "| mix of an incremental cycle | ", "Flatness", "| target | 60 | ", "-token TOKEN",
	} {
		if !strings.Contains(output.String(), want) {
			t.Errorf("%q is not printed", want)
		}
		if !strings.Contains(string(written), want) {
			t.Errorf("%q is not written", want)
		}
	}
	if t.Failed() {
		t.Log(output.String())
	}
}

func TestRunFailsWhenWritesAreLost(t *testing.T) {
	var lose atomic.Bool
	lose.Store(true)
	var output bytes.Buffer
	path := document(t)
	err := run(t.Context(), small(target(t, &lose), path), &output, io.Discard)
	if !errors.Is(err, errWrong) || !strings.Contains(output.String(), "acknowledged members lost") {
		t.Errorf("got %v and\n%s", err, output.String())
	}
}

func TestProgramThatEndsByItselfIsReported(t *testing.T) {
	b := &bench{options: &options{}, progress: io.Discard, folder: t.TempDir()}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.launch("broken", os.Environ(), shell, "-c", "echo the database is away >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	err = p.awaitReady(t.Context(), "http://"+address, http.StatusOK)
	if err == nil || !strings.Contains(err.Error(), "the database is away") || !strings.Contains(err.Error(), "status 3") {
		t.Errorf("got %v, want how it ended and what it said", err)
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop of an ended program: %v", err)
	}
}

func TestStopEndsAProgram(t *testing.T) {
	b := &bench{options: &options{}, progress: io.Discard, folder: t.TempDir()}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.launch("sleeper", os.Environ(), sleep, "600")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if p.command.ProcessState == nil || p.command.ProcessState.Success() {
		t.Error("the program was not ended by a signal")
	}
}
