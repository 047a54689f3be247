//go:build unix && !linux

package host

import (
	"os/exec"
	"syscall"
)

// A spawner starts processes. Systems other than Linux have no parent-death
// signal; there the end of standard input tells a plugin that its host is gone.
type spawner struct{}

func newSpawner() *spawner { return &spawner{} }

// start starts cmd as the leader of a process group.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

func (s *spawner) close() {}

// awaitExit cannot wait here without reaping.
func awaitExit(int) bool { return false }
