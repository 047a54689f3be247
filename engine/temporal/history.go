package temporal

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
)

// MaxHistory is the largest history that ReadHistory takes, in bytes of JSON.
// Temporal ends a workflow at 50 MB or 51,200 events, which is less than half of
// it however the JSON is indented.
const MaxHistory = 256 << 20

// ErrNoHistory says that what was read is no history of a workflow.
var ErrNoHistory = errors.New("no history")

// howToExport ends the messages about what is no history.
const howToExport = "export one with `sagad replay --export DIR ID` or `temporal workflow show --workflow-id ID --output json`"

// ReadHistory reads one run of a workflow as `temporal workflow show --output
// json`, Temporal's web UI, the SDKs and WriteHistory export it: JSON, plain or
// compressed with gzip. What is anything else is ErrNoHistory.
func ReadHistory(r io.Reader) (*historypb.History, error) {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, noHistory("it begins like gzip and is not")
		}
		in = bufio.NewReader(unzipped)
	}
	begin, _ := in.Peek(64) // what is shorter is read below
	if begin = bytes.TrimLeft(begin, " \t\r\n\ufeff"); len(begin) > 0 && begin[0] != '{' && begin[0] != '[' {
		return nil, noHistory("it is not JSON")
	}
	data, err := io.ReadAll(io.LimitReader(in, MaxHistory+1))
	if err != nil {
		return nil, noHistory("it cannot be read: " + err.Error())
	}
	return parseHistory(data)
}

func parseHistory(data []byte) (*historypb.History, error) {
	data = bytes.Trim(data, " \t\r\n\ufeff")
	switch {
	case len(data) > MaxHistory:
		return nil, noHistory(fmt.Sprintf("it has more than %d MB, and Temporal ends a workflow long before", MaxHistory>>20))
	case len(data) == 0:
		return nil, noHistory("it is empty")
	case data[0] == '[': // the events alone, as older tools write them
		data = slices.Concat([]byte(`{"events":`), data, []byte(`}`))
	}
	history, err := client.HistoryFromJSON(bytes.NewReader(data), client.HistoryJSONOptions{})
	if err != nil {
		_, why, _ := strings.Cut(err.Error(), "proto:")
		return nil, noHistory("it is JSON of something else, or damaged:" + strings.ReplaceAll(why, "\u00a0", " "))
	}
	if len(history.GetEvents()) == 0 {
		return nil, noHistory("it is JSON without the events of a workflow")
	}
	return history, nil
}

// noHistory says why something is no history, and how to get one.
func noHistory(why string) error { return fmt.Errorf("%w: %s; %s", ErrNoHistory, why, howToExport) }

// WriteHistory writes a history as ReadHistory, and every other tool of
// Temporal's, reads it: as JSON, compressed if zip is set.
func WriteHistory(w io.Writer, history *historypb.History, zip bool) error {
	data, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(history)
	if err != nil {
		return fmt.Errorf("encode history: %w", err)
	}
	if !zip {
		_, err := w.Write(data)
		return err
	}
	zipped, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = zipped.Write(data)
	return errors.Join(err, zipped.Close())
}

// Histories gives what Temporal keeps of a saga: the histories of its runs, the
// first run first. Runs before the first that Temporal still has are missing.
func (c *Client) Histories(ctx context.Context, id string) ([]*historypb.History, error) {
	var runs []*historypb.History
	for run := ""; ; {
		history, err := c.history(ctx, id, run)
		var missing *serviceerror.NotFound
		switch {
		case errors.As(err, &missing) && len(runs) == 0:
			return nil, fmt.Errorf("%s: %w", id, ErrNotFound)
		case errors.As(err, &missing):
			return runs, nil
		case err != nil:
			return nil, fmt.Errorf("history of %s: %w", id, err)
		}
		runs = slices.Insert(runs, 0, history)
		if run = history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId(); run == "" {
			return runs, nil
		}
	}
}

// history gives one run of a workflow; an empty run is the last one.
func (c *Client) history(ctx context.Context, id, run string) (*historypb.History, error) {
	history := &historypb.History{}
	for events := c.sdk.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		if err != nil {
			return nil, err
		}
		history.Events = append(history.Events, event)
	}
	if len(history.Events) == 0 {
		return nil, serviceerror.NewNotFound("no events")
	}
	return history, nil
}
