package scim_test

import (
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// together sends the requests of a section, which stand between lines of two tildes, all at once, and wants the answers to
// have the statuses: those named, in any order, or for all of them the only one named.
func (s *story) together(statuses, text string) {
	s.t.Helper()
	var requests []string
	for part := range strings.SplitSeq(text, "\n~~\n") {
		requests = append(requests, part)
	}
	want := strings.Fields(statuses)
	if len(want) == 1 {
		want = slices.Repeat(want, len(requests))
	}
	answers := make([]*httptest.ResponseRecorder, len(requests))
	var wg sync.WaitGroup
	for i, text := range requests {
		request := s.build(s.world, text)
		answers[i] = httptest.NewRecorder()
		wg.Go(func() { s.handler.ServeHTTP(answers[i], request) })
	}
	wg.Wait()
	var got []string
	for _, a := range answers {
		got = append(got, strconv.Itoa(a.Code))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		for i, a := range answers {
			s.t.Errorf("%s\nanswered %d: %s", requests[i], a.Code, a.Body)
		}
		s.t.Fatalf("together: statuses %v, want %v", got, want)
	}
	s.answers++
}
