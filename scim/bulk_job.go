package scim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/scim/fault"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// bulkJob works the operations of one bulk request.
type bulkJob struct {
	h        *Handler
	c        *call
	ops      []operation
	makes    map[string]int // which operation creates what a bulkId stands for
	state    []bulkState
	out      []outcome
	ids      []string // of what was created
	later    []postponed
	accepted int // errors after which no operation is begun; 0 for any number
	errors   int
	until    time.Time
}

type bulkState int

const (
	waiting bulkState = iota
	running           // it waits for what it refers to, or is at work
	done
)

// outcome is one entry of the answer (RFC 7644 §3.7). Response is there for an error alone.
type outcome struct {
	Method   string          `json:"method,omitempty"`
	BulkID   string          `json:"bulkId,omitempty"`
	Version  string          `json:"version,omitempty"`
	Location string          `json:"location,omitempty"`
	Status   string          `json:"status"`
	Response json.RawMessage `json:"response,omitempty"`
}

// postponed is what a created resource still lacks, because it refers to what was created after it.
type postponed struct {
	op    int
	lacks *wire.Object
}

func newBulkJob(h *Handler, c *call, ops []operation, accepted int) *bulkJob {
	b := &bulkJob{
		h: h, c: c, ops: ops, makes: make(map[string]int, len(ops)), state: make([]bulkState, len(ops)),
		out: make([]outcome, len(ops)), ids: make([]string, len(ops)), accepted: accepted, until: h.opt.Now().Add(bulkTime),
	}
	for i := range ops {
		if ops[i].bad == nil && ops[i].method == http.MethodPost && ops[i].bulkID != "" {
			b.makes[ops[i].bulkID] = i
		}
	}
	return b
}

// work runs the operations in the order in which they stand, except that what one refers to comes before it.
func (b *bulkJob) work() {
	for i := range b.ops {
		b.run(i)
		for _, p := range b.later {
			b.complete(p)
		}
		b.later = nil
	}
}

// stopped says that no further operation is begun: as many failed as the client accepts, or it is gone.
func (b *bulkJob) stopped() bool {
	return b.accepted > 0 && b.errors >= b.accepted || b.c.ctx().Err() != nil
}

func (b *bulkJob) run(i int) {
	if b.state[i] != waiting || b.stopped() {
		return
	}
	op := &b.ops[i]
	b.state[i] = running
	if op.bad == nil {
		op.references(func(id string) {
			if j, ok := b.makes[id]; ok {
				b.run(j)
			}
		})
	}
	if b.stopped() {
		b.state[i] = waiting
		return
	}
	b.state[i] = done
	a := b.attempt(i)
	b.settle(i, a)
}

// attempt runs one operation, whose references have been worked as far as they can be.
func (b *bulkJob) attempt(i int) answer {
	op := &b.ops[i]
	if op.bad != nil {
		return failure(op.bad)
	}
	if !b.h.opt.Now().Before(b.until) {
		return failure(&fault.Error{
			Status: http.StatusServiceUnavailable,
			Detail: "not begun, because the operations before it took too long; send it again in a smaller request",
		})
	}
	data := op.data
	if object, ok := data.(*wire.Object); ok && op.method == http.MethodPost {
		kept, taken := aside(object, func(id string) bool {
			j, ok := b.makes[id]
			return ok && (b.state[j] == running || j == i)
		}, b.isExtension)
		if data = kept; len(taken.Members) > 0 {
			b.later = append(b.later, postponed{i, taken})
		}
	}
	path, data, missing := b.resolve(op.path, data)
	if missing != nil {
		return failure(missing)
	}
	return b.perform(op.method, path, op.version, data)
}

// isExtension says whether a member of a resource holds an extension as one: under the URN of a known schema, or under one
// that no schema has. The URN of a known schema with a name behind it is an attribute.
func (b *bulkJob) isExtension(name string) bool {
	if len(name) < 4 || !strings.EqualFold(name[:4], "urn:") {
		return false
	}
	urn, _, _ := schemas.Split(name)
	for _, res := range b.h.tables.Resources() {
		if res.Schema(name) != nil {
			return true
		}
		if res.Schema(urn) != nil {
			return false
		}
	}
	return true
}

// resolve puts ids in the place of references, or says which reference has none.
func (b *bulkJob) resolve(path string, data any) (string, any, *fault.Error) {
	var missing *fault.Error
	lookup := func(bulkID string) (string, bool) {
		j, ok := b.makes[bulkID]
		if ok && b.ids[j] != "" {
			return b.ids[j], true
		}
		if missing == nil {
			reason := "no POST of this request has it"
			if ok {
				reason = "the operation that was to create it did not"
			}
			missing = &fault.Error{
				Status: http.StatusConflict, Type: "invalidValue", Detail: "bulkId:" + clip(bulkID) + " cannot be resolved: " + reason,
			}
		}
		return "", false
	}
	path = replaceReferences(path, lookup)
	data = resolved(data, lookup)
	return path, data, missing
}

// perform sends one operation to the endpoint that its path and method name, as if it had come by itself.
func (b *bulkJob) perform(method, path, version string, data any) answer {
	request := b.c.request.WithContext(b.c.ctx())
	request.Method, request.Header = method, http.Header{}
	if version != "" && method != http.MethodPost {
		request.Header.Set("If-Match", version)
	}
	sub := &call{
		request: request, requestID: b.c.requestID, integration: b.c.integration, ref: b.c.ref, maxBody: b.h.opt.MaxBody, room: b.c.room,
		sent:  &wire.Body{Value: data},
		query: query{"excludedattributes": "members"}, // the answer shows no resource, so that members need not be read
	}
	rt, id := b.h.match(b.relative(path))
	if rt == nil || !slices.Contains([]string{"/Users", "/Users/:id", "/Groups", "/Groups/:id"}, rt.path) {
		return failure(fault.Path(clip(path), "a bulk operation acts on /Users, /Users/{id}, /Groups or /Groups/{id}"))
	}
	sub.id = id
	a, err := safely(sub, rt.endpoint(method))
	if err != nil {
		a = b.h.errorAnswer(sub, err)
	}
	for _, deviation := range sub.deviations {
		b.c.note(deviation)
	}
	if id != "" && method != http.MethodPost {
		a.location = b.h.baseURL + b.c.integration + strings.TrimSuffix(rt.path, ":id") + id
	}
	return a
}

// relative gives a path below the base of the integration, also where it is written as an absolute URL.
func (b *bulkJob) relative(path string) string {
	base := b.h.baseURL + b.c.integration
	if rest, ok := strings.CutPrefix(path, base); ok && (rest == "" || rest[0] == '/') {
		path = rest
	} else if at, err := url.Parse(base); err == nil {
		if rest, ok := strings.CutPrefix(path, at.Path); ok && rest != "" && rest[0] == '/' {
			path = rest
		}
	}
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	return path
}

func safely(c *call, e endpoint) (a answer, err error) {
	defer recovered(&err)
	if len(c.id) > 256 || !validText(c.id) {
		return answer{}, fault.NotFound("there is no such resource: the id in the path is not one of this server")
	}
	return e(c)
}

// settle notes how an operation ended.
func (b *bulkJob) settle(i int, a answer) {
	o := &b.out[i]
	o.Method, o.BulkID, o.Version, o.Location = b.ops[i].method, b.ops[i].bulkID, a.etag, a.location
	o.Status = strconv.Itoa(a.status)
	if a.status == http.StatusCreated {
		b.ids[i] = a.location[strings.LastIndexByte(a.location, '/')+1:]
	}
	if a.status >= http.StatusBadRequest {
		o.Response = a.body
		b.errors++
	}
}

// complete adds to a created resource what refers to resources that were created after it. Where that fails, the resource
// stays, and its outcome is the error, with its location.
func (b *bulkJob) complete(p postponed) {
	if b.ids[p.op] == "" {
		return // it was not created
	}
	var a answer
	if _, value, missing := b.resolve("", p.lacks); missing != nil {
		missing.Detail = "created, but incomplete: " + missing.Detail
		a = failure(missing)
	} else {
		add := &wire.Object{Members: []wire.Member{{Name: "op", Value: "add"}, {Name: "value", Value: value}}}
		patch := &wire.Object{Members: []wire.Member{{Name: "schemas", Value: []any{messagePatch}}, {Name: "Operations", Value: []any{add}}}}
		a = b.perform(http.MethodPatch, b.out[p.op].Location, "", patch)
	}
	o := &b.out[p.op]
	if a.status < http.StatusBadRequest {
		o.Version = a.etag
		return
	}
	o.Status, o.Response = strconv.Itoa(a.status), a.body
	b.errors++
}

// results lists the outcomes of what was begun, in the order of the request.
func (b *bulkJob) results() []outcome {
	list := []outcome{}
	for i := range b.out {
		if b.state[i] == done {
			list = append(list, b.out[i])
		}
	}
	return list
}
