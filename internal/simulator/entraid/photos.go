package entraid

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"usher/model/entra"
	"usher/model/outlook"
)

// photo is somebody's picture.
type photo struct {
	bytes       []byte
	contentType string
	tag         string
}

// SetPhoto gives somebody a picture; nil takes it away.
func (d *Directory) SetPhoto(userID string, picture []byte, contentType string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if picture == nil {
		delete(d.photos, userID)
		return
	}
	sum := sha256.Sum256(picture)
	d.photos[userID] = photo{picture, contentType, `W/"` + hex.EncodeToString(sum[:16]) + `"`}
}

// Photo reads somebody's picture (Graph: GET /users/{id}/photo and photo/$value).
func (s *Session) Photo(ctx context.Context, ref string) (entra.Photo, error) {
	var found entra.Photo
	what := call{method: "Photo", target: ref, needs: append(readBasics(), "ProfilePhoto.Read.All", "ProfilePhoto.ReadWrite.All")}
	err := s.do(ctx, what, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		s.directory.mu.Lock()
		defer s.directory.mu.Unlock()
		p, ok := s.directory.photos[u.ID]
		if !ok {
			return failure(outlook.NotFound, 404, "ImageNotFound", "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was thrown.")
		}
		found = entra.Photo{Bytes: p.bytes, ContentType: p.contentType, ETag: p.tag}
		return nil
	})
	return found, err
}
