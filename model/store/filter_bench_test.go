package store_test

import (
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

const benchUsers = 20000

// benchFind finds the users of a filter again and again.
func benchFind(b *testing.B, s *store.Store, ref model.Ref, q model.ResourceQuery) {
	b.Helper()
	r := s.Read(b.Context())
	for b.Loop() {
		if _, total, err := r.Users(ref, q); err != nil || total == 0 {
			b.Fatal(total, err)
		}
	}
}

// BenchmarkIndexedFilters measures every form that an index answers, among 20,000 users.
func BenchmarkIndexedFilters(b *testing.B) {
	for _, db := range storetest.Databases() {
		b.Run(db.Name, func(b *testing.B) {
			s := db.Open(b)
			ref, ids := directoryOf(b, s, benchUsers)
			for _, form := range indexedForms(ids, 707) {
				b.Run(form.name, func(b *testing.B) { benchFind(b, s, ref, model.ResourceQuery{Filter: form.filter, Count: 100}) })
			}
		})
	}
}

// BenchmarkLists measures pages, orders, and filters that no index answers, among 20,000 users.
func BenchmarkLists(b *testing.B) {
	for _, db := range storetest.Databases() {
		b.Run(db.Name, func(b *testing.B) {
			s := db.Open(b)
			ref, ids := directoryOf(b, s, benchUsers)
			for _, c := range []struct {
				name string
				q    model.ResourceQuery
			}{
				{"first 100", model.ResourceQuery{StartIndex: 1}},
				{"last 100", model.ResourceQuery{StartIndex: benchUsers - 99}},
				{"behind a place", model.ResourceQuery{After: ids[benchUsers-200]}},
				{"sorted by family name", model.ResourceQuery{Sort: &model.Sort{Path: path("name", "familyName")}}},
				{"sorted by address, behind a place", model.ResourceQuery{Sort: &model.Sort{Path: path("emails", "value")}, After: ids[benchUsers/2]}},
				{"title co", model.ResourceQuery{Filter: cmp(path("title"), "co", "engineer")}},
				{"displayName co", model.ResourceQuery{Filter: cmp(path("displayName"), "co", "hopper 7")}},
				{"address ew and title eq", model.ResourceQuery{Filter: model.And{
					Left: email(model.And{Left: cmp(path("type"), "eq", "work"), Right: cmp(path("value"), "ew", "@contoso.com")}), Right: cmp(path("title"), "eq", "Analyst"),
				}}},
				{"lastModified gt", model.ResourceQuery{Filter: cmp(path("meta", "lastModified"), "gt", s.Now().AddDate(0, 0, -1))}},
				{"members of a group", model.ResourceQuery{Filter: cmp(path("groups", "display"), "eq", "group 00007")}},
			} {
				c.q.Count = 100
				b.Run(c.name, func(b *testing.B) { benchFind(b, s, ref, c.q) })
			}
		})
	}
}

// BenchmarkWriteUser measures what a user costs when it arrives and when an attribute with a number, and one without, changes.
func BenchmarkWriteUser(b *testing.B) {
	eachDatabase(b, func(b *testing.B, s *store.Store, _ model.Ref) {
		ref, ids := directoryOf(b, s, benchUsers)
		b.Run("insert", func(b *testing.B) {
			n := benchUsers
			for b.Loop() {
				n++
				storetest.InTx(b, s, func(tx *store.Tx) error { return tx.InsertDirectoryUser(person(ref, n, &ids)) })
			}
		})
		for name, attribute := range map[string]string{"title changes": "title", "displayName changes": "displayName"} {
			b.Run(name, func(b *testing.B) {
				n := 0
				for b.Loop() {
					n++
					storetest.InTx(b, s, func(tx *store.Tx) error {
						u, err := tx.DirectoryUser(ref, ids[n*7%benchUsers])
						if err != nil {
							return err
						}
						attrs := u.Document.Attributes()
						attrs[attribute] = store.NewID()
						u.Document = model.NewDocument(attrs)
						return tx.UpdateDirectoryUser(&u)
					})
				}
			})
		}
	})
}
