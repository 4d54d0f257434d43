package scim

import (
	"context"

	"usher/model"
)

// Directory is what this edge needs of the core; *directory.Service satisfies it. Every method acts within ref alone:
// an id of another integration is NotFound. Errors that the client may see are *model.Error.
type Directory interface {
	// CreateUser stores a new user; only Document of u is read. A taken userName is a Conflict.
	CreateUser(ctx context.Context, ref model.Ref, u model.DirectoryUser) (model.DirectoryUser, error)
	// ChangeUser runs edit on the current user inside the transaction, with its row locked. edit may replace Document;
	// an error of edit changes nothing and is returned as it is. Without an effective change nothing is written.
	ChangeUser(ctx context.Context, ref model.Ref, id string, edit func(*model.DirectoryUser) error) (model.DirectoryUser, error)
	DeleteUser(ctx context.Context, ref model.Ref, id string) error
	User(ctx context.Context, ref model.Ref, id string) (model.DirectoryUser, error)
	// Users gives one page and the number of all matches.
	Users(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryUser, int, error)

	CreateGroup(ctx context.Context, ref model.Ref, g model.DirectoryGroup, members []string) (model.DirectoryGroup, error)
	// ChangeGroup is ChangeUser for groups; edit gives the steps by which the members change, applied in order after it.
	ChangeGroup(ctx context.Context, ref model.Ref, id string, edit func(*model.DirectoryGroup) ([]model.MemberOp, error)) (model.DirectoryGroup, error)
	DeleteGroup(ctx context.Context, ref model.Ref, id string) error
	Group(ctx context.Context, ref model.Ref, id string) (model.DirectoryGroup, error)
	Groups(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryGroup, int, error)
	// Members gives the members of each group, in the order of their ids.
	Members(ctx context.Context, ref model.Ref, groupIDs []string) (map[string][]model.Member, error)
	// GroupsOf gives the groups that each user is a direct member of.
	GroupsOf(ctx context.Context, ref model.Ref, userIDs []string) (map[string][]model.GroupRef, error)
}

// Tokens tells which integration a bearer token belongs to; *directory.Service satisfies it. An unknown, expired or
// revoked token, or one of another integration than the one named by its id in the URL, is Unauthorized. It must be
// cheap: it is asked for every request.
type Tokens interface {
	SCIMToken(ctx context.Context, integrationID, token string) (model.Ref, error)
}
