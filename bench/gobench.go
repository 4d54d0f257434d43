package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"usher/bench/report"
)

// benchTime is the length of each Go benchmark.
const benchTime = "200ms"

var (
	benchmarkFunction = regexp.MustCompile(`(?m)^func Benchmark`)
	// as printed by the testing package; the number behind the name is GOMAXPROCS
	benchmarkLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)
)

// goBenchmarks runs the Go benchmarks of the rooms that a SCIM request passes.
func (b *bench) goBenchmarks(ctx context.Context) ([]report.Benchmark, error) {
	packages, err := benchmarkPackages(b.root, "scim", "directory", "model/store")
	if err != nil || len(packages) == 0 {
		return nil, err
	}
	b.say("running the Go benchmarks of %s", strings.Join(packages, ", "))
	return b.goTest(ctx, append([]string{"-bench", ".", "-benchmem", "-benchtime", benchTime}, packages...)...)
}

// goTest runs benchmarks with the arguments of `go test`, against the database server of this run.
func (b *bench) goTest(ctx context.Context, arguments ...string) ([]report.Benchmark, error) {
	arguments = append([]string{"test", "-run", "^$"}, arguments...)
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = b.root
	command.Env = b.postgres.Environment()
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("go test -bench: %w: %s%s", err, problems.String(), output.String())
	}
	return parseBenchmarks(output.String()), nil
}

// benchmarkPackages returns the packages below the folders that have benchmarks,
// so that the others need not be compiled.
func benchmarkPackages(root string, folders ...string) ([]string, error) {
	found := map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil || !benchmarkFunction.Match(content) {
				return err
			}
			relative, err := filepath.Rel(root, filepath.Dir(path))
			found["./"+filepath.ToSlash(relative)] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look for benchmarks: %w", err)
		}
	}
	var packages []string
	for name := range found {
		packages = append(packages, name)
	}
	slices.Sort(packages)
	return packages, nil
}

// parseBenchmarks reads what `go test -bench -benchmem` prints.
func parseBenchmarks(output string) []report.Benchmark {
	var benchmarks []report.Benchmark
	current := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "pkg: "); ok {
			current = strings.TrimPrefix(name, "usher/")
			continue
		}
		match := benchmarkLine.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		benchmark := report.Benchmark{Package: current, Name: match[1]}
		fields := strings.Fields(match[2])
		for i := 0; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				continue
			}
			switch fields[i+1] {
			case "ns/op":
				benchmark.Nanoseconds = value
			case "B/op":
				benchmark.Bytes = value
			case "allocs/op":
				benchmark.Allocated = value
			default:
				benchmark.Metrics = append(benchmark.Metrics, report.Metric{Unit: fields[i+1], Value: value})
			}
		}
		benchmarks = append(benchmarks, benchmark)
	}
	return benchmarks
}
