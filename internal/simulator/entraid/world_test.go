package entraid_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model/entra"
	"usher/model/outlook"
)

// clock is a time that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a tenant with an application.
type world struct {
	*testing.T
	*entraid.Client
	tenant    *simulator.Tenant
	directory *entraid.Directory
	clock     *clock
}

func newWorld(t *testing.T, change func(*entraid.Options)) *world {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	tenant := simulator.NewTenant(simulator.Options{Seed: 3, People: 40, Now: c.now})
	o := entraid.Options{Tenant: tenant, Seed: 3, Now: c.now}
	if change != nil {
		change(&o)
	}
	d := entraid.New(o)
	return &world{t, d.Client("usher"), tenant, d, c}
}

func (w *world) named(name string) simulator.User {
	w.Helper()
	u, ok := w.tenant.UserNamed(name)
	if !ok {
		w.Fatalf("nobody is called %s", name)
	}
	return u
}

func (w *world) group(name string) simulator.Group {
	w.Helper()
	g, ok := w.tenant.GroupNamed(name)
	if !ok {
		w.Fatalf("no group is called %s", name)
	}
	return g
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// fails wants a failure of a kind and a code, "" for any.
func (w *world) fails(err error, kind outlook.Kind, code string) {
	w.Helper()
	e, is := errors.AsType[*outlook.Error](err)
	if !is || e.Kind != kind || code != "" && e.Code != code {
		w.Fatalf("got %v, want kind %d %s", err, kind, code)
	}
}

// users reads a round of the delta to its end.
func (w *world) users(link string) (list []entra.User, delta string) {
	w.Helper()
	for range 1000 {
		page, err := w.UsersDelta(w.Context(), link, nil)
		w.ok(err)
		list = append(list, page.Users...)
		if page.Next == "" {
			return list, page.Delta
		}
		link = page.Next
	}
	w.Fatal("the round does not end")
	return nil, ""
}

// groups reads a round of the delta to its end.
func (w *world) groups(ids []string, link string) (list []entra.Group, delta string) {
	w.Helper()
	for range 5000 {
		page, err := w.GroupsDelta(w.Context(), ids, link)
		w.ok(err)
		list = append(list, page.Groups...)
		if page.Next == "" {
			return list, page.Delta
		}
		link = page.Next
	}
	w.Fatal("the round does not end")
	return nil, ""
}

func idsOf(list []entra.User) []string {
	var ids []string
	for _, u := range list {
		ids = append(ids, u.ID)
	}
	slices.Sort(ids)
	return ids
}
