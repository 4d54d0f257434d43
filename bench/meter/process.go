// Package meter reads what a run costs: processor time and memory of processes,
// statements of a database, and the machine's facts.
//
// It owns /proc and PostgreSQL's statistics. Where there is no /proc, nothing of
// processes is known, and the report says so. It imports pgx and the standard
// library alone.
package meter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Fields of /proc/PID/stat behind the command's name, see proc(5).
const (
	fieldParent     = 1
	fieldUser       = 11
	fieldSystem     = 12
	fieldKidsUser   = 13
	fieldKidsSystem = 14
)

// ProcessorTime returns the time that the processes and all below them have used,
// ended ones that were waited for included.
func ProcessorTime(roots ...int) (time.Duration, error) {
	processes, err := processTable()
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, root := range roots {
		if _, ok := processes[root]; !ok {
			return 0, fmt.Errorf("process %d is gone", root)
		}
		ticks += treeTicks(processes, root)
	}
	return time.Duration(ticks) * tick, nil
}

// MachineTime returns the time that all processors together were busy, and what
// they could have been.
func MachineTime() (busy, all time.Duration, err error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("read the machine's time: %w", err)
	}
	return parseMachineTime(string(content))
}

// parseMachineTime reads user, nice, system, idle, iowait, irq, softirq and steal
// of the first line, see proc(5); guest times are in user and nice already.
func parseMachineTime(content string) (busy, all time.Duration, err error) {
	line, _, _ := strings.Cut(content, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, errors.New("the machine's time is cut short")
	}
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		all += time.Duration(ticks) * tick
		if idle := i == 3 || i == 4; !idle {
			busy += time.Duration(ticks) * tick
		}
	}
	return busy, all, nil
}

// Parent returns the process that started the process.
func Parent(pid int) (int, error) {
	entry, err := readStat(pid)
	return entry.parent, err
}

// Memory returns the resident memory of a process in bytes, now and at its peak.
func Memory(pid int) (resident, peak int64, err error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read a process's memory: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		key, value, _ := strings.Cut(line, ":")
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch key {
		case "VmRSS":
			resident = kilobytes << 10
		case "VmHWM":
			peak = kilobytes << 10
		}
	}
	if resident == 0 {
		return 0, 0, fmt.Errorf("process %d has no memory", pid)
	}
	return resident, peak, nil
}

type stat struct {
	parent int
	ticks  int64
}

func processTable() (map[int]stat, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(folders) == 0 {
		return nil, errors.Join(err, errors.New("this machine does not show its processes in /proc"))
	}
	processes := make(map[int]stat, len(folders))
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		if entry, err := readStat(pid); err == nil { // others end while we look
			processes[pid] = entry
		}
	}
	return processes, nil
}

func treeTicks(processes map[int]stat, root int) int64 {
	total := processes[root].ticks
	for pid, entry := range processes {
		if entry.parent == root {
			total += treeTicks(processes, pid)
		}
	}
	return total
}

func readStat(pid int) (stat, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("read a process's state: %w", err)
	}
	return parseStat(content)
}

func parseStat(content []byte) (stat, error) {
	// The command's name may hold spaces and brackets, so count from its end.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) <= fieldKidsSystem {
		return stat{}, errors.New("the state of a process is cut short")
	}
	var (
		entry stat
		err   error
	)
	if entry.parent, err = strconv.Atoi(fields[fieldParent]); err != nil {
		return stat{}, err
	}
	for _, field := range []int{fieldUser, fieldSystem, fieldKidsUser, fieldKidsSystem} {
		ticks, err := strconv.ParseInt(fields[field], 10, 64)
		if err != nil {
			return stat{}, err
		}
		entry.ticks += ticks
	}
	return entry, nil
}
