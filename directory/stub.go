package directory

import (
	"iter"
	"time"

	"usher/model"
)

// Rules are the settings of one organization, compiled.
type Rules struct{ settings *model.Settings }

func Compile(settings *model.Settings, now func() time.Time) (*Rules, error) { return &Rules{settings: settings}, nil }
func (r *Rules) Decide(p Person) Decision { return Decision{} }
func (r *Rules) GroupMatters(integrationID string, g model.GroupRef) bool { return true }


func ValidateGroupMappings(s *model.Settings, integrationID string, list []model.GroupMapping) error { return nil }
func ValidateFieldMappings(s *model.Settings, integrationID string, list []model.FieldMapping) error { return nil }
func ValidateExclusions(list []model.Exclusion) error { return nil }
func ValidateChosenGroups(list []model.GroupSelector) error { return nil }
func ValidateIntegration(s *model.Settings, i model.Integration) error { return nil }

type Suggestion struct {
	Exclusion model.Exclusion `json:"exclusion"`
	Reason    string          `json:"reason"`
	Count     int             `json:"count"`
	Examples  []string        `json:"examples"`
}

func SuggestExclusions(users iter.Seq[model.DirectoryUser]) []Suggestion { return nil }
