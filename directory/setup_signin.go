package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"usher/model"
	"usher/model/store"
)

// SignInCode is what an administrator's sign-in gave, and what the token endpoint wants to trade it for a token (RFC 6749 §4.1.3,
// RFC 7636 §4.5).
type SignInCode struct {
	Code, Verifier, RedirectURI string
	Scopes                      []string
}

// SignedIn is what the token endpoint answered. The claims are of the id token, which comes from Entra itself over TLS.
type SignedIn struct {
	AccessToken string
	ExpiresAt   time.Time
	Nonce       string
	Audience    string
	TenantID    string
	UserName    string
}

// askedSignIn is what the answer to a sign-in is checked with; it is sealed until then.
type askedSignIn struct {
	ID          string `json:"id"`
	Nonce       string `json:"nonce"`
	Verifier    string `json:"verifier"`
	RedirectURI string `json:"redirect_uri"`
	ClientID    string `json:"client_id"`
	TenantID    string `json:"tenant_id"`
}

// accessLife is how long the access of an administrator is kept at most.
const accessLife = time.Hour

// signInScopes are what an administrator lends to a set-up (Graph: delegated permissions), for the time of one set-up.
func signInScopes() []string {
	return []string{"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Synchronization.ReadWrite.All", "Group.Read.All"}
}

// SignInURL gives the page of Entra on which an administrator signs in once, so that provisioning is set up in their name
// (authorization code with PKCE; OpenID Connect Core §3.1). The state is good for one use within an hour; a new one takes the place
// of the one before.
func (s *Service) SignInURL(ctx context.Context, ref model.Ref, publicURL string) (string, error) {
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return "", err
	}
	if err := s.signInPossible(i); err != nil {
		return "", err
	}
	asked := askedSignIn{
		ID: store.NewID(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), RedirectURI: publicURL + ConsentPath,
		ClientID: i.Graph.ClientID, TenantID: i.TenantID,
	}
	until := s.Now().Add(consentLife).UTC().Truncate(time.Second)
	state, err := s.sealState(consentState{Organization: ref.OrganizationID, Integration: ref.IntegrationID, Until: until, SignIn: asked.ID})
	if err != nil {
		return "", err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.LockSetup(ref)
		if err != nil {
			return err
		}
		row.SignInID, row.SignIn.AskedUntil = asked.ID, &until
		if err := tx.SaveSetup(&row); err != nil {
			return err
		}
		if err := s.sealSetup(tx, ref, secretSignIn, asked); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, ref.OrganizationID, &ref.IntegrationID, "setup.sign_in_asked", "integration", i.ID, i.Name,
			"an administrator was asked to sign in, to set up provisioning of integration "+i.Name, nil)
	})
	if err != nil {
		return "", err
	}
	challenge := sha256.Sum256([]byte(asked.Verifier))
	query := url.Values{
		"client_id": {i.Graph.ClientID}, "response_type": {"code"}, "response_mode": {"query"}, "redirect_uri": {asked.RedirectURI},
		"scope": {strings.Join(s.signInScope(i), " ")}, "state": {state}, "nonce": {asked.Nonce}, "prompt": {"select_account"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	return s.loginRoot(i.Graph.Cloud) + "/" + url.PathEscape(i.TenantID) + "/oauth2/v2.0/authorize?" + query.Encode(), nil
}

func (s *Service) signInPossible(i model.Integration) error {
	if err := setupWritable(i); err != nil {
		return err
	}
	switch {
	case i.Ingress != model.IngressSCIM:
		return model.FieldErrorf(model.Refused, "ingress", "integration %s pulls people over Graph; only one with ingress scim is provisioned by Entra", i.Name)
	case i.Graph.ClientID == "":
		return model.FieldErrorf(model.Refused, "graph.client_id", "integration %s has no application (client) id for Microsoft Graph, in whose name the administrator signs in", i.Name)
	case !tenantID.MatchString(i.TenantID):
		return model.FieldErrorf(model.Refused, "tenant_id", "integration %s does not say by its id which tenant it belongs to", i.Name)
	case s.Redeem == nil:
		return model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	return nil
}

// signInScope gives the scopes by their whole names.
func (s *Service) signInScope(i model.Integration) []string {
	root := graphRoot(i.Graph.Cloud)
	list := []string{"openid", "profile"}
	for _, name := range signInScopes() {
		list = append(list, root+"/"+name)
	}
	return list
}

// graphRoot is how the sign-in service of a cloud names Microsoft Graph (Microsoft: national cloud deployments).
func graphRoot(cloud string) string {
	switch cloud {
	case "usgov":
		return "https://graph.microsoft.us"
	case "dod":
		return "https://dod-graph.microsoft.us"
	case "china":
		return "https://microsoftgraph.chinacloudapi.cn"
	}
	return "https://graph.microsoft.com"
}

func (s *Service) sealState(state consentState) (string, error) {
	text, err := json.Marshal(state)
	if err != nil {
		return "", err
	}
	keyID, sealed := s.Keys.Seal(string(text), consentUse)
	return keyID + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// finishSignIn reads what Entra sends an administrator back with who signed in. What it says is believed only where the state is the
// one that was asked with, which it uses up, and the token that the code is traded for is of the integration's tenant.
func (s *Service) finishSignIn(ctx context.Context, i model.Integration, state consentState, query url.Values) error {
	if code := query.Get("error"); code != "" {
		return model.Errorf(model.Refused, "Entra says that nobody signed in: %s", consentError(code, query.Get("error_description")))
	}
	if query.Get("code") == "" {
		return model.FieldErrorf(model.Invalid, "code", "Entra sent no code")
	}
	if s.Redeem == nil {
		return model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	asked, err := s.claimSignIn(ctx, i.Ref(), state.SignIn)
	if err != nil {
		return err
	}
	if asked.ClientID != i.Graph.ClientID || !strings.EqualFold(asked.TenantID, i.TenantID) {
		return model.Errorf(model.Refused, "the application or the tenant of integration %s was changed meanwhile; begin again", i.Name)
	}
	got, err := s.Redeem(ctx, i.Ref(), SignInCode{
		Code: query.Get("code"), Verifier: asked.Verifier, RedirectURI: asked.RedirectURI, Scopes: s.signInScope(i),
	})
	if err != nil {
		return model.Errorf(model.Refused, "Entra did not accept the sign-in: %s", hidden(err.Error(), query.Get("code"), asked.Verifier))
	}
	switch {
	case got.Nonce != asked.Nonce || !strings.EqualFold(got.Audience, asked.ClientID) || got.AccessToken == "":
		return model.FieldErrorf(model.Refused, "code", "the answer does not belong to the sign-in that Usher asked for")
	case !strings.EqualFold(got.TenantID, i.TenantID):
		return model.FieldErrorf(model.Refused, "tenant", "the administrator is of tenant %s, but integration %s belongs to tenant %s", cut(got.TenantID, 100), i.Name, i.TenantID)
	}
	return s.keepAccess(ctx, i, got)
}

// hidden is a text of somebody else's without the secrets.
func hidden(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "(secret)")
		}
	}
	return cut(text, maxSaid)
}

// claimSignIn uses up a sign-in that was asked for.
func (s *Service) claimSignIn(ctx context.Context, ref model.Ref, id string) (asked askedSignIn, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.LockSetup(ref)
		if err != nil {
			return err
		}
		if row.SignInID == "" || row.SignInID != id {
			return model.FieldErrorf(model.Invalid, "state", "this sign-in was used already, or another one was asked for since; begin again")
		}
		if asked, err = openSetup[askedSignIn](s, &tx.Reader, ref, secretSignIn); err != nil {
			return err
		}
		if asked.ID != id {
			return model.FieldErrorf(model.Invalid, "state", "another sign-in was asked for since; begin again")
		}
		row.SignInID, row.SignIn.AskedUntil = "", nil
		tx.DeleteSecret(ref, secretSignIn)
		return tx.SaveSetup(&row)
	})
	return asked, err
}

// keepAccess seals the access token until the set-up is done.
func (s *Service) keepAccess(ctx context.Context, i model.Integration, got SignedIn) error {
	until := got.ExpiresAt.UTC().Truncate(time.Second)
	if latest := s.Now().Add(accessLife).UTC().Truncate(time.Second); until.After(latest) {
		until = latest
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.LockSetup(i.Ref())
		if err != nil {
			return err
		}
		row.SignIn.By, row.SignIn.AccessUntil = cut(got.UserName, 200), &until
		if err := tx.SaveSetup(&row); err != nil {
			return err
		}
		if err := s.sealSetup(tx, i.Ref(), secretAccess, got.AccessToken); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, i.OrganizationID, &i.ID, "setup.signed_in", "integration", i.ID, i.Name,
			"administrator "+row.SignIn.By+" signed in, to set up provisioning of integration "+i.Name, nil)
	})
}

// forgetEndedAccess forgets access tokens that have ended, and sign-ins that nobody answered.
func (s *Service) forgetEndedAccess(ctx context.Context, row *model.Setup) error {
	now := s.Now()
	ended := func(at *time.Time) bool { return at != nil && !now.Before(*at) }
	if !ended(row.SignIn.AccessUntil) && !ended(row.SignIn.AskedUntil) {
		return nil
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.LockSetup(row.Ref())
		if err != nil {
			return err
		}
		if ended(row.SignIn.AccessUntil) {
			forgetAccess(tx, &row)
		}
		if ended(row.SignIn.AskedUntil) {
			tx.DeleteSecret(row.Ref(), secretSignIn)
			row.SignInID, row.SignIn.AskedUntil = "", nil
		}
		return tx.SaveSetup(&row)
	})
}

// AnswersSignIn says whether what Entra sends an administrator back with is the answer to a sign-in, and not to a consent.
func (s *Service) AnswersSignIn(query url.Values) bool {
	state, err := s.openConsent(query.Get("state"))
	return err == nil && state.SignIn != ""
}
