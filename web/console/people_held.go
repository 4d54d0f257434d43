package console

import "usher/model"

// heldPage reads a page of the people whom plans that are held concern.
func (v *visit) heldPage(view *peopleView, settings *model.Settings) (string, error) {
	list, next, err := v.read.PeopleHeldAfter(v.org, v.mirrorFilter(), v.query("after"), peoplePage)
	if err != nil {
		return "", err
	}
	runs, err := v.heldRuns()
	for i := range list {
		view.People = append(view.People, heldRow(&list[i], runs[list[i].RunID], settings))
	}
	view.partly(next)
	return next, err
}

// heldRuns gives the runs that wait for somebody, by id.
func (v *visit) heldRuns() (map[string]model.Run, error) {
	list, err := v.read.HeldRuns(v.org)
	runs := map[string]model.Run{}
	for _, run := range list {
		runs[run.ID] = run
	}
	return runs, err
}

// heldRow is what a plan would do to one person.
func heldRow(d *model.RunDecision, run model.Run, settings *model.Settings) personRow {
	name := d.Name
	if name == "" {
		name = d.Email
	}
	return personRow{
		ID: d.SubjectID, Name: name, Email: d.Email, Initials: initials(name), UpdatedAt: run.UpdatedAt, Department: sentence(d.Reason),
		Path: Base + "/integrations/" + run.IntegrationID + "/people/" + d.SubjectID, Status: wouldBe(d.Action),
		Where: settings.Integrations[run.IntegrationID].Integration.Name, Plan: Base + "/runs/" + run.ID,
	}
}

// wouldBe gives the word for what a plan would do.
func wouldBe(a model.Action) badge {
	switch a {
	case model.ActionDeactivate:
		return badge{bad, "ban", "Would be deactivated"}
	case model.ActionReactivate:
		return badge{fresh, "user-check", "Would be reactivated"}
	case model.ActionCreate:
		return badge{good, "plus", "Would get an account"}
	case model.ActionLink:
		return badge{fresh, "link", "Would be linked"}
	default:
		return badge{calm, "pencil", "Would be changed"}
	}
}

// peopleReader gives the rows of a view page by page: its lines for a spreadsheet, and the cursor of the next page.
type peopleReader func(after string) (lines [][]string, next string, err error)

// exporter gives the head of a view's table, and what reads its lines.
func (v *visit) exporter(settings *model.Settings) ([]string, peopleReader, error) {
	switch v.query("view") {
	case "held":
		runs, err := v.heldRuns()
		return []string{"plan", "action", "name", "email", "reason", "from"}, func(after string) (lines [][]string, next string, err error) {
			list, next, err := v.read.PeopleHeldAfter(v.org, v.mirrorFilter(), after, exportBatch)
			for i := range list {
				d := &list[i]
				row := heldRow(d, runs[d.RunID], settings)
				lines = append(lines, plain(d.RunID, string(d.Action), row.Name, d.Email, d.Reason, row.Where))
			}
			return lines, next, err
		}, err
	case "guests", "hybrid", "excluded", "conflicts":
		return []string{"id", "name", "user_name", "email", "status", "why", "from", "account_id", "external_id", "created_at", "updated_at"},
			func(after string) (lines [][]string, next string, err error) {
				list, next, err := v.read.PeopleOfMirrorAfter(v.org, v.mirrorFilter(), after, exportBatch)
				for i := range list {
					lines = append(lines, mirrorLine(&list[i], settings))
				}
				return lines, next, err
			}, nil
	}
	return accountHead(), func(after string) (lines [][]string, next string, err error) {
		list, next, err := v.read.PeopleAfter(v.org, v.accountFilter(), after, exportBatch)
		for i := range list {
			lines = append(lines, accountLine(&list[i], settings))
		}
		return lines, next, err
	}, nil
}

func mirrorLine(u *model.DirectoryUser, settings *model.Settings) []string {
	row := mirrorRow(u, settings)
	return plain(u.ID, row.Name, u.UserName, u.Email, row.Status.Text, row.Department, row.Where, row.Account, u.ExternalID, u.CreatedAt.Format(timeCSV), u.UpdatedAt.Format(timeCSV))
}

// knownView says whether there is a view of that name.
func knownView(name string) error {
	for _, t := range peopleViews() {
		if t.Path == name {
			return nil
		}
	}
	return model.FieldErrorf(model.Invalid, "view", "there is no view %q", name)
}
