package scim

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"

	scimerrors "github.com/elimity-com/scim/errors"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/resource"
)

// What one answer may hold, and what of it is still ordinary: it is read at once, and has its place beside all others. What turns
// out to be larger is read again, once there is room for it.
const (
	ordinaryBody       = 16 << 10  // bytes of a request body; Entra sends 2 to 10 KiB
	ordinaryMemory     = 512 << 10 // bytes of memory for a body or documents, such as 100 users or 400 members
	ordinaryPage       = 512 << 10 // bytes of the documents of a page, and one document more; 100 users have about 150 KiB
	maxPageBytes       = 2 << 20   // bytes of the documents of a page, and one document more; 500 users have 1 MiB
	fewResources       = 10        // of which a page is so short that it waits for no others
	ordinaryReferences = 2_000     // members or groups in one answer
	maxReferences      = 100_000
)

// About how many bytes of memory are held for each byte or reference.
const (
	perBodyByte     = 8    // text: parsed, normalised, compared, rendered, and kept for the log
	perObject       = 3072 // such as a member: parsed, looked for, written, and told in the feed
	perValue        = 128
	perPageByte     = 3   // as read, and as rendered
	perDocumentByte = 12  // edited: read, parsed, changed, rendered
	perReference    = 320 // read, and rendered
)

// weigh tells about how many bytes of memory a body needs while it is worked on: text costs little, many small values much.
func weigh(raw []byte) int {
	return perBodyByte*len(raw) + perObject*bytes.Count(raw, []byte("{")) + perValue*bytes.Count(raw, []byte(","))
}

// begin waits until the request may be worked on.
func (c *call) begin() error {
	if c.room == nil {
		return nil
	}
	return c.room.Begin(c.ctx())
}

// beginPage waits until the page may be read. Those that have few resources at most, as the lookups of a provisioning service do,
// wait for no others.
func (c *call) beginPage(s *search, parts []part) error {
	if c.room == nil || s.count <= fewResources || !slices.ContainsFunc(parts, part.mayBeLong) {
		return nil
	}
	return c.room.Page(c.ctx())
}

// mayBeLong says whether the filter may hold for many resources.
func (p part) mayBeLong() bool { return !p.none && !filter.Identifies(p.query.Filter) }

// hold waits until there is room for what is larger than an ordinary request.
func (c *call) hold(bytes int) error {
	if c.room == nil {
		return nil
	}
	return c.room.Hold(c.ctx(), bytes)
}

// spare asks for room for documents that have been read and are about to be parsed or rendered, and does not wait.
func (c *call) spare(size, per int) error {
	if c.room == nil || size*per <= ordinaryMemory {
		return nil
	}
	return c.room.Try(c.ctx(), size*per)
}

// references are what stands beside the documents of a page: members of groups, groups of users.
type references struct {
	name    string // of the attribute
	instead string // how a client lists what is too much for one answer
	read    func(ids []string, most int) (map[string][]reference, error)
	count   func(ids []string) (map[string]int, error)
}

// fill reads the references of a page of resources, and gives how many of these have theirs: all, unless that would be too much
// for one answer. A single resource with more references than an answer may have is refused.
func (r *references) fill(c *call, page []rendered) (int, error) {
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].id
	}
	found, err := r.read(ids, ordinaryReferences+1)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, list := range found {
		total += len(list)
	}
	if total > ordinaryReferences {
		if ids, err = r.share(c, ids); err != nil {
			return 0, err
		}
		if found, err = r.read(ids, 0); err != nil {
			return 0, err
		}
	}
	for i, id := range ids {
		page[i].extraName, page[i].extra = r.name, found[id]
	}
	return len(ids), nil
}

// share gives the ids of those resources whose references one answer can hold, and waits until there is room for them.
func (r *references) share(c *call, ids []string) ([]string, error) {
	counts, err := r.count(ids)
	if err != nil {
		return nil, err
	}
	total, n := 0, 0
	for n < len(ids) && total+counts[ids[n]] <= maxReferences {
		total += counts[ids[n]]
		n++
	}
	if n == 0 {
		return nil, &fault.Error{
			Status: http.StatusBadRequest, Type: scimerrors.ScimTypeTooMany,
			Detail: fmt.Sprintf("%s: are %d, and one answer shows at most %d; leave them out with excludedAttributes=%s, or list them with %s",
				r.name, counts[ids[0]], maxReferences, r.name, r.instead),
		}
	}
	return ids[:n], c.hold(total * perReference)
}

// fillPage reads what stands beside the documents of a page, where it is wanted, and cuts off those resources whose references
// the answer has no room for.
func (h *Handler) fillPage(c *call, p *part) error {
	p.shown = c.projection(p.res)
	beside := p.beside(c)
	if len(p.found) == 0 || !p.shown.Wants(p.res.Core.Attribute(beside.name)) {
		return nil
	}
	n, err := beside.fill(c, p.found)
	if err == nil && n < len(p.found) {
		p.found, p.cut = p.found[:n], true
	}
	return err
}

// fillOne does it for a single resource. One that was just written is answered without its references where there is no room for
// them: it is done, and a refusal would tell the opposite.
func (h *Handler) fillOne(c *call, of *collection, p *resource.Projection, r *rendered, written bool) error {
	beside := of.beside(c)
	if !p.Wants(of.res.Core.Attribute(beside.name)) {
		return nil
	}
	page := []rendered{*r}
	_, err := beside.fill(c, page)
	*r = page[0]
	_, full := errors.AsType[*model.Throttled](err)
	if refused, ok := errors.AsType[*fault.Error](err); written && (full || ok && refused.Type == scimerrors.ScimTypeTooMany) {
		return nil
	}
	return err
}
