package api

import (
	"context"
	"net/http"
	"strings"

	"usher/directory"
	"usher/model"
)

// settingsList is a list of an integration that is read and written as a whole: L is an entry as the rules have it, B
// one as it is sent.
type settingsList[L, B any] struct {
	path, name string
	doc        string
	of         func(model.IntegrationSettings) []L
	entry      func(B) L
	change     func(ctx context.Context, ref model.Ref, sent []L, edit directory.ListEdit[L]) ([]L, error)
}

// WholeListInput replaces a list, of the version that it is sent for.
type WholeListInput[B any] struct {
	IDInput
	IfMatch string `header:"If-Match" maxLength:"1000" doc:"The ETag of the list that was read, in quotes: 412 if the list is another one by now. Without it, and with *, any list is replaced."`
	Body    []B
}

// replacing gives the edit that puts what is sent in place of the list.
func replacing[L, B any](in *WholeListInput[B]) directory.ListEdit[L] {
	var versions []string
	for tag := range strings.SplitSeq(in.IfMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" {
			return directory.Replacing[L]()
		}
		if tag != "" {
			versions = append(versions, entityTag(tag))
		}
	}
	return directory.Replacing[L](versions...)
}

// entityTag gives what stands in a tag (RFC 9110, section 8.8.3); weak and strong are the same.
func entityTag(tag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
}

// wholeList is a list with its version.
type wholeList[T any] struct {
	ETag string `header:"ETag" doc:"Version of the list, for If-Match."`
	Body []T
}

// versioned answers with a list; version is what its version is that of.
func versioned[T, V any](list []T, version []V, err error) (*wholeList[T], error) {
	if err != nil {
		return nil, err
	}
	return &wholeList[T]{`"` + directory.ListVersion(version) + `"`, present(list)}, nil
}

func registerList[L, B any](a *API, l settingsList[L, B]) {
	path := "/integrations/{id}/" + l.path
	o := operation{tag: tagRules, maxBody: maxListBody, doc: l.doc}
	register(a, o.with(http.MethodGet, path, "Read the "+l.name).needing(model.RightRead),
		func(ctx context.Context, in *IDInput) (*wholeList[L], error) {
			settings, err := a.svc.Lists(ctx, a.refOf(ctx, in.ID))
			list := l.of(settings)
			return versioned(list, list, err)
		})
	register(a, o.with(http.MethodPut, path, "Replace the "+l.name).needing(model.RightManageSettings).refusing().matching(),
		func(ctx context.Context, in *WholeListInput[B]) (*wholeList[L], error) {
			sent := make([]L, len(in.Body))
			for i, b := range in.Body {
				sent[i] = l.entry(b)
			}
			list, err := l.change(ctx, a.refOf(ctx, in.ID), sent, replacing[L](in))
			return versioned(list, list, err)
		})
}

// present gives an empty list for none.
func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
