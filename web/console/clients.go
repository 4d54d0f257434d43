package console

import (
	"time"

	"usher/model"
)

func (c *Console) clientRoutes() []route {
	const all = "/integrations/{integration}/clients"
	const one, right = all + "/{client}", model.RightManageIntegrations
	return []route{
		get(all, model.RightRead, (*visit).showClients),
		post(all, right, (*visit).makeClient),
		get(one, model.RightRead, (*visit).showClient),
		post(one+"/delete", right, (*visit).deleteClient),
		post(one+"/secrets", right, (*visit).makeClientSecret),
		post(one+"/secrets/{secret}/delete", right, (*visit).deleteClientSecret),
		post(one+"/issuers", right, (*visit).trustIssuer),
		post(one+"/issuers/{issuer}/delete", right, (*visit).distrustIssuer),
	}
}

// clientsView are the OAuth 2.0 clients of an integration.
type clientsView struct {
	Clients             []clientRow
	Form                *form
	Name, Ends, Minutes field
	Manage              bool
	None                string
}

type clientRow struct {
	ID, Name, Path   string
	Secrets, Issuers int
	Used             any
}

func (v *visit) showClients() error {
	return v.clientsPage(v.newForm("/integrations/"+v.ref().IntegrationID+"/clients", "Make a client"))
}

func (v *visit) clientsPage(f *form) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	list, err := v.read.SCIMClientsAfter(i.Ref(), "", manyTokens)
	if err != nil {
		return err
	}
	view := clientsView{Form: f, Manage: v.can(model.RightManageIntegrations) && i.Ingress == model.IngressSCIM, None: "There is no client yet."}
	if i.Ingress != model.IngressSCIM {
		view.None = "Nobody pushes people to this integration: Usher reads the tenant itself."
	}
	for _, c := range list {
		view.Clients = append(view.Clients, clientRow{c.ID, c.Name, Base + "/integrations/" + i.ID + "/clients/" + c.ID, len(c.Secrets), len(c.Federations), c.LastUsedAt})
	}
	f.set("token_minutes", "60")
	view.Name, view.Ends = secretFields(f)
	view.Minutes = f.field("number", "token_minutes", "Minutes that an access token is good for")
	f.rest()
	return v.render("clients", page{Title: "Clients (OAuth 2.0)", Lead: "Who gets access tokens for this integration's SCIM endpoint, in place of a token that lasts.", Crumbs: integrationCrumbs(&i), Body: view})
}

func integrationCrumbs(i *model.Integration) []crumb {
	return []crumb{{"Integrations", "/integrations"}, {i.Name, "/integrations/" + i.ID}}
}

// secretFields are the fields of a client and its first secret.
func secretFields(f *form) (name, ends field) {
	name, ends = tokenFields(f)
	name.Label = "Name of the client"
	ends.Label, ends.Help = "Its secret is good for", "Two secrets work at once, so that you can change without a gap."
	return name, ends
}

func (v *visit) makeClient() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	path := "/integrations/" + i.ID + "/clients"
	ends, err := v.endsOfForm()
	minutes := 0
	if err == nil {
		minutes, err = v.number("token_minutes")
	}
	var made model.SCIMClient
	var text string
	if err == nil {
		made, text, err = v.svc.CreateSCIMClient(v.ctx, i.Ref(), v.field("name"), minutes, ends)
	}
	if err != nil {
		f := v.newForm(path, "Make a client")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.clientsPage(f)
	}
	return v.clientPage(made.ID, text, nil)
}

// endsOfForm gives when a credential of the form ends; nil is never.
func (v *visit) endsOfForm() (*time.Time, error) {
	if v.field("expires_at") == "" {
		return nil, nil
	}
	n, err := v.number("expires_at")
	if err != nil || n < 1 || n > 3660 {
		return nil, model.FieldErrorf(model.Invalid, "expires_at", "choose how long it is good for")
	}
	return new(v.now().Add(time.Duration(n) * 24 * time.Hour)), nil
}

// clientView is one client.
type clientView struct {
	ID, Path, TokenURL, OwnURL, NewSecret string
	Secrets                               []tokenRow
	Issuers                               []issuerRow
	Ends                                  field
	Form                                  *form
	Fields                                []field
	Facts                                 []labelled
	Used                                  any
	Manage                                bool
}

type issuerRow struct {
	Name, Subject, Audience, Remove string
}

func (v *visit) showClient() error { return v.clientPage(v.r.PathValue("client"), "", nil) }

// clientPage shows a client: with a secret that was just made, and with the form of an issuer as it stands.
func (v *visit) clientPage(id, secret string, f *form) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	c, err := v.read.SCIMClient(i.Ref(), id)
	if err != nil {
		return err
	}
	path := "/integrations/" + i.ID + "/clients/" + c.ID
	view := clientView{
		ID: c.ID, Path: Base + path, TokenURL: v.publicURL + "/oauth2/token", OwnURL: v.publicURL + "/oauth2/token/" + c.ID, NewSecret: secret,
		Manage: v.can(model.RightManageIntegrations), Used: c.LastUsedAt,
		Facts: []labelled{{"Access tokens are good for", quantity(c.TokenMinutes, "minute")}},
	}
	for _, s := range c.Secrets {
		view.Secrets = append(view.Secrets, tokenRow{
			ID: s.ID, State: expiryBadge(model.StateOf(s.ExpiresAt, v.now())), Used: s.LastUsedAt, Created: s.CreatedAt, Ended: s.ExpiresAt,
			Revoke: Base + path + "/secrets/" + s.ID + "/delete",
		})
	}
	for _, x := range c.Federations {
		view.Issuers = append(view.Issuers, issuerRow{orWord(x.Issuer, "tenant "+x.TenantID), x.Subject, x.Audience, Base + path + "/issuers/" + x.ID + "/delete"})
	}
	if f == nil {
		f = blank(path+"/issuers", "Trust it", nil)
	}
	view.Form = f
	view.issuerFields(f)
	view.Ends = field{ID: "f-expires_at", Name: "expires_at", Label: "Good for", Type: "select", Value: "365"}
	view.Ends = view.Ends.choose(option{Value: "90", Name: "90 days"}, option{Value: "180", Name: "180 days"}, option{Value: "365", Name: "1 year"}, option{Name: "without end"})
	f.rest()
	return v.render("client", page{Title: c.Name, Lead: "A client that gets access tokens (OAuth 2.0).", Crumbs: append(integrationCrumbs(&i), crumb{"Clients", "/integrations/" + i.ID + "/clients"}), Body: view})
}

// issuerFields make the form of trust in an issuer.
func (view *clientView) issuerFields(f *form) {
	for _, x := range [][3]string{
		{"tenant_id", "Tenant id", "Of the tenant whose application it is; or else an issuer."},
		{"issuer", "Issuer", "The iss of its assertions, where it is no tenant of Entra."},
		{"jwks_url", "Address of its keys", "Needed with an issuer; of a tenant they are found without it."},
		{"subject", "Subject", "The sub of its assertions: in Entra the object id of the enterprise application."},
		{"audience", "Audience", "The aud of its assertions: in Entra the application id that they are made for."},
	} {
		one := f.field("text", x[0], x[1])
		one.Help, one.Autocomplete = x[2], "off"
		view.Fields = append(view.Fields, one)
	}
	cloud := f.field("select", "cloud", "Cloud of the tenant").choose(option{Name: "as the integration's"}, option{Value: "global", Name: "Global"},
		option{Value: "usgov", Name: "US Government (GCC High)"}, option{Value: "dod", Name: "US Government (DoD)"}, option{Value: "china", Name: "China (21Vianet)"})
	view.Fields = append(view.Fields, cloud)
}

// clientPath is the address of the client that the path names, below Base.
func (v *visit) clientPath() string {
	return "/integrations/" + v.ref().IntegrationID + "/clients/" + v.r.PathValue("client")
}

func (v *visit) deleteClient() error {
	if err := v.svc.DeleteSCIMClient(v.ctx, v.ref(), v.r.PathValue("client")); err != nil {
		return err
	}
	return v.done("/integrations/"+v.ref().IntegrationID+"/clients", "The client is deleted. Its access tokens are refused from now on.")
}

func (v *visit) makeClientSecret() error {
	ends, err := v.endsOfForm()
	var text string
	if err == nil {
		_, text, err = v.svc.CreateSCIMClientSecret(v.ctx, v.ref(), v.r.PathValue("client"), ends)
	}
	if err != nil {
		return err
	}
	return v.clientPage(v.r.PathValue("client"), text, nil)
}

func (v *visit) deleteClientSecret() error {
	if err := v.svc.DeleteSCIMClientSecret(v.ctx, v.ref(), v.r.PathValue("client"), v.r.PathValue("secret")); err != nil {
		return err
	}
	return v.done(v.clientPath(), "The secret is deleted. Access tokens that were given for it are refused from now on.")
}

func (v *visit) trustIssuer() error {
	_, err := v.svc.CreateSCIMFederation(v.ctx, v.ref(), v.r.PathValue("client"), model.SCIMClientFederation{
		TenantID: v.field("tenant_id"), Cloud: v.field("cloud"), Issuer: v.field("issuer"), Subject: v.field("subject"), Audience: v.field("audience"), JWKSURL: v.field("jwks_url"),
	})
	if err != nil {
		f := v.newForm(v.clientPath()+"/issuers", "Trust it")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.clientPage(v.r.PathValue("client"), "", f)
	}
	return v.done(v.clientPath(), "Whoever shows such an assertion gets the client's access tokens from now on.")
}

func (v *visit) distrustIssuer() error {
	if err := v.svc.DeleteSCIMFederation(v.ctx, v.ref(), v.r.PathValue("client"), v.r.PathValue("issuer")); err != nil {
		return err
	}
	return v.done(v.clientPath(), "The issuer is trusted no more.")
}
