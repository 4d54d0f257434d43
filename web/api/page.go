package api

import (
	"encoding/base64"

	"usher/model"
)

// PageInput asks for a page of a list.
type PageInput struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many entries to answer with."`
	After string `query:"after" maxLength:"1000" doc:"The cursor that the page before gave as next."`
}

// page is a page of a list.
type page[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next" doc:"Cursor of the next page; null on the last."`
}

// after gives the key that the page begins behind.
func (p PageInput) after() (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(p.After)
	if err != nil {
		return "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	return string(raw), nil
}

// paged reads a page and one entry more, which tells whether there is a next page. read gives entries behind a key, key
// tells that of an entry, and show how an entry looks.
func paged[T, V any](p PageInput, read func(after string, limit int) ([]T, error), key func(T) string, show func(T) V) (*answer[page[V]], error) {
	after, err := p.after()
	if err != nil {
		return nil, err
	}
	list, err := read(after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	out := page[V]{Data: []V{}}
	for i, item := range list {
		if i == p.Limit {
			next := base64.RawURLEncoding.EncodeToString([]byte(key(list[i-1])))
			out.Next = &next
			break
		}
		out.Data = append(out.Data, show(item))
	}
	return &answer[page[V]]{out}, nil
}

// itself shows an entry as it is.
func itself[T any](v T) T { return v }
