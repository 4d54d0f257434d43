package entraid_test

import (
	"runtime"
	"testing"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
)

// TestLargeTenants keeps the memory of a tenant, and of reading it, in proportion: a tenth of 100,000 people, 500 groups and a
// million memberships.
func TestLargeTenants(t *testing.T) {
	before := heap()
	w := &world{T: t, tenant: simulator.NewTenant(simulator.Options{Seed: 1, People: 10_000, Groups: 50, Memberships: 100_000})}
	w.directory = entraid.New(entraid.Options{Tenant: w.tenant, PageSize: 999})
	w.Client = w.directory.Client("usher")
	if built := heap() - before; built > 30<<20 {
		t.Errorf("the tenant takes %d MiB", built>>20)
	}
	people, link := 0, ""
	for {
		page, err := w.UsersDelta(t.Context(), link, nil)
		w.ok(err)
		people += len(page.Users)
		if link = page.Next; link == "" {
			break
		}
	}
	members, groups := 0, map[string]bool{}
	for {
		page, err := w.GroupsDelta(t.Context(), nil, link)
		w.ok(err)
		for _, g := range page.Groups {
			groups[g.ID] = true
			members += len(g.Members)
		}
		if link = page.Next; link == "" {
			break
		}
	}
	if people != 10_000 || len(groups) != 50 || members != 100_000 {
		t.Errorf("%d people, %d groups, %d memberships", people, len(groups), members)
	}
	if after := heap() - before; after > 35<<20 {
		t.Errorf("reading it leaves %d MiB", after>>20)
	}
	runtime.KeepAlive(w)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below its end
}
