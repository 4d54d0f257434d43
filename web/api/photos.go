package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"usher/model"
)

// PhotoInput asks for the picture of an account.
type PhotoInput struct {
	IDInput
	IfNoneMatch string `header:"If-None-Match" maxLength:"1000" doc:"Tags of pictures that the caller has."`
}

// PhotoAnswer is a picture, or that the caller has it.
type PhotoAnswer struct {
	Status       int
	ContentType  string `header:"Content-Type"`
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (a *API) photos() {
	o := operation{tag: tagAccounts, right: model.RightRead}.with(http.MethodGet, "/accounts/{id}/photo", "Read the picture of an account").
		says("As Entra has it; JPEG, PNG or GIF of at most 1 MiB. It is read in the background, after the account was imported and then once a day. " +
			"404 without one, and for an account that is linked to an employee.")
	picture := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	o.responses = map[string]*huma.Response{
		"200": {Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{
			"image/jpeg": picture, "image/png": picture, "image/gif": picture,
		}},
		"304": {Description: http.StatusText(http.StatusNotModified)},
	}
	register(a, o, a.readPhoto)
}

func (a *API) readPhoto(ctx context.Context, in *PhotoInput) (*PhotoAnswer, error) {
	p, err := a.svc.AccountPhoto(ctx, org(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(p.Bytes)
	out := &PhotoAnswer{
		Status: http.StatusOK, ContentType: p.ContentType, ETag: `"` + hex.EncodeToString(sum[:16]) + `"`, CacheControl: "private, max-age=300", Body: p.Bytes,
	}
	if strings.Contains(in.IfNoneMatch, out.ETag) || strings.TrimSpace(in.IfNoneMatch) == "*" {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}
