package entraid

import (
	"context"
	"errors"
	"slices"

	"usher/model/outlook"
)

// Actor is who asks: an application by itself, or in the name of a user who has signed in to it.
type Actor struct {
	App   string
	Roles []string // application permissions, or scopes where User is set
	User  string   // object id
}

// Session is Graph as one actor sees it. Failures are *outlook.Error with Graph's codes, some within an *Error, save those of
// the context. It is safe for concurrent use.
type Session struct {
	directory *Directory
	actor     Actor
	current   bool // Roles are what is granted now, whatever Actor says
}

// As gives what an actor may do.
func (d *Directory) As(a Actor) *Session { return &Session{directory: d, actor: a} }

// call is what is known of a request before it is carried out.
type call struct {
	method, target string
	needs          []string // permissions, one of which has to be granted
	write          bool
}

// do carries out a request.
func (s *Session) do(ctx context.Context, what call, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := s.directory
	err := s.allow(what)
	if err == nil {
		err = work()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil && what.write && d.chance(d.faults.LostAnswer) {
		err = unavailable(504)
	}
	return d.record(s.actor.App, what, err)
}

// allow gives the failure of a request that is not carried out.
func (s *Session) allow(what call) error {
	roles := s.actor.Roles
	if s.current {
		granted, consented := s.directory.Permissions(s.actor.App)
		if !consented {
			return badCredentials()
		}
		roles = granted
	}
	if len(what.needs) > 0 && !slices.ContainsFunc(what.needs, func(p string) bool { return slices.Contains(roles, p) }) {
		return Denied()
	}
	s.directory.mu.Lock()
	defer s.directory.mu.Unlock()
	return s.directory.refusal()
}

// may says whether the actor has one of the permissions.
func (s *Session) may(permissions ...string) bool {
	roles := s.actor.Roles
	if s.current {
		roles, _ = s.directory.Permissions(s.actor.App)
	}
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(roles, p) })
}

// record notes a request in the journal and gives its failure a request id. The caller holds the lock.
func (d *Directory) record(app string, what call, err error) error {
	entry := Request{At: d.now(), App: app, Method: what.method, Target: what.target}
	if detailed, ok := errors.AsType[*Error](err); ok {
		answered := *detailed
		answered.Failure.RequestID = d.guid()
		err = &answered
	} else if e, ok := errors.AsType[*outlook.Error](err); ok {
		answered := *e
		answered.RequestID = d.guid()
		err = &answered
	}
	if err != nil {
		entry.Err = err.Error()
	}
	d.requests.add(entry, d.options.JournalLimit)
	return err
}

// The permissions that let an application do something, as Microsoft's pages of the calls list them.
func readUsers() []string {
	return []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
}

func readBasics() []string {
	return append(readUsers(), "User.ReadBasic.All")
}

func readGroups() []string {
	return []string{"GroupMember.Read.All", "Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
}

func writeUsers() []string { return []string{"User.ReadWrite.All", "Directory.ReadWrite.All"} }

func writeMembers() []string {
	return []string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
}

func deleteUsers() []string { return []string{"User.DeleteRestore.All", "User.ReadWrite.All"} }

func readLicences() []string {
	return []string{"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"}
}

func writeLicences() []string {
	return []string{"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}
}

// MayReadUsers says whether the actor sees more of users than their ids.
func (s *Session) MayReadUsers() bool { return s.may(readBasics()...) }
