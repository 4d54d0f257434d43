package api

import (
	"context"
	"net/http"

	"usher/model"
	"usher/model/store"
)

// KeyInput names an entry of a catalogue.
type KeyInput struct {
	Key string `path:"key" maxLength:"200" doc:"Its key, which the caller chooses."`
}

// NameInput is an entry that has a name and nothing else.
type NameInput struct {
	Name string `json:"name"`
}

// catalogue is one kind of thing that an organization defines: how it is called, stored and removed. T is the thing, B
// the body that defines it.
type catalogue[T store.Entry, B any] struct {
	path, one, many string // "/roles", "role", "roles"
	key             func(T) string
	put             func(ctx context.Context, organizationID, key string, body B) (T, error)
	remove          func(ctx context.Context, organizationID, key string) error
}

func registerCatalogue[T store.Entry, B any](a *API, c catalogue[T, B]) {
	o := operation{tag: tagCatalogue, right: model.RightManageSettings}
	one := c.path + "/{key}"
	register(a, o.with(http.MethodGet, c.path, "List "+c.many).needing(model.RightRead),
		func(ctx context.Context, in *struct{ PageInput }) (*answer[page[T]], error) {
			read := func(after string, limit int) ([]T, error) {
				return store.Entries[T](a.store.Read(ctx), org(ctx), after, limit)
			}
			return paged(in.PageInput, read, c.key, itself)
		})
	register(a, o.with(http.MethodGet, one, "Read a "+c.one).needing(model.RightRead),
		func(ctx context.Context, in *KeyInput) (*answer[T], error) {
			return answered(store.EntryByKey[T](a.store.Read(ctx), org(ctx), in.Key, c.one))
		})
	register(a, o.with(http.MethodPut, one, "Define a "+c.one).refusing(),
		func(ctx context.Context, in *struct {
			KeyInput
			Body B
		},
		) (*answer[T], error) {
			return answered(c.put(ctx, org(ctx), in.Key, in.Body))
		})
	register(a, o.with(http.MethodDelete, one, "Remove a "+c.one).answering(http.StatusNoContent).refusing().
		says("Refused while something uses it."),
		func(ctx context.Context, in *KeyInput) (*nothing, error) {
			return done(c.remove(ctx, org(ctx), in.Key))
		})
}
