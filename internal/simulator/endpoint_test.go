package simulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

const (
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	usher      = "urn:ietf:params:scim:schemas:extension:usher:2.0:User"
)

// resource is a user or group at the endpoint.
type resource = map[string]any

// recorded is a request as it arrived.
type recorded struct {
	method, uri, body string
	header            http.Header
}

func (r recorded) String() string { return strings.TrimSpace(r.method + " " + r.uri + " " + r.body) }

// endpoint is the world on the other side: a small SCIM server that keeps what it is sent and records every request.
type endpoint struct {
	url string

	mu       sync.Mutex
	next     int
	store    map[string]map[string]resource // "Users" and "Groups", by id
	requests []recorded
	// fault may answer a request instead of the endpoint, with a status; 0 lets it through. A negative status lets
	// the request through and then answers with its absolute value, as a timeout after the commit would look.
	fault func(recorded) int
	// showMembers answers group reads with members although they were excluded.
	showMembers bool
}

func newEndpoint(t interface {
	Helper()
	Cleanup(func())
},
) *endpoint {
	t.Helper()
	e := &endpoint{store: map[string]map[string]resource{"Users": {}, "Groups": {}}}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.url = server.URL + "/scim/v2"
	return e
}

// take gives the requests since the last call.
func (e *endpoint) take() []recorded {
	e.mu.Lock()
	defer e.mu.Unlock()
	taken := e.requests
	e.requests = nil
	return taken
}

// find gives the users or groups whose attribute has a value.
func (e *endpoint) find(kind, attribute, value string) []resource {
	var hits []resource
	for _, r := range e.store[kind] {
		have := r[attribute]
		if strings.HasPrefix(attribute, "emails[") {
			have = element(r, "emails", "work")["value"]
		}
		if text, _ := have.(string); strings.EqualFold(text, value) {
			hits = append(hits, r)
		}
	}
	return hits
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := recorded{req.Method, strings.TrimPrefix(req.URL.RequestURI(), "/scim/v2"), string(body), req.Header.Clone()}
	e.requests = append(e.requests, r)
	status := 0
	if e.fault != nil {
		status = e.fault(r)
	}
	if status > 0 {
		answer(w, status, resource{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "detail": "as arranged"})
		return
	}
	got, result := e.serve(req, body)
	if status < 0 {
		got, result = -status, resource{"detail": "as arranged, after the fact"}
	}
	answer(w, got, result)
}

func answer(w http.ResponseWriter, status int, result resource) {
	w.Header().Set("Content-Type", "application/scim+json; charset=utf-8")
	w.WriteHeader(status)
	if result != nil {
		if err := json.NewEncoder(w).Encode(result); err != nil {
			panic(err)
		}
	}
}

func (e *endpoint) serve(req *http.Request, body []byte) (int, resource) {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(req.URL.Path, "/scim/v2"), "/"), "/")
	kind := parts[0]
	if e.store[kind] == nil {
		return http.StatusNotFound, nil
	}
	if len(parts) == 1 && req.Method == http.MethodGet {
		return e.list(kind, req.URL.Query())
	}
	if len(parts) == 1 {
		return e.create(kind, body)
	}
	r, ok := e.store[kind][parts[1]]
	if !ok {
		return http.StatusNotFound, resource{"detail": "no such resource"}
	}
	switch req.Method {
	case http.MethodGet:
		if e.showMembers {
			return http.StatusOK, shown(r, nil)
		}
		return http.StatusOK, shown(r, req.URL.Query())
	case http.MethodPatch:
		return e.patch(kind, r, body)
	case http.MethodDelete:
		delete(e.store[kind], parts[1])
		for _, g := range e.store["Groups"] {
			delete(g["members"].(resource), parts[1])
		}
		return http.StatusNoContent, nil
	}
	return http.StatusMethodNotAllowed, nil
}

var filterForm = regexp.MustCompile(`^(.+) eq ("(?:[^"\\]|\\.)*")$`)

func (e *endpoint) list(kind string, query url.Values) (int, resource) {
	m := filterForm.FindStringSubmatch(query.Get("filter"))
	var value string
	if m == nil || json.Unmarshal([]byte(m[2]), &value) != nil {
		return http.StatusBadRequest, resource{"detail": "filter", "scimType": "invalidFilter"}
	}
	list := []resource{}
	for _, r := range e.find(kind, m[1], value) {
		list = append(list, shown(r, query))
	}
	return http.StatusOK, resource{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(list), "Resources": list,
	}
}

// shown is a resource as answered: members as a list, or left out when asked.
func shown(r resource, query url.Values) resource {
	out := resource{}
	for name, value := range r {
		out[name] = value
	}
	members, isGroup := r["members"].(resource)
	if !isGroup || query.Get("excludedAttributes") == "members" {
		delete(out, "members")
		return out
	}
	list := []resource{}
	for id := range members {
		list = append(list, resource{"value": id})
	}
	out["members"] = list
	return out
}

func (e *endpoint) create(kind string, body []byte) (int, resource) {
	r := resource{}
	if err := json.Unmarshal(body, &r); err != nil {
		return http.StatusBadRequest, nil
	}
	unique := "userName"
	if kind == "Groups" {
		unique = "displayName"
		r["members"] = resource{}
	}
	if len(e.find(kind, unique, r[unique].(string))) > 0 {
		return http.StatusConflict, resource{"scimType": "uniqueness", "detail": unique}
	}
	e.next++
	id := fmt.Sprintf("%s%d", strings.ToLower(kind[:1]), e.next)
	r["id"] = id
	e.store[kind][id] = r
	return http.StatusCreated, shown(r, nil)
}

func (e *endpoint) patch(kind string, r resource, body []byte) (int, resource) {
	var request struct {
		Operations []struct {
			Op, Path string
			Value    any
		}
	}
	if err := json.Unmarshal(body, &request); err != nil || len(request.Operations) == 0 {
		return http.StatusBadRequest, nil
	}
	for _, op := range request.Operations {
		values := resource{op.Path: op.Value}
		if op.Path == "" {
			values = op.Value.(resource)
		}
		for path, value := range values {
			if name, ok := value.(string); path == "userName" && ok {
				for _, other := range e.find(kind, path, name) {
					if other["id"] != r["id"] {
						return http.StatusConflict, resource{"scimType": "uniqueness"}
					}
				}
			}
			if !assign(r, strings.ToLower(op.Op), path, value) {
				return http.StatusBadRequest, resource{"scimType": "invalidPath", "detail": path}
			}
		}
	}
	if kind == "Groups" {
		return http.StatusNoContent, nil
	}
	return http.StatusOK, r
}

var (
	memberForm = regexp.MustCompile(`^members\[value eq "(.+)"\]$`)
	pathForm   = regexp.MustCompile(`^(?:(urn:.+):)?(\w+)(?:\[type eq "(\w+)"\])?(?:\.(\w+))?$`)
)

// assign applies one operation.
func assign(r resource, op, path string, value any) bool {
	if m := memberForm.FindStringSubmatch(path); m != nil {
		delete(r["members"].(resource), m[1])
		return op == "remove"
	}
	m := pathForm.FindStringSubmatch(path)
	if m == nil {
		return false
	}
	holder := r
	if m[1] != "" {
		holder = inner(r, m[1])
	}
	switch {
	case path == "members":
		for _, entry := range value.([]any) {
			id := entry.(resource)["value"].(string)
			if op == "add" {
				r["members"].(resource)[id] = true
			} else {
				delete(r["members"].(resource), id)
			}
		}
	case m[2] == "manager" && op == "remove":
		delete(holder, "manager")
	case m[2] == "manager":
		holder["manager"] = resource{"value": value}
	case m[2] == "active":
		holder["active"] = value == true || value == "True"
	case m[3] != "":
		element(holder, m[2], m[3])[m[4]] = value
	case m[4] != "":
		inner(holder, m[2])[m[4]] = value
	default:
		holder[m[2]] = value
	}
	return true
}

func inner(r resource, name string) resource {
	if _, ok := r[name].(resource); !ok {
		r[name] = resource{}
	}
	return r[name].(resource)
}

// element finds or adds the element of a multi-valued attribute that has a type.
func element(r resource, name, kind string) resource {
	list, _ := r[name].([]any)
	for _, entry := range list {
		if found := entry.(resource); found["type"] == kind {
			return found
		}
	}
	added := resource{"type": kind}
	r[name] = append(list, added)
	return added
}
