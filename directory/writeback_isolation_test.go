package directory_test

import (
	"errors"
	"testing"

	"usher/directory"
	"usher/model"
)

// writeAttempts ask for something in the tenant of another organization's integration.
func (w *world) writeAttempts() []attempt {
	one := func(do func() (model.Operation, error)) func() error {
		return func() error { _, err := do(); return err }
	}
	svc, ctx, ref := w.svc, w.ctx, w.ref
	return []attempt{
		{"CreateEntraUser", one(func() (model.Operation, error) { return creation("x@contoso.com", nil)(w) }), false},
		{"UpdateEntraUser", one(func() (model.Operation, error) { return change("u1", map[string]string{"jobTitle": "x"})(w) }), false},
		{"DeleteEntraUser", one(func() (model.Operation, error) { return svc.DeleteEntraUser(ctx, ref, "u1") }), false},
		{"RestoreEntraUser", one(func() (model.Operation, error) { return svc.RestoreEntraUser(ctx, ref, "u1", false) }), false},
		{"AddEntraMember", one(func() (model.Operation, error) { return svc.AddEntraMember(ctx, ref, "g1", "u1") }), false},
		{"RemoveEntraMember", one(func() (model.Operation, error) { return svc.RemoveEntraMember(ctx, ref, "g1", "u1") }), false},
		{"AddEntraLicence", one(func() (model.Operation, error) { return svc.AddEntraLicence(ctx, ref, "u1", "s1") }), false},
		{"RemoveEntraLicence", one(func() (model.Operation, error) { return svc.RemoveEntraLicence(ctx, ref, "u1", "s1") }), false},
		{"OffboardEntraUser", one(func() (model.Operation, error) { return svc.OffboardEntraUser(ctx, ref, "u1", everything()) }), false},
		{"PreviewOffboarding", one(func() (model.Operation, error) { return svc.PreviewOffboarding(ctx, ref, "u1", everything()) }), false},
	}
}

// TestOperationsOfAnotherOrganization reads, cancels and works an operation in another organization's name.
func TestOperationsOfAnotherOrganization(t *testing.T) {
	each(t, func(w *world) {
		f := w.stocked()
		o, err := change("u1", map[string]string{"jobTitle": "x"})(w)
		w.ok(err)
		other := must(w, w.svc.CreateOrganization)(w.ctx, "intruder", "").ID
		e := w.during(func() {
			_, err := w.svc.Operation(w.ctx, other, o.ID)
			_, err2 := w.svc.CancelOperation(w.ctx, other, o.ID)
			for _, err := range []error{err, err2} {
				if err == nil || model.KindOf(err) != model.NotFound {
					w.Fatal(errors.Join(err, err2))
				}
			}
			w.ok(w.svc.WorkOperation(w.ctx, directory.WorkOperation{OrganizationID: other, OperationID: o.ID}))
		})
		w.wrote(e, "", "")
		if got := w.operation(o.ID); got.State != model.OperationQueued || len(f.calls) > 0 {
			w.Fatalf("%+v", got)
		}
	})
}
