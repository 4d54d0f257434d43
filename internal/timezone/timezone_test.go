package timezone_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/internal/timezone"
)

func TestLoad(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"W. Europe Standard Time", "Europe/Berlin"},
		{"w. europe STANDARD time", "Europe/Berlin"},
		{"Pacific Standard Time", "America/Los_Angeles"},
		{"India Standard Time", "Asia/Calcutta"},
		{"Kamchatka Standard Time", "Asia/Kamchatka"},
		{"Mid-Atlantic Standard Time", "Etc/GMT+2"},
		{"Europe/Berlin", "Europe/Berlin"},
		{"europe/berlin", "Europe/Berlin"},
		{"EUROPE/KYIV", "Europe/Kyiv"},
		{"UTC", "UTC"},
		{"utc", "UTC"},
		{"Etc/UTC", "UTC"},
		{"Z", "UTC"},
		{"z", "UTC"},
		{"tzone://Microsoft/Utc", "UTC"},
	} {
		loc, err := timezone.Load(test.name)
		if err != nil || loc.String() != test.want {
			t.Errorf("Load(%q) = %v, %v, want %s", test.name, loc, err, test.want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, name := range []string{
		"", "Local", "local", "Factory", "tzone://Microsoft/Custom", "W. Europe", "../../etc/passwd", "Europe/Berlin\x00", "Europe", "+01:00",
	} {
		loc, err := timezone.Load(name)
		if !errors.Is(err, timezone.ErrUnknown) {
			t.Errorf("Load(%q) = %v, %v, want ErrUnknown", name, loc, err)
		}
	}
}

// The table is read as text, so that a name which the lookups forget is missed here.
func TestEveryNameLoads(t *testing.T) {
	table, err := os.ReadFile("table.go")
	if err != nil {
		t.Fatal(err)
	}
	windowsPart, ianaPart, ok := strings.Cut(string(table), "func ianaZone")
	if !ok {
		t.Fatal("the table has no IANA names")
	}
	entry := regexp.MustCompile(`return "([^"]+)", "([^"]*)", true`)
	windows, iana := entry.FindAllStringSubmatch(windowsPart, -1), entry.FindAllStringSubmatch(ianaPart, -1)
	if len(windows) < 130 || len(iana) < 590 {
		t.Fatalf("the table has %d Windows names and %d IANA names", len(windows), len(iana))
	}
	for _, found := range windows {
		if _, err := timezone.Load(found[1]); err != nil {
			t.Error(err)
		}
		if got, ok := timezone.IANA(found[1]); !ok || got != found[2] {
			t.Errorf("IANA(%q) = %q, %t", found[1], got, ok)
		}
		if got, ok := timezone.Windows(found[2]); !ok || got != found[1] {
			t.Errorf("Windows(%q) = %q, %t, want %q", found[2], got, ok, found[1])
		}
	}
	for _, found := range iana {
		loc, err := timezone.Load(strings.ToUpper(found[1]))
		if err != nil || loc != time.UTC && loc.String() != found[1] && found[1] != "UTC" {
			t.Errorf("Load(%q) = %v, %v", strings.ToUpper(found[1]), loc, err)
		}
	}
}

func TestWindows(t *testing.T) {
	for _, test := range []struct {
		iana, want string
	}{
		{"Europe/Berlin", "W. Europe Standard Time"},
		{"europe/vienna", "W. Europe Standard Time"},
		{"Europe/Warsaw", "Central European Standard Time"},
		{"Asia/Calcutta", "India Standard Time"},
		{"Asia/Kolkata", "India Standard Time"}, // CLDR lists the old name alone
		{"Europe/Kyiv", "FLE Standard Time"},
		{"US/Pacific", "Pacific Standard Time"},
		{"UTC", "UTC"},
		{"Z", "UTC"},
		{"GMT Standard Time", "GMT Standard Time"},
		{"Antarctica/Troll", ""},
		{"Atlantis/Capital", ""},
		{"", ""},
	} {
		if got, ok := timezone.Windows(test.iana); got != test.want || ok != (test.want != "") {
			t.Errorf("Windows(%q) = %q, %t, want %q", test.iana, got, ok, test.want)
		}
	}
}

func TestInstant(t *testing.T) {
	for _, test := range []struct{ name, zone, wall, want string }{
		{"winter", "Europe/Berlin", "2026-01-15T09:00:00", "2026-01-15T08:00:00Z"},
		{"summer", "Europe/Berlin", "2026-07-15T09:00:00", "2026-07-15T07:00:00Z"},
		{"seven decimals", "UTC", "2026-01-15T09:00:00.1234567", "2026-01-15T09:00:00.1234567Z"},
		{"before the gap", "Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"},
		{"in the gap", "Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"},
		{"the gap's first second", "Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z"},
		{"after the gap", "Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"},
		{"the first of two", "Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"},
		{"after the overlap", "Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"},
		{"a gap west of Greenwich", "America/Los_Angeles", "2026-03-08T02:30:00", "2026-03-08T10:30:00Z"},
		{"an overlap west of Greenwich", "America/Los_Angeles", "2026-11-01T01:30:00", "2026-11-01T08:30:00Z"},
		{"a gap of half an hour", "Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00Z"},
		{"a day that never was", "Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z"},
		{"a gap at midnight", "America/Havana", "2026-03-08T00:30:00", "2026-03-08T05:30:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			loc, err := timezone.Load(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			got, err := timezone.Instant(test.wall, loc)
			if err != nil {
				t.Fatal(err)
			}
			if text := got.UTC().Format(time.RFC3339Nano); text != test.want {
				t.Errorf("Instant(%s) = %s, want %s", test.wall, text, test.want)
			}
			if got.Location() != loc && test.zone != "UTC" {
				t.Errorf("Instant(%s) is in %s", test.wall, got.Location())
			}
		})
	}
}

func TestInstantRefuses(t *testing.T) {
	for _, wall := range []string{"", "2026-01-15", "2026-01-15T09:00:00Z", "2026-01-15T09:00:00+01:00", "2026-02-30T09:00:00", "2026-01-15 09:00:00"} {
		if got, err := timezone.Instant(wall, time.UTC); err == nil {
			t.Errorf("Instant(%q) = %s", wall, got)
		}
	}
}

func TestWall(t *testing.T) {
	berlin, err := timezone.Load("W. Europe Standard Time")
	if err != nil {
		t.Fatal(err)
	}
	if got := timezone.Wall(time.Date(2026, 7, 15, 22, 30, 0, 999, time.UTC), berlin); got != "2026-07-16T00:30:00" {
		t.Errorf("Wall = %s", got)
	}
}

// Whatever the zone: the wall time of an instant leads back to it, or to the same clock an hour or so earlier.
func TestWallAndInstant(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/Sao_Paulo", "Antarctica/Troll", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := timezone.Load(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		instant := time.Unix(rapid.Int64Range(1e9, 2.2e9).Draw(t, "unix"), 0).In(loc)
		wall := timezone.Wall(instant, loc)
		got, err := timezone.Instant(wall, loc)
		if err != nil {
			t.Fatal(err)
		}
		if timezone.Wall(got, loc) != wall || got.After(instant) || instant.Sub(got) > 2*time.Hour {
			t.Errorf("%s at %s led to %s", wall, instant, got)
		}
		if again := timezone.Resolve(got, loc); !again.Equal(got) {
			t.Errorf("the first of two led to %s", again)
		}
	})
}
