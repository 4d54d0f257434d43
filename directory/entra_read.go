package directory

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"usher/model"
)

// reader gives what reads the integration's tenant. It is Refused where this process, or the integration, has no access.
func (s *Service) reader(ctx context.Context, ref model.Ref) (TenantReader, error) {
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return nil, err
	}
	if s.Tenants == nil {
		return nil, model.Errorf(model.Refused,
			"this process has no access to Microsoft Graph, so that nothing can be asked of the tenant of integration %s: ask the server, usher serve", i.Name)
	}
	tenant, err := s.Tenants(ctx, ref)
	if err != nil {
		return nil, err
	}
	return readOnly{tenant}, nil
}

// readOnly hides that what reads a tenant could write as well.
type readOnly struct{ TenantReader }

// LivePage is a page of what Entra holds at this moment. Next is the cursor of the page behind it, "" on the last one.
type LivePage[T any] struct {
	Data []T
	Next string
}

// maxEmptyPages bounds how many pages of Graph's one page of ours is made of: Graph may send many that are empty.
const maxEmptyPages = 20

// livePlace is where a page begins: so many entries behind the beginning of a page of Graph's.
type livePlace struct {
	Link string `json:"l"`
	Skip int    `json:"s,omitempty"`
}

// live makes a page of at most limit entries of Graph's pages, whose size is Graph's own affair. what names the list with
// everything that narrows it: a cursor is sealed, so that nobody can have Usher ask another address, and good for that list alone.
func live[T any](s *Service, ref model.Ref, what, after string, limit int, read func(link string) (list []T, next string, err error)) (LivePage[T], error) {
	out := LivePage[T]{Data: []T{}}
	at, err := s.openPlace(ref, what, after)
	if err != nil {
		return out, err
	}
	for range maxEmptyPages {
		list, next, err := read(at.Link)
		if err != nil {
			return out, err
		}
		list = list[min(at.Skip, len(list)):]
		if n := limit - len(out.Data); len(list) > n || len(list) == n && next == "" {
			out.Data = append(out.Data, list[:n]...)
			if len(list) > n {
				out.Next, err = s.sealPlace(ref, what, livePlace{at.Link, at.Skip + n})
			}
			return out, err
		}
		out.Data = append(out.Data, list...)
		at = livePlace{Link: next}
		if next == "" {
			return out, nil
		}
		if len(out.Data) == limit {
			break
		}
	}
	out.Next, err = s.sealPlace(ref, what, at)
	return out, err
}

func sealedFor(ref model.Ref, what string) string { return "live/" + ref.IntegrationID + "/" + what }

func (s *Service) sealPlace(ref model.Ref, what string, at livePlace) (string, error) {
	raw, err := json.Marshal(at)
	if err != nil {
		return "", err
	}
	keyID, sealed := s.Keys.Seal(string(raw), sealedFor(ref, what))
	return keyID + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

func (s *Service) openPlace(ref model.Ref, what, after string) (livePlace, error) {
	var at livePlace
	if after == "" {
		return at, nil
	}
	keyID, encoded, _ := strings.Cut(after, ".")
	sealed, err := base64.RawURLEncoding.DecodeString(encoded)
	if err == nil {
		var plain string
		if plain, err = s.Keys.Open(keyID, sealed, sealedFor(ref, what)); err == nil {
			err = json.Unmarshal([]byte(plain), &at)
		}
	}
	if err != nil || at.Skip < 0 {
		return at, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	return at, nil
}
