package directory

import (
	"context"
	"time"

	"usher/model"
)

// surveyPage is how many people a survey reads at once.
const surveyPage = 50

// ContinueSurvey looks at more of an integration's people, until all have been looked at or the time is spent. Nobody else may use
// the survey meanwhile.
func (s *Service) ContinueSurvey(ctx context.Context, ref model.Ref, survey *Survey, spend time.Duration) error {
	read := s.Store.Read(ctx)
	if _, err := read.Integration(ref); err != nil {
		return err
	}
	for end := time.Now().Add(spend); !survey.Done; {
		users, err := read.DirectoryUsersAfter(ref, survey.after, surveyPage)
		if err != nil {
			return err
		}
		for i := range users {
			survey.look(&users[i])
			survey.after = users[i].ID
		}
		survey.Done = len(users) < surveyPage
		if !time.Now().Before(end) {
			break
		}
	}
	return nil
}
