package console

import (
	"strconv"
	"strings"
	"time"

	"usher/directory"
	"usher/model"
)

func (c *Console) integrationRoutes() []route {
	return []route{
		get("/integrations", model.RightRead, (*visit).showIntegrations),
		get("/integrations/{integration}", model.RightRead, (*visit).showIntegration),
		get("/integrations/{integration}/edit", model.RightManageIntegrations, (*visit).editIntegration),
		post("/integrations/{integration}/edit", model.RightManageIntegrations, (*visit).saveIntegration),
		post("/integrations/{integration}/tokens", model.RightManageIntegrations, (*visit).makeToken),
		post("/integrations/{integration}/tokens/{token}/revoke", model.RightManageIntegrations, (*visit).revokeToken),
		get("/integrations/{integration}/remove", model.RightRead, (*visit).askRemoval),
		post("/integrations/{integration}/remove", model.RightRead, (*visit).removeIntegration),
	}
}

// integrationsView is the list of integrations.
type integrationsView struct {
	Lights []light
	Empty  *empty
	New    bool
}

func (v *visit) showIntegrations() error {
	list, err := v.read.Integrations(v.org)
	if err != nil {
		return err
	}
	view := integrationsView{New: v.can(model.RightManageIntegrations)}
	for _, i := range list {
		l, err := v.integrationLight(i)
		if err != nil {
			return err
		}
		l.Extra = append([]badge{ingressBadge(i)}, l.Extra...)
		view.Lights = append(view.Lights, l)
	}
	if len(list) == 0 {
		view.Empty = new(emptyNotConnected("No directory is connected",
			"An integration is one connection to one Entra tenant. Entra can push people to Usher over SCIM, or Usher can read them over Microsoft Graph.",
			link{"Set up an integration", Base + "/integrations/new", "plus"}))
	}
	return v.render("integrations", page{Title: "Integrations", Lead: "Where people come from, and how that is going.", Body: view})
}

func ingressBadge(i model.Integration) badge {
	if i.Ingress == model.IngressGraph {
		return badge{fresh, "download", "Usher reads Entra"}
	}
	return badge{fresh, "bolt", "Entra pushes"}
}

// integrationView is one integration.
type integrationView struct {
	ID, TenantURL, TokenURL string
	SCIM                    bool
	Light                   light
	Facts                   []Fact
	Tokens                  []tokenRow
	Clients                 []model.SCIMClient
	Warnings                []alert
	TokenForm               *form
	TokenName, TokenEnds    field
	NewToken                string // shown this once
	Manage, Remove          bool
	Requests                *bars
	Mappings, Exclusions    int
	Chosen                  []chosenCount
	CalendarSync            bool
}

// chosenCount leads to where groups are chosen.
type chosenCount struct {
	Name, Path string
	Count      int
}

type tokenRow struct {
	ID, Name, Revoke     string
	State                badge
	Used, Created, Ended any
}

func (v *visit) showIntegration() error { return v.integrationPage(nil, "") }

// integrationPage shows an integration: with the form for a token as it stands, and with a token that was just made.
func (v *visit) integrationPage(f *form, token string) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	view := integrationView{
		ID: i.ID, SCIM: i.Ingress == model.IngressSCIM, NewToken: token, Manage: v.can(model.RightManageIntegrations),
		Remove: v.mayRemove(i), CalendarSync: i.CalendarSync, TenantURL: v.tenantURL(i), TokenURL: v.publicURL + "/oauth2/token",
	}
	if view.Light, err = v.integrationLight(i); err != nil {
		return err
	}
	view.Light.Path = ""
	settings, err := v.svc.Lists(v.ctx, i.Ref())
	if err != nil {
		return err
	}
	view.Mappings, view.Exclusions = len(settings.GroupMappings), len(settings.Exclusions)
	view.Facts = integrationFacts(i)
	if view.Chosen, err = v.chosenCounts(settings); err != nil {
		return err
	}
	if view.SCIM {
		err = v.credentials(&view, i, f)
	}
	if err != nil {
		return err
	}
	return v.render("integration", page{Title: i.Name, Lead: "", Crumbs: []crumb{{"Integrations", "/integrations"}}, Body: view})
}

// chosenCounts counts the groups that an integration names.
func (v *visit) chosenCounts(entry model.IntegrationSettings) ([]chosenCount, error) {
	lists, err := v.svc.DistributionLists(v.ctx, entry.Integration.Ref())
	counts := map[string]int{"groups": len(entry.ChosenGroups), "lists": len(lists), "room-groups": len(entry.RoomGroups)}
	var out []chosenCount
	for _, ch := range choosings() {
		if !ch.imports || entry.Integration.Ingress == model.IngressGraph {
			out = append(out, chosenCount{ch.title, Base + "/integrations/" + entry.Integration.ID + "/" + ch.path, counts[ch.path]})
		}
	}
	return out, err
}

// tenantURL is what is entered in Entra.
func (v *visit) tenantURL(i model.Integration) string { return v.publicURL + "/scim/v2/" + i.ID }

func integrationFacts(i model.Integration) []Fact {
	yes := func(on bool) string {
		if on {
			return "on"
		}
		return "off"
	}
	list := []Fact{
		{Name: "Tenant", Value: orDash(i.TenantID)},
		{Name: "Roles", Value: roleSyncName(i.RoleSync)},
		{Name: "Default role", Value: orDash(i.DefaultRole), Help: "of an account that no mapping gives one"},
		{Name: "Only members of mapped groups", Value: yes(i.RequireGroup)},
		{Name: "Calendars", Value: yes(i.CalendarSync)},
		{Name: "Guard", Value: guardInWords(i.Guard), Help: "a run that would deactivate more is held"},
		{Name: "Priority", Value: strconv.Itoa(i.Priority), Help: "the smallest goes first where integrations disagree"},
		{Name: "Read-only", Value: yes(i.ReadOnly), Help: "nothing is ever written to Entra"},
		{Name: "Writing back", Value: writeBackInWords(i.WriteBack), Help: "what Usher may do in Entra"},
		{Name: "Application", Value: orDash(i.Graph.ClientID), Help: "that Usher signs in to Microsoft Graph as"},
		{Name: "Signs in by", Value: authInWords(i.Graph)},
		{Name: "Cloud", Value: orDash(i.Graph.Cloud)},
		{Name: "Owner", Value: orDash(actorName(i.Owner))},
	}
	if i.Ingress == model.IngressGraph {
		list = append(list, Fact{Name: "Nested groups", Value: yes(i.NestedGroups)}, Fact{Name: "Scope", Value: map[model.Scope]string{model.ScopeGroups: "members of the chosen groups", model.ScopeEveryone: "everyone in the tenant"}[i.Scope]})
	}
	return list
}

// authInWords says how Usher proves to Entra who it is.
func authInWords(g model.GraphSettings) string {
	auth := g.Auth
	if auth == "" {
		switch {
		case g.HasCertificate:
			auth = directory.GraphAuthCertificate
		case g.HasSecret:
			auth = directory.GraphAuthSecret
		}
	}
	switch auth {
	case directory.GraphAuthCertificate:
		return "a certificate"
	case directory.GraphAuthSecret:
		return "a client secret"
	case directory.GraphAuthFederated:
		return "a token of the platform"
	case directory.GraphAuthManagedIdentity:
		return "the machine's managed identity"
	}
	return "nothing yet"
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func roleSyncName(r model.RoleSync) string {
	switch r {
	case model.RoleSyncInitial:
		return "given once, when the account is made"
	case model.RoleSyncReconcile:
		return "reconciled: missing ones are put right"
	case model.RoleSyncMirror:
		return "mirrored: mapped roles follow the groups"
	}
	return string(r)
}

// manyTokens is how many tokens and clients the page of an integration shows.
const manyTokens = 100

func (v *visit) credentials(view *integrationView, i model.Integration, f *form) error {
	tokens, err := v.read.SCIMTokensAfter(i.Ref(), "", manyTokens)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		view.Tokens = append(view.Tokens, tokenRow{
			ID: t.ID, Name: t.Name, State: expiryBadge(model.StateOf(t.ExpiresAt, v.now())), Used: t.LastUsedAt, Created: t.CreatedAt, Ended: t.ExpiresAt,
			Revoke: Base + "/integrations/" + i.ID + "/tokens/" + t.ID + "/revoke",
		})
	}
	if view.Clients, err = v.read.SCIMClientsAfter(i.Ref(), "", manyTokens); err != nil {
		return err
	}
	warnings, err := v.svc.Warnings(v.ctx, i.Ref())
	if err != nil {
		return err
	}
	for _, w := range warnings {
		view.Warnings = append(view.Warnings, alert{Tone: warn, Icon: "key", Text: sentence(w.Detail)})
	}
	if f == nil {
		f = v.newForm("/integrations/"+i.ID+"/tokens", "Make a token")
	}
	view.TokenForm = f
	view.TokenName, view.TokenEnds = tokenFields(f)
	f.rest()
	points, err := v.read.SCIMRequestPoints(i.Ref(), v.now().Add(-24*time.Hour), chartRows)
	if err == nil && len(points) > 0 {
		view.Requests = new(requestChart(points, v.now().UTC()))
	}
	return err
}

func tokenFields(f *form) (name, ends field) {
	f.set("expires_at", "365")
	name = f.field("text", "name", "Name of the token")
	name.Placeholder, name.Required = "Entra, November", true
	ends = f.field("select", "expires_at", "Good for").choose(
		option{Value: "90", Name: "90 days"}, option{Value: "180", Name: "180 days"}, option{Value: "365", Name: "1 year"}, option{Value: "", Name: "without end"})
	ends.Help = "Usher warns 30 days before a token ends. Two tokens work at once, so that you can change without a gap."
	return name, ends
}

func expiryBadge(s model.ExpiryState) badge {
	switch s {
	case model.CredentialExpiring:
		return badge{warn, "clock", "Ends soon"}
	case model.CredentialExpired:
		return badge{bad, "ban", "Ended"}
	default:
		return badge{good, "circle-check", "Works"}
	}
}

// makeToken makes a token and shows it: it cannot be shown again.
func (v *visit) makeToken() error {
	f := v.newForm("/integrations/"+v.ref().IntegrationID+"/tokens", "Make a token")
	text, err := v.newToken()
	if err != nil {
		if err := f.fail(err); err != nil {
			return err
		}
		return v.integrationPage(f, "")
	}
	return v.integrationPage(blank("/integrations/"+v.ref().IntegrationID+"/tokens", "Make a token", nil), text)
}

// newToken makes a token of what the form says.
func (v *visit) newToken() (string, error) {
	ends, err := v.endsOfForm()
	if err != nil {
		return "", err
	}
	_, text, err := v.svc.CreateSCIMToken(v.ctx, v.ref(), v.field("name"), ends)
	return text, err
}

func (v *visit) revokeToken() error {
	if err := v.svc.DeleteSCIMToken(v.ctx, v.ref(), v.r.PathValue("token")); err != nil {
		return err
	}
	return v.done("/integrations/"+v.ref().IntegrationID+"#tokens", "The token is revoked. Whoever still uses it is refused from now on.")
}

// mayRemove says whether the operator may remove the integration: its owner may, and who has the right.
func (v *visit) mayRemove(i model.Integration) bool {
	return v.can(model.RightRemoveIntegrations) || i.Owner == v.who.Operator.Actor()
}

// removalView says what removing an integration means, and asks for its name.
type removalView struct {
	Form         *form
	Name, Keep   field
	Integration  string
	Consequences []string
	Back         string
}

func (v *visit) askRemoval() error { return v.removalPage(nil) }

func (v *visit) removalPage(f *form) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	if !v.mayRemove(i) {
		return model.Errorf(model.Forbidden, "Only the owner of an integration (%s) removes it, or somebody with the right “%s”.", orDash(actorName(i.Owner)), rightName(model.RightRemoveIntegrations))
	}
	if f == nil {
		f = v.newForm("/integrations/"+i.ID+"/remove", "Remove "+i.Name)
	}
	view := removalView{Form: f, Integration: i.Name, Back: Base + "/integrations/" + i.ID, Consequences: []string{
		"Accounts stay as they are, no longer synced. Adding the integration again links them by e-mail.",
		"Its tokens and clients stop working at once; Entra's provisioning is refused.",
		"Its mappings, exclusions and settings go. There is no undo.",
	}}
	removal, err := v.svc.Removal(v.ctx, i.Ref())
	if err != nil {
		return err
	}
	for _, s := range removal.Steps {
		if s.Detail != "" && !strings.HasPrefix(s.Detail, "nothing") {
			view.Consequences = append(view.Consequences, sentence(s.Detail))
		}
	}
	view.Name = f.field("text", "name", "Type the integration's name to confirm: "+i.Name)
	view.Name.Required, view.Name.Autocomplete = true, "off"
	view.Keep = f.field("checkbox", "keep_in_entra", "Leave what Usher set up in Entra, and the consent")
	f.rest()
	return v.render("removal", page{Title: "Remove " + i.Name, Crumbs: integrationCrumbs(&i), Body: view})
}

func (v *visit) removeIntegration() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	if !v.mayRemove(i) {
		return v.removalPage(nil)
	}
	if v.field("name") != i.Name {
		f := v.newForm("/integrations/"+i.ID+"/remove", "Remove "+i.Name)
		f.errors["name"] = "This is not the name of the integration: " + i.Name + "."
		return v.removalPage(f)
	}
	if _, err := v.svc.RemoveIntegration(v.ctx, i.Ref(), v.checked("keep_in_entra")); err != nil {
		return err
	}
	return v.done("/integrations", "The integration "+i.Name+" is removed. Its accounts stay as they are.")
}
