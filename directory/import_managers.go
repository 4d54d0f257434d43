package directory

import (
	"context"

	"usher/model/entra"
)

// managersOf completes what a round of changes tells. Graph tells of a manager when there is another one, and nothing otherwise; who
// it is then is read from the users themselves, because a mirrored user is replaced as a whole. One who is not there any more keeps
// what was told: the next page or round says so.
func (r *importRound) managersOf(ctx context.Context, users []entra.User) error {
	var ids []string
	for i := range users {
		if users[i].ManagerUntold {
			ids = append(ids, users[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	list, err := r.tenant.UsersByID(ctx, ids, nil)
	if err != nil {
		return err
	}
	managers := make(map[string]string, len(list))
	for i := range list {
		managers[list[i].ID] = list[i].ManagerID
	}
	for i := range users {
		if users[i].ManagerUntold {
			users[i].ManagerID = managers[users[i].ID]
		}
	}
	return nil
}
