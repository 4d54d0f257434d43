package main

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
)

func TestParseFaults(t *testing.T) {
	for name, f := range faultNames() {
		got, err := parseFaults([]string{name})
		if err != nil || f.says == "" || reflect.DeepEqual(got.mail, exchange.Faults{}) && len(got.wire) == 0 {
			t.Errorf("%s arms nothing, or says nothing: %+v, %v", name, got, err)
		}
	}
	all, err := parseFaults([]string{"all", "mute"})
	if err != nil || all.mail.Duplicate == 0 || all.mail.Mute == 0 || all.mail.Denied != 0 || all.mail.Endless || all.mail.Throttle != 0 || len(all.wire) != 0 {
		t.Errorf("all and mute are %+v, %v", all, err)
	}
	if none, err := parseFaults(nil); err != nil || !reflect.DeepEqual(none, demoFaults{}) {
		t.Errorf("none are %+v, %v", none, err)
	}
	if _, err := parseFaults([]string{"duplicate", "rain"}); err == nil || !strings.Contains(err.Error(), "rain") || !strings.Contains(err.Error(), "sync-lost") {
		t.Errorf("an unknown one: %v", err)
	}
}

// TestDemoWithFaults tells the whole story while everything goes wrong that heals by itself.
func TestDemoWithFaults(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if code := run(ctx, []string{"demo", "--exit", "--people", "20", "--faults", "all"}, console{&out, &out, strings.NewReader("")}); code != 0 {
		t.Fatalf("status %d\n%s", code, &out)
	}
}
