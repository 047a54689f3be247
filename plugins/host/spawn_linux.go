package host

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A spawner starts processes from one thread that it keeps. The kernel sends a
// child its parent-death signal when the thread that started it ends, and Go
// ends threads at will, so the signal would otherwise kill plugins of a living
// host.
type spawner struct {
	requests chan func()
	closed   sync.Once
	done     chan struct{}
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread()
		// Unlocked at the end, or the thread would be destroyed.
		defer runtime.UnlockOSThread()
		for start := range s.requests {
			start()
		}
	}()
	return s
}

// start starts cmd as the leader of a process group that dies with this
// process.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	s.requests <- func() { started <- cmd.Start() }
	return <-started
}

// close ends the spawner's goroutine. Nothing it started may run any more.
func (s *spawner) close() {
	s.closed.Do(func() { close(s.requests) })
	<-s.done
}

// awaitExit returns when the process has ended, and reports whether it is still
// there to be reaped, so that its number cannot be another's yet.
func awaitExit(pid int) bool {
	for {
		switch err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err {
		case nil:
			return true
		case unix.EINTR:
		default:
			return false
		}
	}
}
