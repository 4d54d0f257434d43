package main

import (
	"io"
	"reflect"
	"strings"
	"testing"

	"usher/bench/load"
)

func TestDefaultsReachTheLargestGroup(t *testing.T) {
	o, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.notes) > 0 || !reflect.DeepEqual(o.sizes, []int{10, 1000, 10000, 50000}) || !reflect.DeepEqual(o.batches, []int{100, 1000}) {
		t.Errorf("sizes %v, batches %v, notes %v", o.sizes, o.batches, o.notes)
	}
	if !reflect.DeepEqual(o.loadPhases(), load.Phases()) || o.has(phaseReevaluation) {
		t.Errorf("phases %v", o.phases)
	}
}

func TestGroupsThatTheUsersDoNotFillAreLeftOut(t *testing.T) {
	o, err := parse([]string{"-users", "500", "-concurrency", "8, 1,8"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(o.sizes, []int{10}) || !reflect.DeepEqual(o.batches, []int{100}) || len(o.notes) != 4 {
		t.Errorf("sizes %v, batches %v, notes %v", o.sizes, o.batches, o.notes)
	}
	if !reflect.DeepEqual(o.concurrency, []int{1, 8}) {
		t.Errorf("concurrency %v", o.concurrency)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for _, arguments := range []string{
		"-users 0", "-users 5", "-groups 0", "-rounds 0", "-duration 0s", "-max-time -1s", "-mapped 1.5", "-mapped -1",
		"-concurrency 0", "-concurrency x", "-sizes 1,", "-phases walk", "-phases reevaluation -target http://127.0.0.1:1", "extra",
	} {
		if _, err := parse(strings.Fields(arguments), io.Discard); err == nil {
			t.Errorf("%s: no error", arguments)
		}
	}
}

func TestPhasesAreSplit(t *testing.T) {
	o, err := parse([]string{"-phases", "members,reevaluation"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.sizes) != 4 {
		t.Errorf("sizes %v with the phase members", o.sizes)
	}
	if without, err := parse([]string{"-phases", "filters", "-users", "100"}, io.Discard); err != nil || len(without.sizes)+len(without.batches)+len(without.notes) > 0 {
		t.Errorf("without the phase members: %+v, %v", without, err)
	}
	if !o.has(phaseReevaluation) || !reflect.DeepEqual(o.loadPhases(), []string{load.PhaseMembers}) {
		t.Errorf("phases %v, of the load %v", o.phases, o.loadPhases())
	}
}

func TestCommandRepeatsTheRunWithoutTheToken(t *testing.T) {
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{nil, "go run ./bench"},
		{[]string{"-users", "10"}, "go run ./bench -users 10"},
		{[]string{"-write", "my file's"}, `go run ./bench -write 'my file'\''s'`},
		{[]string{"-token", "s3cret", "-target", "http://[::1]/s3cret"}, "go run ./bench -token TOKEN -target http://[::1]/s3cret"},
		{[]string{"--token=s3cret", "-legacy"}, "go run ./bench --token=TOKEN -legacy"},
	} {
		if got := (&options{arguments: test.arguments}).command(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
