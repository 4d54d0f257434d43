package meter

import (
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine describes where a run was made.
type Machine struct {
	Cores     int
	Processor string // model, "" if not known
	Memory    int64  // bytes, 0 if not known
	System    string
	Go        string
}

// ThisMachine returns what is known of this one.
func ThisMachine() Machine {
	return Machine{
		Cores:     runtime.NumCPU(),
		Processor: firstValue("/proc/cpuinfo", "model name"),
		Memory:    kilobytes(firstValue("/proc/meminfo", "MemTotal")),
		System:    runtime.GOOS + "/" + runtime.GOARCH,
		Go:        strings.TrimPrefix(runtime.Version(), "go"),
	}
}

// String says it in one line.
func (m Machine) String() string {
	parts := []string{fmt.Sprintf("%d cores", m.Cores)}
	if m.Processor != "" {
		parts[0] += " (" + m.Processor + ")"
	}
	if m.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%.0f GiB memory", float64(m.Memory)/(1<<30)))
	}
	return strings.Join(append(parts, m.System, "Go "+m.Go), ", ")
}

func firstValue(file, key string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return "" // not a Linux
	}
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func kilobytes(text string) int64 {
	number, err := strconv.ParseInt(strings.TrimSuffix(text, " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return number << 10
}

func withDatabase(address, name string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read the database URL: %w", err)
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}
