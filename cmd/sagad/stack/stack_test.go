package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sagad/sagad/cmd/sagad/embedded"
	"github.com/sagad/sagad/engine"
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/host"
)

func TestFindPlugins(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"ledger": 0o755, "fx": 0o700, "readme.txt": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "old"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "fx"), filepath.Join(dir, "rates")); err != nil {
		t.Fatal(err)
	}
	found, err := FindPlugins(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []host.Binary{
		{Name: "fx", Path: filepath.Join(dir, "fx")},
		{Name: "ledger", Path: filepath.Join(dir, "ledger")},
		{Name: "rates", Path: filepath.Join(dir, "rates")},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if found, err := FindPlugins(filepath.Join(dir, "nowhere")); err != nil || len(found) != 0 {
		t.Errorf("a folder that does not exist has %v, %v", found, err)
	}
	if _, err := FindPlugins(filepath.Join(dir, "readme.txt")); err == nil {
		t.Error("a file is taken for a folder")
	}
}

// finished gives the number of a process that does not run any more.
func finished(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// Only a process that runs and listens is a peer; what others left is ignored.
func TestFindPeer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address := listener.Addr().String()
	write := func(text string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, endpointFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	endpoint := func(e Endpoint) string {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return write(string(text))
	}
	if p := findPeer(t.Context(), endpoint(Endpoint{Address: address, PID: os.Getpid(), Tenant: "demo", Region: "eu"})); p == nil || p.Tenant != "demo" {
		t.Errorf("a peer that is there is not found: %+v", p)
	}
	for name, dir := range map[string]string{
		"nothing":          t.TempDir(),
		"no JSON":          write("{"),
		"no process":       write(`{"address": "` + address + `"}`),
		"finished process": endpoint(Endpoint{Address: address, PID: finished(t)}),
		"nobody listens":   endpoint(Endpoint{Address: "127.0.0.1:1", PID: os.Getpid()}),
	} {
		if p := findPeer(t.Context(), dir); p != nil {
			t.Errorf("%s: found %+v", name, p)
		}
	}
}

func TestServed(t *testing.T) {
	s := &Stack{cfg: Config{Tenant: "demo", Region: "eu"}}
	if s.Served() {
		t.Error("served by nobody")
	}
	s.peer = &Endpoint{Tenant: "demo", Region: "us", Manifests: []plugins.Manifest{{Plugin: "a"}}}
	if s.Served() || s.Manifests() != nil {
		t.Error("served by a process of another region")
	}
	s.peer.Region = "eu"
	if !s.Served() || len(s.Manifests()) != 1 {
		t.Error("not served by a process of the same tenant and region")
	}
}

func TestPayloads(t *testing.T) {
	o := &payloads{}
	err := o.read([]plugins.Manifest{{Plugin: "p", Activities: []plugins.ActivityManifest{
		{Name: "p.a", Input: json.RawMessage(`{"type": "integer"}`), Output: json.RawMessage(`{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}`)},
		{Name: "p.b"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		activity, output string
		ok               bool
	}{
		{"p.a", `{"id": "x"}`, true}, {"p.a", `{}`, false}, {"p.a", `{"id": 7}`, false}, {"p.a", `{"id": "x", "id": "y"}`, false},
		{"p.b", `7`, true}, {"q.c", `7`, true},
	} {
		if err := o.validate(c.activity, json.RawMessage(c.output)); (err == nil) != c.ok {
			t.Errorf("%s %s: %v", c.activity, c.output, err)
		}
	}
	if o.CheckInput("p.a", 7) != nil || o.CheckInput("p.a", "7") == nil || o.CheckInput("p.b", "7") != nil {
		t.Error("inputs are not checked against the schema of the activity")
	}
	err = o.read([]plugins.Manifest{{Plugin: "p", Activities: []plugins.ActivityManifest{{Name: "p.a", Output: json.RawMessage(`{"type": "thing"}`)}}}})
	if err == nil || !strings.Contains(err.Error(), "plugin p: the output schema of p.a") {
		t.Errorf("a broken schema: %v", err)
	}
}

// Every class and operation of one side has its like on the other.
func TestClasses(t *testing.T) {
	for c := host.Applied; c <= host.Ambiguous; c++ {
		want := strings.ReplaceAll(c.String(), " ", "-")
		if got := classes[c].String(); got != want {
			t.Errorf("%s becomes %s", c, got)
		}
	}
	for _, op := range []engine.Op{engine.OpAction, engine.OpCompensation, engine.OpProbe} {
		if string(operations[op]) != op.String() {
			t.Errorf("%s becomes %s", op, operations[op])
		}
	}
}

func TestSDKHandler(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(sdkHandler{slog.NewTextHandler(&out, nil)}).With("a", 1).WithGroup("g")
	logger.Error("Activity error.", "why", "business")
	logger.Error("Worker died.")
	if text := out.String(); strings.Contains(text, "Activity error.") || !strings.Contains(text, "Worker died.") {
		t.Error(text)
	}
}

func TestIndexed(t *testing.T) {
	var names []string
	for name := range indexed(nil) {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"SagadSaga", "SagadState", "SagadTenant", "clearing_batch_id", "country_code"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A stack that uses another server registers its search attributes there, and
// tells a saga's server that is not there from one without its namespace.
func TestOtherServer(t *testing.T) {
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), UIPort: embedded.NoUI})
	if err != nil {
		if errors.Is(err, embedded.ErrNotBuilt) && os.Getenv("CI") != "true" {
			t.Skip("this build has no embedded Temporal")
		}
		t.Fatal(err)
	}
	defer server.Stop()
	connect := func(cfg Config) error {
		cfg.Data, cfg.Temporal, cfg.Tenant, cfg.Region = t.TempDir(), server.Address(), "demo", "eu"
		s, err := Open(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		return s.Connect(t.Context())
	}
	for range 2 {
		if err := connect(Config{}); err != nil {
			t.Error(err)
		}
	}
	err = connect(Config{Namespace: "nowhere"})
	if err == nil || !strings.Contains(err.Error(), "there is no namespace nowhere: create it with `temporal operator namespace create`") {
		t.Errorf("another namespace: %v", err)
	}
}

// A reference to a secret never reaches a plugin in place of the secret.
func TestSecret(t *testing.T) {
	inv := &engine.Invocation{Op: engine.OpAction, Input: map[string]any{"n": 1, "auth": []any{map[string]any{"$secret": "rails/api-key"}}}}
	out := (&invoker{}).Invoke(t.Context(), &engine.Identity{}, inv)
	if out.Class != engine.NotSent || out.Code != engine.CodeSecret || !out.Final || !strings.Contains(out.Message, "rails/api-key") {
		t.Errorf("%+v", out)
	}
}

func TestPlainly(t *testing.T) {
	for text, want := range map[string]string{
		`connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`: "nobody listens there",
		"failed reaching server: no children to pick from":                                                             "the name leads to no address",
		"dial tcp: lookup nowhere: no such host":                                                                       "the name leads to no address",
		"failed reaching server: context deadline exceeded":                                                            "there is no answer in time",
		"something else": "something else",
	} {
		if got := plainly(errors.New(text)).Error(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
