package storetest

import (
	"testing"

	"usher/model/store"
)

func TestSmoke(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		ref := Ref(t, s)
		ids := Users(t, s, ref, 3)
		g := Group(t, s, ref, "Sales", ids...)
		Account(t, s, ref.OrganizationID, "ada@contoso.com")
		m, err := s.Read(t.Context()).Members(ref, []string{g.ID})
		if err != nil || len(m[g.ID]) != 3 {
			t.Fatal(m, err)
		}
		InTx(t, s, func(tx *store.Tx) error {
			f, err := tx.LockFacts(ref, ids)
			if err != nil {
				return err
			}
			t.Log(len(f.Users), f.Groups, f.SettingsVersion)
			return tx.FindByKeys(ref.OrganizationID, []string{"ada@contoso.com"}, f)
		})
	})
}
