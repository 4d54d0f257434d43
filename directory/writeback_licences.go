package directory

import (
	"strings"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
)

func (x *operating) addLicence(s *model.OperationStep) (model.StepState, string, error) {
	list, err := x.read.Licences(x.ctx, x.o.UserID)
	if err != nil {
		return "", "", x.fresh(err)
	}
	if direct, _ := directly(list, s.Target); direct != nil {
		if failing(direct) {
			return "", "", licenceError(direct.Error)
		}
		return already("the user has the licence already")
	}
	if err := x.write.AssignLicences(x.ctx, x.o.UserID, []entra.Licence{{SKUID: s.Target}}, nil); err != nil {
		return "", "", x.fresh(err)
	}
	list, err = x.read.Licences(x.ctx, x.o.UserID)
	if err != nil {
		return "", "", err
	}
	if direct, _ := directly(list, s.Target); direct != nil && failing(direct) {
		return "", "", licenceError(direct.Error)
	}
	return done("Entra assigned the licence", nil)
}

func failing(l *entra.Licence) bool {
	return l.Error != "" && !strings.EqualFold(l.Error, "None")
}

func (x *operating) removeLicence(s *model.OperationStep) (model.StepState, string, error) {
	list, err := x.read.Licences(x.ctx, x.o.UserID)
	if err != nil {
		return "", "", err
	}
	direct, groups := directly(list, s.Target)
	if direct == nil {
		if len(groups) > 0 {
			return "", "", refuse(codeInherited, "the licence is not assigned to the user but comes from %s: take the user out of it", x.groupNames(groups))
		}
		return already("the user does not have the licence")
	}
	err = x.write.AssignLicences(x.ctx, x.o.UserID, nil, []string{s.Target})
	if err != nil && outlook.KindOf(err) == outlook.NotFound {
		return already("the user does not have the licence")
	}
	return done("Entra took the licence away", err)
}

// groupNames names groups, by id where their names cannot be read.
func (x *operating) groupNames(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = "group " + id
		if g, err := x.read.Group(x.ctx, id); err == nil {
			names[i] = "group " + g.DisplayName
		}
	}
	return strings.Join(names, " and ")
}

// partNumbers gives Microsoft's names of products by id; none where they cannot be read.
func (x *operating) partNumbers() map[string]string {
	names := map[string]string{}
	skus, err := x.read.SKUs(x.ctx)
	if err == nil {
		for _, s := range skus {
			names[strings.ToLower(s.ID)] = s.PartNumber
		}
	}
	return names
}

// readLicences adds a step for every licence of the user. What comes from a group leaves with the group, and is only noted.
func (x *operating) readLicences(s *model.OperationStep) (model.StepState, string, error) {
	list, err := x.read.Licences(x.ctx, x.o.UserID)
	if err != nil {
		return "", "", err
	}
	names, kept := x.partNumbers(), []string{}
	var steps []model.OperationStep
	for i := range list {
		l := &list[i]
		if l.Group == "" {
			steps = append(steps, model.OperationStep{
				Action: model.StepRemoveLicence, Target: l.SKUID, Name: names[strings.ToLower(l.SKUID)], State: model.StepPending,
			})
		} else if direct, _ := directly(list, l.SKUID); direct == nil {
			kept = append(kept, names[strings.ToLower(l.SKUID)]+" from "+x.groupNames([]string{l.Group}))
		}
	}
	x.add(s, steps)
	outcome := "the user has " + counted(len(steps), "licence") + " of its own"
	if len(kept) > 0 {
		outcome += "; others come from groups and go when the user leaves them: " + strings.Join(kept, ", ")
	}
	return done(outcome, nil)
}
