package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// every is how often the live line is written: as often as an eye follows.
const every = 100 * time.Millisecond

// ticker calls a function until it is stopped.
type ticker struct {
	done chan struct{}
	over chan struct{}
}

func startTicker(f func()) *ticker {
	t := &ticker{done: make(chan struct{}), over: make(chan struct{})}
	go func() {
		defer close(t.over)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-t.done:
				return
			}
		}
	}()
	return t
}

// stop ends the ticker; nil is one that has not started.
func (t *ticker) stop() {
	if t != nil {
		close(t.done)
		<-t.over
	}
}

func (p *Printer) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frame++
	p.paint()
}

// clear takes the live line off the screen.
func (p *Printer) clear() {
	if p.shown {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// paint writes the live line, if there is something to say.
func (p *Printer) paint() {
	if !p.options.Live || p.held || len(p.running) == 0 {
		p.clear()
		return
	}
	now := time.Now()
	var parts []string
	for _, it := range p.running {
		parts = append(parts, it.status(now))
	}
	text := cut(strings.Join(parts, " · "), p.options.Width()-4)
	frame := string(spinner[p.frame%len(spinner)])
	_, _ = fmt.Fprint(p.w, "\r\x1b[K"+p.style.Blue(frame)+" "+p.style.Dim(text))
	p.shown = true
}

// status says in a few words what it is about.
func (it *item) status(now time.Time) string {
	text := it.path
	if it.what != "" {
		text += " " + it.what
	}
	switch {
	case !it.until.IsZero():
		return text + ", " + short(max(it.until.Sub(now), 0)) + " left"
	case it.since.IsZero():
		return text
	}
	return text + " " + short(max(now.Sub(it.since), 0))
}

// cut shortens a text to the given number of characters.
func cut(s string, columns int) string {
	if columns < 1 || utf8.RuneCountInString(s) <= columns {
		return s
	}
	return string([]rune(s)[:columns-1]) + "…"
}

// short writes a duration as people say it: 12ms, 1.3s, 4m05s.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
