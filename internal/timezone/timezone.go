// Package timezone owns the names of time zones that Microsoft 365 and its clients write, Windows' and IANA's, and the way
// between what a clock on the wall shows and the instant. The zones' rules are embedded, so that a machine without a time
// zone database knows them too. It imports the standard library alone.
package timezone

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for machines that have no database of their own
)

//go:generate go run ./generate windowsZones.json table.go

// ErrUnknown is wrapped where a name stands for no zone.
var ErrUnknown = errors.New("the time zone is not known")

// layout is Graph's dateTimeTimeZone.dateTime; parsing takes fractions of a second also where the layout has none.
const layout = "2006-01-02T15:04:05"

// Load gives the zone of a Windows name ("W. Europe Standard Time"), an IANA name ("Europe/Berlin"), "UTC" or "Z", in any
// case. An error that wraps ErrUnknown says that there is none; "tzone://Microsoft/Custom", which Exchange writes for a zone
// that only the author's machine knew, is such a name.
func Load(name string) (*time.Location, error) {
	iana, ok := IANA(name)
	if !ok {
		return nil, fmt.Errorf("%q: %w", name, ErrUnknown)
	}
	if iana == "Etc/UTC" || iana == "UTC" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(iana)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, errors.Join(ErrUnknown, err))
	}
	return loc, nil
}

// IANA gives the IANA name that a Windows name stands for; an IANA name gives itself, as the database spells it.
func IANA(name string) (string, bool) {
	key := strings.ToLower(name)
	if _, iana, ok := windowsZone(key); ok {
		return iana, true
	}
	if iana, _, ok := ianaZone(key); ok {
		return iana, true
	}
	switch key {
	case "z", "tzone://microsoft/utc":
		return "Etc/UTC", true
	// Windows still knows these two names, CLDR no more.
	case "kamchatka standard time":
		return "Asia/Kamchatka", true
	case "mid-atlantic standard time":
		return "Etc/GMT+2", true
	}
	return "", false
}

// Windows gives the Windows name of the zone that an IANA name belongs to; a Windows name gives itself, as Windows spells it.
// Some zones of the database have none, such as "Antarctica/Troll" and "EST5EDT".
func Windows(iana string) (string, bool) {
	key := strings.ToLower(iana)
	if windows, _, ok := windowsZone(key); ok {
		return windows, true
	}
	_, windows, _ := ianaZone(key)
	if key == "z" {
		windows = "UTC"
	}
	return windows, windows != ""
}

// Wall gives what a clock on the wall shows in the zone, as "2006-01-02T15:04:05".
func Wall(t time.Time, loc *time.Location) string {
	return t.In(loc).Format(layout)
}

// Instant reads "2006-01-02T15:04:05", with or without a fraction, as the time at which a clock in the zone shows it. A time
// that a clock leaves out, as it is put forward, counts on from the hour before (02:30 gives 03:30); of a time that it shows
// twice the first is meant. An offset in the text is an error.
func Instant(wall string, loc *time.Location) (time.Time, error) {
	read, err := time.Parse(layout, wall)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date and time such as 2026-11-21T09:00:00", wall)
	}
	return Resolve(read, loc), nil
}

// Resolve does what Instant does for a wall time that is held as a time.Time of any zone: its fields count alone.
func Resolve(wall time.Time, loc *time.Location) time.Time {
	year, month, day := wall.Date()
	hour, minute, second := wall.Clock()
	in := func(loc *time.Location) time.Time {
		return time.Date(year, month, day, hour, minute, second, wall.Nanosecond(), loc)
	}
	// time.Date does not say which of two times it gives, nor on which side of a gap it ends up: its neighbours decide.
	guess := in(loc)
	from, to := guess.ZoneBounds()
	_, own := guess.Zone()
	before, after := own, own
	if !from.IsZero() {
		_, before = from.Add(-1).Zone()
	}
	if !to.IsZero() {
		_, after = to.Zone()
	}
	offsets := []int{before, own, after}
	slices.Sort(offsets)
	for _, offset := range slices.Backward(offsets) { // the larger the offset, the earlier the instant
		candidate := in(time.FixedZone("", offset)).In(loc)
		if _, there := candidate.Zone(); there == offset {
			return candidate
		}
	}
	// No clock shows it: it lies in the gap at one end of the guess's zone.
	if seen := in(time.UTC); seen.Before(from.Add(time.Duration(own) * time.Second)) {
		own = before
	}
	return in(time.FixedZone("", own)).In(loc)
}
