package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"usher/directory"
	"usher/model"
)

// AvailableGroupsInput searches the groups of a tenant.
type AvailableGroupsInput struct {
	LiveInput
	Q           string `query:"q" maxLength:"256" doc:"Words that begin words of the display name, without case."`
	MailEnabled bool   `query:"mail_enabled" doc:"Only groups that have an address, and so can be lists."`
}

// GroupFileInput is a file of group names.
type GroupFileInput struct {
	IDInput
	CSVInput
	DryRun bool `query:"dry_run" doc:"Say what would be added, and add nothing."`
}

func (a *API) chosenGroups() {
	const path = "/integrations/{id}/chosen-groups"
	registerList(a, settingsList[model.GroupSelector, GroupSelectorInput]{
		path: "chosen-groups", name: "chosen groups",
		doc: "The groups whose members an import over Microsoft Graph takes. A mapped group is not chosen by that alone. " +
			"A group that is named by its display name is looked for in Entra and stored with its object id; one that is not there, or not the only " +
			"one of its name, is refused, and `candidates` of the problem lists those that the name may mean. An integration that does not reach " +
			"its tenant yet keeps names as they are until its first import.",
		of:    func(s model.IntegrationSettings) []model.GroupSelector { return s.ChosenGroups },
		entry: GroupSelectorInput.model, change: a.svc.ChangeChosenGroups,
	})
	o := operation{tag: tagRules, right: model.RightRead}
	register(a, o.with(http.MethodGet, "/integrations/{id}/available-groups", "Search the groups of the tenant").
		says("Those that can be chosen, mapped or made lists, and which of that they are.").asking(), a.listAvailableGroups)
	register(a, o.with(http.MethodPost, path+"/bulk", "Choose the groups that a file names").needing(model.RightManageSettings).
		says(fileDoc).takingCSV().asking(), a.chooseGroups)
}

// fileDoc says what a file of group names is.
const fileDoc = "CSV without a header: one display name, or object id, a line. Every line that leads to one group is added to what is " +
	"there; `problems` has the others, with the groups that an ambiguous name may mean. At most 1,000 lines."

// takingCSV marks what reads a file of at most maxListBody.
func (o operation) takingCSV() operation {
	o.maxBody, o.streams = maxListBody, true
	o.request = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	return o
}

func (a *API) listAvailableGroups(ctx context.Context, in *AvailableGroupsInput) (*answer[page[directory.AvailableGroup]], error) {
	return livePage(a.svc.AvailableGroups(ctx, a.refOf(ctx, in.ID), in.Q, in.MailEnabled, in.After, in.Limit))
}

func (a *API) chooseGroups(ctx context.Context, in *GroupFileInput) (*answer[directory.GroupFile], error) {
	out, err := a.svc.ChooseGroups(ctx, a.refOf(ctx, in.ID), in.file, in.DryRun)
	return fromFile(&in.CSVInput, out, err)
}

// fromFile answers what a file has done, or what went wrong while it came.
func fromFile[T any](in *CSVInput, out T, err error) (*answer[T], error) {
	_ = in.file.ctx.SetReadDeadline(time.Time{}) // a reader without deadlines has none to lift
	if in.file.failed != nil {
		return nil, in.file.failed
	}
	return answered(out, err)
}
