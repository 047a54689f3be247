package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sagad/sagad/dsl"
	"github.com/sagad/sagad/engine"
)

// A script as text is a list of lines such as
//
//	input {"id":"k"}
//	answer s1 20ms applied {"n":1}
//	answer s1 0s rejected NO
//	answer ~s1 1m0s lost
//	at 150ms signal go m1 {"n":1}
//	at 300ms cancel
//	at 400ms operator {"id":"1","command":"retry","path":"s1","actor":"ops"}

// text writes a script.
func (sc *Script) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "input %s\n", canonical(sc.Input))
	for _, name := range slices.Sorted(maps.Keys(sc.Answers)) {
		for _, a := range sc.Answers[name] {
			fmt.Fprintf(&b, "answer %s %s %s\n", name, a.Took, a.text())
		}
	}
	for _, h := range sc.Outside {
		fmt.Fprintf(&b, "at %s %s\n", h.After, h.text())
	}
	return b.String()
}

func (a Answer) text() string {
	out := a.Outcome
	switch {
	case out.Class == engine.Applied && out.Code == "":
		return "applied " + canonical(out.Output)
	case out.Probed:
		return out.Class.String() + " " + out.Code + " probed"
	case out.Final:
		return out.Class.String() + " " + out.Code + " final"
	default:
		return out.Class.String() + " " + out.Code
	}
}

func (h Happening) text() string {
	switch {
	case h.Cancel:
		return "cancel"
	case h.Signal != nil:
		return fmt.Sprintf("signal %s %q %s", h.Signal.Name, h.Signal.ID, canonical(h.Signal.Data))
	default:
		data, err := json.Marshal(h.Operator)
		if err != nil {
			panic(err)
		}
		return "operator " + string(data)
	}
}

// parseScript reads what text writes.
func parseScript(text string) (*Script, error) {
	sc := &Script{Answers: map[string][]Answer{}}
	for i, l := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		var err error
		switch {
		case word == "" || word[0] == '#':
		case word == "input":
			sc.Input, err = dsl.ParseJSON([]byte(rest))
		case word == "answer":
			err = sc.parseAnswer(rest)
		case word == "at":
			err = sc.parseHappening(rest)
		default:
			err = fmt.Errorf("%q is none of input, answer and at", word)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return sc, nil
}

func (sc *Script) parseAnswer(text string) error {
	name, text, _ := strings.Cut(text, " ")
	took, text, _ := strings.Cut(text, " ")
	class, text, _ := strings.Cut(text, " ")
	a := Answer{}
	var err error
	if a.Took, err = time.ParseDuration(took); err != nil {
		return err
	}
	for c := engine.Applied; c <= engine.Ambiguous; c++ {
		if c.String() == class {
			a.Outcome.Class = c
		}
	}
	if a.Outcome.Class == engine.Applied && strings.ContainsAny(text[:1], `{["0123456789tfn`) {
		a.Outcome.Output, err = dsl.ParseJSON([]byte(text))
	} else {
		a.Outcome.Code, text, _ = strings.Cut(text, " ")
		a.Outcome.Final, a.Outcome.Probed = text == "final", text == "probed"
	}
	sc.Answers[name] = append(sc.Answers[name], a)
	return err
}

func (sc *Script) parseHappening(text string) error {
	after, text, _ := strings.Cut(text, " ")
	what, text, _ := strings.Cut(text, " ")
	var h Happening
	var err error
	if h.After, err = time.ParseDuration(after); err != nil {
		return err
	}
	switch what {
	case "cancel":
		h.Cancel = true
	case "signal":
		name, rest, _ := strings.Cut(text, " ")
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return err
		}
		id, _ := strconv.Unquote(quoted)
		data, err := dsl.ParseJSON([]byte(rest[len(quoted):]))
		if err != nil {
			return err
		}
		h.Signal = &engine.Signal{ID: id, Name: name, Data: data}
	case "operator":
		h.Operator = &engine.Operator{}
		if err := json.Unmarshal([]byte(text), h.Operator); err != nil {
			return err
		}
		h.Operator.Input, h.Operator.Output = normal(h.Operator.Input), normal(h.Operator.Output)
	default:
		return fmt.Errorf("%q is none of cancel, signal and operator", what)
	}
	sc.Outside = append(sc.Outside, h)
	return nil
}

// normal gives data that encoding/json has read the types that the engine uses.
func normal(v any) any {
	v, err := dsl.ParseJSON([]byte(canonical(v)))
	if err != nil {
		panic(err)
	}
	return v
}

func canonical(v any) string {
	data, err := dsl.MarshalCanonical(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}
