package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"usher/directory"
	"usher/model"
)

// saveIntegration saves the settings of the form. What may deactivate people is asked about before, with the plan of it.
func (v *visit) saveIntegration() error {
	before, err := v.integration()
	if err != nil {
		return err
	}
	if v.checked("again") {
		return v.editPage(before, v.newForm("/integrations/"+before.ID+"/edit", "Save"))
	}
	after := before
	secrets, err := v.secretsOfForm(before)
	if err == nil {
		err = v.intoIntegration(&after)
	}
	if risks := risksOf(&before, &after); err == nil && !v.checked("confirm") && (len(risks) > 0 || v.field("do") == "preview") {
		if err = v.askSave(&before, &after, secrets, risks); err == nil {
			return nil
		}
	} else if err == nil {
		_, err = v.svc.ChangeIntegration(v.ctx, before.Ref(), v.intoIntegration, secrets)
		if err == nil {
			return v.done("/integrations/"+before.ID, "The settings are saved. Where the rules read them, everyone is looked at anew.")
		}
	}
	f := v.newForm("/integrations/"+before.ID+"/edit", "Save")
	if err := f.fail(err); err != nil {
		return err
	}
	sealed, err := v.sealSecrets(before, secrets)
	if err != nil {
		return err
	}
	f.values.Set("sealed", sealed) // the fields of secrets show nothing, so that they would be lost
	return v.editPage(before, f)
}

// intoIntegration sets what the form says, unless the settings are others than the form was made of.
func (v *visit) intoIntegration(i *model.Integration) error {
	if was := v.field("was"); was != "" && was != editedAt(*i) {
		return model.Errorf(model.Conflict, "somebody has changed these settings since the page was opened; what you typed is kept, but was not saved: open the settings anew, and compare")
	}
	i.Name, i.TenantID, i.DefaultRole = v.field("name"), v.field("tenant_id"), v.field("default_role")
	i.RoleSync = model.RoleSync(v.field("role_sync"))
	i.RequireGroup, i.ReadOnly, i.CalendarSync = v.checked("require_group"), v.checked("read_only"), v.checked("calendar_sync")
	if i.Ingress == model.IngressGraph {
		i.NestedGroups, i.Scope = v.checked("nested_groups"), model.Scope(v.field("scope"))
	}
	i.WriteBack = model.WriteBack{
		Create: v.checked("write_back.create"), Update: v.checked("write_back.update"), Delete: v.checked("write_back.delete"), ByHandOnly: v.checked("write_back.by_hand_only"),
	}
	i.Graph.ClientID, i.Graph.Cloud, i.Graph.Auth = v.field("graph.client_id"), v.field("graph.cloud"), v.field("graph.auth")
	for _, n := range []struct {
		name string
		into *int
	}{{"priority", &i.Priority}, {"guard.minimum", &i.Guard.Minimum}, {"guard.percent", &i.Guard.Percent}} {
		number, err := v.number(n.name)
		if err != nil {
			return err
		}
		*n.into = number
	}
	return nil
}

// The fields of secrets.
const (
	secretField      = "graph." + directory.SecretClientSecret
	certificateField = "graph." + directory.SecretCertificatePEM
)

// secretsOfForm gives the secrets that are to be stored, and those to be forgotten, which are empty.
func (v *visit) secretsOfForm(i model.Integration) (map[string]string, error) {
	secrets := map[string]string{}
	if sealed := v.field("sealed"); sealed != "" {
		if err := v.openSecrets(i, sealed, &secrets); err != nil {
			return nil, err
		}
	}
	for _, x := range []struct{ field, name string }{{secretField, directory.SecretClientSecret}, {certificateField, directory.SecretCertificatePEM}} {
		typed := v.field(x.field)
		switch {
		case typed != "" && v.checked("forget."+x.field):
			return nil, model.FieldErrorf(model.Invalid, x.field, "is to be forgotten, and is typed anew: do one of the two")
		case typed != "":
			secrets[x.name] = typed
		case v.checked("forget." + x.field):
			secrets[x.name] = ""
		}
	}
	return secrets, directory.CheckGraphSecrets(secrets)
}

// secretsUse binds sealed secrets to the integration and the session that they were typed in: a page that asks whether to save carries
// them, and nobody who sees the page learns them.
func (v *visit) secretsUse(i model.Integration) string {
	return "console settings/" + i.ID + "/" + v.who.Session.ID
}

func (v *visit) sealSecrets(i model.Integration, secrets map[string]string) (string, error) {
	typed := maps.Clone(secrets)
	maps.DeleteFunc(typed, func(_, text string) bool { return text == "" })
	if len(typed) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(typed)
	if err != nil {
		return "", err
	}
	keyID, sealed := v.svc.Keys.Seal(string(raw), v.secretsUse(i))
	return keyID + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

func (v *visit) openSecrets(i model.Integration, text string, into *map[string]string) error {
	keyID, encoded, _ := strings.Cut(text, ".")
	sealed, err := base64.RawURLEncoding.DecodeString(encoded)
	if err == nil {
		var raw string
		if raw, err = v.svc.Keys.Open(keyID, sealed, v.secretsUse(i)); err == nil {
			err = json.Unmarshal([]byte(raw), into)
		}
	}
	if err != nil {
		return model.Errorf(model.Invalid, "the secrets that were typed before cannot be read any more: type them again")
	}
	return nil
}

// risksOf says how a change may deactivate people.
func risksOf(before, after *model.Integration) []string {
	var risks []string
	if before.Ingress == model.IngressGraph {
		if before.Scope == model.ScopeEveryone && after.Scope == model.ScopeGroups {
			risks = append(risks, "Only members of the chosen groups stay in scope; everyone else is deactivated.")
		}
		if before.NestedGroups && !after.NestedGroups {
			risks = append(risks, "Who is in a chosen group by another group alone leaves the scope, and is deactivated.")
		}
		if before.TenantID != "" && before.TenantID != after.TenantID {
			risks = append(risks, "Another tenant has other people: the next import would not find those of the present one. The plan cannot show that; it would be held.")
		}
	}
	if !before.RequireGroup && after.RequireGroup {
		risks = append(risks, "Who is in no mapped group is deactivated.")
	}
	return risks
}

// askSave checks everything as saving would, and shows what would change for whom.
func (v *visit) askSave(before, after *model.Integration, secrets map[string]string, risks []string) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	if err := directory.ValidateIntegration(settings, *after); err != nil {
		return err
	}
	sealed, err := v.sealSecrets(*before, secrets)
	if err != nil {
		return err
	}
	run, err := v.svc.StartPreview(v.ctx, before.Ref(), model.PreviewSettings{
		RoleSync: other(before.RoleSync, after.RoleSync), DefaultRole: other(before.DefaultRole, after.DefaultRole), Scope: other(before.Scope, after.Scope),
		NestedGroups: other(before.NestedGroups, after.NestedGroups), RequireGroup: other(before.RequireGroup, after.RequireGroup),
		Priority: other(before.Priority, after.Priority), Guard: other(before.Guard, after.Guard),
	})
	if err != nil {
		return err
	}
	if after.Guard.Minimum > before.Guard.Minimum || after.Guard.Percent > before.Guard.Percent {
		risks = append(risks, "The guard lets more people be deactivated at once than before.")
	}
	hidden := url.Values{}
	for name, values := range v.r.PostForm {
		if !slices.Contains([]string{"do", "confirm", "again", "sealed", secretField, certificateField}, name) {
			hidden[name] = values
		}
	}
	if sealed != "" {
		hidden.Set("sealed", sealed)
	}
	return v.confirm(before, "Save these settings?", confirmView{
		Form: v.newForm("/integrations/"+before.ID+"/edit", "Save"), Hidden: hidden, Consequences: risks, Changes: settingChanges(before, after, secrets),
		Run: progressOf(run), Back: Base + "/integrations/" + before.ID, Again: true, Danger: len(risks) > 0,
	})
}

// other gives the new value of a setting where it is another one.
func other[T comparable](before, after T) *T {
	if before == after {
		return nil
	}
	return &after
}

// settingChanges tells what a form changes, in the words of an integration's page.
func settingChanges(before, after *model.Integration, secrets map[string]string) []changeLine {
	var list []changeLine
	now := integrationFacts(*after)
	for n, was := range integrationFacts(*before) {
		if was.Value != now[n].Value {
			list = append(list, changeLine{Field: was.Name, Before: was.Value, After: now[n].Value})
		}
	}
	if before.Name != after.Name {
		list = append(list, changeLine{Field: "Name", Before: before.Name, After: after.Name})
	}
	for _, x := range []struct{ name, word string }{{directory.SecretClientSecret, "Client secret"}, {directory.SecretCertificatePEM, "Certificate"}} {
		if text, ok := secrets[x.name]; ok {
			list = append(list, changeLine{Field: x.word, Before: "as it is", After: map[bool]string{true: "forgotten", false: "replaced"}[text == ""]})
		}
	}
	return list
}

// writeBackInWords says what Usher may write to Entra.
func writeBackInWords(w model.WriteBack) string {
	var may []string
	for _, x := range []struct {
		on   bool
		word string
	}{{w.Create, "create"}, {w.Update, "update"}, {w.Delete, "delete"}} {
		if x.on {
			may = append(may, x.word)
		}
	}
	if len(may) == 0 {
		return "off"
	}
	text := strings.Join(may, ", ")
	if w.ByHandOnly {
		text += "; only what an administrator asks for"
	}
	return text
}

// guardInWords says how many accounts a run may deactivate.
func guardInWords(g model.Guard) string {
	return fmt.Sprintf("%d accounts or %d %%", g.Minimum, g.Percent)
}
