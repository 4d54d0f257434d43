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
	// DeleteUser asks check, where it is given, about the current user inside the transaction; its error changes nothing.
	DeleteUser(ctx context.Context, ref model.Ref, id string, check func(*model.DirectoryUser) error) error
	User(ctx context.Context, ref model.Ref, id string) (model.DirectoryUser, error)
	// Users gives one page and the number of all matches.
	Users(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryUser, int, error)

	CreateGroup(ctx context.Context, ref model.Ref, g model.DirectoryGroup, members []string) (model.DirectoryGroup, error)
	// ChangeGroup is ChangeUser for groups; edit gives the steps by which the members change, applied in order after it.
	ChangeGroup(ctx context.Context, ref model.Ref, id string, edit func(*model.DirectoryGroup) ([]model.MemberOp, error)) (model.DirectoryGroup, error)
	// ChangeMembers is ChangeGroup where the steps are known beforehand; an error of check changes nothing. brief says that check looks
	// at no more than the group's names, and that the Document of what is given is not looked at.
	ChangeMembers(ctx context.Context, ref model.Ref, id string, steps []model.MemberOp, brief bool, check func(*model.DirectoryGroup) error) (model.DirectoryGroup, error)
	// DeleteGroup is DeleteUser for groups.
	DeleteGroup(ctx context.Context, ref model.Ref, id string, check func(*model.DirectoryGroup) error) error
	Group(ctx context.Context, ref model.Ref, id string) (model.DirectoryGroup, error)
	// GroupWithMembers is Group and Members of one group.
	GroupWithMembers(ctx context.Context, ref model.Ref, id string, most int) (model.DirectoryGroup, []model.Member, error)
	Groups(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryGroup, int, error)
	// Members gives the members of each group, in the order of the ids of groups and then of members: at most so many in all,
	// where most is not 0. CountMembers counts them; a group without members may be missing.
	Members(ctx context.Context, ref model.Ref, groupIDs []string, most int) (map[string][]model.Member, error)
	CountMembers(ctx context.Context, ref model.Ref, groupIDs []string) (map[string]int, error)
	// GroupsOf gives the groups that each user is a direct member of, bounded as Members is. CountGroupsOf counts them.
	GroupsOf(ctx context.Context, ref model.Ref, userIDs []string, most int) (map[string][]model.GroupRef, error)
	CountGroupsOf(ctx context.Context, ref model.Ref, userIDs []string) (map[string]int, error)
}

// Room is the memory and the attention that all requests share; internal/app has it. What a request takes is given back when it
// is answered. Throttled says that nothing became free in time. Where there is no Room, there is no bound.
type Room interface {
	// Begin waits until the request may be worked on: it is called once its body is there, and before anything is read for it.
	Begin(ctx context.Context) error
	// Page waits until a page of many resources may be read. It is called once, by a request that has begun.
	Page(ctx context.Context) error
	// Hold waits until the request may hold about so many bytes in all, for what is larger than an ordinary request. The caller
	// lets go of what it can before, and holds no connection to the database.
	Hold(ctx context.Context, bytes int) error
	// Try is Hold where the request cannot wait, as within a transaction.
	Try(ctx context.Context, bytes int) error
}

// Tokens tells who shows a bearer token; *directory.Service satisfies it. An unknown, expired or revoked token, or one of
// another integration than the one named by its id in the URL, is Unauthorized with the model.Denial as its detail. It must be
// cheap: it is asked for every request.
type Tokens interface {
	SCIMToken(ctx context.Context, integrationID, token string) (model.SCIMCaller, error)
}

// Grants gives access tokens to SCIM clients; *directory.Service satisfies it. What does not prove a client is Unauthorized
// with the reason as its detail; Throttled says that it cannot be told now. clientID may be empty with an assertion.
type Grants interface {
	SecretGrant(ctx context.Context, clientID, secret string) (model.SCIMGrant, error)
	AssertionGrant(ctx context.Context, clientID, assertion string) (model.SCIMGrant, error)
}
