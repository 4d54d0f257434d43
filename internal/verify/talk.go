package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
)

// talk is the conversation of one check with the endpoint. After the first disappointment nothing more is sent and
// nothing more is expected, so that a check reads as a list of sentences.
type talk struct {
	ctx  context.Context
	s    *session
	err  error
	last *answer // the one that disappointed, or the newest
}

// notOffered ends a check without verdict.
type notOffered struct{ reason string }

func (e *notOffered) Error() string { return e.reason }

func (t *talk) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

// skip ends the check because the endpoint does not offer what it is about.
func (t *talk) skip(reason string) {
	if t.err == nil {
		t.err = &notOffered{reason}
	}
}

// person and group are resources that this check made.
type person struct{ id, userName, path string }

type group struct{ id, name, path string }

// userName and groupName invent names that nobody else uses.
func (t *talk) userName() string { return t.mark("u") + domain }

func (t *talk) groupName() string { return t.mark("g") }

func (t *talk) mark(kind string) string {
	t.s.number++
	return t.s.prefix + "-" + kind + strconv.Itoa(t.s.number)
}

// user makes a person; attributes is a JSON object that is laid over what Entra usually sends.
func (t *talk) user(attributes string) person {
	p := person{userName: t.userName()}
	body := object{
		"schemas": list{urnUser}, "userName": p.userName, "externalId": p.userName, "displayName": "Usher Verify", "active": true,
	}
	t.lay(attributes, body)
	r := t.post("/Users", body).status(http.StatusCreated, http.StatusOK).has("userName", p.userName)
	p.id = r.id()
	p.path = "/Users/" + url.PathEscape(p.id)
	return p
}

// group makes a group of these people.
func (t *talk) group(members ...person) group {
	g := group{name: t.groupName()}
	body := object{"schemas": list{urnGroup}, "displayName": g.name, "externalId": g.name}
	if len(members) > 0 {
		body["members"] = references(members)
	}
	r := t.post("/Groups", body).status(http.StatusCreated, http.StatusOK).has("displayName", g.name)
	g.id = r.id()
	g.path = "/Groups/" + url.PathEscape(g.id)
	return g
}

func references(people []person) list {
	refs := list{}
	for _, p := range people {
		refs = append(refs, object{"value": p.id})
	}
	return refs
}

// lay puts the members of a JSON object over those of the body; null takes one away.
func (t *talk) lay(text string, body object) {
	if text == "" {
		return
	}
	over := object{}
	if err := json.Unmarshal([]byte(text), &over); err != nil {
		t.fail("the check is written wrongly: %w", err)
	}
	for name, value := range over {
		if value == nil {
			delete(body, name)
		} else {
			body[name] = value
		}
	}
}

func (t *talk) get(path string) *reply         { return t.send(http.MethodGet, path, nil, nil) }
func (t *talk) post(path string, b any) *reply { return t.send(http.MethodPost, path, b, nil) }
func (t *talk) put(path string, b any) *reply  { return t.send(http.MethodPut, path, b, nil) }
func (t *talk) delete(path string) *reply      { return t.send(http.MethodDelete, path, nil, nil) }
func (t *talk) find(kind, filter string) *reply {
	return t.get("/" + kind + "?filter=" + url.QueryEscape(filter))
}

// patch sends operations, given as a JSON list.
func (t *talk) patch(path, operations string) *reply {
	return t.send(http.MethodPatch, path, patchBody(operations), nil)
}

func patchBody(operations string) json.RawMessage {
	return json.RawMessage(`{"schemas":["` + urnPatch + `"],"Operations":` + operations + `}`)
}

// send sends a body, which is marshalled unless it is text already.
func (t *talk) send(method, path string, body any, header map[string]string) *reply {
	r := &reply{t: t, answer: &answer{}}
	if t.err != nil {
		return r
	}
	text, err := encode(body)
	if err != nil {
		t.fail("the check is written wrongly: %w", err)
		return r
	}
	r.answer, err = t.exchange(request{method: method, path: path, body: text, header: header})
	t.last = r.answer
	t.s.count(err)
	if err != nil {
		t.fail("%s %s: %w", method, path, err)
	}
	return r
}

func encode(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(body), nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(body)
	return bytes.TrimSpace(out.Bytes()), err
}

// exchange sends and keeps the books.
func (t *talk) exchange(r request) (*answer, error) {
	noted := t.s.intend(r)
	a, err := t.s.client.do(t.ctx, r)
	if a == nil {
		a = &answer{request: r}
	}
	if err == nil {
		t.s.settle(noted, a)
	}
	return a, err
}

// together sends all requests at once and wants one of the statuses from each.
func (t *talk) together(requests []request, statuses ...int) {
	if t.err != nil {
		return
	}
	answers, errs := make([]*answer, len(requests)), make([]error, len(requests))
	var wait sync.WaitGroup
	for i, r := range requests {
		wait.Go(func() { answers[i], errs[i] = t.exchange(r) })
	}
	wait.Wait()
	t.s.count(errors.Join(errs...))
	for i, a := range answers {
		t.last = a
		if errs[i] != nil {
			t.fail("one of %d requests at once: %w", len(requests), errs[i])
			return
		}
		if (&reply{t, a}).status(statuses...); t.err != nil {
			return
		}
	}
}
