package directory

import (
	"usher/model"
)

// settleStatus decides whether the account is in use. A sync deactivates when nothing keeps the person in scope and
// reactivates only what a sync, or the end of an employment that is withdrawn, had deactivated; what an operator
// decided stays. An employee who has left keeps the account deactivated whatever Entra says.
func (s *settling) settleStatus() {
	left := s.employeeLinked && EmployeeState(*s.person.Employee, s.rules.now()) == model.EmployeeArchived
	switch s.account.Status {
	case model.AccountActive:
		s.settleActive(left)
	case model.AccountDeactivated:
		s.settleDeactivated(left)
	case model.AccountArchived:
		// Put away for good; only an operator brings it back.
	}
}

func (s *settling) settleActive(left bool) {
	lost := s.firstLinked()
	switch {
	case left:
		s.status(model.AccountDeactivated, model.CauseEmployee, s.employeeLeft())
	case len(s.inScope) > 0 || lost == nil:
		// Kept in scope, or an account that no directory knows: the sync leaves it alone.
	case s.account.StatusCause == model.CauseOperator && !s.wasInScope():
		s.note = "an operator reactivated the account while it was out of scope"
	default:
		s.status(model.AccountDeactivated, model.CauseSync, lost.verdict.lost)
	}
}

func (s *settling) settleDeactivated(left bool) {
	bySync := s.account.StatusCause == model.CauseSync
	byEmployee := s.account.StatusCause == model.CauseEmployee
	switch {
	case left:
		s.note = s.employeeLeft()
	case !bySync && !byEmployee:
		s.note = "an operator deactivated the account"
	case len(s.inScope) > 0:
		s.status(model.AccountActive, model.CauseSync, "in scope again: "+s.inScope[0].verdict.why)
	case byEmployee && len(s.views) == 0 && s.employeeLinked:
		s.status(model.AccountActive, model.CauseEmployee, "employee "+s.person.Employee.ExternalID+" stays after all")
	default:
		if lost := s.firstLinked(); lost != nil {
			s.note = lost.verdict.why
		}
	}
}

// status changes the account's status; its reason becomes the reason of the decision.
func (s *settling) status(status model.AccountStatus, cause model.StatusCause, reason string) {
	s.change("status", string(s.account.Status), string(status), reason)
	s.account.Status, s.account.StatusCause = status, cause
	s.note = reason
}

// firstLinked gives the first source that is linked to the account, nil if none is.
func (s *settling) firstLinked() *view {
	for _, v := range s.views {
		if v.linked {
			return v
		}
	}
	return nil
}

// wasInScope says whether any source was in scope when the rules were last asked: only then is being out of scope an
// event, which ends what an operator decided before it.
func (s *settling) wasInScope() bool {
	for _, v := range s.views {
		if v.linked && v.source.User.Explanation.InScope {
			return true
		}
	}
	return false
}

// employeeLeft says since when the employee is gone.
func (s *settling) employeeLeft() string {
	return "employee " + s.person.Employee.ExternalID + " left on " + *s.person.Employee.ResignationDate
}
