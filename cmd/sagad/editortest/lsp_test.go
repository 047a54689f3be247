package editortest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds one answer of the language server.
const patience = time.Minute

// editor is an editor as the language server sees it: a client of the Language
// Server Protocol on its standard input and output.
type editor struct {
	t      *testing.T
	folder string
	in     io.Writer
	opened int // files

	mu       sync.Mutex
	last     int
	answers  map[int]chan json.RawMessage
	problems map[string]chan []problem // by URI
	settings map[string]any
}

// problem is a diagnostic that the language server shows.
type problem struct {
	Message string `json:"message"`
	Range   struct {
		Start place `json:"start"`
	} `json:"range"`
}

// String gives the line, from 0, and the message.
func (p problem) String() string { return fmt.Sprintf("%d: %s", p.Range.Start.Line, p.Message) }

type place struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// openEditor starts the language server for a folder. schemas gives the file
// names that each schema is for, as yaml.schemas does. A server that goes to the
// network fails the test.
func openEditor(t *testing.T, folder string, schemas map[string]any) *editor {
	t.Helper()
	server := filepath.Join(modules(t), "yaml-language-server", "bin", "yaml-language-server")
	cmd := exec.Command("node", server, "--stdio")
	cmd.Dir, cmd.Stderr = folder, t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e := &editor{t: t, folder: folder, in: in, answers: map[int]chan json.RawMessage{}, problems: map[string]chan []problem{}, settings: map[string]any{
		"yaml": map[string]any{"schemas": schemas, "validate": true, "hover": true, "completion": true, "schemaStore": map[string]any{"enable": false}},
		"http": map[string]any{"proxy": forbidden(t), "proxyStrictSSL": false},
	}}
	ended := make(chan struct{})
	go func() { defer close(ended); e.listen(bufio.NewReader(out)) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to lose
		<-ended
		_ = cmd.Wait() // it was killed
	})
	e.ask("initialize", map[string]any{
		"processId": nil, "rootUri": uriOf(folder), "workspaceFolders": []any{map[string]any{"uri": uriOf(folder), "name": "test"}},
		"capabilities": map[string]any{
			"workspace": map[string]any{"configuration": true, "workspaceFolders": true},
			"textDocument": map[string]any{
				"completion": map[string]any{"completionItem": map[string]any{"documentationFormat": []string{"markdown", "plaintext"}, "snippetSupport": true}},
				"hover":      map[string]any{"contentFormat": []string{"markdown", "plaintext"}},
			},
		},
	})
	e.tell("initialized", map[string]any{})
	e.tell("workspace/didChangeConfiguration", map[string]any{"settings": e.settings})
	return e
}

// forbidden is a proxy that nobody may use.
func forbidden(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			t.Errorf("the language server went to the network: %s", strings.TrimSpace(line))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	return "http://" + listener.Addr().String()
}

func uriOf(file string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
}

// listen takes what the server says until it ends.
func (e *editor) listen(out *bufio.Reader) {
	for {
		header, err := textproto.NewReader(out).ReadMIMEHeader()
		if err != nil {
			return
		}
		length, err := strconv.Atoi(header.Get("Content-Length"))
		if err != nil {
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(out, body); err != nil {
			return
		}
		e.take(body)
	}
}

func (e *editor) take(body []byte) {
	var m struct {
		ID     *int            `json:"id"`
		Method string          `json:"method"`
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		e.t.Errorf("the language server says %s: %v", body, err)
		return
	}
	switch {
	case m.Method == "" && m.ID != nil:
		if len(m.Error) > 0 {
			e.t.Errorf("the language server answers %s", m.Error)
		}
		e.mu.Lock()
		answer := e.answers[*m.ID]
		e.mu.Unlock()
		answer <- m.Result
	case m.Method == "textDocument/publishDiagnostics":
		var p struct {
			URI         string    `json:"uri"`
			Diagnostics []problem `json:"diagnostics"`
		}
		if err := json.Unmarshal(m.Params, &p); err == nil {
			select {
			case e.of(p.URI) <- p.Diagnostics:
			default: // nobody asks for them
			}
		}
	case m.ID != nil:
		e.send(map[string]any{"jsonrpc": "2.0", "id": *m.ID, "result": e.reply(m.Method, m.Params)})
	}
}

// reply answers what the server asks.
func (e *editor) reply(method string, params json.RawMessage) any {
	if method != "workspace/configuration" {
		return nil
	}
	var p struct {
		Items []struct {
			Section string `json:"section"`
		} `json:"items"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil
	}
	var values []any
	for _, item := range p.Items {
		values = append(values, e.settings[item.Section])
	}
	return values
}

func (e *editor) of(uri string) chan []problem {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.problems[uri] == nil {
		e.problems[uri] = make(chan []problem, 8)
	}
	return e.problems[uri]
}

func (e *editor) send(message any) {
	text, err := json.Marshal(message)
	if err != nil {
		e.t.Error(err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		e.t.Errorf("the language server is gone: %v", err)
	}
}

func (e *editor) tell(method string, params any) {
	e.send(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
}

func (e *editor) ask(method string, params any) json.RawMessage {
	e.t.Helper()
	answer := make(chan json.RawMessage, 1)
	e.mu.Lock()
	e.last++
	id := e.last
	e.answers[id] = answer
	e.mu.Unlock()
	e.send(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	select {
	case result := <-answer:
		return result
	case <-time.After(patience):
		e.t.Fatalf("the language server does not answer %s", method)
		return nil
	}
}

// page is an open file. Its text has a | where the cursor stands.
type page struct {
	e      *editor
	uri    string
	cursor place
}

// open shows a file, which need not exist on disk, in a folder of its own: what
// the server says of a file that was open before could not be told apart.
func (e *editor) open(name, text string) *page {
	e.opened++
	return e.openAt(filepath.Join(strconv.Itoa(e.opened), name), text)
}

// openAt shows a file in its place in the folder of the editor.
func (e *editor) openAt(name, text string) *page {
	before, after, _ := strings.Cut(text, "|")
	p := &page{e: e, uri: uriOf(filepath.Join(e.folder, name)), cursor: place{
		Line: strings.Count(before, "\n"), Character: len(before) - strings.LastIndex(before, "\n") - 1,
	}}
	e.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": p.uri, "languageId": "yaml", "version": 1, "text": before + after}})
	return p
}

// problems waits for what the server finds in the file.
func (p *page) problems() []problem {
	p.e.t.Helper()
	select {
	case found := <-p.e.of(p.uri):
		return found
	case <-time.After(patience):
		p.e.t.Fatalf("no diagnostics of %s", p.uri)
		return nil
	}
}

// suggestion is one entry of the list that completion shows.
type suggestion struct {
	Label         string          `json:"label"`
	InsertText    string          `json:"insertText"`
	Documentation json.RawMessage `json:"documentation"`
}

func (p *page) at() map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": p.uri}, "position": p.cursor}
}

// complete gives what the server suggests at the cursor.
func (p *page) complete() map[string]suggestion {
	p.e.t.Helper()
	var list struct {
		Items []suggestion `json:"items"`
	}
	result := p.e.ask("textDocument/completion", p.at())
	if err := json.Unmarshal(result, &list); err != nil {
		p.e.t.Fatalf("%s: %v", result, err)
	}
	found := map[string]suggestion{}
	for _, item := range list.Items {
		found[item.Label] = item
	}
	return found
}

// hover gives what the server shows of what the cursor is on.
func (p *page) hover() string {
	p.e.t.Helper()
	var h struct {
		Contents struct {
			Value string `json:"value"`
		} `json:"contents"`
	}
	result := p.e.ask("textDocument/hover", p.at())
	if err := json.Unmarshal(result, &h); err != nil {
		p.e.t.Fatalf("%s: %v", result, err)
	}
	return h.Contents.Value
}
