package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"usher/bench/entra"
	"usher/bench/load"
	"usher/bench/meter"
)

// usher is Usher's management API with the key of the installation.
type usher struct {
	base, key   string
	integration string
}

// startUsher starts Usher and sets up what an administrator would: roles, an
// integration, its mappings and a token.
func (b *bench) startUsher(ctx context.Context, plan load.Plan, tag string) (*server, error) {
	started, err := b.launchUsher(ctx, tag)
	if err != nil {
		return nil, err
	}
	if started.base, started.token, err = started.usher.setUp(ctx, plan, entra.Tenant{Tag: tag}); err != nil {
		return nil, fmt.Errorf("set Usher up: %w", err)
	}
	return started, nil
}

// launchUsher builds Usher and starts it on a database of its own, with more in
// its environment where it needs that.
func (b *bench) launchUsher(ctx context.Context, tag string, more ...string) (*server, error) {
	b.say("building Usher")
	path := filepath.Join(b.folder, "usher")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/usher")
	build.Dir = b.root
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build Usher: %w: %s", err, output)
	}
	name := "usher_" + tag
	databaseURL, err := b.cluster.CreateDatabase(ctx, name)
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	api := &usher{base: "http://" + address, key: rand.Text() + rand.Text()}
	environment := append(usherEnvironment(databaseURL, address, api.key), more...)
	program, err := b.launch("usher", environment, path, "serve", "--migrate")
	if err != nil {
		return nil, err
	}
	if err := program.awaitReady(ctx, api.base+"/readyz", http.StatusOK); err != nil {
		return nil, err
	}
	return &server{
		name: "Usher", databaseURL: databaseURL, program: program, usher: api,
		probe: &meter.Probe{Cluster: b.cluster, Database: name, Process: program.command.Process.Pid},
	}, nil
}

// usherEnvironment is ours without the settings of an Usher that runs elsewhere.
func usherEnvironment(databaseURL, address, adminKey string) []string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails, as its documentation promises
	environment := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "USHER_") })
	return append(environment,
		"USHER_DATABASE_URL="+databaseURL,
		"USHER_SECRET_KEY="+base64.StdEncoding.EncodeToString(secret),
		"USHER_ADMIN_API_KEY="+adminKey,
		"USHER_LISTEN="+address,
		"USHER_LOG_LEVEL=warn",
	)
}

// The roles that mapped groups give: all of them the first, and in a
// re-evaluation the second.
const (
	firstRole  = "employee"
	secondRole = "colleague"
)

func (u *usher) setUp(ctx context.Context, plan load.Plan, tenant entra.Tenant) (base, token string, err error) {
	for _, role := range []string{firstRole, secondRole} {
		if err := u.call(ctx, http.MethodPut, "/roles/"+role, map[string]any{"name": role, "administrator": false}, nil); err != nil {
			return "", "", err
		}
	}
	var integration struct {
		ID   string
		SCIM struct {
			BaseURL string `json:"base_url"`
		}
	}
	if err := u.call(ctx, http.MethodPost, "/integrations", map[string]any{"name": "Benchmark", "ingress": "scim"}, &integration); err != nil {
		return "", "", err
	}
	u.integration = "/integrations/" + integration.ID
	var created struct{ Token string }
	if err := u.call(ctx, http.MethodPost, u.integration+"/scim-tokens", map[string]any{"name": "bench"}, &created); err != nil {
		return "", "", err
	}
	return integration.SCIM.BaseURL, created.Token, u.mapGroups(ctx, plan, tenant, firstRole)
}

// mapGroups has the plan's mapped groups give the role.
func (u *usher) mapGroups(ctx context.Context, plan load.Plan, tenant entra.Tenant, role string) error {
	mappings := []any{}
	for _, name := range plan.MappedGroups() {
		mappings = append(mappings, map[string]any{
			"group": map[string]any{"external_id": tenant.GroupExternalID(name)}, "role": role,
		})
	}
	return u.call(ctx, http.MethodPut, u.integration+"/group-mappings", mappings, nil)
}

// call sends a request to the management API and reads the answer into answer.
func (u *usher) call(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, u.base+"/api/v1"+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+u.key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, read)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(read, answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
