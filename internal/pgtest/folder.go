package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	folderPattern = "usher-pgtest-*"
	lockName      = "lock"
	// settleTime keeps the sweep away from a folder whose owner is about to lock it.
	settleTime = time.Minute
)

// newFolder makes and locks the folder of a cluster.
func newFolder(base string, account *syscall.Credential) (*Cluster, error) {
	folder, err := os.MkdirTemp(base, folderPattern)
	if err != nil {
		return nil, fmt.Errorf("make the cluster's folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	cluster := &Cluster{folder: folder, lock: lock}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the cluster's folder: %w", err), cluster.discard())
	}
	if account != nil {
		if err := os.Chown(folder, int(account.Uid), int(account.Gid)); err != nil {
			return nil, errors.Join(fmt.Errorf("hand the cluster's folder to its user: %w", err), cluster.discard())
		}
	}
	return cluster, nil
}

// sweep removes the clusters whose process and watchdog are both gone, as after
// a killed container. It tidies for others, so what it cannot do it leaves.
func sweep(base string) {
	folders, err := filepath.Glob(filepath.Join(base, folderPattern))
	if err != nil {
		return // the pattern is ours and valid; a base with a bracket in it is not worth a failure
	}
	for _, folder := range folders {
		if abandoned(folder) {
			stopOrphan(folder)
			_ = os.RemoveAll(folder)
		}
	}
}

// abandoned reports whether nobody holds the folder's lock any more.
func abandoned(folder string) bool {
	lock, err := os.Open(filepath.Join(folder, lockName))
	if err != nil {
		return false // another user's, or about to be locked
	}
	defer func() { _ = lock.Close() }()
	info, err := lock.Stat()
	if err != nil || time.Since(info.ModTime()) < settleTime {
		return false
	}
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// stopOrphan ends the server of an abandoned folder, after making sure that the
// recorded process is that server and not a later one with the same number.
func stopOrphan(folder string) {
	content, err := os.ReadFile(filepath.Join(folder, "data", "postmaster.pid"))
	if err != nil {
		return
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range 250 {
		if !isServerOf(pid, folder) {
			return
		}
		_ = syscall.Kill(pid, syscall.SIGQUIT) // PostgreSQL's immediate shutdown
		<-ticker.C
	}
}

func isServerOf(pid int, folder string) bool {
	command, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(command), filepath.Join(folder, "data"))
}
