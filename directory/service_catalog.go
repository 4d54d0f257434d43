package directory

import (
	"context"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/model/store"
)

// keyPattern is that of a key in the catalogue. Keys are kept as they are written and compared exactly, but no two of one
// kind differ in case alone.
var keyPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// entryKind is how the entries of one kind are found, checked and named.
type entryKind[T store.Entry] struct {
	what string
	all  func(*model.Settings) map[string]T
	head func(*T) entryHead
	// check refuses an entry that cannot be; before is nil for a new one.
	check func(v *catalogueEdit, before, after *T) error
	// concerns says whether decisions may come out differently; before or after is nil for an entry that comes or goes.
	concerns func(before, after *T) bool
	// user names what refers to an entry, "" for nothing.
	user func(v *catalogueEdit, key string) (string, error)
}

// entryHead is what every entry of the catalogue has.
type entryHead struct {
	organizationID, key, name *string
	updatedAt                 *time.Time
}

// catalogueEdit is one change of the catalogue within a transaction that keeps other writers out.
type catalogueEdit struct {
	svc            *Service
	ctx            context.Context
	tx             *store.Tx
	organizationID string
	settings       *model.Settings
}

func (s *Service) catalogueEdit(ctx context.Context, tx *store.Tx, organizationID string) (*catalogueEdit, error) {
	if err := tx.LockPeople(organizationID); err != nil {
		return nil, err
	}
	settings, err := tx.Settings(organizationID)
	return &catalogueEdit{s, ctx, tx, organizationID, settings}, err
}

// putEntry stores an entry, new or not. Nothing changed: nothing is written.
func putEntry[T store.Entry](ctx context.Context, s *Service, organizationID string, in T, c entryKind[T]) (T, error) {
	head := c.head(&in)
	if err := checkHead(head, c.what); err != nil {
		return in, err
	}
	out := in
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		v, err := s.catalogueEdit(ctx, tx, organizationID)
		if err != nil {
			return err
		}
		out = in
		head := c.head(&out)
		*head.organizationID, *head.updatedAt = organizationID, tx.Now()
		var before *T
		stored, exists := c.all(v.settings)[*head.key]
		if exists {
			before = &stored
			if sameEntry(c, stored, out) {
				out = stored
				return nil
			}
		} else if err := unlikeOthers(c, v.settings, *head.key); err != nil {
			return err
		}
		if c.check != nil {
			if err := c.check(v, before, &out); err != nil {
				return err
			}
		}
		if err := tx.ChangeSettings(organizationID); err != nil {
			return err
		}
		if err := store.PutEntry(tx, &out); err != nil {
			return err
		}
		verb := "updated"
		if !exists {
			verb = "created"
		}
		return finishEntry(v, c, before, &out, *head.key, *head.name, verb)
	})
	return out, err
}

func checkHead(head entryHead, what string) error {
	if !keyPattern.MatchString(*head.key) {
		return model.FieldErrorf(model.Invalid, "key",
			"%q is not a key of a %s: up to 64 letters, digits, dots, hyphens and underscores, the first one a letter or a digit", *head.key, what)
	}
	if *head.name = strings.TrimSpace(*head.name); *head.name == "" {
		*head.name = *head.key
	}
	return checkText("name", *head.name, maxTitle)
}

func sameEntry[T store.Entry](c entryKind[T], a, b T) bool {
	x, y := c.head(&a), c.head(&b)
	*x.organizationID, *x.updatedAt = *y.organizationID, *y.updatedAt
	return reflect.DeepEqual(a, b)
}

func unlikeOthers[T store.Entry](c entryKind[T], settings *model.Settings, key string) error {
	for other := range c.all(settings) {
		if strings.EqualFold(other, key) {
			return model.FieldErrorf(model.Conflict, "key", "%s %s exists; two keys may not differ in case alone", c.what, other)
		}
	}
	return nil
}

// finishEntry logs a change of the catalogue, and has everyone decided about again where decisions may differ.
func finishEntry[T store.Entry](v *catalogueEdit, c entryKind[T], before, after *T, key, name, verb string) error {
	summary := c.what + " " + key + " was " + verb
	err := v.svc.logSetting(v.ctx, v.tx, v.organizationID, nil, strings.ReplaceAll(c.what, " ", "_")+"."+verb,
		strings.ReplaceAll(c.what, " ", "_"), key, name, summary, map[string]any{"before": before, "after": after})
	if err != nil || !c.concerns(before, after) {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(v.settings.Integrations)) {
		ref := model.Ref{OrganizationID: v.organizationID, IntegrationID: id}
		if err := v.svc.requestReevaluation(v.ctx, v.tx, ref, summary); err != nil {
			return err
		}
	}
	return nil
}

// deleteEntry removes an entry to which nothing refers.
func deleteEntry[T store.Entry](ctx context.Context, s *Service, organizationID, key string, c entryKind[T]) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		v, err := s.catalogueEdit(ctx, tx, organizationID)
		if err != nil {
			return err
		}
		stored, exists := c.all(v.settings)[key]
		if !exists {
			return model.Errorf(model.NotFound, "%s %s not found", c.what, key)
		}
		user, err := c.user(v, key)
		if err != nil {
			return err
		}
		if user != "" {
			return model.Errorf(model.Refused, "%s %s is in use: %s", c.what, key, user)
		}
		if err := tx.ChangeSettings(organizationID); err != nil {
			return err
		}
		if err := store.DeleteEntry[T](tx, organizationID, key, c.what); err != nil {
			return err
		}
		return finishEntry(v, c, &stored, nil, key, *c.head(&stored).name, "deleted")
	})
}

// mappedBy names the first group mapping that the condition is true of, "" for none.
func (v *catalogueEdit) mappedBy(is func(*model.GroupMapping) bool) string {
	for _, id := range slices.Sorted(maps.Keys(v.settings.Integrations)) {
		entry := v.settings.Integrations[id]
		for i := range entry.GroupMappings {
			if m := &entry.GroupMappings[i]; is(m) {
				return "the mapping of group " + m.Group.String() + " in integration " + entry.Integration.Name
			}
		}
	}
	return ""
}

// heldBy names an account that refers to the entry, "" for none.
func (v *catalogueEdit) heldBy(how store.Holding, key, verb string) (string, error) {
	a, ok, err := v.tx.AccountHolding(v.organizationID, how, key)
	if err != nil || !ok {
		return "", err
	}
	name := "account " + a.Name()
	if a.Status == model.AccountArchived {
		name = "archived " + name
	}
	return name + " " + verb, nil
}

// defaultOf names an integration whose default role it is, "" for none.
func (v *catalogueEdit) defaultOf(role string) string {
	for _, id := range slices.Sorted(maps.Keys(v.settings.Integrations)) {
		if i := v.settings.Integrations[id].Integration; i.DefaultRole == role {
			return "it is the default role of integration " + i.Name
		}
	}
	return ""
}
