package directory

import (
	"time"

	"usher/model"
)

// ResignationDate reads the day on which an employee leaves; ok is false when there is none, or none that can be read.
func ResignationDate(e model.Employee) (day time.Time, ok bool) {
	if e.ResignationDate == nil || *e.ResignationDate == "" {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, *e.ResignationDate)
	return day, err == nil
}

// EmployeeState says where the employee stands at the given time: active without a resignation date, pending until
// that day begins (UTC), archived from then on. The stored state is not looked at, so that a withdrawn or moved date
// takes effect both ways.
func EmployeeState(e model.Employee, now time.Time) model.EmployeeState {
	day, ok := ResignationDate(e)
	switch {
	case !ok:
		return model.EmployeeActive
	case now.UTC().Before(day):
		return model.EmployeePending
	}
	return model.EmployeeArchived
}
