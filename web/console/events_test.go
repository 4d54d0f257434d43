package console_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/web/console"
)

// quick lets streams be quick to look, so that a test is.
func quick(opt *console.Options) {
	opt.Follow = console.Following{Every: 20 * time.Millisecond, Check: 20 * time.Millisecond, Alive: 50 * time.Millisecond, PerSession: 2, PerServer: 3}
}

// eachQuick is each with quick streams.
func eachQuick(t *testing.T, story func(f *fixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) { story(newFixture(t, s, quick)) })
}

// stream is what a browser follows.
type stream struct {
	T
	*http.Response
	lines *bufio.Scanner
	close func()
}

// follow opens a stream; it is closed with the test.
func (f *fixture) follow(path string) *stream {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
	f.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+console.Base+strings.TrimPrefix(path, console.Base), nil)
	f.ok(err)
	req.Header.Set("Accept", "text/event-stream")
	res, err := f.browser.Do(req)
	f.ok(err)
	f.Cleanup(func() { _ = res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return &stream{f.T, res, lines, func() { _ = res.Body.Close() }}
}

// next gives the next event, and its data; "" at the end of the stream. What is no event is passed over.
func (s *stream) next() (name, data string) {
	s.Helper()
	for s.lines.Scan() {
		line := s.lines.Text()
		if rest, ok := strings.CutPrefix(line, "event: "); ok {
			name = rest
		} else if rest, ok := strings.CutPrefix(line, "data: "); ok {
			data += rest + "\n"
		} else if line == "" && name != "" {
			return name, data
		}
	}
	return "", ""
}

// ends fails the test unless the stream comes to its end, and says so.
func (s *stream) ends() {
	s.Helper()
	name, data := s.next()
	for name == "progress" {
		name, data = s.next()
	}
	if name != "over" {
		s.Errorf("the stream goes on with %q %q, want over", name, data)
	}
	if name, data = s.next(); name != "" {
		s.Errorf("the stream goes on behind its end with %q %q", name, data)
	}
	if err := s.lines.Err(); err != nil {
		s.Errorf("the stream ends with %v", err)
	}
}

// goingRun starts a preview that nobody works yet.
func (f *fixture) goingRun() (path string, run model.Run) {
	f.Helper()
	run, err := f.svc.StartRun(f.Context(), f.contoso().Ref(), model.RunPreview)
	f.ok(err)
	return "/runs/" + run.ID, run
}

func TestFollowRun(t *testing.T) {
	eachQuick(t, func(f *fixture) {
		path, _ := f.goingRun()
		f = f.as(f.master)
		f.get(path).want(http.StatusOK, `data-events="/console`+path+`/events"`, "Look again").lacks("every 2s")
		s := f.follow(path + "/events")
		if got := s.Header.Get("Content-Type"); s.StatusCode != http.StatusOK || got != "text/event-stream" {
			t.Fatalf("%d %s", s.StatusCode, got)
		}
		if name, html := s.next(); name != "progress" || !strings.Contains(html, "Queued") || !strings.Contains(html, "being made") || strings.Contains(html, "<html") {
			t.Errorf("at first %s %q", name, html)
		}
		for range 3 { // each of which would be a stream too many
			if a := f.do(http.MethodHead, path+"/events", nil); a.StatusCode != http.StatusOK {
				t.Errorf("HEAD: %d", a.StatusCode)
			}
		}
		f.planned(path)
		last := ""
		for name, html := s.next(); name == "progress"; name, html = s.next() {
			last = html
		}
		if !strings.Contains(last, "Succeeded") || !strings.Contains(last, "1 leave out") {
			t.Errorf("at last %q", last)
		}
		f.get(path).want(http.StatusOK, "Succeeded").lacks("data-events", "Look again")
		f.follow(path + "/events").ends()
	})
}

// TestFollowOperation follows the steps of an off-boarding.
func TestFollowOperation(t *testing.T) {
	eachQuick(t, func(f *fixture) {
		town := f.tenant()
		f = f.as(f.master)
		path := f.post("/entra/people/"+town.ref.IntegrationID+"/"+town.ada.ID+"/offboard", "do", "offboard", "revoke_sessions", "on").want(http.StatusSeeOther).Header.Get("Location")
		s := f.follow(path + "/events")
		if _, html := s.next(); !strings.Contains(html, "Queued") || !strings.Contains(html, "End all sign-ins") {
			t.Errorf("at first %q", html)
		}
		f.work(path)
		s.ends()
	})
}

// TestStreamsEndWithTheSession: who signs out, is removed, or loses the right follows nothing any more.
func TestStreamsEndWithTheSession(t *testing.T) {
	eachQuick(t, func(f *fixture) {
		path, _ := f.goingRun()
		path += "/events"
		ends := map[string]func(who *fixture, o model.Operator){
			"sign-out": func(who *fixture, _ model.Operator) { who.post("/sign-out").want(http.StatusSeeOther) },
			"removed": func(_ *fixture, o model.Operator) {
				f.as(f.master).post("/settings/operators/" + o.ID + "/remove").want(http.StatusSeeOther)
			},
			"right": func(_ *fixture, o model.Operator) {
				f.as(f.master).post("/settings/operators/"+o.ID+"/rights", "rights-sent", "1", "rights", "runs").want(http.StatusSeeOther)
			},
		}
		for name, end := range ends {
			o := f.operator(name+"@contoso.example", model.RightRead)
			who := f.as(o)
			s := who.follow(path)
			if event, _ := s.next(); event != "progress" {
				t.Fatalf("%s: no stream: %q", name, event)
			}
			end(who, o)
			s.ends()
			s.close()
		}
	})
}

// TestStreamsEndWithAnIdleSession: who only looks is signed out as anybody who does nothing.
func TestStreamsEndWithAnIdleSession(t *testing.T) {
	eachQuick(t, func(f *fixture) {
		path, _ := f.goingRun()
		f = f.as(f.master)
		s := f.follow(path + "/events")
		s.next()
		f.lapse.Store(int64(119 * time.Minute))
		for range 3 {
			if !s.lines.Scan() {
				t.Fatal("the stream ended before the session")
			}
		}
		f.lapse.Store(int64(121 * time.Minute))
		s.ends()
	})
}

// TestStreamsAreBounded: no more than some of a session, and of the server; one that is closed makes room.
func TestStreamsAreBounded(t *testing.T) {
	eachQuick(t, func(f *fixture) {
		path, _ := f.goingRun()
		path += "/events"
		f, other := f.as(f.master), f.as(f.operator("other@contoso.example", model.RightRead))
		first := f.follow(path)
		first.next()
		f.follow(path).next()
		if s := f.follow(path); s.StatusCode != http.StatusTooManyRequests || s.Header.Get("Retry-After") == "" {
			t.Errorf("the third stream of a session: %d", s.StatusCode)
		}
		other.follow(path).next()
		if s := other.follow(path); s.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the fourth stream of the server: %d", s.StatusCode)
		}
		first.close()
		f.eventually("a closed stream makes room", func() bool {
			s := f.follow(path)
			defer s.close()
			return s.StatusCode == http.StatusOK
		})
	})
}

// eventually tries until ok holds, and fails after a minute.
func (f *fixture) eventually(what string, ok func() bool) {
	f.Helper()
	deadline, tick := time.NewTimer(time.Minute), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			f.Fatalf("not within a minute: %s", what)
		}
	}
}

// TestStreamsOutlastTheServersTimes: a stream goes on for longer than the server gives a request or an answer, and ends at once when the
// server is told to stop.
func TestStreamsOutlastTheServersTimes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.OpenSQLite(t))
	path, _ := f.goingRun()
	f = f.as(f.master)
	stopping, stop := context.WithCancel(t.Context())
	defer stop()
	server := httptest.NewUnstartedServer(nil)
	opt := console.Options{Service: f.svc, PublicURL: f.url, Stopping: stopping}
	quick(&opt)
	server.Config.Handler = console.New(opt)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	server.Start()
	f.url = server.URL
	s := f.follow(path + "/events")
	for alive := 0; alive < 12; {
		if !s.lines.Scan() {
			t.Fatalf("the stream ended after %d signs of life: %v", alive, s.lines.Err())
		}
		if s.lines.Text() == ": still here" {
			alive++
		}
	}
	stop()
	if rest, err := io.ReadAll(s.Body); err != nil || strings.Contains(string(rest), "over") {
		t.Errorf("at the end %q %v", rest, err)
	}
	f.ok(server.Config.Shutdown(t.Context()))
}
