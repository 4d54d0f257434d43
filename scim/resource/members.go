package resource

import (
	"strconv"
	"strings"

	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/wire"
)

// maxID is the longest id of a member in bytes; ours are much shorter.
const maxID = 256

// memberStep turns a step on members into member steps. Members are rows of their own: nothing here reads them, so the
// cost is that of the request and not of the group.
func (x *exploder) memberStep(s step) error {
	x.membersSent = true
	if s.target.Sub != "" && (s.filter == nil || s.kind != remove) {
		return fault.Mutability(s.path, "a member has no part that can be changed; add and remove members by their value")
	}
	if s.filter != nil {
		return x.selectedMembers(s)
	}
	ids, err := memberIDs(s.value)
	if err != nil {
		return err
	}
	switch {
	case s.kind == remove && s.value == nil:
		x.op(model.MembersReplace, nil)
	case s.kind == remove:
		// Entra's older dialect lists whom to remove; RFC 7644 would remove everyone.
		x.note("remove with a list of members")
		x.op(model.MembersRemove, ids)
	case !s.given:
		return fault.Value("members", "the operation has no value")
	case s.kind == replace:
		x.op(model.MembersReplace, ids)
	default:
		x.op(model.MembersAdd, ids)
	}
	return nil
}

// selectedMembers handles members[value eq "x" or value eq "y"].
func (x *exploder) selectedMembers(s step) error {
	selected, ok := selectedIDs(s.filter, nil)
	if !ok {
		return fault.Path(s.path, "members can be selected by value eq alone, joined by or")
	}
	if s.kind == remove {
		x.op(model.MembersRemove, selected)
		return nil
	}
	ids, err := memberIDs(s.value)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		ids = selected
	}
	if s.kind == replace {
		x.op(model.MembersRemove, selected)
	}
	x.op(model.MembersAdd, ids)
	return nil
}

func selectedIDs(expr ast.Expression, ids []string) ([]string, bool) {
	switch e := expr.(type) {
	case *ast.AttributeExpression:
		id, ok := e.CompareValue.(string)
		ok = ok && e.Operator == ast.EQ && strings.EqualFold(e.AttributePath.String(), "value")
		return append(ids, id), ok && id != "" && len(id) <= maxID
	case *ast.LogicalExpression:
		ids, ok := selectedIDs(e.Left, ids)
		if !ok || e.Operator != ast.OR {
			return nil, false
		}
		return selectedIDs(e.Right, ids)
	}
	return nil, false
}

// op files a step, joined with the one before where both add or both remove.
func (x *exploder) op(kind model.MemberOpKind, ids []string) {
	if len(ids) == 0 && kind != model.MembersReplace {
		return
	}
	if n := len(x.members) - 1; n >= 0 && x.members[n].Kind == kind && kind != model.MembersReplace {
		x.members[n].IDs = append(x.members[n].IDs, ids...)
		return
	}
	x.members = append(x.members, model.MemberOp{Kind: kind, IDs: ids})
}

// memberIDs reads members as objects with value, or as bare ids, each id once; $ref, type and display are ignored.
func memberIDs(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok && v != nil && v != "" {
		list = []any{v}
	}
	ids := make([]string, 0, len(list))
	seen := make(map[string]bool, len(list))
	for i, member := range list {
		id, ok := member.(string)
		if o, isObject := member.(*wire.Object); isObject {
			value, _ := o.Get("value")
			id, ok = value.(string)
		}
		if !ok || id == "" || len(id) > maxID {
			return nil, fault.Value("members["+strconv.Itoa(i)+"].value", "the id of a member is expected, a string of at most %d bytes", maxID)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}
