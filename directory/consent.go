package directory

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"

	"usher/model"
	"usher/model/store"
)

// consentState travels to Entra and back in a consent's state, sealed: nobody else can make one, or read it.
type consentState struct {
	Organization string    `json:"o"`
	Integration  string    `json:"i"`
	Until        time.Time `json:"u"`
	SignIn       string    `json:"s,omitempty"` // of a sign-in: its id, which can be used once
}

// The state of a consent is good for an hour; an administrator may have to be fetched first.
const (
	consentLife = time.Hour
	consentUse  = "consent"
)

// ConsentPath is where Entra sends the administrator back to, below the public URL.
const ConsentPath = "/graph/consent"

// ConsentURL gives the page of Entra on which an administrator of the tenant grants the permissions of the integration's
// application, all at once (Microsoft identity platform: admin consent). publicURL is where Usher is reached.
func (s *Service) ConsentURL(ctx context.Context, ref model.Ref, publicURL string) (string, error) {
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return "", err
	}
	if i.Graph.ClientID == "" {
		return "", model.FieldErrorf(model.Refused, "graph.client_id", "integration %s has no application (client) id for Microsoft Graph", i.Name)
	}
	until := s.Now().Add(consentLife).UTC().Truncate(time.Second)
	state, err := s.sealState(consentState{Organization: ref.OrganizationID, Integration: ref.IntegrationID, Until: until})
	if err != nil {
		return "", err
	}
	tenant := i.TenantID
	if tenant == "" {
		tenant = "organizations"
	}
	query := url.Values{
		"client_id": {i.Graph.ClientID}, "redirect_uri": {publicURL + ConsentPath},
		"state": {state},
	}
	return s.loginRoot(i.Graph.Cloud) + "/" + url.PathEscape(tenant) + "/adminconsent?" + query.Encode(), nil
}

// loginRoot gives Entra's sign-in service of a cloud.
func (s *Service) loginRoot(name string) string {
	if s.LoginURL != "" {
		return strings.TrimRight(s.LoginURL, "/")
	}
	if known, ok := clouds()[name]; ok {
		return known.login
	}
	return clouds()["global"].login
}

// tenantID is how Entra names a tenant in what it sends back; its groups have ids of the same form.
var tenantID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// IsTenantID says whether the text has the form of a tenant's id.
func IsTenantID(text string) bool { return tenantID.MatchString(text) }

// FinishConsent reads what Entra sends the administrator back with, after a consent or a sign-in, and gives the integration. What it says is believed only
// as far as the state proves that Usher asked: the first consent names the tenant of an integration that had none, a later one
// must come from that tenant. Whether the permissions are there is what Preflight tells.
func (s *Service) FinishConsent(ctx context.Context, query url.Values) (model.Integration, error) {
	state, err := s.openConsent(query.Get("state"))
	if err != nil {
		return model.Integration{}, err
	}
	ref := model.Ref{OrganizationID: state.Organization, IntegrationID: state.Integration}
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return i, err
	}
	if state.SignIn != "" {
		return i, s.finishSignIn(ctx, i, state, query)
	}
	if code := query.Get("error"); code != "" { // admin_consent is True then as well
		return i, model.Errorf(model.Refused, "Entra says that consent was not given: %s", consentError(code, query.Get("error_description")))
	}
	tenant := strings.ToLower(query.Get("tenant"))
	switch {
	case !strings.EqualFold(query.Get("admin_consent"), "true"):
		return i, model.FieldErrorf(model.Invalid, "admin_consent", "Entra did not say that consent was given")
	case !tenantID.MatchString(tenant):
		return i, model.FieldErrorf(model.Invalid, "tenant", "%q is not the id of a tenant", cut(tenant, 100))
	case i.TenantID != "" && tenantID.MatchString(i.TenantID) && !strings.EqualFold(i.TenantID, tenant):
		return i, model.FieldErrorf(model.Refused, "tenant", "consent was given in tenant %s, but integration %s belongs to tenant %s", tenant, i.Name, i.TenantID)
	}
	if i.TenantID == "" {
		i, err = s.ChangeIntegration(ctx, ref, func(in *model.Integration) error { in.TenantID = tenant; return nil }, nil)
		if err != nil {
			return i, err
		}
	}
	return i, s.Store.InTx(ctx, func(tx *store.Tx) error {
		return s.logSetting(ctx, tx, ref.OrganizationID, &ref.IntegrationID, "consent.granted", "integration", i.ID, i.Name,
			"an administrator of tenant "+tenant+" granted the permissions of integration "+i.Name, nil)
	})
}

func (s *Service) openConsent(text string) (consentState, error) {
	var state consentState
	keyID, encoded, _ := strings.Cut(text, ".")
	sealed, err := base64.RawURLEncoding.DecodeString(encoded)
	if err == nil {
		var plain string
		if plain, err = s.Keys.Open(keyID, sealed, consentUse); err == nil {
			err = json.Unmarshal([]byte(plain), &state)
		}
	}
	switch {
	case err != nil:
		return state, model.FieldErrorf(model.Invalid, "state", "this answer does not belong to a consent that Usher asked for")
	case s.Now().After(state.Until):
		return state, model.FieldErrorf(model.Invalid, "state", "the consent was asked for more than an hour ago; begin again")
	}
	return state, nil
}

// maxConsentError is how much of an error of Entra's is told.
const maxConsentError = 500

func consentError(code, description string) string {
	text := code
	if description != "" {
		text += ": " + description
	}
	return cut(text, maxConsentError)
}

// cut shortens text that somebody else chose, and makes it one line.
func cut(text string, most int) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
