package scim

import (
	"net/http"

	"usher/model"
	"usher/scim/resource"
)

func (h *Handler) listGroups(c *call) (answer, error) {
	res := h.tables.Group
	q, err := c.page(res)
	if err != nil {
		return answer{}, err
	}
	groups, total, err := h.opt.Directory.Groups(c.ctx(), c.ref, q)
	if err != nil {
		return answer{}, err
	}
	p := c.projection(res)
	page := make([]rendered, len(groups))
	for i := range groups {
		page[i] = groupOf(groups[i])
	}
	if err := h.fillMembers(c, &p, page); err != nil {
		return answer{}, err
	}
	return h.list(c, res, &p, q.StartIndex, total, page)
}

// fillMembers reads the members of all groups of a page at once, unless they are not asked for.
func (h *Handler) fillMembers(c *call, p *resource.Projection, page []rendered) error {
	if len(page) == 0 || !p.Wants(h.tables.Group.Core.Attribute("members")) {
		return nil
	}
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].id
	}
	members, err := h.opt.Directory.Members(c.ctx(), c.ref, ids)
	if err != nil {
		return err
	}
	for i := range page {
		list := members[page[i].id]
		page[i].extraName, page[i].extra = "members", make([]reference, 0, len(list))
		for _, m := range list {
			page[i].extra = append(page[i].extra, reference{m.ID, string(m.Type), m.Display})
		}
	}
	return nil
}

// answerGroup answers with one group.
func (h *Handler) answerGroup(c *call, status int, g model.DirectoryGroup) (answer, error) {
	p := c.projection(h.tables.Group)
	page := []rendered{groupOf(g)}
	if err := h.fillMembers(c, &p, page); err != nil {
		return answer{}, err
	}
	return h.single(c, status, h.tables.Group, &p, page[0])
}

func (h *Handler) group(c *call) (answer, error) {
	g, err := h.opt.Directory.Group(c.ctx(), c.ref, c.id)
	if err != nil {
		return answer{}, err
	}
	return h.answerGroup(c, http.StatusOK, g)
}

// sentGroup reads a whole group from the body.
func (h *Handler) sentGroup(c *call) (model.Document, resource.Normal, error) {
	body, err := c.body()
	if err != nil {
		return model.Document{}, resource.Normal{}, err
	}
	n, err := resource.Normalise(h.tables.Group, body, c.note)
	if err != nil {
		return model.Document{}, resource.Normal{}, err
	}
	doc, err := c.document(n.Attributes)
	return doc, n, err
}

func (h *Handler) createGroup(c *call) (answer, error) {
	doc, n, err := h.sentGroup(c)
	if err != nil {
		return answer{}, err
	}
	g, err := h.opt.Directory.CreateGroup(c.ctx(), c.ref, model.DirectoryGroup{Document: doc}, n.Members)
	if err != nil {
		return answer{}, err
	}
	return h.answerGroup(c, http.StatusCreated, g)
}

// replaceGroup replaces a group. A body that does not speak of members leaves them alone: RFC 7644 §3.5.1 lets the
// server choose, and a client that read the group without its members must not empty it by writing it back.
func (h *Handler) replaceGroup(c *call) (answer, error) {
	doc, n, err := h.sentGroup(c)
	if err != nil {
		return answer{}, err
	}
	g, err := h.opt.Directory.ChangeGroup(c.ctx(), c.ref, c.id, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
		g.Document = doc
		if !n.MembersSent {
			return nil, nil
		}
		return []model.MemberOp{{Kind: model.MembersReplace, IDs: n.Members}}, nil
	})
	if err != nil {
		return answer{}, err
	}
	return h.answerGroup(c, http.StatusOK, g)
}

// patchGroup answers 204, as Microsoft advises for groups, unless the client names what it wants to see.
func (h *Handler) patchGroup(c *call) (answer, error) {
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	patch, err := resource.ParsePatch(h.tables.Group, body, c.note)
	if err != nil {
		return answer{}, err
	}
	g, err := h.opt.Directory.ChangeGroup(c.ctx(), c.ref, c.id, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
		if !patch.TouchesDocument() {
			return patch.Members(), nil
		}
		return patch.Members(), c.edit(&g.Document, patch)
	})
	if err != nil {
		return answer{}, err
	}
	if p := c.projection(h.tables.Group); p.Listed() {
		return h.answerGroup(c, http.StatusOK, g)
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) deleteGroup(c *call) (answer, error) {
	return answer{status: http.StatusNoContent}, h.opt.Directory.DeleteGroup(c.ctx(), c.ref, c.id)
}
