package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
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
	return rendered{id: u.ID, document: u.Document, version: u.Version, created: u.CreatedAt, updated: u.UpdatedAt}
}

func groupOf(g model.DirectoryGroup) rendered {
	return rendered{id: g.ID, document: g.Document, version: g.Version, created: g.CreatedAt, updated: g.UpdatedAt}
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
	if r.extraName != "" {
		b = r.appendExtra(b)
	}
	b = wire.AppendString(append(b, `,"meta":{"resourceType":`...), res.Name)
	b = append(r.created.UTC().AppendFormat(append(b, `,"created":"`...), instant), '"')
	b = append(r.updated.UTC().AppendFormat(append(b, `,"lastModified":"`...), instant), '"')
	b = wire.AppendString(append(b, `,"location":`...), h.location(c, res, r.id))
	b = wire.AppendString(append(b, `,"version":`...), r.etag())
	b = append(b, "}}"...)
	if p.IsWhole() {
		return b, nil
	}
	full, err := model.ParseDocument(b[start:])
	if err != nil {
		return nil, err
	}
	shown, err := json.Marshal(p.Apply(full.Attributes()))
	return append(b[:start], shown...), err
}

func (r *rendered) appendExtra(b []byte) []byte {
	b = append(append(b, `,"`...), r.extraName...)
	b = append(b, `":[`...)
	for i, ref := range r.extra {
		if i > 0 {
			b = append(b, ',')
		}
		b = wire.AppendString(append(b, `{"value":`...), ref.value)
		b = wire.AppendString(append(b, `,"type":`...), ref.kind)
		if ref.display != "" {
			b = wire.AppendString(append(b, `,"display":`...), ref.display)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// single answers with one resource.
func (h *Handler) single(c *call, status int, res *schemas.Resource, p *resource.Projection, r rendered) (answer, error) {
	body, err := h.append(make([]byte, 0, 2048), c, res, p, &r)
	a := answer{status: status, body: body, etag: r.etag()}
	if status == http.StatusCreated {
		a.location = h.location(c, res, r.id)
	}
	return a, err
}

// list answers with a page (RFC 7644 §3.4.2).
func (h *Handler) list(c *call, res *schemas.Resource, p *resource.Projection, start, total int, page []rendered) (answer, error) {
	b := make([]byte, 0, 256+1024*len(page))
	b = append(b, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	b = strconv.AppendInt(append(b, `,"startIndex":`...), int64(start), 10)
	b = strconv.AppendInt(append(b, `,"itemsPerPage":`...), int64(len(page)), 10)
	b = append(b, `,"Resources":[`...)
	for i := range page {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = h.append(b, c, res, p, &page[i]); err != nil {
			return answer{}, err
		}
	}
	return answer{status: http.StatusOK, body: append(b, "]}"...)}, nil
}
