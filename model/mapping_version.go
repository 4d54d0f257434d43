package model

import "time"

// FieldMappingVersion is the field mappings of an integration as one save left them. Numbers count from 1 within the integration, and
// the newest version is what is stored now.
type FieldMappingVersion struct {
	OrganizationID string         `json:"-" gorm:"primaryKey"`
	IntegrationID  string         `json:"-" gorm:"primaryKey"`
	Number         int            `json:"number" gorm:"primaryKey"`
	Actor          string         `json:"actor"`
	Summary        string         `json:"summary"` // what the save changed, in a line
	Entries        int            `json:"entries"` // how many mappings it has
	Mappings       []FieldMapping `json:"mappings" gorm:"serializer:json"`
	CreatedAt      time.Time      `json:"created_at"`
}

// FieldMappingVersionsKept is how many versions an integration has at most: a save beyond that takes the oldest away.
const FieldMappingVersionsKept = 100
