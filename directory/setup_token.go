package directory

import (
	"encoding/json"
	"strconv"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
	"usher/model/store"
)

// pendingToken is a SCIM token on its way to Entra.
type pendingToken struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// token makes a SCIM token for Entra, unless Entra has one that works.
func (w *setupWork) token() (string, error) {
	if id := w.row.TokenID; id != "" {
		row, err := w.svc.Store.Read(w.ctx).SCIMToken(id)
		live := err == nil && (row.ExpiresAt == nil || row.ExpiresAt.After(w.svc.Now().Add(24*time.Hour)))
		if live && sameSecrets(&w.row) {
			return "Entra has a token that works", nil
		}
	}
	return w.freshToken()
}

// sameSecrets says whether what is stored in Entra is what is asked for.
func sameSecrets(row *model.Setup) bool { return row.Stored == storedSecrets(row) }

// freshToken makes a SCIM token and seals it until Entra has it.
func (w *setupWork) freshToken() (string, error) {
	if _, err := w.pending(); err == nil {
		return "a token was made", nil
	} else if model.KindOf(err) != model.NotFound {
		return "", err
	}
	return "a token was made", w.save(func(tx *store.Tx, row *model.Setup) error {
		if err := pushed(tx, row.Ref()); err != nil {
			return err
		}
		id, now, end := store.NewID(), tx.Now(), row.Options.TokenExpiresAt
		text := w.svc.Keys.NewToken(secret.PrefixSCIM, id)
		t := model.SCIMToken{
			ID: id, OrganizationID: row.OrganizationID, IntegrationID: row.IntegrationID, Name: "Entra, by set-up", Hash: w.svc.Keys.Hash(text),
			ExpiresAt: utc(end), CreatedAt: now, WarnedDays: passed(end, now),
		}
		if err := tx.InsertSCIMToken(&t); err != nil {
			return err
		}
		if err := w.seal(tx, row, secretPending, pendingToken{id, text}); err != nil {
			return err
		}
		return w.svc.logSetting(w.ctx, tx, row.OrganizationID, &row.IntegrationID, "scim_token.created", "scim_token", id, t.Name,
			"SCIM token "+t.Name+" was created", nil)
	})
}

// seal puts something away for this set-up.
func (w *setupWork) seal(tx *store.Tx, row *model.Setup, name string, what any) error {
	return w.svc.sealSetup(tx, row.Ref(), name, what)
}

func (s *Service) sealSetup(tx *store.Tx, ref model.Ref, name string, what any) error {
	plain, err := json.Marshal(what)
	if err != nil {
		return err
	}
	keyID, sealed := s.Keys.Seal(string(plain), ref.IntegrationID+"/"+name)
	return tx.PutSecret(&model.SealedSecret{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Name: name, KeyID: keyID, Sealed: sealed,
	})
}

// openSetup reads what was put away. It is NotFound where nothing was.
func openSetup[T any](s *Service, r *store.Reader, ref model.Ref, name string) (out T, err error) {
	row, err := r.Secret(ref, name)
	if err != nil {
		return out, err
	}
	plain, err := s.Keys.Open(row.KeyID, row.Sealed, ref.IntegrationID+"/"+name)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal([]byte(plain), &out)
}

func (w *setupWork) pending() (pendingToken, error) {
	p, err := openSetup[pendingToken](w.svc, w.svc.Store.Read(w.ctx), w.row.Ref(), secretPending)
	if err == nil {
		w.hide = append(w.hide, p.Text)
	}
	return p, err
}

// dropPending revokes a token that Entra never got.
func (w *setupWork) dropPending(tx *store.Tx, row *model.Setup) error {
	p, err := openSetup[pendingToken](w.svc, &tx.Reader, row.Ref(), secretPending)
	if err != nil {
		return unlessRemoved(err)
	}
	tx.DeleteSecret(row.Ref(), secretPending)
	if at := stepOf(row, "token"); at.State == model.StepDone {
		at.State = model.StepPending
	}
	return unlessRemoved(tx.DeleteSCIMToken(row.Ref(), p.ID))
}

// credentials has Entra try the token at the Tenant URL, and store it. The former token goes on working for a while, so that a
// cycle that is under way does not fail.
func (w *setupWork) credentials() (string, error) {
	p, err := w.pending()
	if model.KindOf(err) == model.NotFound && err != nil {
		return "Entra has the token", nil
	}
	if err != nil {
		return "", err
	}
	e, o := w.row.Entra, &w.row.Options
	secrets := []entra.Secret{{Key: "BaseAddress", Value: o.BaseURL}, {Key: "SecretToken", Value: p.Text}}
	if err := w.api.ValidateCredentials(w.ctx, e.ServicePrincipal, e.JobID, secrets); err != nil {
		if outlook.KindOf(err) == outlook.Invalid {
			return "", model.Errorf(model.Refused, "Entra could not sign in at %s with the new token: %s", o.BaseURL, w.clean(err.Error()))
		}
		return "", err
	}
	if err := w.api.PutSecrets(w.ctx, e.ServicePrincipal, append(secrets, otherSecrets(o)...)); err != nil {
		return "", err
	}
	detail := "Entra has tried the token at " + o.BaseURL + " and stored it"
	err = w.save(func(tx *store.Tx, row *model.Setup) error {
		former := row.TokenID
		row.TokenID, row.Stored = p.ID, storedSecrets(row)
		tx.DeleteSecret(row.Ref(), secretPending)
		if former == "" || former == p.ID {
			return nil
		}
		end := tx.Now().Add(time.Duration(row.Options.OverlapHours) * time.Hour)
		detail += "; the former token ends at " + end.UTC().Format(time.RFC3339)
		return unlessRemoved(tx.EndSCIMToken(row.Ref(), former, end))
	})
	w.svc.tokens.forget()
	return detail, err
}

// otherSecrets are the settings that Entra keeps beside the credentials, as text. Writing them replaces all that are stored.
func otherSecrets(o *model.SetupOptions) []entra.Secret {
	list := []entra.Secret{
		{Key: "SyncAll", Value: strconv.FormatBool(o.Everyone)},
		{Key: "SkipOutOfScopeDeletions", Value: "False"},
	}
	if o.NotifyEmail == "" && o.DeleteLimit == 0 {
		return list
	}
	settings, _ := json.Marshal(map[string]any{ // cannot fail
		"Enabled": o.NotifyEmail != "", "Recipients": o.NotifyEmail, "DeleteThresholdEnabled": o.DeleteLimit > 0, "DeleteThresholdValue": o.DeleteLimit,
	})
	return append(list, entra.Secret{Key: "SyncNotificationSettings", Value: string(settings)})
}

// storedSecrets is what Entra was given beside the token, to know whether that has changed.
func storedSecrets(row *model.Setup) string {
	text := row.Options.BaseURL
	for _, s := range otherSecrets(&row.Options) {
		text += "\n" + s.Key + "=" + s.Value
	}
	return text
}
