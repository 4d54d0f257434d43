package app_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// stopWithin is what a server with nothing to do but answer those who wait may take to stop; waiters that it did not
// answer would hold it for the whole time that requests are given to finish.
const stopWithin = 5 * time.Second

// running starts a server without workers. done gives what it ends with, after stop.
func running(t *testing.T) (a *app.App, stop context.CancelFunc, done <-chan error) {
	t.Helper()
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey = "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), secret.NewKey()
	cfg.Listen, cfg.Migrate, cfg.NoWorkers = "127.0.0.1:0", true, true
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return a, stop, ended
}

// TestStopAnswersWhoeverWaits: neither a reader that waits for a change nor one that follows a run delays the end.
func TestStopAnswersWhoeverWaits(t *testing.T) {
	t.Parallel()
	a, stop, done := running(t)

	org, run, key := runningRun(t, a)
	stream := ask(t, a, key, "/runs/"+run.ID+"/events")
	defer func() { _ = stream.Body.Close() }()
	if _, err := bufio.NewReader(stream.Body).ReadString('\n'); err != nil { // it is being followed
		t.Fatal(err)
	}
	waiter, keyOfWaiter := waitingKey(t, a, org)
	answered := make(chan string, 1)
	go func() {
		res := ask(t, a, keyOfWaiter, "/changes?wait=30s&types=account.created")
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		answered <- res.Status + " " + string(body)
	}()
	eventually(t, "the reader of the feed was let in", func() bool {
		k, err := a.Store.Read(t.Context()).APIKey(waiter)
		return err == nil && k.LastUsedAt != nil
	})

	began := time.Now()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > stopWithin {
		t.Errorf("stopping took %s, want less than %s", took, stopWithin)
	}
	if got, want := <-answered, "200 OK {\"data\":[],\"next\":"; len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("the reader that waited was answered %q, want an empty page", got)
	}
}

// runningRun makes a run that nobody works, and a key to follow it with.
func runningRun(t *testing.T, a *app.App) (org string, run model.Run, key string) {
	t.Helper()
	o, err := a.Store.Read(t.Context()).Organization(model.DefaultOrganization)
	if err != nil {
		t.Fatal(err)
	}
	i, err := a.Service.CreateIntegration(t.Context(), o.ID, directory.DefaultIntegration("Contoso", model.IngressSCIM), nil)
	if err != nil {
		t.Fatal(err)
	}
	run = model.Run{OrganizationID: o.ID, IntegrationID: i.ID, Kind: model.RunReevaluation, State: model.RunQueued}
	if err := a.Store.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertRun(&run) }); err != nil {
		t.Fatal(err)
	}
	_, key = waitingKey(t, a, o.ID)
	return o.ID, run, key
}

// waitingKey makes a key of which its use is seen.
func waitingKey(t *testing.T, a *app.App, org string) (id, text string) {
	t.Helper()
	k, text, err := a.Service.CreateAPIKey(t.Context(), org, "reader", []model.Right{model.RightRead}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k.ID, text
}

// ask sends a request to the management API and gives the answer, of which the head has come.
func ask(t *testing.T, a *app.App, key, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, a.URL()+"/api/v1"+path, nil)
	if err != nil {
		t.Error(err)
		return &http.Response{Body: http.NoBody}
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return &http.Response{Body: http.NoBody}
	}
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", path, res.Status)
	}
	return res
}

// hang is how long a test waits for what happens behind the scenes before it says that it never does: no bound of how fast it
// has to be, which a machine with other work would break.
const hang = 5 * time.Minute

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(hang), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}
