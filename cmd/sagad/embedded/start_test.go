//go:build !noembed

package embedded

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
)

// start starts a server that the test's end stops.
func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// refused asserts that a start fails with an error of the given kind, whose text
// contains all of parts, and that the directory is free again afterwards.
func refused(t *testing.T, cfg Config, kind error, parts ...string) {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	if err == nil {
		s.Stop()
		t.Fatalf("started, want %v", kind)
	}
	var setup *SetupError
	if !errors.As(err, &setup) || !errors.Is(err, kind) {
		t.Fatalf("got %v (%T), want a SetupError of kind %v", err, err, kind)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not mention %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is not one line", err)
	}
}

func TestTwoServersOneDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Config{Dir: dir, UIPort: NoUI})
	refused(t, Config{Dir: dir, UIPort: NoUI}, ErrLocked, dir, "pid "+strconv.Itoa(os.Getpid()), DirFlag)

	var stopped = make(chan struct{})
	go func() { s.Stop(); close(stopped) }()
	s.Stop()
	<-stopped
	start(t, Config{Dir: dir, UIPort: NoUI}).Stop()
}

// A process that dies without a word leaves its pid in the lock file but not the
// lock: the next one starts and knows that the last one crashed.
func TestLockOfADeadProcess(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: t.TempDir()}
	dead := exec.CommandContext(t.Context(), "true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.path(lockFile), []byte(strconv.Itoa(dead.Process.Pid)), 0o600); err != nil {
		t.Fatal(err)
	}
	crashed := func() *dirLock {
		lock, err := lockDir(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return lock
	}
	lock := crashed()
	if !lock.crashed {
		t.Error("the crash went unnoticed")
	}
	lock.abandon()
	if lock = crashed(); !lock.crashed {
		t.Error("a failed start made the crash be forgotten")
	}
	if err := lock.release(); err != nil {
		t.Fatal(err)
	}
	if lock = crashed(); lock.crashed {
		t.Error("an orderly stop counts as a crash")
	}
	lock.abandon()
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	port := listener.Addr().(*net.TCPAddr).Port

	dir := t.TempDir()
	refused(t, Config{Dir: dir, Port: port, UIPort: NoUI}, ErrPortInUse, listener.Addr().String(), PortFlag)
	refused(t, Config{Dir: dir, UIPort: port}, ErrPortInUse, listener.Addr().String(), UIPortFlag)
	if _, err := os.Stat(filepath.Join(dir, databaseFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused start left a database: %v", err)
	}
}

func TestFixedPorts(t *testing.T) {
	t.Parallel()
	free, err := freePorts(t.Context(), DefaultHost, 2)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Dir: t.TempDir(), Port: free[0], UIPort: free[1]})
	if want := "127.0.0.1:" + itoa(free[0]); s.Address() != want {
		t.Errorf("address %s, want %s", s.Address(), want)
	}
	if want := "http://127.0.0.1:" + itoa(free[1]); s.UIAddress() != want {
		t.Errorf("UI address %s, want %s", s.UIAddress(), want)
	}
}

func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	sound := t.TempDir()
	start(t, Config{Dir: sound, UIPort: NoUI}).Stop()
	image, err := os.ReadFile(filepath.Join(sound, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	page := bytes.Repeat([]byte("damage"), 4096/6)
	for name, content := range map[string][]byte{
		"not a database": []byte(strings.Repeat("this is a letter, not a database\n", 100)),
		"page torn":      append(append(bytes.Clone(image[:8192]), page...), image[8192+len(page):]...),
		"cut off":        image[:len(image)/2/4096*4096],
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, databaseFile)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, Config{Dir: dir, UIPort: NoUI}, ErrCorrupt, path, "mv "+path)
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
				t.Errorf("the damaged file was changed (%v)", err)
			}
		})
	}
}

// Damage that the check of a large database passed over shows as the server's
// text when it first reads that page.
func TestDamageFoundByTheServer(t *testing.T) {
	err := databaseError("temporal.db", errors.New("GetNamespace operation failed. Error database disk image is malformed (11)"))
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want %v", err, ErrCorrupt)
	}
	if err := databaseError("temporal.db", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestDatabaseOfAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, databaseFile)
	run := func(statement string) {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE TABLE recipes (name TEXT)")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: dir, UIPort: NoUI}, ErrIncompatible, path, "another program")
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the file of another program was changed (%v)", err)
	}

	dir = t.TempDir()
	path = filepath.Join(dir, databaseFile)
	start(t, Config{Dir: dir, UIPort: NoUI}).Stop()
	run("UPDATE sagad_schema SET version = '0.0/0.0'")
	refused(t, Config{Dir: dir, UIPort: NoUI}, ErrIncompatible, path, "0.0/0.0", schemaVersion())
}

// A first start that dies right after it created the file leaves an empty
// database, which the next start fills.
func TestEmptyDatabase(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: t.TempDir(), UIPort: NoUI}
	db, err := openDatabase(cfg.path(databaseFile), pragmas(syncCommits))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.PingContext(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	start(t, cfg)
}

func TestUnusableConfig(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: filepath.Join(file, "data")}, ErrDir, file, DirFlag)
	refused(t, Config{}, ErrConfig, DirFlag)
	refused(t, Config{Dir: t.TempDir(), Host: "0.0.0.0"}, ErrConfig, "loopback", "0.0.0.0")
	refused(t, Config{Dir: t.TempDir(), Retention: 1}, ErrConfig, "retention")
	keywords := map[string]enumspb.IndexedValueType{}
	for i := range 11 {
		keywords["k"+itoa(i)] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	refused(t, Config{Dir: t.TempDir(), SearchAttributes: keywords}, ErrSearchAttribute, "k9", "10 of type Keyword")
	refused(t, Config{Dir: t.TempDir(), SearchAttributes: map[string]enumspb.IndexedValueType{
		"WorkflowId": enumspb.INDEXED_VALUE_TYPE_KEYWORD}}, ErrSearchAttribute, "WorkflowId", "reserved")

	dir := t.TempDir()
	start(t, Config{Dir: dir, UIPort: NoUI, SearchAttributes: map[string]enumspb.IndexedValueType{
		"amount": enumspb.INDEXED_VALUE_TYPE_INT}}).Stop()
	refused(t, Config{Dir: dir, SearchAttributes: map[string]enumspb.IndexedValueType{
		"amount": enumspb.INDEXED_VALUE_TYPE_KEYWORD}}, ErrSearchAttribute, "amount", "Int", "Keyword")
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if s, err := Start(ctx, Config{Dir: dir}); err == nil {
		s.Stop()
		t.Fatal("started under a cancelled context")
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	start(t, Config{Dir: dir, UIPort: NoUI})
}
