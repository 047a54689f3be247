package dsl

// Evaluation is one evaluation of an expression.
type Evaluation struct {
	Expr  *Expr
	Value any   // nil if Err is not
	Err   error // an *EvalError, or nil
}

// observerName is the name under which an environment carries its observer. No
// expression can spell it.
const observerName = "\x00observer"

// Observe makes every evaluation with env, and with environments that are made
// from it, tell of itself. tell runs before Eval returns and is not to keep or
// change the value's parts.
func (env Env) Observe(tell func(Evaluation)) { env[observerName] = tell }

// observer gives whoever is told of evaluations with env, or nil.
func (env Env) observer() func(Evaluation) {
	tell, _ := env[observerName].(func(Evaluation))
	return tell
}
