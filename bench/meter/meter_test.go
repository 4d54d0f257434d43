package meter

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"usher/internal/pgtest"
)

func TestParseStat(t *testing.T) {
	entry, err := parseStat([]byte("42 (a) b (c) S 7 1 1 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0\n"))
	if err != nil || entry != (stat{parent: 7, ticks: 127}) {
		t.Errorf("got %+v, %v", entry, err)
	}
	for _, broken := range []string{"", "42 (a) S 7", "42 (a) S x 1 1 0 -1 4194304 1 2 3 4 100 20 3 4", "42 (a) S 7 1 1 0 -1 4194304 1 2 3 4 x 20 3 4"} {
		if _, err := parseStat([]byte(broken)); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestTreeTicksAddsUpChildren(t *testing.T) {
	processes := map[int]stat{1: {0, 1}, 2: {1, 10}, 3: {2, 100}, 4: {2, 1000}, 5: {1, 10000}}
	if got := treeTicks(processes, 2); got != 1110 {
		t.Errorf("got %d, want 1110", got)
	}
}

func TestParseMachineTime(t *testing.T) {
	busy, all, err := parseMachineTime("cpu  100 20 3 1000 200 4 5 6 100 20\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if err != nil || busy != 138*tick || all != 1338*tick {
		t.Errorf("busy %s, all %s, %v; want %s and %s", busy, all, err, 138*tick, 1338*tick)
	}
	for _, broken := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 x 6 7 8"} {
		if _, _, err := parseMachineTime(broken); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestOwnProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		if _, err := ProcessorTime(os.Getpid()); err == nil {
			t.Error("no error where there is no /proc")
		}
		return
	}
	before, err := ProcessorTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	// Works until the kernel has counted; the test's own time limit is the bound.
	for after := before; after == before; {
		if after, err = ProcessorTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	resident, peak, err := Memory(os.Getpid())
	if err != nil || resident < 1<<20 || peak < resident/2 {
		t.Errorf("resident %d, peak %d, %v", resident, peak, err)
	}
	if parent, err := Parent(os.Getpid()); err != nil || parent != os.Getppid() {
		t.Errorf("parent %d, %v; want %d", parent, err, os.Getppid())
	}
	const nobody = 1 << 30
	if _, err := ProcessorTime(nobody); err == nil {
		t.Error("a process that is not there has a time")
	}
	if _, _, err := Memory(nobody); err == nil {
		t.Error("a process that is not there has memory")
	}
}

func cluster(t *testing.T, settings map[string]string) *Cluster {
	t.Helper()
	server, err := pgtest.Start(t.Context(), pgtest.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	opened, err := OpenCluster(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close(context.Background()) })
	return opened
}

func TestStatementsOfOneDatabaseAreCounted(t *testing.T) {
	c := cluster(t, map[string]string{"shared_preload_libraries": Extension})
	if !c.Exact || !strings.Contains(c.Version, ".") {
		t.Fatalf("exact %t, version %q", c.Exact, c.Version)
	}
	var connections []*pgx.Conn
	for _, name := range []string{"measured", "other"} {
		address, err := c.CreateDatabase(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Tidy(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		connection, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close(context.Background())
		connections = append(connections, connection)
	}
	probe := Probe{Cluster: c, Database: "measured", Process: os.Getpid()}
	before, err := c.statements(t.Context(), probe.Database)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		for _, connection := range connections {
			if err := pgx.BeginFunc(t.Context(), connection, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "SELECT 1")
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	after, err := c.statements(t.Context(), probe.Database)
	if err != nil {
		t.Fatal(err)
	}
	if got := after - before; got != 15 {
		t.Errorf("%d statements, want 15: BEGIN, SELECT and COMMIT five times", got)
	}
	if probe.Visible() != (runtime.GOOS == "linux") {
		t.Errorf("visible: %t on %s", probe.Visible(), runtime.GOOS)
	}
	if probe.Visible() {
		reading, err := probe.Read(t.Context())
		if err != nil || reading.Statements < after || reading.CPU <= 0 {
			t.Errorf("reading %+v, %v", reading, err)
		}
	}
}

func TestWithoutTheExtensionTransactionsAreCounted(t *testing.T) {
	c := cluster(t, nil)
	if c.Exact {
		t.Fatal("counts as exact though nothing counts statements")
	}
	count, err := c.statements(t.Context(), "postgres")
	if err != nil || count < 0 {
		t.Errorf("%d, %v", count, err)
	}
}

func TestMachine(t *testing.T) {
	m := Machine{Cores: 2, Processor: "Model X", Memory: 8 << 30, System: "linux/amd64", Go: "1.26.0"}
	if got, want := m.String(), "2 cores (Model X), 8 GiB memory, linux/amd64, Go 1.26.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Processor, m.Memory = "", 0
	if got, want := m.String(), "2 cores, linux/amd64, Go 1.26.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if this := ThisMachine(); this.Cores < 1 || this.Go == "" || strings.HasPrefix(this.Go, "go") {
		t.Errorf("this machine: %+v", this)
	}
}

func TestOthersIsAShare(t *testing.T) {
	share, known := Others(nil)()
	if known && (share < 0 || share > 1.5) { // the two clocks are not read at one instant
		t.Errorf("share %v", share)
	}
	if known && runtime.GOOS != "linux" {
		t.Error("known where there is no /proc")
	}
}
