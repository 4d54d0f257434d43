package model

import "time"

// Acknowledgement says that an operator has seen an alarm, which then is not told of any more until it happens anew.
type Acknowledgement struct {
	OrganizationID string    `json:"-" gorm:"primaryKey"`
	Alarm          string    `json:"alarm" gorm:"primaryKey"` // kind:id, such as webhook_endpoint:0198…
	Occurrence     string    `json:"occurrence"`              // what happened, by a name that is another one when it happens anew
	Actor          string    `json:"actor"`
	At             time.Time `json:"at"`
}
