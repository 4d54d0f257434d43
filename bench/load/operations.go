package load

import (
	"context"
	"fmt"

	"usher/bench/entra"
)

// The phases, which are also the order of the report.
const (
	PhaseUsers       = "users"
	PhaseGroups      = "groups"
	PhaseMembers     = "members"
	PhaseFilters     = "filters"
	PhaseInitial     = "initial"
	PhaseIncremental = "incremental"
)

// Phases returns the names of all phases, in order.
func Phases() []string {
	return []string{PhaseUsers, PhaseGroups, PhaseMembers, PhaseFilters, PhaseInitial, PhaseIncremental}
}

// Operations returns every operation that the plan allows, in the order of the
// report. The mixes that add people come last, so that the others find as many
// as were loaded.
func Operations(plan Plan) []Operation {
	operations := userOperations()
	operations = append(operations,
		Operation{"GET group without members", PhaseGroups, getGroup},
		Operation{fmt.Sprintf("GET group with its %d members", plan.Members), PhaseGroups, getMembers},
	)
	operations = append(operations, memberOperations(plan)...)
	operations = append(operations, filterOperations()...)
	return append(operations,
		Operation{"mix of an initial cycle", PhaseInitial, matchAndCreate},
		Operation{"mix of an incremental cycle", PhaseIncremental, incremental},
	)
}

func userOperations() []Operation {
	return []Operation{
		{"GET user by userName, none found", PhaseUsers, func(ctx context.Context, w *worker) {
			w.do(ctx, get(entra.ByUserName(fmt.Sprintf("nobody%d@contoso.example", w.random.Int64())), found(0)))
		}},
		{"POST user", PhaseUsers, func(ctx context.Context, w *worker) { w.create(ctx, w.session.nextNumber()) }},
		{"GET user by userName", PhaseUsers, func(ctx context.Context, w *worker) { w.findByUserName(ctx, w.anyone()) }},
		{"GET user by id", PhaseUsers, getUser},
		{"PATCH user, 3 attributes", PhaseUsers, func(ctx context.Context, w *worker) { w.patchAttributes(ctx, w.own()) }},
		{"PATCH user, active", PhaseUsers, func(ctx context.Context, w *worker) { w.patchActive(ctx, w.own()) }},
	}
}

func memberOperations(plan Plan) []Operation {
	var operations []Operation
	for _, size := range plan.Sizes {
		operations = append(operations, Operation{MemberOperation(size), PhaseMembers, func(ctx context.Context, w *worker) {
			spare := w.session.spare(w.number)
			w.toggle(ctx, w.session.sized[size], block{spare, spare + 1})
		}})
	}
	if len(plan.MappedGroups()) > 0 && len(plan.Sizes) > 0 {
		operations = append(operations, Operation{"PATCH group, 1 member in or out, group that gives a role", PhaseMembers, func(ctx context.Context, w *worker) {
			spare := w.session.spare(w.number)
			w.toggle(ctx, w.session.mapped, block{spare, spare + 1})
		}})
	}
	for _, size := range plan.Batches {
		operations = append(operations, Operation{fmt.Sprintf("PATCH group, %d members in or out", size), PhaseMembers, func(ctx context.Context, w *worker) {
			w.toggle(ctx, w.session.batches[size][w.number], block{0, size})
		}})
	}
	return operations
}

// MemberOperation returns the name of the operation that adds and removes one
// member of the group of that size.
func MemberOperation(size int) string {
	return fmt.Sprintf("PATCH group, 1 member in or out, group of %d", size)
}

func filterOperations() []Operation {
	name := func(w *worker) string { return w.session.tenant.Person(w.anyone()).UserName }
	return []Operation{
		{"filter: userName in capitals", PhaseFilters, func(ctx context.Context, w *worker) {
			w.do(ctx, get(entra.ByUserNameInCapitals(name(w)), found(1)))
		}},
		{"filter: externalId", PhaseFilters, func(ctx context.Context, w *worker) {
			w.do(ctx, get(entra.ByExternalID(w.session.tenant.Person(w.anyone()).ExternalID), found(1)))
		}},
		{`filter: emails[type eq "work"].value`, PhaseFilters, func(ctx context.Context, w *worker) {
			w.do(ctx, get(entra.ByWorkMail(name(w)), found(1)))
		}},
		{"filter: displayName of a group", PhaseFilters, func(ctx context.Context, w *worker) {
			group := w.session.ordinary[w.random.IntN(len(w.session.ordinary))]
			w.do(ctx, get(entra.ByDisplayName(w.session.tenant.GroupName(group.name)), foundGroup))
		}},
		{"filter: id and members of a group", PhaseFilters, membership},
		{"filter: department, title or family name, active", PhaseFilters, engineers},
		{"page: the first 100 users", PhaseFilters, func(ctx context.Context, w *worker) { w.page(ctx, 1) }},
		{"page: the last 100 users of those loaded", PhaseFilters, func(ctx context.Context, w *worker) {
			w.page(ctx, max(1, w.session.before+w.session.plan.Users-pageSize+1))
		}},
	}
}

func getUser(ctx context.Context, w *worker) {
	w.do(ctx, get(entra.User(w.session.ids[w.anyone()]), hasID))
}

func getGroup(ctx context.Context, w *worker) {
	group := w.session.ordinary[w.random.IntN(len(w.session.ordinary))]
	w.do(ctx, get(entra.GroupAlone(group.id), withoutMembers))
}

func getMembers(ctx context.Context, w *worker) {
	group := w.session.ordinary[w.random.IntN(len(w.session.ordinary))]
	w.do(ctx, get(entra.Group(group.id), w.session.showsMembers(group)))
}

// membership asks for one that was loaded, and so must be found.
func membership(ctx context.Context, w *worker) {
	group := w.session.ordinary[w.random.IntN(len(w.session.ordinary))]
	member := group.loaded.low + w.random.IntN(group.loaded.high-group.loaded.low)
	w.do(ctx, get(entra.Membership(group.id, w.session.ids[member]), foundGroup))
}

// engineers asks for a department with an engineer whom no operation changes.
func engineers(ctx context.Context, w *worker) {
	number := w.session.spare(w.random.IntN(w.session.plan.spares()))
	for entra.Title(number) != "Engineer" {
		if number++; number == w.session.plan.Users {
			number = w.session.plan.changeable()
		}
	}
	department := entra.Department(number)
	w.do(ctx, get(entra.Engineers(department), ofDepartment(department)))
}

const pageSize = 100

func (w *worker) page(ctx context.Context, start int) {
	w.do(ctx, get(entra.Page(start, pageSize), page(start, pageSize, w.session.before+w.session.plan.Users)))
}

func (s *Session) nextNumber() int { return int(s.numbers.Add(1)) }

func (w *worker) findByUserName(ctx context.Context, number int) {
	w.do(ctx, get(entra.ByUserName(w.session.tenant.Person(number).UserName), found(1)))
}

func (w *worker) create(ctx context.Context, number int) {
	s := w.session
	body, ok := w.do(ctx, post("/Users", s.tenant.User(number)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok {
		s.unclear++
		return
	}
	s.created = append(s.created, creation{number, idOf(body)})
}

func (w *worker) patchAttributes(ctx context.Context, number int) {
	person := &w.session.people[number]
	// Drawn, not counted: the same user may be renamed in several rounds, and a
	// value that is there already is no work.
	draw := w.random.Int64()
	next := *person
	next.displayName = fmt.Sprintf("Renamed %d %x", number, draw)
	next.title, next.department, next.written = entra.Title(int(draw%7)), entra.Department(int(draw%1009)), true
	_, ok := w.do(ctx, patch(entra.User(w.session.ids[number]), w.session.dialect.Attributes(next.displayName, next.title, next.department)))
	next.uncertain = person.uncertain || !ok
	*person = next
}

func (w *worker) patchActive(ctx context.Context, number int) {
	person := &w.session.people[number]
	next := *person
	next.active, next.written = !person.active, true
	_, ok := w.do(ctx, patch(entra.User(w.session.ids[number]), w.session.dialect.Active(next.active)))
	next.uncertain = person.uncertain || !ok
	*person = next
}

// toggle adds the users to the group, or removes them when they are in it.
func (w *worker) toggle(ctx context.Context, g *group, users block) {
	ids := w.session.ids[users.low:users.high]
	body, after := w.session.dialect.Add(ids...), present
	if g.state(users) == present {
		body, after = w.session.dialect.Remove(ids...), absent
	}
	if _, ok := w.do(ctx, patch(entra.Group(g.id), body)); !ok {
		after = uncertain
	}
	g.set(users, after)
}
