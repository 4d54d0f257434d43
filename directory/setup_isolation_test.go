package directory_test

import (
	"usher/directory"
	"usher/model"
)

// setupAttempts are those that name an integration alone, to set it up or to remove it.
func (w *world) setupAttempts() []attempt {
	setup := func(_ model.Setup, err error) error { return err }
	job := directory.SetUp{OrganizationID: w.ref.OrganizationID, IntegrationID: w.ref.IntegrationID}
	return []attempt{
		{"Setup", func() error { return setup(w.svc.Setup(w.ctx, w.ref)) }, false},
		{"SetupGuide", func() error { _, err := w.svc.SetupGuide(w.ctx, w.ref, publicURL); return err }, false},
		{"SetupExport", func() error {
			_, err := w.svc.SetupExport(w.ctx, w.ref, publicURL, directory.FormatTerraform)
			return err
		}, false},
		{"SignInURL", func() error { _, err := w.svc.SignInURL(w.ctx, w.ref, publicURL); return err }, false},
		{"StartSetup", func() error { return setup(w.svc.StartSetup(w.ctx, w.ref, directory.SetupRequest{}, publicURL)) }, false},
		{"UndoSetup", func() error { return setup(w.svc.UndoSetup(w.ctx, w.ref)) }, false},
		{"RotateSetupToken", func() error { return setup(w.svc.RotateSetupToken(w.ctx, w.ref, 0, nil)) }, false},
		{"SteerJob", func() error { return setup(w.svc.SteerJob(w.ctx, w.ref, directory.JobPause, "")) }, false},
		{"RefreshSetup", func() error { return setup(w.svc.RefreshSetup(w.ctx, w.ref)) }, false},
		{"SetUp", func() error { return w.svc.SetUp(w.ctx, job) }, true},
		{"WatchSetup", func() error { return w.svc.WatchSetup(w.ctx, directory.WatchSetup(job)) }, true},
		{"EndIntegration", func() error { return w.svc.EndIntegration(w.ctx, directory.EndIntegration(job)) }, true},
		{"Removal", func() error { _, err := w.svc.Removal(w.ctx, w.ref); return err }, false},
		{"RemoveIntegration", func() error { _, err := w.svc.RemoveIntegration(w.ctx, w.ref, false); return err }, false},
		{"Removals", func() error {
			list, err := w.svc.Removals(w.ctx, w.org, "", 10)
			return found(len(list), err)
		}, true},
	}
}
