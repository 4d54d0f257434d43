package app_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/app"
	"usher/web/console"
)

// TestStopLetsGoOfFollowers: an operator who follows a run in the console does not delay the end.
func TestStopLetsGoOfFollowers(t *testing.T) {
	t.Parallel()
	a, stop, done := running(t)

	_, run, _ := runningRun(t, a)
	browser := signedIn(t, a)
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, a.URL()+console.Base+"/runs/"+run.ID+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	lines := bufio.NewReader(stream.Body)
	for line := ""; line != "event: progress\n"; {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatalf("%s: %v", stream.Status, err)
		}
	}

	began := time.Now()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > stopWithin {
		t.Errorf("stopping took %s, want less than %s", took, stopWithin)
	}
	if rest, err := io.ReadAll(lines); err != nil || strings.Contains(string(rest), "event: over") {
		t.Errorf("the stream ended with %q: %v", rest, err) // it must not say that the run is over: the browser comes again
	}
}

// signedIn gives a browser in which an operator is signed in.
func signedIn(t *testing.T, a *app.App) *http.Client {
	t.Helper()
	link, err := a.OperatorURL(t.Context(), "grace@contoso.example", "Grace Hopper")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	form := url.Values{"token": {u.Query().Get("token")}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+console.Base+"/welcome", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("signing in: %s", res.Status)
	}
	return browser
}
