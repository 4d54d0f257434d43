package main

import (
	"bufio"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/internal/pgtest"
)

func TestRunPassesTheExitStatusOn(t *testing.T) {
	t.Setenv(pgtest.EnvURL, pgtest.Server(t)) // no second cluster for a table of statuses
	for _, test := range []struct {
		name      string
		arguments []string
		want      int
		output    string
	}{
		{"success", []string{"--", "true"}, 0, ""},
		{"failure", []string{"--", "sh", "-c", "exit 7"}, 7, ""},
		{"killed", []string{"--", "sh", "-c", "kill -9 $$"}, 1, ""},
		{"no such command", []string{"--", "./no-such-command"}, 1, "throwaway:"},
		{"check", []string{"-check"}, 0, ""},
		{"no command", []string{"-durable", "--"}, 2, "usage:"},
		{"unknown flag", []string{"-lasting"}, 2, "usage:"},
		{"the URL given", []string{"--", "printenv", pgtest.EnvURL}, 0, os.Getenv(pgtest.EnvURL)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var output strings.Builder
			if got := run(test.arguments, &output, &output); got != test.want {
				t.Errorf("status = %d, want %d", got, test.want)
			}
			if !strings.Contains(output.String(), test.output) {
				t.Errorf("output = %q, want it to contain %q", output.String(), test.output)
			}
		})
	}
}

// The promise that matters on a developer's machine: a killed run leaves no server.
func TestKilledRunLeavesNothing(t *testing.T) {
	program := filepath.Join(t.TempDir(), "throwaway")
	if output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	command := exec.Command(program, "--", "sh", "-c", `echo "$`+pgtest.EnvURL+`"; exec cat`)
	command.Env = append(os.Environ(), pgtest.EnvURL+"=")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = input.Close() }() // ends the orphaned cat
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("read the URL: %v", err)
	}
	address, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	folder := address.Query().Get("host")
	if _, err := os.Stat(filepath.Join(folder, ".s.PGSQL.5432")); err != nil {
		t.Fatalf("no server before the kill: %v", err)
	}
	if err := command.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitRemoval(t, folder)
}

func awaitRemoval(t *testing.T, folder string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(folder); os.IsNotExist(err) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s remains although its process was killed", folder)
		}
	}
}
