package store_test

import (
	"fmt"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// eachDatabase runs a benchmark on both.
func eachDatabase(b *testing.B, run func(b *testing.B, s *store.Store, ref model.Ref)) {
	for _, db := range storetest.Databases() {
		b.Run(db.Name, func(b *testing.B) {
			s := db.Open(b)
			run(b, s, storetest.Ref(b, s))
		})
	}
}

func benchLockFacts(b *testing.B, n int) {
	eachDatabase(b, func(b *testing.B, s *store.Store, ref model.Ref) {
		ids := storetest.Users(b, s, ref, 5000)
		for _, group := range []string{"Sales", "Support", "Everybody"} {
			storetest.Group(b, s, ref, group, ids...)
		}
		for i := 0; b.Loop(); i++ {
			start := i * n % (len(ids) - n + 1)
			storetest.InTx(b, s, func(tx *store.Tx) error {
				_, err := tx.LockFacts(ref, ids[start:start+n])
				return err
			})
		}
	})
}

func BenchmarkLockFacts1(b *testing.B)    { benchLockFacts(b, 1) }
func BenchmarkLockFacts1000(b *testing.B) { benchLockFacts(b, 1000) }

// benchAddOne adds one member to a group of a size, and removes it again.
func benchAddOne(b *testing.B, size int) {
	eachDatabase(b, func(b *testing.B, s *store.Store, ref model.Ref) {
		ids := storetest.Users(b, s, ref, size+1)
		g := storetest.Group(b, s, ref, "Everybody", ids[:size]...)
		for b.Loop() {
			storetest.InTx(b, s, func(tx *store.Tx) error {
				if _, _, err := tx.LockGroup(ref, g.ID, nil); err != nil {
					return err
				}
				_, _, err := tx.AddMembers(ref, g.ID, ids[size:])
				return err
			})
			storetest.InTx(b, s, func(tx *store.Tx) error {
				_, err := tx.RemoveMembers(g.ID, ids[size:])
				return err
			})
		}
	})
}

func BenchmarkAddOneMemberOf10(b *testing.B)    { benchAddOne(b, 10) }
func BenchmarkAddOneMemberOf50000(b *testing.B) { benchAddOne(b, 50000) }

// BenchmarkArrival reads what the rules need of somebody who arrives, without and with the question whether groups await them,
// of which there are many who await others.
func BenchmarkArrival(b *testing.B) {
	for name, read := range map[string]func(tx *store.Tx, ref model.Ref, n int) error{
		"NewFacts": func(tx *store.Tx, ref model.Ref, n int) error {
			_, err := tx.NewFacts(ref.OrganizationID, []string{fmt.Sprintf("new%d@contoso.com", n)})
			return err
		},
		"ArrivalFacts": func(tx *store.Tx, ref model.Ref, n int) error {
			mail := fmt.Sprintf("new%d@contoso.com", n)
			_, err := tx.ArrivalFacts(ref, store.Newcomer{ExternalID: fmt.Sprintf("ext-%d", n), UserNameKey: mail}, []string{mail})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			eachDatabase(b, func(b *testing.B, s *store.Store, ref model.Ref) {
				storetest.Users(b, s, ref, 5000)
				g := storetest.Group(b, s, ref, "Everybody")
				storetest.InTx(b, s, func(tx *store.Tx) error {
					values := make([]string, 10000)
					for i := range values {
						values[i] = fmt.Sprintf("awaited-%d", i)
					}
					tx.RememberMembers(g, values)
					return nil
				})
				for n := 0; b.Loop(); n++ {
					storetest.InTx(b, s, func(tx *store.Tx) error { return read(tx, ref, n) })
				}
			})
		})
	}
}
