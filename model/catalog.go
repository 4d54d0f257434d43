package model

import "time"

// Role is what an account may hold. No sync ever changes the roles of an account that holds an Administrator role.
type Role struct {
	OrganizationID string    `json:"-" gorm:"primaryKey"`
	Key            string    `json:"key" gorm:"primaryKey"`
	Name           string    `json:"name"`
	Administrator  bool      `json:"administrator"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Department is one of the application's departments.
type Department struct {
	OrganizationID string    `json:"-" gorm:"primaryKey"`
	Key            string    `json:"key" gorm:"primaryKey"`
	Name           string    `json:"name"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Site is a node of the organization's tree of places. A site with a parent inherits the parent's group mappings
// unless Override is set; then it is configured by itself.
type Site struct {
	OrganizationID string    `json:"-" gorm:"primaryKey"`
	Key            string    `json:"key" gorm:"primaryKey"`
	Name           string    `json:"name"`
	Parent         string    `json:"parent,omitempty"`
	Override       bool      `json:"override"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Inherits says whether the site takes its mappings from its parent.
func (s Site) Inherits() bool { return s.Parent != "" && !s.Override }

// Module is a part of the application in which permissions are held.
type Module struct {
	OrganizationID string    `json:"-" gorm:"primaryKey"`
	Key            string    `json:"key" gorm:"primaryKey"`
	Name           string    `json:"name"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// FieldType is the type of a custom field's value.
type FieldType string

// The types of custom fields. A date is written as 2006-01-02.
const (
	FieldText   FieldType = "text"
	FieldNumber FieldType = "number"
	FieldDate   FieldType = "date"
)

// CustomField is a field of the account that the organization added.
type CustomField struct {
	OrganizationID string    `json:"-" gorm:"primaryKey"`
	Key            string    `json:"key" gorm:"primaryKey"`
	Name           string    `json:"name"`
	Type           FieldType `json:"type"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Level is how much an account may do in a module at a site.
type Level string

// The levels, from least to most.
const (
	LevelMember  Level = "member"
	LevelManager Level = "manager"
	LevelAdmin   Level = "admin"
)

// Rank orders levels; an unknown level ranks lowest, at 0.
func (l Level) Rank() int {
	switch l {
	case LevelMember:
		return 1
	case LevelManager:
		return 2
	case LevelAdmin:
		return 3
	}
	return 0
}
