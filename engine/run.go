package engine

// Runtime carries out the commands of one machine and turns what happens into
// events. A Runtime serves one saga and one goroutine.
type Runtime interface {
	// Do carries out a command. It does not wait for its effect.
	Do(Command)
	// Next waits for the next event. The first one is EventStarted. An error
	// means that the saga cannot go on here; its state is what the events so
	// far have made it.
	Next() (Event, error)
}

// Run takes a saga to its end and gives its result. An error is the Runtime's.
func Run(rt Runtime, m *Machine) (Result, error) {
	for !m.Closed() {
		ev, err := rt.Next()
		if err != nil {
			return m.Result(), err
		}
		for _, c := range m.Step(ev) {
			rt.Do(c)
		}
	}
	return m.Result(), nil
}
