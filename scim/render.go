package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"usher/model"
	"usher/scim/resource"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// instant is how times are written: UTC with milliseconds.
const instant = "2006-01-02T15:04:05.000Z"

// rendered is what a resource is rendered from.
type rendered struct {
	id       string
	name     string // for the request log
	document model.Document
	version  int64
	created  time.Time
	updated  time.Time
	// extra is the attribute beside the document, groups of a user or members of a group, where it is shown.
	extraName string
	extra     []reference
}

// reference is one of the groups of a user or one of the members of a group.
type reference struct{ value, kind, display string }

func userOf(u model.DirectoryUser) rendered {
	return rendered{id: u.ID, name: u.UserName, document: u.Document, version: u.Version, created: u.CreatedAt, updated: u.UpdatedAt}
}

func groupOf(g model.DirectoryGroup) rendered {
	return rendered{id: g.ID, name: g.DisplayName, document: g.Document, version: g.Version, created: g.CreatedAt, updated: g.UpdatedAt}
}

func (r *rendered) etag() string { return `W/"` + strconv.FormatInt(r.version, 10) + `"` }

func (h *Handler) location(c *call, res *schemas.Resource, id string) string {
	return h.baseURL + c.integration + "/" + res.Endpoint + "/" + id
}

// append renders the resource. Without projection the stored document is not parsed: id, meta and what stands beside
// the document are spliced around its bytes.
func (h *Handler) append(b []byte, c *call, res *schemas.Resource, p *resource.Projection, r *rendered) ([]byte, error) {
	raw, err := r.document.Raw()
	if err != nil {
		return nil, err
	}
	if len(raw) < 2 || raw[0] != '{' || raw[len(raw)-1] != '}' {
		return nil, fmt.Errorf("render %s %s: the stored document is not an object", res.Name, r.id)
	}
	start := len(b)
	b = wire.AppendString(append(b, `{"id":`...), r.id)
	if inner := raw[1 : len(raw)-1]; len(inner) > 0 {
		b = append(append(b, ','), inner...)
	}
	whole := p.IsWhole()
	if r.extraName != "" && whole {
		b = r.appendExtra(b, "value", "type", "display")
	}
	b = wire.AppendString(append(b, `,"meta":{"resourceType":`...), res.Name)
	b = append(r.created.UTC().AppendFormat(append(b, `,"created":"`...), instant), '"')
	b = append(r.updated.UTC().AppendFormat(append(b, `,"lastModified":"`...), instant), '"')
	b = wire.AppendString(append(b, `,"location":`...), h.location(c, res, r.id))
	b = wire.AppendString(append(b, `,"version":`...), r.etag())
	b = append(b, "}}"...)
	if whole {
		return b, nil
	}
	full, err := model.ParseDocument(b[start:])
	if err != nil {
		return nil, err
	}
	shown, err := json.Marshal(p.Apply(full.Attributes()))
	if err != nil {
		return nil, err
	}
	b = append(b[:start], shown...)
	if keys := r.shownKeys(p); len(keys) > 0 {
		b = append(r.appendExtra(b[:len(b)-1], keys...), '}')
	}
	return b, nil
}

// shownKeys tells what a projection leaves of each reference beside a document, by trying it on one: there may be too many of
// them to parse.
func (r *rendered) shownKeys(p *resource.Projection) []string {
	if r.extraName == "" {
		return nil
	}
	sample := map[string]any{r.extraName: []any{map[string]any{"value": "v", "type": "t", "display": "d"}}}
	list, _ := p.Apply(sample)[r.extraName].([]any)
	if len(list) != 1 {
		return nil
	}
	left, _ := list[0].(map[string]any)
	var keys []string
	for _, key := range []string{"value", "type", "display"} {
		if left[key] != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// appendExtra appends the references with what of each is to be shown.
func (r *rendered) appendExtra(b []byte, keys ...string) []byte {
	b = slices.Grow(b, 128*len(r.extra)) // once, since there may be very many
	b = append(append(b, `,"`...), r.extraName...)
	b = append(b, `":[`...)
	for i := range r.extra {
		if i > 0 {
			b = append(b, ',')
		}
		begin := len(b)
		for _, key := range keys {
			var text string
			switch key {
			case "value":
				text = r.extra[i].value
			case "type":
				text = r.extra[i].kind
			case "display":
				text = r.extra[i].display
			}
			if text != "" {
				b = append(append(append(b, `,"`...), key...), `":`...)
				b = wire.AppendString(b, text)
			}
		}
		if len(b) == begin {
			b = append(b, '{')
		}
		b[begin] = '{' // in the place of the first comma
		b = append(b, '}')
	}
	return append(b, ']')
}

// single answers with one resource.
func (h *Handler) single(c *call, status int, res *schemas.Resource, p *resource.Projection, r rendered) (answer, error) {
	c.about(&r)
	body, err := h.append(make([]byte, 0, 2048), c, res, p, &r)
	a := answer{status: status, body: body, etag: r.etag()}
	if status == http.StatusCreated {
		a.location = h.location(c, res, r.id)
	}
	return a, err
}
