package model

import "time"

// AccountPhoto is the picture of an account, as Entra has it. One without a ContentType says that there was none when it was
// looked for.
type AccountPhoto struct {
	AccountID      string
	OrganizationID string
	IntegrationID  string // whose tenant was looked at
	ETag           string `gorm:"column:etag"` // Graph's tag of the picture
	ContentType    string // image/jpeg, image/png or image/gif
	Bytes          []byte
	LookedAt       time.Time
	ChangedAt      time.Time // when the picture came, went or changed
}

// Exists says whether there is a picture.
func (p AccountPhoto) Exists() bool { return p.ContentType != "" }

// PhotoSubject is somebody whose picture is to be looked for in Entra.
type PhotoSubject struct {
	DirectoryUserID string
	ExternalID      string // of the directory user
	UserName        string // of the directory user
	AccountID       string
	ETag            string // of the picture that is stored
}
