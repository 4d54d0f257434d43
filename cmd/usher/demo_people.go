package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"usher/internal/simulator"
)

// imported is the chapter about an organization that reads the same tenant over Graph.
type imported struct {
	*story
	api  *client // of that organization
	path string
}

// The group that is imported, how many leave it, and the guard that finds that too many.
const (
	importedGroup  = simulator.GroupAllEmployees
	leaveAtOnce    = 4
	importMinimum  = 2
	importerName   = "Contoso over Graph (simulated)"
	subsidiaryName = "subsidiary"
)

// theImport has another organization import a group of the tenant over Microsoft Graph, refuses to take everybody by mistake, and holds
// an import in which many have left at once.
func (st *story) theImport() error {
	st.heading("Another organization imports the same tenant over Microsoft Graph")
	if err := st.api.call(st.ctx, http.MethodPost, "/organizations", map[string]any{"slug": subsidiaryName, "name": "Subsidiary"}, nil); err != nil {
		return err
	}
	api := newClient(st.url, st.api.key)
	api.organization = subsidiaryName
	var made struct {
		ID string `json:"id"`
	}
	err := api.call(st.ctx, http.MethodPost, "/integrations", map[string]any{
		"name": importerName, "ingress": "graph", "tenant_id": st.world.mail.ID(), "guard": map[string]any{"minimum": importMinimum, "percent": 0},
		"graph": map[string]any{"client_id": demoClientID, "client_secret": st.world.secret},
	}, &made)
	if err != nil {
		return err
	}
	im := &imported{st, api, "/integrations/" + made.ID}
	for _, step := range []func() error{im.nobodyChosen, im.chosen, im.manyLeave} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// run starts an import and waits for its end.
func (im *imported) run() (runView, error) {
	var started struct {
		ID string `json:"id"`
	}
	if err := im.api.call(im.ctx, http.MethodPost, im.path+"/imports", nil, &started); err != nil {
		return runView{}, err
	}
	whole := *im.story
	whole.api = im.api
	return whole.waitRun(started.ID)
}

// nobodyChosen sees that a whole tenant is never imported by mistake.
func (im *imported) nobodyChosen() error {
	run, err := im.run()
	refused := err != nil || run.State == "failed"
	im.check(refused, "an import without a chosen group is %s", run.State)
	if err != nil && !strings.Contains(err.Error(), "409") {
		return err
	}
	im.say("  no group is chosen yet, and so nothing is imported: a whole tenant only where that is said")
	return nil
}

// chosen imports a group.
func (im *imported) chosen() error {
	groups := []map[string]any{{"display_name": importedGroup}}
	if err := im.api.call(im.ctx, http.MethodPut, im.path+"/chosen-groups", groups, nil); err != nil {
		return err
	}
	run, err := im.run()
	if err != nil {
		return err
	}
	im.check(run.State == "succeeded", "the import is %s: %s", run.State, run.Error)
	return im.compare("imported: %d accounts of %d members")
}

// compare holds the active accounts against the members of the group who can sign in.
func (im *imported) compare(text string) error {
	accounts, err := list[account](im.ctx, im.api, "/accounts", url.Values{"status": {"active"}})
	if err != nil {
		return err
	}
	group, ok := im.tenant.GroupNamed(importedGroup)
	if !ok {
		return errors.New("the tenant has no group " + importedGroup)
	}
	want := 0
	for _, id := range im.tenant.Members(group.ID) {
		if u, ok := im.tenant.User(id); ok && !u.SoftDeleted() {
			want++
		}
	}
	im.say("  "+text, len(accounts), want)
	im.check(len(accounts) == want, "%d accounts are active, and %d members of %s can sign in", len(accounts), want, importedGroup)
	return nil
}

// manyLeave takes people out of the group, sees the import held, and lets them back in.
func (im *imported) manyLeave() error {
	group, _ := im.tenant.GroupNamed(importedGroup)
	var left []string
	for _, id := range im.tenant.Members(group.ID) {
		if u, ok := im.tenant.User(id); ok && !u.SoftDeleted() && len(left) < leaveAtOnce {
			left = append(left, id)
		}
	}
	for _, id := range left {
		if err := im.tenant.RemoveMember(group.ID, id); err != nil {
			return err
		}
	}
	run, err := im.run()
	if err != nil {
		return err
	}
	im.check(run.State == "held" && run.Counts["deactivate"] == len(left), "the import that loses %d people is %s with %v", len(left), run.State, run.Counts)
	im.say("  somebody takes %d people out of the group by mistake: the import is %s, and nobody is deactivated", len(left), run.State)
	if err := im.api.call(im.ctx, http.MethodPost, "/runs/"+run.ID+"/discard", nil, nil); err != nil {
		return err
	}
	for _, id := range left {
		if err := im.tenant.AddMember(group.ID, id); err != nil {
			return err
		}
	}
	if run, err = im.run(); err != nil {
		return err
	}
	im.check(run.State == "succeeded" && run.Counts["deactivate"] == 0, "the import after that is %s with %v", run.State, run.Counts)
	return im.compare("the plan is discarded and the mistake mended: %d accounts of %d members")
}
