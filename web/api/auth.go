package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"usher/directory"
	"usher/model"
)

// headerOrganization names the organization that the installation's key acts on.
const headerOrganization = "Usher-Organization"

// principal is who calls, and on which organization.
type principal struct {
	installation   bool
	organizationID string // "" for an operation on the installation itself
	actor          string
	rights         []model.Right
}

func (p principal) has(right model.Right) bool {
	return p.installation || slices.Contains(p.rights, model.RightAll) || slices.Contains(p.rights, right)
}

type principalKey struct{}

// caller gives who calls. Only an operation's handler asks, behind authenticate.
func caller(ctx context.Context) principal {
	p, _ := ctx.Value(principalKey{}).(principal) // nobody, with no right and no organization, where there is none
	return p
}

// org gives the id of the organization that the request is about.
func org(ctx context.Context) string { return caller(ctx).organizationID }

// authenticate lets a request through to its operation if its key is right and has the right that the operation needs.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	o := operationOf(ctx)
	p, err := a.principal(ctx, o)
	if err != nil {
		write(ctx, a.failure(ctx.Context(), err))
		return
	}
	switch {
	case o.installation && !p.installation:
		write(ctx, problem(http.StatusForbidden, "this needs the installation's key"))
	case !p.has(o.right):
		write(ctx, problem(http.StatusForbidden, "this needs the right %q, which the key does not have", o.right))
	default:
		inner := context.WithValue(directory.WithActor(ctx.Context(), p.actor), principalKey{}, p)
		next(huma.WithContext(ctx, inner))
	}
}

func (a *API) principal(ctx huma.Context, o *operation) (principal, error) {
	scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return principal{}, model.Errorf(model.Unauthorized, "send an API key: Authorization: Bearer <key>")
	}
	wanted := ctx.Header(headerOrganization)
	if a.isAdminKey(token) {
		return a.installation(ctx.Context(), o, wanted)
	}
	key, err := a.svc.APIKey(ctx.Context(), token)
	if err != nil {
		return principal{}, err
	}
	if err := a.sameOrganization(ctx.Context(), key.OrganizationID, wanted); err != nil {
		return principal{}, err
	}
	return principal{organizationID: key.OrganizationID, actor: "api-key:" + key.Name, rights: key.Rights}, nil
}

// isAdminKey compares hashes, so that the time it takes tells nothing about the key, its length included.
func (a *API) isAdminKey(token string) bool {
	given, right := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(a.adminKey))
	return a.adminKey != "" && subtle.ConstantTimeCompare(given[:], right[:]) == 1
}

func (a *API) installation(ctx context.Context, o *operation, wanted string) (principal, error) {
	p := principal{installation: true, actor: "installation-key"}
	if o.installation {
		return p, nil
	}
	if wanted == "" {
		wanted = model.DefaultOrganization
	}
	found, err := a.store.Read(ctx).Organization(wanted)
	p.organizationID = found.ID
	return p, err
}

// sameOrganization refuses a key of one organization that names another; the answer does not say whether that exists.
func (a *API) sameOrganization(ctx context.Context, own, wanted string) error {
	if wanted == "" || wanted == own {
		return nil
	}
	found, err := a.store.Read(ctx).Organization(own)
	if err != nil {
		return err
	}
	if found.Slug != wanted {
		return model.Errorf(model.Forbidden, "the key belongs to another organization than %s names", headerOrganization)
	}
	return nil
}
