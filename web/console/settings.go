package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/model"
)

func (c *Console) settingsRoutes() []route {
	return []route{
		get("/settings", model.RightRead, (*visit).showSettings),
		get("/settings/api-keys", model.RightManageKeys, (*visit).showKeys),
		post("/settings/api-keys", model.RightManageKeys, (*visit).makeKey),
		post("/settings/api-keys/{key}/revoke", model.RightManageKeys, (*visit).revokeKey),
	}
}

func (v *visit) settingsTabs(current string) []tab {
	tabs := []tab{{"Installation", Base + "/settings", current == "", ""}}
	if v.can(model.RightManageOperators) {
		tabs = append(tabs, tab{"Operators", Base + "/settings/operators", current == "operators", ""})
	}
	if v.can(model.RightManageKeys) {
		tabs = append(tabs, tab{"API keys", Base + "/settings/api-keys", current == "keys", ""})
	}
	return tabs
}

// settingsView tells of the installation: its health, its configuration, the age of secrets, and its jobs.
type settingsView struct {
	Tabs    []tab
	Health  []light
	Facts   []Fact
	Secrets []secretRow
	Empty   *empty // of the secrets
	Jobs    []JobCount
	NoJobs  *empty
}

// secretRow is one credential with its age.
type secretRow struct {
	Kind, Name, Where string
	Path              string
	State             badge
	Created, Used     any
	Ends              any
}

func (v *visit) showSettings() error {
	view := settingsView{Tabs: v.settingsTabs(""), Facts: append([]Fact{{Name: "Version", Value: v.version}}, v.facts...)}
	view.Health = v.health()
	if err := v.secretAges(&view); err != nil {
		return err
	}
	switch {
	case !v.can(model.RightAll):
		view.NoJobs = new(emptyForbidden(model.RightAll))
	case v.jobs == nil:
		view.NoJobs = new(emptyYet("list", "This process works no jobs", "Another process does; its own pages tell of them.", link{}))
	default:
		var err error
		if view.Jobs, err = v.jobs.JobCounts(v.ctx); err != nil {
			return err
		}
		if len(view.Jobs) == 0 {
			view.NoJobs = new(emptyYet("list", "Nothing is queued", "Jobs appear here while they wait, run or are tried again.", link{}))
		}
	}
	return v.render("settings", page{Title: "Settings", Lead: "How this installation is configured and how it is.", Body: view})
}

// health asks what everything stands on.
func (v *visit) health() []light {
	database := light{Tone: good, Icon: "database", Name: "Database", Sentence: "Answers."}
	begun := time.Now()
	clock, err := v.store.Clock(v.ctx)
	took := time.Since(begun)
	drift := time.Until(clock).Abs()
	switch {
	case err != nil:
		database.attention(bad, "alert-triangle")
		database.Sentence = "Does not answer."
	case drift > 5*time.Second:
		database.attention(warn, "clock")
		database.Sentence = fmt.Sprintf("Its clock is %s away from this server's.", drift.Round(time.Second))
	default:
		database.Sentence = fmt.Sprintf("Answers within %s; the clocks agree.", took.Round(100*time.Microsecond))
	}
	https := light{Tone: good, Icon: "lock", Name: "Encryption on the way", Sentence: "Browsers and Entra come over https."}
	if !v.secure {
		https.attention(warn, "lock")
		https.Sentence = "The public URL is http. Entra calls https only, and passwords should not travel in the open: put a proxy with a certificate before Usher, and set USHER_PUBLIC_URL."
	}
	entra := light{Tone: good, Icon: "key", Name: "Signing in", Sentence: "Operators can sign in with Microsoft Entra, or with a password."}
	if v.entra == nil {
		entra.Tone, entra.Sentence = calm, "Operators sign in with a password. Signing in with Microsoft Entra can be switched on in the configuration."
	}
	return []light{database, https, entra}
}

// secretAges lists what lets somebody in, the oldest first.
func (v *visit) secretAges(view *settingsView) error {
	integrations, err := v.read.Integrations(v.org)
	if err != nil {
		return err
	}
	for _, i := range integrations {
		tokens, err := v.read.SCIMTokensAfter(i.Ref(), "", manyTokens)
		if err != nil {
			return err
		}
		path := Base + "/integrations/" + i.ID
		for _, t := range tokens {
			view.Secrets = append(view.Secrets, secretRow{"SCIM token", t.Name, i.Name, path, expiryBadge(model.StateOf(t.ExpiresAt, v.now())), t.CreatedAt, t.LastUsedAt, t.ExpiresAt})
		}
		clients, err := v.read.SCIMClientsAfter(i.Ref(), "", manyTokens)
		if err != nil {
			return err
		}
		for _, c := range clients {
			for _, s := range c.Secrets {
				view.Secrets = append(view.Secrets, secretRow{"client secret", c.Name, i.Name, path, expiryBadge(model.StateOf(s.ExpiresAt, v.now())), s.CreatedAt, s.LastUsedAt, s.ExpiresAt})
			}
		}
	}
	keys, err := v.read.APIKeysAfter(v.org, "", manyTokens)
	for _, k := range keys {
		view.Secrets = append(view.Secrets, secretRow{"API key", k.Name, "management API", Base + "/settings/api-keys", expiryBadge(model.StateOf(k.ExpiresAt, v.now())), k.CreatedAt, k.LastUsedAt, k.ExpiresAt})
	}
	if len(view.Secrets) == 0 {
		view.Empty = new(emptyYet("key", "No tokens and no keys", "What lets somebody in is listed here with its age.", link{}))
	}
	return err
}

// keysView lists API keys.
type keysView struct {
	Tabs               []tab
	Rows               []keyRow
	Empty              *empty
	NewKey             string // shown this once
	Form               *form
	Name, Rights, Ends field
}

type keyRow struct {
	Name, Revoke        string
	Rights              []string
	State               badge
	Created, Used, Ends any
}

func (v *visit) showKeys() error {
	return v.keysPage(v.newForm("/settings/api-keys", "Make a key"), "")
}

func (v *visit) keysPage(f *form, key string) error {
	list, err := v.read.APIKeysAfter(v.org, "", manyTokens)
	if err != nil {
		return err
	}
	view := keysView{Tabs: v.settingsTabs("keys"), NewKey: key, Form: f}
	for _, k := range list {
		row := keyRow{Name: k.Name, State: expiryBadge(model.StateOf(k.ExpiresAt, v.now())), Created: k.CreatedAt, Used: k.LastUsedAt, Ends: k.ExpiresAt, Revoke: Base + "/settings/api-keys/" + k.ID + "/revoke"}
		for _, r := range k.Rights {
			row.Rights = append(row.Rights, rightName(r))
		}
		view.Rows = append(view.Rows, row)
	}
	if len(list) == 0 {
		view.Empty = new(emptyYet("key", "No API keys yet", "An application or a script uses one to read and steer Usher over the management API.", link{"The API, described", "/api/v1/docs", "external-link"}))
	}
	view.Name = f.field("text", "name", "What it is for")
	view.Name.Required = true
	f.set("expires_at", "365")
	view.Ends = f.field("select", "expires_at", "Good for").choose(
		option{Value: "90", Name: "90 days"}, option{Value: "365", Name: "1 year"}, option{Value: "", Name: "without end"})
	view.Rights = v.rightChoices(f, f.values["rights"])
	f.rest()
	return v.render("api_keys", page{Title: "Settings", Body: view})
}

// rightChoices offers the rights that the operator has and so can give.
func (v *visit) rightChoices(f *form, chosen []string) field {
	x := f.field("checks", "rights", "May")
	for _, r := range model.Rights() {
		if v.can(r) {
			x.Options = append(x.Options, option{Value: string(r), Name: strings.ToUpper(rightName(r)[:1]) + rightName(r)[1:], Chosen: slices.Contains(chosen, string(r))})
		}
	}
	return x
}

// rights gives the rights of the form. Nobody gives a right that he has not.
func (v *visit) rights() ([]model.Right, error) {
	list := []model.Right{}
	for _, name := range v.r.PostForm["rights"] {
		if !v.can(model.Right(name)) {
			return nil, model.FieldErrorf(model.Invalid, "rights", "you can give only rights that you have yourself; you have not %q", name)
		}
		list = append(list, model.Right(name))
	}
	return list, nil
}

func (v *visit) makeKey() error {
	text, err := v.newKey()
	if err != nil {
		f := v.newForm("/settings/api-keys", "Make a key")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.keysPage(f, "")
	}
	return v.keysPage(blank("/settings/api-keys", "Make a key", nil), text)
}

func (v *visit) newKey() (string, error) {
	rights, err := v.rights()
	if err != nil {
		return "", err
	}
	var ends *time.Time
	if v.field("expires_at") != "" {
		days, err := v.number("expires_at")
		if err != nil || days < 1 || days > 3660 {
			return "", model.FieldErrorf(model.Invalid, "expires_at", "choose how long the key is good for")
		}
		ends = new(v.now().Add(time.Duration(days) * 24 * time.Hour))
	}
	_, text, err := v.svc.CreateAPIKey(v.ctx, v.org, v.field("name"), rights, ends)
	return text, err
}

func (v *visit) revokeKey() error {
	if err := v.svc.DeleteAPIKey(v.ctx, v.org, v.r.PathValue("key")); err != nil {
		return err
	}
	return v.done("/settings/api-keys", "The key is revoked. Whoever still uses it is refused from now on.")
}
