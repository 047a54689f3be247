package temporal

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// A history is the same in every form it is exported in.
func TestReadHistory(t *testing.T) {
	want := frozen(t, "sequence-completed").History
	forms := map[string][]byte{}
	for name, zip := range map[string]bool{"plain": false, "zipped": true} {
		var out bytes.Buffer
		if err := WriteHistory(&out, want, zip); err != nil {
			t.Fatal(err)
		}
		forms[name] = out.Bytes()
	}
	plain := forms["plain"]
	forms["indented"] = []byte("\ufeff\n" + string(plain) + "\n")
	forms["events alone"] = bytes.TrimSuffix(bytes.TrimPrefix(plain, []byte(`{"events":`)), []byte("}"))
	forms["older names"] = bytes.ReplaceAll(plain, []byte("EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"), []byte("ActivityTaskScheduled"))
	forms["with what is not known"] = bytes.Replace(plain, []byte(`"eventId"`), []byte(`"novelty":{"a":[1]},"eventId"`), 1)
	for name, data := range forms {
		got, err := ReadHistory(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !proto.Equal(got, want) {
			t.Errorf("%s: another history", name)
		}
	}
}

// What is no history is refused in a sentence.
func TestReadHistoryRefuses(t *testing.T) {
	var cut bytes.Buffer
	if err := WriteHistory(&cut, frozen(t, "sequence-completed").History, true); err != nil {
		t.Fatal(err)
	}
	cut.Truncate(cut.Len() / 2)
	for name, c := range map[string]struct {
		in   io.Reader
		want string
	}{
		"nothing":    {strings.NewReader(""), "it is empty"},
		"blanks":     {strings.NewReader(" \n"), "it is empty"},
		"text":       {strings.NewReader("saga: x"), "it is not JSON"},
		"long text":  {io.LimitReader(zeros{}, 100<<20), "it is not JSON"},
		"a bomb":     {bomb(t), "it has more than 256 MB"},
		"broken":     {strings.NewReader(`{"events": [`), "it is JSON of something else, or damaged: "},
		"other JSON": {strings.NewReader(`{"saga": "t", "outcome": "completed"}`), "it is JSON without the events of a workflow"},
		"numbers":    {strings.NewReader(`[1, 2]`), "it is JSON of something else"},
		"a cut zip":  {&cut, "it cannot be read: unexpected EOF"},
		"a fake zip": {strings.NewReader("\x1f\x8bnot"), "it begins like gzip and is not"},
	} {
		_, err := ReadHistory(c.in)
		if !errors.Is(err, ErrNoHistory) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "export one with") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// zeros is an endless file without content.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// bomb is a small file that unpacks to more than any history has.
func bomb(t *testing.T) io.Reader {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	_, err := fmt.Fprint(zipped, "[")
	_, err2 := io.Copy(zipped, io.LimitReader(zeros{}, MaxHistory))
	if err := errors.Join(err, err2, zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return &out
}
