package plugintest_test

import (
	"context"
	"testing"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/plugintest"
)

type greeting struct {
	Name string `json:"name" minLength:"1"`
}

func greeter() *plugins.Plugin {
	return plugins.New("greeter", "1.0.0", plugins.Activity("greet",
		func(ctx context.Context, call plugins.Call, in greeting) (string, error) {
			plugins.Heartbeat(ctx, call.Attempt)
			if in.Name == "Nobody" {
				return "", plugins.Reject("UNKNOWN", "there is no %s", in.Name)
			}
			return "Hello, " + in.Name + ", from " + call.Region, nil
		}, plugins.Errors("UNKNOWN")))
}

func TestHarness(t *testing.T) {
	h := plugintest.New(t, greeter())
	r := h.Invoke("greeter.greet", greeting{"Ada"}, func(c *plugins.Call) { c.Attempt = 2 })
	var got string
	if err := r.Decode(&got); err != nil || got != "Hello, Ada, from test" {
		t.Errorf("got %q, %v", got, err)
	}
	if len(r.Heartbeats) != 1 || string(r.Heartbeats[0]) != "2" {
		t.Errorf("heartbeats %s", r.Heartbeats)
	}
	for name, code := range map[string]string{"Nobody": "UNKNOWN", "": plugins.CodeInvalidInput} {
		r := h.Invoke("greeter.greet", greeting{name})
		if r.Err == nil || r.Err.Kind != plugins.KindReject || r.Err.Code != code {
			t.Errorf("%q: %v, want %s", name, r.Err, code)
		}
		if r.Decode(&got) == nil {
			t.Errorf("%q: a failure was decoded", name)
		}
	}
	if h.Manifest().Activities[0].Name != "greeter.greet" {
		t.Errorf("manifest %+v", h.Manifest())
	}
}
