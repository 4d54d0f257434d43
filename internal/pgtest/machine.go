package pgtest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
)

// errMissing is the whole instruction a developer needs.
var errMissing = errors.New("PostgreSQL's server programs (initdb, pg_ctl, postgres) were not found; " +
	"`make deps` installs them, or set " + EnvURL + " to a server that runs")

var versionPattern = regexp.MustCompile(`postgresql[@/]?(\d+)|pgsql-(\d+)`)

// Installed returns nil if tests can have a server on this machine, else an error
// that says what to do.
func Installed() error {
	if os.Getenv(EnvURL) != "" {
		return nil
	}
	_, err := findPrograms()
	return err
}

// findPrograms returns the folder that holds initdb, pg_ctl and postgres.
func findPrograms() (string, error) {
	var candidates []string
	if path, err := exec.LookPath("initdb"); err == nil {
		// Distributions link single programs; the neighbours are at the target.
		if target, err := filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(target))
		}
	}
	// Where packages put the programs without linking them on PATH: Debian and
	// Ubuntu, the PostgreSQL project's RPMs, Alpine, Homebrew.
	patterns := []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/usr/libexec/postgresql*",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
	}
	var installed []string
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return "", fmt.Errorf("pattern %s: %w", pattern, err)
		}
		installed = append(installed, matches...)
	}
	slices.SortStableFunc(installed, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })
	return firstComplete(append(candidates, installed...))
}

func firstComplete(folders []string) (string, error) {
	for _, folder := range folders {
		complete := !slices.ContainsFunc([]string{"initdb", "pg_ctl", "postgres"}, func(name string) bool {
			_, err := exec.LookPath(filepath.Join(folder, name))
			return err != nil
		})
		if complete {
			return folder, nil
		}
	}
	return "", errMissing
}

func versionIn(folder string) int {
	for _, group := range versionPattern.FindStringSubmatch(folder) {
		if version, err := strconv.Atoi(group); err == nil {
			return version
		}
	}
	return 0
}

// serverAccount returns the user that runs the server, or nil for the current
// one. PostgreSQL refuses to run as root.
func serverAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")
}

// maxSocketFolder leaves room for the folder's own name and the socket's within
// the 103 bytes that the shortest sockaddr_un allows.
const maxSocketFolder = 60

// baseFolder returns where clusters live: the temporary folder of the system if a
// socket fits in and the server's user can reach it, else /tmp.
func baseFolder(account *syscall.Credential) (string, error) {
	for _, folder := range []string{os.TempDir(), "/tmp"} {
		absolute, err := filepath.Abs(folder)
		if err == nil && len(absolute) <= maxSocketFolder && (account == nil || openToAll(absolute)) {
			return absolute, nil
		}
	}
	return "", errors.New("no temporary folder that PostgreSQL's user can enter; check TMPDIR and the permissions of /tmp")
}

// openToAll reports whether every user may enter the folder and all above it.
func openToAll(folder string) bool {
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm()&0o001 == 0 {
		return false
	}
	parent := filepath.Dir(folder)
	return parent == folder || openToAll(parent)
}
