package directory

import (
	"context"
	"net/url"
	"strings"
	"time"

	"usher/model"
)

// SetupGuide is everything that somebody types into Entra, or clicks there, to connect an integration by hand.
type SetupGuide struct {
	IntegrationID string             `json:"integration_id"`
	Name          string             `json:"name"`
	Ingress       model.Ingress      `json:"ingress"`
	Provisioning  *ProvisioningGuide `json:"provisioning,omitempty" doc:"Entra's provisioning of an enterprise application; only with ingress scim."`
	Graph         GraphGuide         `json:"graph" doc:"What Usher asks of Microsoft Graph by itself."`
}

// ProvisioningGuide is what to enter on the page Provisioning of an enterprise application.
type ProvisioningGuide struct {
	TenantURL string        `json:"tenant_url" doc:"Tenant URL. The flag in it has Entra send what RFC 7644 says."`
	PlainURL  string        `json:"plain_url" doc:"The same without the flag, for tools that take no query."`
	Token     TokenGuide    `json:"token"`
	Steps     []string      `json:"steps" doc:"What to do in the Entra admin centre, in order."`
	Mappings  SetupMappings `json:"mappings"`
	Groups    []string      `json:"groups" doc:"Groups of the group mappings, which should be assigned to the application."`
	Scoping   []string      `json:"scoping" doc:"Advice on who should be in scope."`
	Problems  []string      `json:"problems" doc:"What keeps Entra from reaching this installation as it is."`
}

// TokenGuide says where the Secret Token comes from. The token itself is shown once, when it is made.
type TokenGuide struct {
	Create  string     `json:"create" doc:"The request that makes one."`
	Shell   string     `json:"shell" doc:"The same on the command line."`
	Live    int        `json:"live" doc:"How many tokens of the integration work now."`
	EndsAt  *time.Time `json:"ends_at" doc:"When the last of them ends; null where one does not, or there is none."`
	Instead string     `json:"instead" doc:"Another way than a token."`
}

// GraphGuide says which permissions each feature takes, and how they are granted.
type GraphGuide struct {
	RedirectURI string    `json:"redirect_uri" doc:"To be entered in the application registration, of type Web."`
	Portal      string    `json:"portal" doc:"Where permissions are added in the admin centre."`
	Consent     string    `json:"consent" doc:"The request that gives the page of consent."`
	Features    []Feature `json:"features"`
	Delegated   []string  `json:"delegated" doc:"What an administrator who signs in once lends to the set-up, instead of permissions of the application."`
	Steps       []string  `json:"steps"`
}

// SetupGuide gives what to type into Entra. publicURL is where Entra reaches Usher.
func (s *Service) SetupGuide(ctx context.Context, ref model.Ref, publicURL string) (SetupGuide, error) {
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return SetupGuide{}, err
	}
	i := entry.Integration
	g := SetupGuide{IntegrationID: i.ID, Name: i.Name, Ingress: i.Ingress, Graph: graphGuide(entry, publicURL)}
	if i.Ingress != model.IngressSCIM {
		return g, nil
	}
	token, err := s.tokenGuide(ctx, i)
	if err != nil {
		return g, err
	}
	full := tenantURL(publicURL, i.ID)
	plain, _, _ := strings.Cut(full, "?")
	g.Provisioning = &ProvisioningGuide{
		TenantURL: full, PlainURL: plain, Token: token, Mappings: wantedMappings(entry), Steps: provisioningSteps(i, full), Groups: []string{},
		Scoping: scopingAdvice(), Problems: reachProblems(publicURL),
	}
	for _, m := range entry.GroupMappings {
		g.Provisioning.Groups = append(g.Provisioning.Groups, m.Group.String())
	}
	return g, nil
}

// guideTokens is how many tokens of an integration are looked at.
const guideTokens = 500

func (s *Service) tokenGuide(ctx context.Context, i model.Integration) (TokenGuide, error) {
	g := TokenGuide{
		Create: "POST /api/v1/integrations/" + i.ID + "/scim-tokens", Shell: "usher token create " + i.ID + " --name Entra",
		Instead: "OAuth 2.0 client credentials: POST /api/v1/integrations/" + i.ID + "/scim-clients",
	}
	list, err := s.Store.Read(ctx).SCIMTokensAfter(i.Ref(), "", guideTokens)
	if err != nil {
		return g, err
	}
	endless := false
	for _, t := range list {
		switch now := s.Now(); {
		case t.ExpiresAt == nil:
			g.Live++
			endless = true
		case t.ExpiresAt.After(now):
			g.Live++
			if g.EndsAt == nil || t.ExpiresAt.After(*g.EndsAt) {
				g.EndsAt = t.ExpiresAt
			}
		}
	}
	if endless {
		g.EndsAt = nil
	}
	return g, nil
}

func provisioningSteps(i model.Integration, url string) []string {
	return []string{
		"Entra admin centre (https://entra.microsoft.com) → Enterprise applications → New application → Create your own application → " +
			"“Integrate any other application you don't find in the gallery”; name it, such as " + i.Name + ".",
		"Users and groups → Add: the groups whose people your application should have. A group takes Entra ID P1, must be security-enabled, and nested groups are not followed.",
		"Provisioning → New configuration (or Get started, Automatic). Tenant URL: " + url,
		"Secret Token: make one (see token), and paste it. Test Connection must succeed; save.",
		"Mappings → Provision Microsoft Entra ID Users: change or add the rows that are marked so in mappings.users; leave the others.",
		"Mappings → Provision Microsoft Entra ID Groups: switch it on, with the rows of mappings.groups.",
		"Settings: a notification e-mail, accidental deletion prevention with a threshold, and scope “Sync only assigned users and groups”.",
		"Provision on demand: one person, to see that it works. Then set Provisioning Status to On. The first cycle may take hours, later ones come every 20 to 40 minutes.",
	}
}

func scopingAdvice() []string {
	return []string{
		"Scope “Sync only assigned users and groups”; “Sync all users and groups” sends service accounts and rooms as well.",
		"A scoping filter on the mapping of users is compared with its case, and an empty attribute never fits. Whoever leaves the filter is deactivated.",
		"Exclusions of the integration keep people out of your application who are provisioned all the same.",
		"After a change from all to assigned, restart provisioning: Entra does not look back by itself.",
	}
}

// reachProblems says what of an address Entra does not accept.
func reachProblems(publicURL string) []string {
	problems := []string{}
	u, err := url.Parse(publicURL)
	switch {
	case err != nil || u.Host == "":
		return append(problems, "USHER_PUBLIC_URL is not the address of a server")
	case u.Scheme != "https":
		problems = append(problems, "Entra calls https addresses alone: set USHER_PUBLIC_URL to the public address, with a certificate of a public authority")
	}
	if host := u.Hostname(); host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1" {
		problems = append(problems, "Entra cannot reach "+host+": set USHER_PUBLIC_URL to the public address")
	}
	return problems
}

func graphGuide(entry model.IntegrationSettings, publicURL string) GraphGuide {
	i := entry.Integration
	return GraphGuide{
		RedirectURI: publicURL + ConsentPath, Portal: registrationPortal(i), Consent: "GET /api/v1/integrations/" + i.ID + "/consent",
		Features: Features(entry), Delegated: signInScopes(),
		Steps: []string{
			"Entra admin centre → App registrations → New registration: accounts in this directory only, redirect URI of type Web as above.",
			"Certificates & secrets: a certificate (better) or a client secret; store both ids and the secret with PATCH /api/v1/integrations/" + i.ID + ".",
			"API permissions → Microsoft Graph → Application permissions: those of the features that you use.",
			"An administrator opens the page that the request for consent gives, and accepts. GET /api/v1/integrations/" + i.ID + "/permissions says what is granted.",
			"To have provisioning set up without any of these permissions, an administrator signs in once instead: POST /api/v1/integrations/" + i.ID + "/setup/sign-in.",
		},
	}
}

// portalRoot is the admin centre of a cloud (Microsoft: national cloud deployments).
func portalRoot(cloud string) string {
	switch cloud {
	case "usgov", "dod":
		return "https://entra.microsoft.us"
	case "china":
		return "https://entra.microsoftonline.cn"
	}
	return "https://entra.microsoft.com"
}

func registrationPortal(i model.Integration) string {
	root := portalRoot(i.Graph.Cloud)
	if i.Graph.ClientID == "" {
		return root + "/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade"
	}
	return root + "/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/" + url.PathEscape(i.Graph.ClientID)
}

// enterprisePortal is the page of an enterprise application by its service principal, or of all of them.
func enterprisePortal(cloud, servicePrincipal, appID string) string {
	root := portalRoot(cloud)
	if servicePrincipal == "" {
		return root + "/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview"
	}
	return root + "/#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/Overview/objectId/" + url.PathEscape(servicePrincipal) + "/appId/" + url.PathEscape(appID)
}
