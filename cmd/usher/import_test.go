package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"usher/model"
)

func TestRunsFromTheShell(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	must(t, db, "", "migrate", "up")
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, db, "", "integration", "create", "Contoso", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	if code, _, err := usher(t, db, "", "import", "start", made.ID); code != exitFailed || !strings.Contains(err, "nothing to import") {
		t.Errorf("an import of a pushed integration: status %d, %s", code, err)
	}
	var run model.Run
	if err := json.Unmarshal([]byte(must(t, db, "", "import", "start", made.ID, "--kind", "reevaluation", "-o", "json")), &run); err != nil {
		t.Fatal(err)
	}
	if run.State != model.RunQueued || run.Kind != model.RunReevaluation {
		t.Fatalf("%+v", run)
	}
	if out := must(t, db, "", "import", "list", "--state", "queued"); !strings.Contains(out, run.ID) {
		t.Errorf("the list: %s", out)
	}
	if out := must(t, db, "", "import", "list", "--state", "held"); strings.Contains(out, run.ID) {
		t.Errorf("the list of held runs: %s", out)
	}
	if out := must(t, db, "", "import", "status", run.ID); !strings.Contains(out, "queued") || !strings.Contains(out, "asked for by cli") {
		t.Errorf("status: %s", out)
	}
	if code, _, err := usher(t, db, "", "import", "start", made.ID, "--kind", "preview", "--wait", "--timeout", "1ms"); code != exitFailed ||
		!strings.Contains(err, "is a server running") {
		t.Errorf("waiting without a server: status %d, %s", code, err)
	}
	for _, refused := range [][]string{
		{"import", "apply", run.ID},
		{"import", "discard", run.ID},
		{"import", "undo", run.ID},
		{"import", "apply", run.ID, "--subjects", "x"},
		{"import", "status", made.ID},
		{"import", "decisions", made.ID},
	} {
		if code, _, err := usher(t, db, "", refused...); code != exitFailed {
			t.Errorf("usher %v: status %d, %s", refused, code, err)
		}
	}
	if out := must(t, db, "", "import", "decisions", run.ID); !strings.Contains(out, "SUBJECT") {
		t.Errorf("decisions: %s", out)
	}
	if out := must(t, db, "", "import", "cancel", run.ID); !strings.Contains(out, "cancelled") {
		t.Errorf("cancel: %s", out)
	}
	if out := must(t, db, "", "import", "start", made.ID, "--kind", "reevaluation", "--organization", "default"); !strings.Contains(out, "reevaluation") {
		t.Errorf("start: %s", out)
	}
}
