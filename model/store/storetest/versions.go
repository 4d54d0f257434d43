package storetest

import (
	"testing"

	"usher/model"
	"usher/model/store"
)

func versionCases() []testCase {
	return []testCase{
		{"versions of field mappings are read as they were stored, the newest first", versionsInOrder},
		{"only so many versions of field mappings are kept, of each integration by itself", versionsKept},
	}
}

// addVersions stores what two saves of the field mappings left.
func (w *world) addVersions(tx *store.Tx, name string) error {
	for _, number := range []int{99, 100} {
		w.version = model.FieldMappingVersion{
			OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Number: number, Actor: name, Summary: name,
			Mappings: []model.FieldMapping{{Source: name, Target: "job_title", Mode: model.FieldAlways}},
		}
		if err := tx.InsertFieldMappingVersion(&w.version); err != nil {
			return err
		}
	}
	return nil
}

func putVersion(t *testing.T, s suite, ref model.Ref, number int, list ...model.FieldMapping) {
	t.Helper()
	v := model.FieldMappingVersion{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Number: number, Actor: "operator:ada@contoso.com", Summary: "added job_title", Mappings: list,
	}
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertFieldMappingVersion(&v) })
}

func versionsInOrder(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	r := s.Read(t.Context())
	if last, err := r.LastFieldMappingVersion(ref); last != 0 || err != nil {
		t.Errorf("before the first version the last is %d, %v", last, err)
	}
	m := model.FieldMapping{Source: "title", Target: "job_title", Mode: model.FieldAlways, Expression: "ToUpper(value)"}
	putVersion(t, s, ref, 1)
	putVersion(t, s, ref, 2, m)
	putVersion(t, s, ref, 3, m, model.FieldMapping{Source: "nickName", Target: "display_name", Mode: model.FieldSkip})
	list, err := r.FieldMappingVersionsBefore(ref, 0, 2)
	if err != nil || len(list) != 2 || list[0].Number != 3 || list[0].Entries != 2 || list[1].Number != 2 || list[1].Mappings != nil || list[0].CreatedAt.IsZero() {
		t.Errorf("the first page is %+v, %v", list, err)
	}
	if list, err = r.FieldMappingVersionsBefore(ref, 2, 2); err != nil || len(list) != 1 || list[0].Number != 1 {
		t.Errorf("the second page is %+v, %v", list, err)
	}
	v, err := r.FieldMappingVersion(ref, 2)
	if err != nil || len(v.Mappings) != 1 || v.Mappings[0] != m || v.Actor != "operator:ada@contoso.com" || v.Summary != "added job_title" {
		t.Errorf("version 2 is %+v, %v", v, err)
	}
	if v, err = r.FieldMappingVersion(ref, 1); err != nil || v.Mappings == nil || len(v.Mappings) != 0 {
		t.Errorf("the version without mappings is %+v, %v", v, err)
	}
	for _, number := range []int{-1, 0, 4, 1 << 40} {
		if _, err := r.FieldMappingVersion(ref, number); model.KindOf(err) != model.NotFound {
			t.Errorf("version %d: %v, want NotFound", number, err)
		}
	}
	if last, err := r.LastFieldMappingVersion(ref); last != 3 || err != nil {
		t.Errorf("the last version is %d, %v", last, err)
	}
}

func versionsKept(t *testing.T, s suite) {
	ref, other := Ref(t, s.Store), Ref(t, s.Store)
	putVersion(t, s, other, 1)
	const beyond = 2
	for n := range model.FieldMappingVersionsKept + beyond {
		putVersion(t, s, ref, n+1)
	}
	list, err := s.Read(t.Context()).FieldMappingVersionsBefore(ref, 0, 500)
	if err != nil || len(list) != model.FieldMappingVersionsKept || list[len(list)-1].Number != beyond+1 {
		t.Errorf("%d versions are kept, %v", len(list), err)
	}
	if list, err = s.Read(t.Context()).FieldMappingVersionsBefore(other, 0, 500); err != nil || len(list) != 1 {
		t.Errorf("the other integration has %d versions, %v", len(list), err)
	}
}
