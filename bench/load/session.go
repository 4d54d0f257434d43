package load

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"usher/bench/entra"
)

// An operation that failed so often without a single success is not sent again:
// a server that does not know it is not worth the time.
const hopeless = 25

// Samples of failures that are kept per operation, and the length of each.
const (
	samplesKept  = 3
	sampleLength = 500
)

// Plan says what is loaded before anything is measured.
type Plan struct {
	Users   int
	Groups  int     // ordinary groups, for everything but the sized ones
	Members int     // of each ordinary group
	Sizes   []int   // sizes of the groups at which one member is added and removed
	Batches []int   // members per PATCH
	Workers int     // the highest concurrency that will be used
	Mapped  float64 // share of the ordinary groups that give a role
}

// spares is the number of people at the end who are in no sized group and whose
// attributes are never changed. Among eight there is an engineer.
func (p Plan) spares() int { return max(p.Workers, 8) }

// changeable is the number of people whose attributes operations change.
func (p Plan) changeable() int { return p.Users - p.spares() }

// Validate says what does not fit together.
func (p Plan) Validate() error {
	if p.Users < 1 || p.Groups < 1 || p.Members < 1 || p.Workers < 1 {
		return fmt.Errorf("users (%d), groups (%d), their members (%d) and concurrency (%d) must be positive", p.Users, p.Groups, p.Members, p.Workers)
	}
	if p.changeable() < p.Workers {
		return fmt.Errorf("%d users are too few for concurrency %d: at least %d are needed", p.Users, p.Workers, p.spares()+p.Workers)
	}
	for _, size := range slices.Concat(p.Sizes, p.Batches) {
		if size < 1 || size+p.spares() > p.Users {
			return fmt.Errorf("a group of %d members needs at least %d users, not %d", size, max(size, 1)+p.spares(), p.Users)
		}
	}
	return nil
}

// MappedGroups returns the names of the groups that are to give a role: a share
// of the ordinary ones, and one of the smallest size, whose member pays for what
// the rules do.
func (p Plan) MappedGroups() []string {
	var names []string
	for i := range int(float64(p.Groups)*p.Mapped + 0.5) {
		names = append(names, ordinaryName(i))
	}
	if len(p.Sizes) > 0 && p.Mapped > 0 {
		names = append(names, mappedName)
	}
	return names
}

const mappedName = "sized mapped"

func ordinaryName(number int) string { return fmt.Sprintf("%05d", number) }

// Session is one target, what was loaded into it, and what it acknowledged.
type Session struct {
	client  *client
	tenant  entra.Tenant
	dialect entra.Dialect
	plan    Plan

	ids      []string // of the loaded users, by number
	people   []person // the same
	ordinary []*group
	sized    map[int]*group
	mapped   *group           // of the smallest size, gives a role; nil if nothing is mapped
	batches  map[int][]*group // by members per PATCH, then by worker

	before  int          // users that the target had before the loading
	numbers atomic.Int64 // of people that operations create
	pending [][]pair     // memberships that a mix added and has to remove, by worker

	mu       sync.Mutex
	created  []creation
	unclear  int // creations that got no clear answer
	failures map[string]*Failure
}

// creation is a user that an operation created.
type creation struct {
	number int
	id     string
}

// pair is a membership that a mix made.
type pair struct {
	group *group
	user  int
}

// Failure is what went wrong with one operation.
type Failure struct {
	Operation string
	Count     int
	Samples   []string
	successes int
}

// Open returns a session with a target at a loopback address. Nothing is sent yet.
func Open(base, token, tag string, dialect entra.Dialect, plan Plan) (*Session, error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	client, err := newClient(base, token, max(plan.Workers, loaders))
	if err != nil {
		return nil, err
	}
	session := &Session{
		client: client, tenant: entra.Tenant{Tag: tag}, dialect: dialect, plan: plan,
		ids: make([]string, plan.Users), people: make([]person, plan.Users),
		sized: map[int]*group{}, batches: map[int][]*group{},
		pending: make([][]pair, plan.Workers), failures: map[string]*Failure{},
	}
	for i := range session.people {
		session.people[i] = personOf(session.tenant, i)
	}
	session.numbers.Store(int64(plan.Users))
	session.planGroups()
	return session, nil
}

func (s *Session) planGroups() {
	for i := range s.plan.Groups {
		low := i * s.plan.Members % s.plan.Users // with few users the groups overlap
		s.ordinary = append(s.ordinary, newGroup(ordinaryName(i), block{low, min(low+s.plan.Members, s.plan.Users)}))
	}
	for _, size := range s.plan.Sizes {
		s.sized[size] = newGroup(fmt.Sprintf("sized %d", size), block{0, size})
	}
	if slices.Contains(s.plan.MappedGroups(), mappedName) {
		s.mapped = newGroup(mappedName, block{0, slices.Min(s.plan.Sizes)})
	}
	for _, size := range s.plan.Batches {
		for worker := range s.plan.Workers {
			s.batches[size] = append(s.batches[size], newGroup(fmt.Sprintf("batch %d for %d", size, worker), block{}))
		}
	}
}

func (s *Session) allGroups() []*group {
	all := slices.Clone(s.ordinary)
	for _, size := range s.plan.Sizes {
		all = append(all, s.sized[size])
	}
	if s.mapped != nil {
		all = append(all, s.mapped)
	}
	for _, size := range s.plan.Batches {
		all = append(all, s.batches[size]...)
	}
	return all
}

// spare returns the number of the person whom the worker adds and removes.
func (s *Session) spare(worker int) int { return s.plan.changeable() + worker }

// Failures returns what went wrong so far, by operation in alphabetical order.
func (s *Session) Failures() []Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failures []Failure
	for _, failure := range s.failures {
		if failure.Count > 0 {
			failures = append(failures, *failure)
		}
	}
	slices.SortFunc(failures, func(a, b Failure) int { return strings.Compare(a.Operation, b.Operation) })
	return failures
}

// note records the outcome of one request.
func (s *Session) note(operation string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.entry(operation)
	if err == nil {
		entry.successes++
		return
	}
	entry.Count++
	if len(entry.Samples) < samplesKept {
		text := strings.Join(strings.Fields(err.Error()), " ")
		entry.Samples = append(entry.Samples, text[:min(len(text), sampleLength)])
	}
}

func (s *Session) isHopeless(operation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.entry(operation)
	return entry.Count >= hopeless && entry.successes == 0
}

func (s *Session) entry(operation string) *Failure {
	entry := s.failures[operation]
	if entry == nil {
		entry = &Failure{Operation: operation}
		s.failures[operation] = entry
	}
	return entry
}

// call is one request and what its answer must be.
type call struct {
	method, path string
	body         []byte
	want         []int // statuses
	check        check
}

func get(path string, judge check) call {
	return call{method: "GET", path: path, want: []int{200}, check: judge}
}

func post(path string, body []byte) call {
	return call{method: "POST", path: path, body: body, want: []int{201}, check: hasID}
}

func patch(path string, body []byte) call {
	return call{method: "PATCH", path: path, body: body, want: []int{200, 204}}
}

// perform sends the request and judges the answer.
func (s *Session) perform(ctx context.Context, c call) ([]byte, error) {
	status, body, err := s.client.send(ctx, c.method, c.path, c.body)
	if err == nil {
		err = c.judge(status, body)
	}
	return body, err
}

func (c call) judge(status int, body []byte) error {
	if !slices.Contains(c.want, status) {
		return fmt.Errorf("%s %s: status %d, want %v: %s", c.method, c.path, status, c.want, body)
	}
	if c.check == nil {
		return nil
	}
	if err := c.check(body); err != nil {
		return fmt.Errorf("%s %s: status %d, but %w: %s", c.method, c.path, status, err, body)
	}
	return nil
}
