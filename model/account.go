package model

import "time"

// AccountStatus is where an account stands.
type AccountStatus string

// The states of an account.
const (
	AccountActive      AccountStatus = "active"
	AccountDeactivated AccountStatus = "deactivated"
	AccountArchived    AccountStatus = "archived"
)

// Origin says who made a thing.
type Origin string

// Accounts come from a directory or are made by hand.
const (
	OriginDirectory Origin = "directory"
	OriginManual    Origin = "manual"
)

// StatusCause says who set an account's status; a sync reactivates only what a sync deactivated.
type StatusCause string

// The causes of a status.
const (
	CauseNone     StatusCause = ""
	CauseSync     StatusCause = "sync"
	CauseOperator StatusCause = "operator"
	CauseEmployee StatusCause = "employee"
)

// Account is the application's own user.
type Account struct {
	ID             string         `json:"id" gorm:"primaryKey"`
	OrganizationID string         `json:"-"`
	Email          string         `json:"email"`
	EmailKey       string         `json:"-"` // Fold of Email; unique in the organization
	UserName       string         `json:"user_name"`
	UserNameKey    string         `json:"-"`
	DisplayName    string         `json:"display_name"`
	GivenName      string         `json:"given_name"`
	FamilyName     string         `json:"family_name"`
	Status         AccountStatus  `json:"status"`
	StatusCause    StatusCause    `json:"-"`
	Origin         Origin         `json:"origin"`
	Department     string         `json:"department"`
	JobTitle       string         `json:"job_title"`
	Language       string         `json:"language"`
	TimeZone       string         `json:"time_zone"`
	Currency       string         `json:"currency"`
	Roles          []string       `json:"roles" gorm:"serializer:json"`                     // sorted keys
	Permissions    []Permission   `json:"permissions" gorm:"serializer:json"`               // effective: by hand and by mapping
	ByHand         []Permission   `json:"-" gorm:"column:hand_permissions;serializer:json"` // those given by hand
	CustomFields   map[string]any `json:"custom_fields" gorm:"serializer:json"`             // by key
	EmployeeID     *string        `json:"employee_id"`                                      // external id of the employee
	Links          []Link         `json:"links" gorm:"-"`                                   // filled by reads that ask for it
	Version        int64          `json:"-"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
}

// Name gives what a person would call the account: display name, else e-mail, else userName.
func (a Account) Name() string {
	switch {
	case a.DisplayName != "":
		return a.DisplayName
	case a.Email != "":
		return a.Email
	}
	return a.UserName
}

// Permission is a level in a module at a site.
type Permission struct {
	Site   string `json:"site"`
	Module string `json:"module"`
	Level  Level  `json:"level"`
}

// Link ties an account to a directory user.
type Link struct {
	IntegrationID   string `json:"integration_id"`
	DirectoryUserID string `json:"directory_user_id"`
	ExternalID      string `json:"external_id"`
}

// EmployeeState is where an employee stands.
type EmployeeState string

// An employee with a resignation date is pending until that date and archived from then on.
const (
	EmployeeActive   EmployeeState = "active"
	EmployeePending  EmployeeState = "pending"
	EmployeeArchived EmployeeState = "archived"
)

// Employee is the HR master record of a person. Linked to an account it owns the profile.
type Employee struct {
	OrganizationID  string        `json:"-" gorm:"primaryKey"`
	ExternalID      string        `json:"external_id" gorm:"primaryKey"`
	Email           string        `json:"email"`
	EmailKey        string        `json:"-"`
	GivenName       string        `json:"given_name"`
	FamilyName      string        `json:"family_name"`
	Department      string        `json:"department"`
	JobTitle        string        `json:"job_title"`
	ResignationDate *string       `json:"resignation_date"` // 2006-01-02
	State           EmployeeState `json:"state"`
	CreatedAt       time.Time     `json:"created_at"`
	UpdatedAt       time.Time     `json:"updated_at"`
}
