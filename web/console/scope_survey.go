package console

import (
	"sync"
	"time"

	"usher/directory"
	"usher/model"
)

// A page that suggests exclusions looks at people for so long, then answers with what it has found so far, and goes on when it is
// asked for again. What was found is kept for a while, of so many integrations.
const (
	surveySpends = 30 * time.Millisecond
	surveyLasts  = 5 * time.Minute
	manySurveys  = 100
)

// surveys are those that are under way, or were a short while ago.
type surveys struct {
	mutex sync.Mutex
	known map[model.Ref]*surveyed
}

// surveyed is one survey, that one request at a time goes on with.
type surveyed struct {
	mutex  sync.Mutex
	survey *directory.Survey
	begun  time.Time
}

func (s *surveys) of(ref model.Ref, now time.Time) *surveyed {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one := s.known[ref]
	if one == nil || now.Sub(one.begun) > surveyLasts {
		if s.known == nil || len(s.known) >= manySurveys {
			s.known = map[model.Ref]*surveyed{}
		}
		one = &surveyed{survey: directory.NewSurvey(), begun: now}
		s.known[ref] = one
	}
	return one
}

// forget lets the next page look anew.
func (s *surveys) forget(ref model.Ref) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.known, ref)
}

// suggestions looks at some more people, and gives what has been found, how many were looked at, and whether that is everybody.
func (v *visit) suggestions(ref model.Ref) (list []directory.Suggestion, looked int, done bool, err error) {
	one := v.surveys.of(ref, v.now())
	one.mutex.Lock()
	defer one.mutex.Unlock()
	err = v.svc.ContinueSurvey(v.ctx, ref, one.survey, surveySpends)
	return one.survey.Suggestions(), one.survey.Looked, one.survey.Done, err
}
