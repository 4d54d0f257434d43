package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"usher/directory"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

func (c *Console) wizardRoutes() []route {
	return []route{
		get("/integrations/new", model.RightManageIntegrations, (*visit).newIntegration),
		post("/integrations/new", model.RightManageIntegrations, (*visit).createIntegration),
		get("/integrations/{integration}/setup", model.RightRead, (*visit).showSetup),
		post("/integrations/{integration}/setup/token", model.RightManageIntegrations, (*visit).setupToken),
		get("/integrations/{integration}/setup/steps", model.RightRead, (*visit).setupSteps),
		get("/integrations/{integration}/setup/permissions", model.RightRead, (*visit).showPermissions),
		get("/integrations/{integration}/setup/export", model.RightManageIntegrations, (*visit).exportSetup),
		get("/integrations/{integration}/setup/sign-in", model.RightManageIntegrations, (*visit).setupSignIn),
		post("/integrations/{integration}/setup/start", model.RightManageIntegrations, (*visit).startSetup),
		post("/integrations/{integration}/setup/job", model.RightManageIntegrations, (*visit).steerJob),
	}
}

// Graph is the door to Microsoft Graph, as far as the console looks through it itself.
type Graph interface {
	// Permissions gives the application permissions that the integration's token has.
	Permissions(ctx context.Context, ref model.Ref) ([]string, error)
}

// newView asks for what a new integration needs.
type newView struct {
	Form                  *form
	Name, Ingress, Tenant field
}

func (v *visit) newIntegration() error { return v.newPage(v.newForm("/integrations/new", "Go on")) }

func (v *visit) newPage(f *form) error {
	f.set("ingress", string(model.IngressSCIM))
	view := newView{Form: f, Name: f.field("text", "name", "Name")}
	view.Name.Required, view.Name.Help, view.Name.Placeholder = true, "What you call the directory, such as the company's name.", "Contoso"
	view.Ingress = f.field("radio", "ingress", "How people come").choose(
		option{Value: "scim", Name: "Entra pushes (SCIM)", Help: "Entra's provisioning service calls Usher whenever something changes. Needs an enterprise application in Entra, and Entra must reach this server."},
		option{Value: "graph", Name: "Usher reads (Microsoft Graph)", Help: "Usher reads the members of groups that you choose, every half an hour. Works behind a firewall. Needs an application registration."})
	view.Tenant = f.field("text", "tenant_id", "Tenant id")
	view.Tenant.Help, view.Tenant.Placeholder = "Optional for now. The Entra admin centre shows it under Overview.", "00000000-0000-0000-0000-000000000000"
	f.rest()
	return v.render("integration_new", page{Title: "Set up an integration", Crumbs: []crumb{{"Integrations", "/integrations"}}, Body: view})
}

func (v *visit) createIntegration() error {
	i := directory.DefaultIntegration(v.field("name"), model.Ingress(v.field("ingress")))
	i.TenantID = v.field("tenant_id")
	i, err := v.svc.CreateIntegration(v.ctx, v.org, i, nil)
	if err != nil {
		f := v.newForm("/integrations/new", "Go on")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.newPage(f)
	}
	return v.done("/integrations/"+i.ID+"/setup", "The integration "+i.Name+" is made. Now connect it.")
}

// setupView is the way from a new integration to the first people, with ticks that follow what happens.
type setupView struct {
	ID, TenantURL string
	SCIM, Manage  bool
	NewToken      string
	Steps         []step
	Done          bool
	Guide         directory.SetupGuide
	Task          *taskView
	SignIn        bool // an administrator can sign in, so that Usher sets Entra up
	Graph         bool // there is something to ask Microsoft Graph for
	TokenForm     *form
	TokenName     field
	TokenEnds     field
}

// taskView is what Usher does in Entra by itself, step by step.
type taskView struct {
	State  badge
	Steps  []step
	Error  string
	Job    string
	Active bool // the job runs and can be paused
	Paused bool
	Open   bool // something is being done now
	SignIn string
}

func (v *visit) showSetup() error { return v.setupPage(nil, "") }

func (v *visit) setupPage(f *form, token string) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	view, err := v.setupView(i)
	if err != nil {
		return err
	}
	if view.Guide, err = v.svc.SetupGuide(v.ctx, i.Ref(), v.publicURL); err != nil {
		return err
	}
	view.NewToken, view.TenantURL = token, v.tenantURL(i)
	if view.Guide.Provisioning != nil {
		view.TenantURL = view.Guide.Provisioning.TenantURL
	}
	view.Graph, view.SignIn = v.graph != nil && i.Graph.ClientID != "", i.Graph.ClientID != "" && i.TenantID != ""
	if f == nil {
		f = v.newForm("/integrations/"+i.ID+"/setup/token", "Make a token")
		f.set("name", "Entra")
	}
	view.TokenForm = f
	view.TokenName, view.TokenEnds = tokenFields(f)
	f.rest()
	lead := "Follow the steps; each is ticked off when it has happened."
	if view.Done {
		lead = "Everything is in place."
	}
	return v.render("setup", page{Title: "Set up " + i.Name, Lead: lead, Crumbs: integrationCrumbs(&i), Body: view})
}

func (v *visit) setupView(i model.Integration) (setupView, error) {
	view := setupView{ID: i.ID, SCIM: i.Ingress == model.IngressSCIM, Manage: v.can(model.RightManageIntegrations)}
	var err error
	if view.SCIM {
		view.Steps, err = v.scimSteps(i)
	} else {
		view.Steps, err = v.graphSteps(i)
	}
	if err != nil {
		return view, err
	}
	view.Done = true
	next := false
	for n := range view.Steps {
		if view.Steps[n].State == "done" {
			continue
		}
		view.Done = false
		if view.Steps[n].State = "later"; !next {
			view.Steps[n].State, next = "now", true
		}
	}
	setup, err := v.svc.Setup(v.ctx, i.Ref())
	if err == nil && setup.State != model.TaskNone {
		view.Task = new(taskOf(setup))
	}
	return view, err
}

// ticked gives a step that is done where ok.
func ticked(ok bool, title, done, todo string) step {
	s := step{Title: title, Text: todo}
	if ok {
		s.State, s.Text = "done", done
	}
	return s
}

func (v *visit) scimSteps(i model.Integration) ([]step, error) {
	tokens, err := v.read.SCIMTokensAfter(i.Ref(), "", manyTokens)
	if err != nil {
		return nil, err
	}
	clients, err := v.read.CountSCIMClients(i.Ref())
	if err != nil {
		return nil, err
	}
	last, called, err := v.read.LastSCIMRequest(i.Ref())
	if err != nil {
		return nil, err
	}
	people, err := v.read.DirectoryUsersAfter(i.Ref(), "", 1)
	if err != nil {
		return nil, err
	}
	groups, _, err := v.svc.Groups(v.ctx, i.Ref(), model.ResourceQuery{StartIndex: 1, Count: 1})
	if err != nil {
		return nil, err
	}
	entry, err := v.svc.Lists(v.ctx, i.Ref())
	return []step{
		ticked(len(tokens)+clients > 0, "Make a token", "Entra has something to show.", "Entra shows it with every request. Make one below."),
		ticked(called, "Test the connection", "Entra last called "+ago(v.now().Sub(last.OccurredAt))+".", "In Entra, enter the Tenant URL and the token, and choose Test Connection. Waiting for the first request…"),
		ticked(len(people) > 0, "The first person", "People are arriving.", "Assign a group or people to the application in Entra, and start provisioning. Waiting for the first person…"),
		ticked(len(groups) > 0, "The first group", "Groups are arriving.", "Assign groups to the application, so that they come with their members. Waiting for the first group…"),
		ticked(len(entry.GroupMappings) > 0, "Say what groups give", fmt.Sprintf("%s.", quantity(len(entry.GroupMappings), "group mapping")), "Map groups to roles, sites and departments."),
	}, err
}

func (v *visit) graphSteps(i model.Integration) ([]step, error) {
	entry, err := v.svc.Lists(v.ctx, i.Ref())
	if err != nil {
		return nil, err
	}
	runs, err := v.read.RunsBefore(v.org, store.RunFilter{Integration: i.ID, Kind: model.RunImport, State: model.RunSucceeded}, "", 1)
	if err != nil {
		return nil, err
	}
	people, err := v.read.DirectoryUsersAfter(i.Ref(), "", 1)
	g, base := i.Graph, Base+"/integrations/"+i.ID
	proof := g.HasSecret || g.HasCertificate || g.Auth == "federated" || g.Auth == "managed_identity"
	list := []step{
		ticked(g.ClientID != "" && proof, "Register an application", "Usher knows who it is in Entra.", "Register an application in Entra, and enter its client id and secret in the settings of the integration."),
		ticked(i.TenantID != "", "Grant the permissions", "The tenant is known.", "An administrator of the tenant grants the permissions below, all at once."),
		ticked(len(entry.ChosenGroups) > 0 || i.Scope == model.ScopeEveryone, "Choose groups", "The import knows whom to take.", "Choose the groups whose members are imported. Without any, nothing is."),
		ticked(len(runs) > 0, "The first import", "An import has succeeded.", "Start an import. Waiting for it to succeed…"),
		ticked(len(people) > 0, "The first person", "People are there.", "Waiting for the first person…"),
	}
	if v.can(model.RightManageIntegrations) {
		list[0].Action = link{Name: "Settings", Path: base + "/edit"}
	}
	if v.can(model.RightManageSettings) {
		list[2].Action = link{Name: "Choose groups", Path: base + "/groups"}
	}
	return list, err
}

// setupSteps gives the steps alone; the page asks again and again until all are done.
func (v *visit) setupSteps() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	view, err := v.setupView(i)
	if err != nil {
		return err
	}
	if !v.partial() {
		return v.redirect("/integrations/" + i.ID + "/setup")
	}
	return v.fragment("setup", "live", view)
}

func (v *visit) setupToken() error {
	path := "/integrations/" + v.ref().IntegrationID + "/setup/token"
	text, err := v.newToken()
	if err != nil {
		f := v.newForm(path, "Make a token")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.setupPage(f, "")
	}
	return v.setupPage(blank(path, "Make a token", nil), text)
}

// permissionsView is what Microsoft Graph has granted, for each thing that is switched on.
type permissionsView struct {
	Checks   []directory.PermissionCheck
	Complete bool
	Consent  string
	Problem  string
}

func (v *visit) showPermissions() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	view := permissionsView{Complete: true}
	entry, err := v.svc.Lists(v.ctx, i.Ref())
	if err != nil {
		return err
	}
	if v.graph == nil {
		return model.Errorf(model.Refused, "This server does not speak to Microsoft Graph.")
	}
	roles, err := v.graph.Permissions(v.ctx, i.Ref())
	if _, theirs := errors.AsType[*outlook.Error](err); theirs || err != nil && model.KindOf(err) != model.Internal {
		view.Problem, view.Complete = sentence(err.Error()), false
	} else if err != nil {
		return err
	}
	view.Checks = directory.Preflight(directory.NeedsOf(entry), roles)
	for _, c := range view.Checks {
		view.Complete = view.Complete && c.Granted
	}
	if !view.Complete && v.can(model.RightManageIntegrations) {
		if view.Consent, err = v.svc.ConsentURL(v.ctx, i.Ref(), v.publicURL); err != nil && model.KindOf(err) != model.Refused {
			return err
		}
	}
	if v.partial() {
		return v.fragment("permissions", "permissions", view)
	}
	return v.render("permissions", page{Title: "Permissions of " + i.Name, Crumbs: integrationCrumbs(&i), Body: view})
}

// exportSetup gives the set-up as a script.
func (v *visit) exportSetup() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	format, name := v.query("format"), "usher-setup.ps1"
	if format == directory.FormatTerraform {
		name = "usher-setup.tf"
	}
	text, err := v.svc.SetupExport(v.ctx, i.Ref(), v.publicURL, format)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = v.w.Write([]byte(text)) // the browser is gone where this fails
	return nil
}

// setupSignIn sends an administrator of the tenant to Entra.
func (v *visit) setupSignIn() error {
	address, err := v.svc.SignInURL(v.ctx, v.ref(), v.publicURL)
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.r, address, http.StatusSeeOther)
	return nil
}

func (v *visit) startSetup() error {
	if _, err := v.svc.StartSetup(v.ctx, v.ref(), directory.SetupRequest{}, v.publicURL); err != nil {
		return err
	}
	return v.done("/integrations/"+v.ref().IntegrationID+"/setup", "Usher sets provisioning up in Entra. You can leave this page.")
}

func (v *visit) steerJob() error {
	action := v.field("action")
	if action != directory.JobStart && action != directory.JobPause && action != directory.JobRestart {
		return model.FieldErrorf(model.Invalid, "action", "%q is nothing that can be done with provisioning", action)
	}
	if _, err := v.svc.SteerJob(v.ctx, v.ref(), action, ""); err != nil {
		return err
	}
	return v.done("/integrations/"+v.ref().IntegrationID+"/setup", "Entra was told: "+action+" provisioning.")
}

func taskOf(s model.Setup) taskView {
	t := taskView{Error: s.Error, Open: s.State.Open(), SignIn: s.SignIn.By}
	switch s.State {
	case model.TaskSucceeded:
		t.State = badge{good, "circle-check", "Set up by Usher"}
	case model.TaskFailed:
		t.State = badge{bad, "alert-triangle", "Failed"}
	case model.TaskCancelled:
		t.State = badge{calm, "ban", "Cancelled"}
	default:
		t.State = badge{fresh, "loader", "Working"}
	}
	for _, one := range s.Steps {
		next := step{Title: sentence(strings.ReplaceAll(one.Name, "_", " ")), Text: sentence(one.Detail), State: "later"}
		if one.State == model.StepDone || one.State == model.StepSkipped {
			next.State = "done"
		} else if n := len(t.Steps); t.Open && (n == 0 || t.Steps[n-1].State == "done") {
			next.State = "now"
		}
		t.Steps = append(t.Steps, next)
	}
	if s.Job != nil {
		t.Job, t.Active, t.Paused = s.Job.Says, s.Job.State == "Active", s.Job.State == "Paused"
	}
	return t
}
