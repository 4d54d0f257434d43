package model

import "time"

// ImportStage is what the reading of a tenant does next.
type ImportStage string

// The stages of a round, in their order. What was read counts once the stage settle is over.
const (
	ImportIdle   ImportStage = ""       // between rounds
	ImportNames  ImportStage = "names"  // groups that the settings name by name are looked up
	ImportGroups ImportStage = "groups" // groups and their members
	ImportUsers  ImportStage = "users"
	ImportBin    ImportStage = "bin"   // deleted users
	ImportCheck  ImportStage = "check" // users by id: members nobody has told of, and what is doubtful
	ImportSettle ImportStage = "settle"
)

// ImportMode is how a round reads users.
type ImportMode string

// A round reads what has changed, or everybody, by delta or, where few are in scope, by id.
const (
	ImportUndecided ImportMode = ""
	ImportChanges   ImportMode = "delta"
	ImportAll       ImportMode = "all"
	ImportByID      ImportMode = "ids"
)

// ImportState says how far the reading of an integration's tenant has come. Its links lead into the tenant's directory, and are
// never logged.
type ImportState struct {
	IntegrationID  string `gorm:"primaryKey"`
	OrganizationID string
	Step           int64 // rises with everything that is stored of a round
	Round          int64
	Stage          ImportStage
	Mark           int64  // of the last reading that began anew
	Cursor         string // within the stage
	BegunAt        *time.Time
	MovedAt        *time.Time // when something was last stored
	FinishedAt     *time.Time // when the last round ended
	FullAt         *time.Time // when the last round ended that read everybody
	BinAt          *time.Time // when deleted users were last looked at
	MadeFor        string     // what of the settings the users are read by
	Reach          string     // the groups whose members are in scope, condensed
	Absent         int        // members that could not be read in the last round
	UsersLink      string     // of the last round that ended
	UsersNext      string     // of the round under way
	UsersLater     string     // taken before users are read by id; the link of the next round
	UsersAt        *time.Time // when UsersLink was given
	UsersMode      ImportMode
	UsersMark      int64
}

// Ended gives the last round that has ended: what was read up to it counts.
func (s ImportState) Ended() int64 {
	if s.Stage == ImportIdle {
		return s.Round
	}
	return s.Round - 1
}

// Ref names the integration.
func (s ImportState) Ref() Ref { return Ref{s.OrganizationID, s.IntegrationID} }

// ImportLink is a delta that reads at most 50 groups together.
type ImportLink struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	IntegrationID  string
	Link           string // of the last round that read it to the end
	Next           string // of the round under way
	LinkedAt       *time.Time
	Mark           int64 // of a reading from the beginning that is under way; 0 where changes are read
	Ended          int64 // the round that it was last read to the end in
}

// ImportGroup is a group of the tenant that is read. The fields that begin with New are of the round under way.
type ImportGroup struct {
	IntegrationID  string `gorm:"primaryKey"`
	ObjectID       string `gorm:"primaryKey"`
	OrganizationID string
	GroupID        string // of the mirror, once it is there
	LinkID         string
	Root           bool   // the settings name it; else it is nested in one that they name
	DisplayName    string // "" before it was found
	Gone           string // why it does not count, "" where it does
	Members        int    // direct ones, when the last round ended
	Seen           int64  // the mark of the last reading that found it
	Touched        int64  // the last round that read something of its members
	NewName        string
	NewGone        string
}

// ImportMember is a direct member of a group that is read.
type ImportMember struct {
	GroupID string // ImportGroup.GroupID
	Member  string // object id
	Nested  bool   // it is a group
}

// ImportGone says why a user does not count any more.
type ImportGone string

// A user that was deleted can be restored for 30 days, or is gone for good.
const (
	ImportThere    ImportGone = ""
	ImportRecycled ImportGone = "recycled"
	ImportDeleted  ImportGone = "deleted"
)

// ImportUser is somebody whom a run has to look at.
type ImportUser struct {
	ObjectID    string
	UserID      string // of the mirror, once it is there
	UserNameKey string // "" where Document is not set
	Document    *Document
	Gone        ImportGone
}
