package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/pluginpb"
)

// Pauses between restarts of a plugin that keeps dying.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 30 * time.Second
	// stableAfter is how long a process must live to have left the loop. One
	// that has answered a call has left it too.
	stableAfter = 30 * time.Second
)

// pauseAfter is how long to wait before the process after the n-th failure in a
// row: not at all after the first, then from firstPause doubling to maxPause.
func pauseAfter(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	pause := firstPause
	for ; n > 2 && pause < maxPause; n-- {
		pause *= 2
	}
	return min(pause, maxPause)
}

// slot keeps a process of one plugin running.
type slot struct {
	host    *Host
	binary  Binary
	logger  *slog.Logger
	out     *forwarder
	breaker *gobreaker.TwoStepCircuitBreaker[Outcome]
	pause   func(failures int) time.Duration

	mu       sync.Mutex
	manifest *plugins.Manifest // of the first process
	index    map[string]plugins.ActivityManifest
	current  *process
	starting *launching // at a new process, or nil
	failures int        // in a row
	notUntil time.Time
	lastErr  error
	launches int
	stopped  bool // also before the host is started
	watchers sync.WaitGroup
}

// launching is one try at starting a process, awaited by any number of calls.
type launching struct {
	done chan struct{}
	err  error
}

func newSlot(h *Host, b Binary) *slot {
	s := &slot{host: h, binary: b, logger: h.logger(b.Name), pause: pauseAfter, stopped: true}
	s.out = newForwarder(s.logger, h.redact)
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[Outcome](breakerSettings(b.Name, s.changed))
	return s
}

// changed is told of the breaker, which holds its lock.
func (s *slot) changed(_ string, from, to gobreaker.State) {
	s.logger.Warn("plugin's circuit breaker changed", "from", from.String(), "to", to.String())
	if to == gobreaker.StateOpen {
		go s.examine()
	}
}

// errStopped: the host has been stopped or was not started.
var errStopped = errors.New("the host is not running")

// open lets processes be started. The host has made what they need.
func (s *slot) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = false
}

// start starts the first process.
func (s *slot) start(ctx context.Context) error {
	p, err := s.acquire(ctx)
	if err == nil {
		p.calls.Done()
	}
	return err
}

// acquire returns the process, starting one if none runs, and counts a call to
// it, which the caller ends with p.calls.Done. While a plugin is in a pause
// after dying repeatedly it returns an error at once.
func (s *slot) acquire(ctx context.Context) (*process, error) {
	s.mu.Lock()
	switch {
	case s.stopped:
		s.mu.Unlock()
		return nil, errStopped
	case s.current != nil:
		defer s.mu.Unlock()
		s.current.calls.Add(1)
		return s.current, nil
	case s.starting == nil && time.Now().Before(s.notUntil):
		defer s.mu.Unlock()
		return nil, fmt.Errorf("it failed %d times in a row and starts again in %s; the last failure: %w",
			s.failures, time.Until(s.notUntil).Round(10*time.Millisecond), s.lastErr)
	}
	a := s.starting
	if a == nil {
		a = &launching{done: make(chan struct{})}
		s.starting = a
		s.watchers.Add(1)
		go s.relaunch(a)
	}
	s.mu.Unlock()
	select {
	case <-a.done:
		if a.err != nil {
			return nil, a.err
		}
		return s.acquire(ctx) // it may have died since
	case <-ctx.Done():
		return nil, fmt.Errorf("it was still starting: %w", ctx.Err())
	}
}

// relaunch starts a process for all who wait, so it ends with the host, not with
// the call that asked for it.
func (s *slot) relaunch(a *launching) {
	defer s.watchers.Done()
	p, err := s.launch(s.host.life)
	s.mu.Lock()
	if err == nil && s.manifest != nil && !reflect.DeepEqual(*s.manifest, p.manifest) {
		err = errors.New("the file offers other activities than when the host started: restart the host to take it in, or restore the file")
	}
	if err == nil && s.stopped {
		err = errStopped
	}
	if err == nil {
		s.take(p)
	} else {
		a.err = err
		s.failed(err)
		s.logger.Error("plugin does not start", "error", err.Error(), "failures", s.failures)
	}
	s.starting = nil
	s.mu.Unlock()
	if err != nil && p != nil {
		p.kill()
	}
	close(a.done)
}

// take makes p the current process. s.mu is held.
func (s *slot) take(p *process) {
	s.current = p
	s.launches++
	if s.manifest == nil {
		s.manifest = &p.manifest
		s.index = make(map[string]plugins.ActivityManifest, len(p.manifest.Activities))
		for _, activity := range p.manifest.Activities {
			s.index[activity.Name] = activity
		}
	}
	s.logger.Info("plugin is ready", "version", p.manifest.Version, "pid", p.child.pid, "startup", p.startup)
	s.watchers.Add(1)
	go s.watch(p)
}

// failed counts a failure and sets when the next process may start. s.mu is
// held.
func (s *slot) failed(err error) {
	s.failures++
	s.lastErr = err
	s.notUntil = time.Now().Add(s.pause(s.failures))
}

// watch clears the slot when its process ends.
func (s *slot) watch(p *process) {
	defer s.watchers.Done()
	<-p.child.exited
	s.mu.Lock()
	stopped := s.stopped
	s.clear(p, fmt.Errorf("the process ended (%w)", p.child.err))
	s.mu.Unlock()
	if !stopped {
		s.logger.Error("plugin process ended", "error", p.child.err.Error(), "pid", p.child.pid)
		p.client.Kill() // closes the connection and cleans up
	}
}

// clear makes room for the next process, once for each. s.mu is held.
func (s *slot) clear(p *process, why error) {
	if s.current != p {
		return
	}
	s.current = nil
	if time.Since(p.since) > stableAfter {
		s.failures = 0
	}
	s.failed(why)
}

// discard ends a process that is of no use any more.
func (s *slot) discard(p *process, why error) {
	s.mu.Lock()
	s.clear(p, why)
	s.mu.Unlock()
	p.child.kill()
}

// examineTime is how long a process whose breaker has opened has to answer.
const examineTime = 2 * time.Second

// examine ends a process that does not answer at all, so that the next call the
// breaker lets through finds a new one.
func (s *slot) examine() {
	s.mu.Lock()
	p := s.current
	if p == nil || s.stopped {
		s.mu.Unlock()
		return
	}
	s.watchers.Add(1)
	s.mu.Unlock()
	defer s.watchers.Done()
	ctx, cancel := context.WithTimeout(s.host.life, examineTime)
	defer cancel()
	if _, err := p.rpc.Describe(ctx, &pluginpb.DescribeRequest{}); err != nil && s.host.life.Err() == nil {
		s.logger.Error("plugin does not answer: killing it", "pid", p.child.pid)
		s.discard(p, errors.New("the process did not answer"))
	}
}

// answered notes that p has answered a call: it is not in a crash loop.
func (s *slot) answered(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == p {
		s.failures = 0
	}
}

// stop drains and ends the process and waits until nothing of it is left.
func (s *slot) stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	starting := s.starting
	s.mu.Unlock()
	if starting != nil {
		<-starting.done
	}
	s.mu.Lock()
	p := s.current
	s.current = nil
	s.mu.Unlock()
	var err error
	if p != nil {
		err = p.stop(ctx)
	}
	s.watchers.Wait()
	s.out.flush()
	return err
}

func (s *slot) described() (plugins.Manifest, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manifest == nil {
		return plugins.Manifest{}, false
	}
	return *s.manifest, true
}

// activity returns what the plugin says of an activity, and whether it has said
// anything yet.
func (s *slot) activity(name string) (a plugins.ActivityManifest, known, described bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known = s.index[name]
	return a, known, s.manifest != nil
}

func (s *slot) state() Process {
	breaker := s.breaker.State() // which has a lock of its own, taken before ours
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Process{Plugin: s.binary.Name, Restarts: max(s.launches-1, 0), Breaker: breaker.String()}
	if s.manifest != nil {
		p.Version = s.manifest.Version
	}
	if s.current != nil {
		p.PID, p.Since, p.Startup = s.current.child.pid, s.current.since, s.current.startup
	}
	return p
}
