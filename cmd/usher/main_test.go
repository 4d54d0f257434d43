package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/internal/secret"
)

// usher runs the program in this process, with a database of the test's own, and gives status, output and remarks.
func usher(t *testing.T, db, stdin string, args ...string) (int, string, string) {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), append(args, "--database-url", "sqlite:"+db), console{&out, &err, strings.NewReader(stdin)})
	return code, out.String(), err.String()
}

func must(t *testing.T, db, stdin string, args ...string) string {
	t.Helper()
	code, out, err := usher(t, db, stdin, args...)
	if code != 0 {
		t.Fatalf("usher %s: status %d\n%s%s", strings.Join(args, " "), code, out, err)
	}
	return out
}

func TestAdministratorSetsUpFromTheShell(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	if code, _, err := usher(t, db, "", "integration", "list"); code != exitFailed || !strings.Contains(err, "usher migrate up") {
		t.Fatalf("a missing schema: status %d, %s", code, err)
	}
	must(t, db, "", "migrate", "up")
	if out := must(t, db, "", "migrate", "status"); strings.Contains(out, "missing") {
		t.Fatalf("after migrate up: %s", out)
	}
	var made struct {
		ID   string
		SCIM struct {
			BaseURL string `json:"base_url"`
		}
	}
	if err := json.Unmarshal([]byte(must(t, db, "", "integration", "create", "Contoso", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	if want := "http://127.0.0.1:8080/scim/v2/" + made.ID; made.SCIM.BaseURL != want {
		t.Errorf("Tenant URL %q, want %q", made.SCIM.BaseURL, want)
	}
	var token struct{ ID, Token string }
	if err := json.Unmarshal([]byte(must(t, db, "", "token", "create", made.ID, "-o", "json")), &token); err != nil {
		t.Fatal(err)
	}
	if id, ok := secret.TokenID(secret.PrefixSCIM, token.Token); !ok || id != token.ID {
		t.Errorf("token %q does not carry the id %s", token.Token, token.ID)
	}
	if out := must(t, db, "", "token", "list", made.ID); !strings.Contains(out, token.ID) || strings.Contains(out, token.Token) {
		t.Errorf("the list of tokens: %s", out)
	}
	must(t, db, "", "token", "revoke", made.ID, token.ID)
	if code, _, _ := usher(t, db, "", "token", "revoke", made.ID, token.ID); code != exitFailed {
		t.Error("a token was revoked twice")
	}
	for format, want := range map[string]string{"text": made.SCIM.BaseURL + "?aadOptscim062020", "powershell": "Read-Host -AsSecureString", "terraform": "azuread_synchronization_job"} {
		if out := must(t, db, "", "integration", "setup", made.ID, "--format", format); !strings.Contains(out, want) {
			t.Errorf("the set-up as %s lacks %s:\n%s", format, want, out)
		}
	}
	if code, _, err := usher(t, db, "", "integration", "setup", made.ID, "--run"); code != exitFailed || !strings.Contains(err, "USHER_PUBLIC_URL") {
		t.Errorf("a set-up of what Entra cannot reach: status %d, %s", code, err)
	}
	if code, _, err := usher(t, db, "", "integration", "remove", made.ID); code != exitFailed || !strings.Contains(err, "--yes") {
		t.Errorf("removal without --yes: status %d, %s", code, err)
	}
	must(t, db, "", "integration", "remove", made.ID, "--yes")
}

func TestClientsFromTheShell(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	must(t, db, "", "migrate", "up")
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, db, "", "integration", "create", "Contoso", "-o", "json")), &made); err != nil {
		t.Fatal(err)
	}
	var client struct {
		ID       string `json:"client_id"`
		Secret   string `json:"client_secret"`
		TokenURL string `json:"token_url"`
	}
	out := must(t, db, "", "client", "create", made.ID, "--expires-in", "72h", "--token-minutes", "90", "-o", "json")
	if err := json.Unmarshal([]byte(out), &client); err != nil {
		t.Fatal(err)
	}
	if client.TokenURL != "http://127.0.0.1:8080/oauth2/token" || !strings.HasPrefix(client.Secret, secret.PrefixClient) {
		t.Errorf("%+v", client)
	}
	var added struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, db, "", "client", "add-secret", made.ID, client.ID, "-o", "json")), &added); err != nil {
		t.Fatal(err)
	}
	if code, _, err := usher(t, db, "", "client", "add-secret", made.ID, client.ID); code != exitFailed || !strings.Contains(err, "delete") {
		t.Errorf("a third secret: status %d, %s", code, err)
	}
	trust := []string{"client", "trust", made.ID, client.ID, "--tenant-id", "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f", "--subject", "ada", "--audience", "api://usher", "-o", "json"}
	var federation struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, db, "", trust...)), &federation); err != nil {
		t.Fatal(err)
	}
	if out := must(t, db, "", "client", "list", made.ID); !strings.Contains(out, client.ID) || !strings.Contains(out, added.ID) || !strings.Contains(out, federation.ID) ||
		strings.Contains(out, client.Secret) {
		t.Errorf("the list of clients: %s", out)
	}
	code, out, _ := usher(t, db, "", "doctor")
	if code != exitFailed || !strings.Contains(out, "BAD tokens and secrets") || !strings.Contains(out, "expires within 3 days") {
		t.Errorf("the doctor about a secret that ends in three days: status %d\n%s", code, out)
	}
	must(t, db, "", "client", "distrust", made.ID, client.ID, federation.ID)
	must(t, db, "", "client", "delete-secret", made.ID, client.ID, added.ID)
	must(t, db, "", "client", "delete", made.ID, client.ID)
	if code, _, _ := usher(t, db, "", "client", "delete", made.ID, client.ID); code != exitFailed {
		t.Error("a client was deleted twice")
	}
}

func TestOperatorsAndKeys(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	must(t, db, "", "migrate", "up")
	if code, _, err := usher(t, db, "short\n", "operator", "create", "ada@contoso.example"); code != exitFailed || !strings.Contains(err, "password") {
		t.Errorf("a short password: status %d, %s", code, err)
	}
	must(t, db, "a long enough password\n", "operator", "create", "ada@contoso.example")
	if out := must(t, db, "", "operator", "list"); !strings.Contains(out, "ada@contoso.example") || strings.Contains(out, "argon2") {
		t.Errorf("the list of operators: %s", out)
	}
	must(t, db, "another long password\n", "operator", "password", "ada@contoso.example")
	must(t, db, "", "operator", "remove", "ada@contoso.example")
	if code, _, err := usher(t, db, "", "api-key", "create", "intranet", "--rights", "everything"); code != exitFailed || !strings.Contains(err, "everything") {
		t.Errorf("an unknown right: status %d, %s", code, err)
	}
	if out := must(t, db, "", "api-key", "create", "intranet", "--rights", "read"); !strings.Contains(out, secret.PrefixAPI) {
		t.Errorf("a new key: %s", out)
	}
	must(t, db, "", "organization", "create", "fabrikam")
	if out := must(t, db, "", "api-key", "list", "--organization", "fabrikam"); strings.Contains(out, "intranet") {
		t.Errorf("another organization's keys are listed: %s", out)
	}
	if out := must(t, db, "", "key", "rotate"); !strings.Contains(out, "0 secrets") {
		t.Errorf("rotation: %s", out)
	}
}

func TestDoctorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	code, out, _ := usher(t, db, "", "doctor")
	if code != exitFailed || !strings.Contains(out, "usher migrate up") {
		t.Fatalf("without a database: status %d\n%s", code, out)
	}
	must(t, db, "", "migrate", "up")
	if out := must(t, db, "", "doctor"); strings.Contains(out, "BAD") {
		t.Fatalf("all is well, and it says:\n%s", out)
	}
	code, out, _ = usher(t, db, "", "doctor", "--public-url", "http://usher.contoso.example")
	if code != exitFailed || !strings.Contains(out, "https") {
		t.Fatalf("a public URL without TLS: status %d\n%s", code, out)
	}
}

func TestSettingsComeInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "usher.yaml")
	write(t, path, "listen: 127.0.0.1:1001\npublic_url: https://file.contoso.example\nmetrics_listen: 127.0.0.1:1002\n")
	t.Setenv("USHER_PUBLIC_URL", "https://environment.contoso.example")
	t.Setenv("USHER_METRICS_LISTEN", "127.0.0.1:2002")
	flag := "127.0.0.1:3002"
	cfg, err := (&settings{Config: path, MetricsListen: &flag}).config()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.DatabaseURL != "sqlite:usher.db" || cfg.Listen != "127.0.0.1:1001" || cfg.PublicURL != "https://environment.contoso.example" ||
		cfg.MetricsListen != flag {
		t.Errorf("default, file, environment, flag gave %q, %q, %q, %q", cfg.DatabaseURL, cfg.Listen, cfg.PublicURL, cfg.MetricsListen)
	}
}

func TestSettingsAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ file, want string }{
		"an unknown key":      {"listne: x\n", `unknown key "listne"`},
		"a broken file":       {"listen: [\n", "configuration file"},
		"both forms":          {"secret_key: x\nsecret_key_file: /dev/null\n", "both secret_key and secret_key_file"},
		"a missing file":      {"secret_key_file: " + filepath.Join(dir, "nothing") + "\n", "secret_key_file"},
		"a form for no value": {"listen_file: /dev/null\n", `unknown key "listen_file"`},
		"no number":           {"database_conns: many\n", "database_conns"},
		"no rate":             {"scim_rate: much\n", "scim_rate"},
		"no period":           {"calendar_sweep: often\n", "calendar_sweep"},
		"no period to import": {"import_every: daily\n", "import_every"},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".yaml")
		write(t, path, c.file)
		if _, err := (&settings{Config: path}).config(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "a-key\n")
	write(t, filepath.Join(dir, "url"), "postgres://u:p@db/usher\n")
	t.Setenv("USHER_SECRET_KEY_FILE", filepath.Join(dir, "key"))
	t.Setenv("USHER_DATABASE_URL_FILE", filepath.Join(dir, "url"))
	cfg, err := (&settings{}).config()
	if err != nil || cfg.SecretKey != "a-key" || cfg.DatabaseURL != "postgres://u:p@db/usher" {
		t.Errorf("%q, %q, %v", cfg.SecretKey, cfg.DatabaseURL, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWrongUseIsToldApart(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"serve", "--nothing"}, {"nothing"}, {}} {
		var out, err bytes.Buffer
		if code := run(t.Context(), args, console{&out, &err, strings.NewReader("")}); code != exitUsage {
			t.Errorf("usher %v: status %d", args, code)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, console{&out, &out, strings.NewReader("")}); code != 0 || !strings.Contains(out.String(), "demo") {
		t.Errorf("help: status %d\n%s", code, &out)
	}
}

func TestServeRefusesASchemaThatIsBehind(t *testing.T) {
	t.Parallel()
	code, _, err := usher(t, filepath.Join(t.TempDir(), "usher.db"), "", "serve", "--listen", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(err, "usher migrate up") {
		t.Errorf("status %d, %s", code, err)
	}
}

// TestDemo runs the whole story, with everything that it checks.
func TestDemo(t *testing.T) {
	t.Parallel()
	for _, people := range []string{"20", "150"} {
		t.Run(people+" people", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			var out bytes.Buffer
			if code := run(ctx, []string{"demo", "--exit", "--people", people}, console{&out, &out, strings.NewReader("")}); code != 0 {
				t.Fatalf("status %d\n%s", code, &out)
			}
		})
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--exit", "--people", "5"}, console{&out, &out, strings.NewReader("")}); code != exitFailed {
		t.Errorf("too few people: status %d", code)
	}
}
