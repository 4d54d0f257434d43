package store_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// crashURL names the variable that tells a child which database to write to until it is killed.
const crashURL = "USHER_TEST_CRASH_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(crashURL); url != "" {
		if err := writeUntilKilled(url, os.Getenv(crashURL+"_ORG"), os.Getenv(crashURL+"_INTEGRATION")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeUntilKilled pushes users and prints the number of each when its transaction has committed.
func writeUntilKilled(url, org, integration string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{URL: url})
	if err != nil {
		return err
	}
	ref := model.Ref{OrganizationID: org, IntegrationID: integration}
	for i := 0; ; i++ {
		err := s.InTx(ctx, func(tx *store.Tx) error {
			u := storetest.NewUser(ref, strconv.Itoa(i)+"@contoso.com")
			if err := tx.InsertDirectoryUser(u); err != nil {
				return err
			}
			return tx.Tell(model.Change{OrganizationID: org, Type: model.DirectoryUserCreated, SubjectID: u.ID}, i)
		})
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// killAfter runs a child that writes, and kills it once it has acknowledged that many commits. It gives how many it
// acknowledged in the end.
func killAfter(t *testing.T, url string, ref model.Ref, commits int) int {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashURL+"="+url, crashURL+"_ORG="+ref.OrganizationID, crashURL+"_INTEGRATION="+ref.IntegrationID)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for lines := bufio.NewScanner(out); lines.Scan(); acknowledged++ {
		if lines.Text() != strconv.Itoa(acknowledged) {
			t.Fatalf("the child says %q", lines.Text())
		}
		if acknowledged == commits {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return acknowledged
}

// TestKillLosesNothing: after kill -9 every acknowledged commit is there with its change, none twice, and the next process
// goes on.
func TestKillLosesNothing(t *testing.T) {
	for name, url := range map[string]storetest.URL{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := url(t)
			ref := storetest.Ref(t, storetest.OpenURL(t, at))
			acknowledged := killAfter(t, at, ref, 60)
			checkAcknowledged(t, storetest.OpenURL(t, at), ref, acknowledged)
		})
	}
}

func checkAcknowledged(t *testing.T, s *store.Store, ref model.Ref, acknowledged int) {
	t.Helper()
	users, err := s.Read(t.Context()).DirectoryUsersAfter(ref, "", 10*acknowledged)
	if err != nil {
		t.Fatal(err)
	}
	changes, _, err := s.Changes(t.Context(), ref.OrganizationID, store.ChangeQuery{Limit: 10 * acknowledged})
	if err != nil {
		t.Fatal(err)
	}
	if len(users) < acknowledged || len(users) > acknowledged+1 || len(changes) != len(users) {
		t.Errorf("%d users and %d changes after %d acknowledged commits", len(users), len(changes), acknowledged)
	}
	for i, c := range changes {
		var n int
		if err := json.Unmarshal(c.Data, &n); err != nil || n != i || c.SubjectID != users[i].ID {
			t.Errorf("change %d is about %d, %v", i, n, err)
		}
	}
	storetest.User(t, s, ref, "afterwards@contoso.com")
}

// TestReaderDoesNotBlockWriter: on SQLite a reader in the middle of a long read holds up no writer, and the other way round.
func TestReaderDoesNotBlockWriter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		storetest.Users(t, s, ref, 50)
		err := store.EachForTest(s.Read(t.Context()), "SELECT id FROM directory_users", func() error {
			return s.InTx(t.Context(), func(tx *store.Tx) error {
				if err := tx.InsertDirectoryUser(storetest.NewUser(ref, store.NewID()+"@contoso.com")); err != nil {
					return err
				}
				if _, err := tx.CountDirectoryUsers(ref); err != nil { // sends the write
					return err
				}
				n, err := s.Read(t.Context()).CountDirectoryUsers(ref)
				if err == nil && n < 50 {
					err = fmt.Errorf("a reader beside the writer sees %d users", n)
				}
				return err
			})
		})
		if err != nil {
			t.Error(err)
		}
		if n, err := s.Read(t.Context()).CountDirectoryUsers(ref); err != nil || n != 100 {
			t.Errorf("%d users, %v, want 100: one written for every row that was read", n, err)
		}
	})
}

// TestWritersQueueForTheOneConnection: SQLite has one writing connection, so that writers wait for each other in this
// process and never meet SQLITE_BUSY.
func TestWritersQueueForTheOneConnection(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLite(t)
	if n := s.DB().Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d writing connections, want 1", n)
	}
	if _, err := s.Read(t.Context()).CountDirectoryUsers(storetest.Ref(t, s)); err != nil {
		t.Error(err)
	}
	if err := store.ExecForTest(s.Read(t.Context()), "DELETE FROM directory_users"); err == nil {
		t.Error("a reading connection writes")
	}
}
