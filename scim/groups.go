package scim

import (
	"net/http"

	"usher/model"
	"usher/scim/resource"
)

// members is the attribute that stands beside a group's document.
const members = "members"

// membersOf are the members of groups, shown unless they are not asked for.
func (h *Handler) membersOf(c *call) references {
	return references{
		name: members, instead: `/Users?filter=groups eq "<id of the group>"`,
		read: func(ids []string, most int) (map[string][]reference, error) {
			lists, err := h.opt.Directory.Members(c.ctx(), c.ref, ids, most)
			found := make(map[string][]reference, len(ids))
			for id, list := range lists {
				found[id] = referencesTo(list)
				delete(lists, id) // the larger half of what is held
			}
			return found, err
		},
		count: func(ids []string) (map[string]int, error) { return h.opt.Directory.CountMembers(c.ctx(), c.ref, ids) },
	}
}

func referencesTo(list []model.Member) []reference {
	refs := make([]reference, len(list))
	for i, m := range list {
		refs[i] = reference{m.ID, string(m.Type), m.Display}
	}
	return refs
}

// answerGroup answers with one group.
func (h *Handler) answerGroup(c *call, status int, g model.DirectoryGroup) (answer, error) {
	p, groups, r := c.projection(h.tables.Group), h.groups(), groupOf(g)
	if err := h.fillOne(c, &groups, &p, &r, c.request.Method != http.MethodGet && c.request.Method != http.MethodHead); err != nil {
		return answer{}, err
	}
	return h.single(c, status, h.tables.Group, &p, r)
}

func (h *Handler) group(c *call) (answer, error) {
	p := c.projection(h.tables.Group)
	conditions, err := c.conditions()
	if err == nil && !conditions.sent() && p.Wants(h.tables.Group.Core.Attribute(members)) {
		return h.groupAtOnce(c, &p)
	}
	g, err := h.opt.Directory.Group(c.ctx(), c.ref, c.id)
	if err != nil {
		return answer{}, err
	}
	r := groupOf(g)
	if unchanged, err := c.unchanged(&r); err != nil || unchanged {
		return notModified(&r), err
	}
	return h.answerGroup(c, http.StatusOK, g)
}

// groupAtOnce answers with a group whose members are wanted for certain. They are read with it, unless they are very many.
func (h *Handler) groupAtOnce(c *call, p *resource.Projection) (answer, error) {
	g, list, err := h.opt.Directory.GroupWithMembers(c.ctx(), c.ref, c.id, ordinaryReferences+1)
	if err != nil {
		return answer{}, err
	}
	if len(list) > ordinaryReferences {
		return h.answerGroup(c, http.StatusOK, g)
	}
	r := groupOf(g)
	r.extraName, r.extra = members, referencesTo(list)
	return h.single(c, http.StatusOK, h.tables.Group, p, r)
}

func (h *Handler) createGroup(c *call) (answer, error) {
	n, err := h.sent(c, h.tables.Group)
	if err != nil {
		return answer{}, err
	}
	doc, err := c.document(n.Attributes)
	if err != nil {
		return answer{}, err
	}
	g, err := h.opt.Directory.CreateGroup(c.ctx(), c.ref, model.DirectoryGroup{Document: doc}, n.Members)
	if err != nil {
		return answer{}, h.taken(c, h.tables.Group, &doc, err)
	}
	if len(n.Members) > 0 {
		return h.answerGroup(c, http.StatusCreated, g)
	}
	p, r := c.projection(h.tables.Group), groupOf(g)
	if p.Wants(h.tables.Group.Core.Attribute(members)) {
		r.extraName = members // none, which nobody needs to look up
	}
	return h.single(c, http.StatusCreated, h.tables.Group, &p, r)
}

// replaceGroup replaces a group. A body that does not speak of members leaves them alone: RFC 7644 §3.5.1 lets the
// server choose, and a client that read the group without its members must not empty it by writing it back.
func (h *Handler) replaceGroup(c *call) (answer, error) {
	conditions, err := c.conditions()
	if err != nil {
		return answer{}, err
	}
	n, err := h.sent(c, h.tables.Group)
	if err != nil {
		return answer{}, err
	}
	doc, err := c.document(n.Attributes)
	if err != nil {
		return answer{}, err
	}
	g, err := h.opt.Directory.ChangeGroup(c.ctx(), c.ref, c.id, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
		r := groupOf(*g)
		c.about(&r)
		if err := conditions.forChange(&r); err != nil {
			return nil, err
		}
		g.Document = doc
		if !n.MembersSent {
			return nil, nil
		}
		return []model.MemberOp{{Kind: model.MembersReplace, IDs: n.Members}}, nil
	})
	if err != nil {
		return answer{}, h.taken(c, h.tables.Group, &doc, err)
	}
	return h.answerGroup(c, http.StatusOK, g)
}

// patchGroup answers 204, as Microsoft advises for groups, unless the client names what it wants to see.
func (h *Handler) patchGroup(c *call) (answer, error) {
	conditions, err := c.conditions()
	if err != nil {
		return answer{}, err
	}
	patch, err := h.patch(c, h.tables.Group)
	if err != nil {
		return answer{}, err
	}
	var doc model.Document
	check := func(g *model.DirectoryGroup) error {
		r := groupOf(*g)
		c.told.id = "" // an earlier run may have guessed another name
		c.about(&r)
		return conditions.forChange(&r)
	}
	p := c.projection(h.tables.Group)
	var g model.DirectoryGroup
	if patch.TouchesDocument() {
		g, err = h.opt.Directory.ChangeGroup(c.ctx(), c.ref, c.id, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
			if err := check(g); err != nil {
				return nil, err
			}
			err := c.edit(&g.Document, patch)
			doc = g.Document
			return patch.Members(), err
		})
	} else {
		g, err = h.opt.Directory.ChangeMembers(c.ctx(), c.ref, c.id, patch.Members(), !conditions.sent() && !p.Listed(), check)
	}
	if err != nil {
		return answer{}, h.taken(c, h.tables.Group, &doc, err)
	}
	if p.Listed() {
		return h.answerGroup(c, http.StatusOK, g)
	}
	r := groupOf(g)
	return answer{status: http.StatusNoContent, etag: r.etag()}, nil
}

func (h *Handler) deleteGroup(c *call) (answer, error) {
	conditions, err := c.conditions()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, h.opt.Directory.DeleteGroup(c.ctx(), c.ref, c.id, func(g *model.DirectoryGroup) error {
		r := groupOf(*g)
		c.about(&r)
		return conditions.forChange(&r)
	})
}
