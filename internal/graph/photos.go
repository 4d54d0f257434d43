package graph

import (
	"context"
	"net/http"
	"strings"

	"usher/model/entra"
	"usher/model/outlook"
)

// photoJSON is what Graph tells of a picture beside the picture.
type photoJSON struct {
	ID          string `json:"id"`
	ETag        string `json:"@odata.mediaEtag"`
	ContentType string `json:"@odata.mediaContentType"`
}

// noPhoto is the id of what Graph describes where there is no picture.
const noPhoto = "1x1"

// Photo reads a person's picture, unless it still has the tag. Pictures are Outlook's: they pass the gate of the mailbox and cost
// nothing of the directory's budget. The tag is read before the picture, so that one which changes in between is read again the
// next time.
func (c *Client) Photo(ctx context.Context, userID, etag string) (entra.Photo, error) {
	if unnamed(userID) {
		return entra.Photo{}, missing("a user")
	}
	info, err := c.users().ByUserId(userID).Photo().ToGetRequestInformation(ctx, nil)
	about, err := readJSON[photoJSON](ctx, c, call{operation: "users.photo", mailbox: userID, safe: true}, info, err)
	switch {
	case err != nil:
		return entra.Photo{}, noPicture(err)
	case strings.EqualFold(about.ID, noPhoto):
		return entra.Photo{}, &outlook.Error{Kind: outlook.NotFound, Code: codeUnread, Message: "there is no picture"}
	case etag != "" && about.ETag == etag:
		return entra.Photo{ETag: etag, NotModified: true}, nil
	}
	info, err = c.users().ByUserId(userID).Photo().Content().ToGetRequestInformation(ctx, nil)
	bytes, err := c.fetchBytes(ctx, call{operation: "users.photo_content", mailbox: userID, safe: true, media: true}, info, err)
	if err != nil {
		return entra.Photo{}, noPicture(err)
	}
	photo := entra.Photo{Bytes: bytes, ContentType: about.ContentType, ETag: about.ETag}
	if photo.ContentType == "" {
		photo.ContentType = http.DetectContentType(bytes)
	}
	return photo, nil
}

// noPicture makes of a person without mailbox one without picture.
func noPicture(err error) error {
	failed := asError(err)
	if failed == nil || failed.Kind != outlook.NoMailbox {
		return err
	}
	told := *failed
	told.Kind = outlook.NotFound
	return &told
}
