package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"usher/bench/report"
)

func TestParseBenchmarks(t *testing.T) {
	got := parseBenchmarks(`goos: linux
pkg: usher/directory
cpu: some
BenchmarkDecide/ten_groups-2         	   12345	      2500.5 ns/op	     512 B/op	       7 allocs/op
BenchmarkOdd 	 1	 10 ns/op	 3.5 widgets/op	 x y
PASS
ok  	usher/directory	1.5s
pkg: usher/scim/filter
BenchmarkParse-16 	     100	    900 ns/op	      64 B/op	       2 allocs/op
`)
	want := []report.Benchmark{
		{Package: "directory", Name: "Decide/ten_groups", Nanoseconds: 2500.5, Bytes: 512, Allocated: 7},
		{Package: "directory", Name: "Odd", Nanoseconds: 10, Metrics: []report.Metric{{Unit: "widgets/op", Value: 3.5}}},
		{Package: "scim/filter", Name: "Parse", Nanoseconds: 900, Bytes: 64, Allocated: 2},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestBenchmarkPackages(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"scim/a_test.go":        "package scim\n\nfunc BenchmarkA(b *testing.B) {}\n",
		"scim/filter/b_test.go": "package filter\n\nfunc TestB(t *testing.T) {}\n",
		"scim/wire/c.go":        "package wire\n\nfunc BenchmarkC() {}\n",
		"model/d_test.go":       "package model\n\nfunc BenchmarkD(b *testing.B) {}\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := benchmarkPackages(root, "scim")
	if err != nil || !reflect.DeepEqual(got, []string{"./scim"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := benchmarkPackages(root, "nowhere"); err == nil {
		t.Error("a folder that is not there: no error")
	}
}
