package simulator

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// subject is the object that a step is about.
type subject struct {
	id   string // object id
	name string
	kind objectKind
}

// reference is a user whose manager is to be compared after all users and groups stand.
type reference struct {
	subject  subject
	targetID string
	manager  string // SCIM id of the manager at the target, or empty
}

// syncUsers brings users in line and returns those whose references follow.
func (p *Provisioner) syncUsers(ctx context.Context, r *run, ids []string) []reference {
	found := make([]*reference, len(ids))
	p.each(ctx, len(ids), func(i int) { found[i] = p.provisionUser(ctx, r, ids[i]) })
	out := make([]reference, 0, len(ids))
	for _, f := range found {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// provisionUser does what a user's state asks for. It returns a reference when the user stands enabled at the target.
func (p *Provisioner) provisionUser(ctx context.Context, r *run, id string) *reference {
	r.handled()
	user, exists := p.tenant.User(id)
	known, linked := p.link(id)
	s := subject{id, user.DisplayName, kindUser}
	switch {
	case !exists:
		s.name = known.name
		p.removeGone(ctx, r, s, known, linked)
		return nil
	case !p.userInScope(id):
		p.disableLeaver(ctx, r, s, known, linked)
		return nil
	}
	soft := user.SoftDeleted()
	if soft && (!linked || !known.managed) {
		p.skip(r, s, CodeSourceDisabled, "disabled or deleted in Entra and not provisioned")
		return nil
	}
	want := p.mappings.user(user, soft)
	resource, failure := p.locate(ctx, r, s, known, linked, !soft && (!linked || known.returned), want)
	if failure != nil {
		p.fail(r, s, ActionUpdate, failure, false, nil)
		return nil
	}
	if resource == nil {
		resource = p.create(ctx, r, s, userBody(want))
	} else if !p.update(ctx, r, s, resource, want) {
		resource = nil
	}
	if resource == nil || soft {
		if soft {
			p.mark(id, true)
		}
		return nil
	}
	return p.referenceOf(r, s, resource)
}

// referenceOf reads the manager that the target answered. A bare string breaks Entra's deserialiser.
func (p *Provisioner) referenceOf(r *run, s subject, resource map[string]any) *reference {
	enterprise, _ := resource[EnterpriseUserURN].(map[string]any)
	switch manager := enterprise["manager"].(type) {
	case nil:
		return &reference{subject: s, targetID: resourceID(resource)}
	case map[string]any:
		value, _ := manager["value"].(string)
		return &reference{subject: s, targetID: resourceID(resource), manager: value}
	default:
		p.fail(r, s, ActionUpdate, incompatible(http.StatusOK, "manager of %s is %T, not an object with a value", s.name, manager), false, nil)
		return nil
	}
}

// locate finds the resource of an object at the target, nil when it has to be created.
func (p *Provisioner) locate(ctx context.Context, r *run, s subject, known link, linked, match bool, want []desired) (map[string]any, *Failure) {
	if match {
		resource, failure := p.match(ctx, r, s, want)
		if failure != nil || resource != nil || !linked {
			return resource, failure
		}
	}
	resource, failure := p.get(ctx, r, s, known.targetID)
	if failure != nil && failure.Code == CodeInvalidAnchor && match {
		return nil, nil // neither the filter nor the cached id finds one that came back: create it
	}
	return resource, failure
}

// get reads a resource by its cached id.
func (p *Provisioner) get(ctx context.Context, r *run, s subject, targetID string) (map[string]any, *Failure) {
	query := ""
	if s.kind == kindGroup {
		query = "excludedAttributes=members"
	}
	resource, failure := p.client.read(ctx, r.cycle, request{
		method: http.MethodGet, path: s.kind.collection() + "/" + targetID, query: query, why: purposeKnown,
		words: "Read " + s.name, object: s.id,
	})
	if failure != nil {
		return nil, failure
	}
	return resource, checkMembersExcluded(s, resource)
}

// match filters by the matching attributes in order and stops at the first hit.
func (p *Provisioner) match(ctx context.Context, r *run, s subject, want []desired) (map[string]any, *Failure) {
	attributes, prefix := p.options.UserMatching, ""
	if s.kind == kindGroup {
		attributes, prefix = p.options.GroupMatching, "excludedAttributes=members&"
	}
	asked := false
	for _, attribute := range attributes {
		value := valueOf(want, attribute)
		if value == "" {
			continue
		}
		asked = true
		hits, failure := p.client.find(ctx, r.cycle, request{
			path: s.kind.collection(), query: prefix + filterQuery(equals(attribute, value)),
			words: fmt.Sprintf("Match %s by %s", s.name, attribute), object: s.id,
		})
		switch {
		case failure != nil:
			return nil, failure
		case len(hits) > 1:
			return nil, &Failure{Code: CodeDuplicateTarget, Detail: fmt.Sprintf("%d objects have %s %s", len(hits), attribute, quoted(value))}
		case len(hits) == 1:
			if owner := p.owner(s.kind, resourceID(hits[0])); owner != "" && owner != s.id {
				return nil, &Failure{Code: CodeDuplicateSource, Detail: fmt.Sprintf("%s %s is linked to object %s", attribute, quoted(value), owner)}
			}
			return hits[0], checkMembersExcluded(s, hits[0])
		}
	}
	if !asked {
		return nil, &Failure{Code: CodeMissingValue, Detail: "no matching attribute has a value: " + strings.Join(attributes, ", ")}
	}
	return nil, nil
}

// checkMembersExcluded refuses a group that carries members although they were excluded.
func checkMembersExcluded(s subject, resource map[string]any) *Failure {
	if members, _ := resource["members"].([]any); s.kind == kindGroup && len(members) > 0 {
		return &Failure{Code: CodeMultipleEntries, Status: http.StatusOK, Detail: "the group came with members although excludedAttributes=members was asked"}
	}
	return nil
}

// create POSTs an object and remembers the id that the target gave it.
func (p *Provisioner) create(ctx context.Context, r *run, s subject, body object) map[string]any {
	resource, failure := p.client.read(ctx, r.cycle, request{
		method: http.MethodPost, path: s.kind.collection(), body: &body, why: purposeCreate, words: "Create " + s.name, object: s.id,
	})
	if failure != nil {
		p.fail(r, s, ActionCreate, failure, false, nil)
		return nil
	}
	p.remember(s, resourceID(resource))
	p.log(r, s, Entry{Action: ActionCreate, Outcome: OutcomeSuccess, TargetID: resourceID(resource)})
	return resource
}

// update PATCHes the attributes that differ, and reports success.
func (p *Provisioner) update(ctx context.Context, r *run, s subject, resource map[string]any, want []desired) bool {
	changed := differences(want, resource)
	if len(changed) == 0 {
		p.remember(s, resourceID(resource))
		r.count(func(c *Counts) { c.Unchanged++ })
		return true
	}
	action, words := ActionUpdate, "Update "
	modified := make([]Modified, 0, len(changed))
	for _, c := range changed {
		if c.path.text == "active" && c.new == false {
			action, words = ActionDisable, "Disable "
		}
		modified = append(modified, Modified{c.path.text, text(c.old), text(c.new)})
	}
	if f := p.patch(ctx, r, s, resourceID(resource), words+s.name, r.dialect.attributes(s.kind, changed)); f != nil {
		p.fail(r, s, action, f, false, nil)
		return false
	}
	p.remember(s, resourceID(resource))
	p.log(r, s, Entry{Action: action, Outcome: OutcomeSuccess, TargetID: resourceID(resource), Modified: modified})
	return true
}

// patch sends a PATCH; the answer may have a body or none.
func (p *Provisioner) patch(ctx context.Context, r *run, s subject, targetID, words string, body object) *Failure {
	_, _, failure := p.client.send(ctx, r.cycle, request{
		method: http.MethodPatch, path: s.kind.collection() + "/" + targetID, body: &body, why: purposeKnown, words: words, object: s.id,
	})
	return failure
}

// disableLeaver disables someone who left the scope, once; afterwards the job does not manage the person.
func (p *Provisioner) disableLeaver(ctx context.Context, r *run, s subject, known link, linked bool) {
	switch {
	case !linked:
		p.skip(r, s, CodeNotEntitled, "not assigned")
		return
	case !known.managed:
		p.skip(r, s, CodeUnmanaged, "left the scope before")
		return
	case p.options.SkipOutOfScopeDeletions:
		p.mark(s.id, false)
		p.skip(r, s, CodeNotEntitled, "left the scope; SkipOutOfScopeDeletions is on")
		return
	}
	resource, failure := p.get(ctx, r, s, known.targetID)
	if failure != nil {
		p.fail(r, s, ActionDisable, failure, false, nil)
		return
	}
	if p.update(ctx, r, s, resource, []desired{{path{text: "active", attribute: "active"}, false}}) {
		p.mark(s.id, false)
	}
}

// removeGone deletes what was deleted for good in the tenant, unless the job had stopped managing it.
func (p *Provisioner) removeGone(ctx context.Context, r *run, s subject, known link, linked bool) {
	if !linked || !known.managed {
		p.forget(s.id)
		return
	}
	if _, failure := p.get(ctx, r, s, known.targetID); failure != nil && failure.Code != CodeMultipleEntries {
		if failure.Code == CodeInvalidAnchor {
			p.forget(s.id)
			p.skip(r, s, CodeInvalidAnchor, "gone at the target already")
			return
		}
		p.fail(r, s, ActionDelete, failure, false, nil)
		return
	}
	_, _, failure := p.client.send(ctx, r.cycle, request{
		method: http.MethodDelete, path: s.kind.collection() + "/" + known.targetID, why: purposeKnown, words: "Delete " + s.name, object: s.id,
	})
	if failure != nil && failure.Code != CodeInvalidAnchor {
		p.fail(r, s, ActionDelete, failure, false, nil)
		return
	}
	p.forget(s.id)
	p.log(r, s, Entry{Action: ActionDelete, Outcome: OutcomeSuccess, TargetID: known.targetID})
}

// text writes a value for the provisioning log.
func text(value any) string {
	if value == nil {
		return ""
	}
	if flag, isBool := value.(bool); isBool {
		return stringBool(flag)
	}
	return fmt.Sprint(value)
}

// log records an entry about an object in the report and the journal, and counts it.
func (p *Provisioner) log(r *run, s subject, e Entry) {
	p.record(r, s, e)
	r.count(func(c *Counts) { c.tally(e) })
}

// record completes an entry and puts it in the report and the journal.
func (p *Provisioner) record(r *run, s subject, e Entry) {
	e.At, e.Cycle, e.Type, e.ObjectID, e.Name = p.now(), r.cycle, string(s.kind), s.id, s.name
	if e.TargetID == "" {
		e.TargetID = p.TargetID(s.id)
	}
	r.log(e)
	p.journal.addEntry(e)
}

func (p *Provisioner) skip(r *run, s subject, code Code, reason string) {
	p.log(r, s, Entry{Action: ActionSkip, Outcome: OutcomeSkipped, Code: code, Reason: reason})
}

// fail escrows an object, or ends the run when the failure concerns the whole job.
func (p *Provisioner) fail(r *run, s subject, action Action, f *Failure, reference bool, members []string) {
	if f.Code == CodeCancelled {
		return
	}
	if f.Critical {
		r.fatal(f)
	} else {
		p.escrow(s.id, s.kind, f.Code, reference, members)
		if !reference {
			r.failed()
		}
	}
	p.log(r, s, Entry{Action: action, Outcome: OutcomeFailure, Code: f.Code, Reason: f.Error()})
}
