package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// What imports use of the groups that are read, for tests.

// GroupUse is groupToRead.
type GroupUse = groupToRead

// GroupsToRead is groupsToRead outside a transaction.
func GroupsToRead(ctx context.Context, s *Service, ref model.Ref) ([]GroupUse, error) {
	return s.groupsToRead(s.Store.Read(ctx), ref)
}

// LookUpGroups is lookUpGroups.
func LookUpGroups(ctx context.Context, s *Service, ref model.Ref) error {
	return s.lookUpGroups(ctx, ref)
}

// SettleLists is settleLists in a transaction of its own.
func SettleLists(ctx context.Context, s *Service, ref model.Ref, changed []string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error { return s.settleLists(ctx, tx, ref, changed) })
}
