package calendarbridge

import (
	"sync"
	"time"

	"usher/internal/timezone"
)

// zones remembers the zones that were loaded: reading one from the database of zones takes longer than everything else that is
// done with an event. The nil one remembers nothing.
type zones struct {
	mu   sync.RWMutex
	list map[string]*time.Location
}

// maxZones bounds what is remembered: a zone has as many names as there are ways to mix capitals.
const maxZones = 1000

// load is timezone.Load.
func (z *zones) load(name string) (*time.Location, error) {
	if z == nil {
		return timezone.Load(name)
	}
	z.mu.RLock()
	loc, ok := z.list[name]
	z.mu.RUnlock()
	if ok {
		return loc, nil
	}
	loc, err := timezone.Load(name)
	if err != nil {
		return nil, err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.list == nil || len(z.list) >= maxZones {
		z.list = map[string]*time.Location{}
	}
	z.list[name] = loc
	return loc, nil
}
