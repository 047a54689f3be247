package dsl

// The codes of diagnostics. They are stable: tools may filter by them.
const (
	// Reading.

	CodeSyntax       = "SYNTAX"        // not YAML
	CodeYAML         = "YAML"          // YAML that definitions do not use: anchors, tags, a second document
	CodeDuplicateKey = "DUPLICATE_KEY" // a key stands twice in one map
	CodeNumber       = "NUMBER"        // a number in a form that JSON does not have, or out of range
	CodeTooLarge     = "TOO_LARGE"     // over a limit of the language
	CodeYAMLBool     = "YAML_BOOL"     // yes, no, on, off: text here, a boolean elsewhere

	CodeFile = "FILE" // a file that cannot be read

	// Structure.

	CodeUnknownKey  = "UNKNOWN_KEY"  // a key the language does not have
	CodeMissingKey  = "MISSING_KEY"  // a key that must be there
	CodeWrongType   = "WRONG_TYPE"   // a value of another kind than the key takes
	CodeValue       = "VALUE"        // a value out of its range or form
	CodeVersion     = "VERSION"      // a version that is not text
	CodeDuration    = "DURATION"     // not a duration
	CodeBackoff     = "BACKOFF"      // not a back-off
	CodeInvalidID   = "INVALID_ID"   // a name in a wrong form
	CodeDuplicateID = "DUPLICATE_ID" // an id that two steps have
	CodeStepKind    = "STEP_KIND"    // a step that does nothing, or two things
	CodeEmpty       = "EMPTY"        // a list of steps, branches or cases without any
	CodeSchema      = "SCHEMA"       // a JSON Schema that does not compile
	CodeSearch      = "SEARCH"       // a search attribute that is not declared, or of the wrong type
	CodeSensitive   = "SENSITIVE"    // a sensitive path that does not exist, or a sensitive value where all can read it
	CodeSecret      = "SECRET"       // a malformed reference to a secret

	// Effects and recovery.

	CodeEffect         = "EFFECT"           // effect and compensate do not fit
	CodeProbe          = "PROBE"            // a probe where it can have no use
	CodeRetry          = "RETRY"            // a retry policy that does not fit its operation
	CodePivotOrder     = "PIVOT_ORDER"      // S11: the order around the point of no return
	CodePivotInBlock   = "PIVOT_IN_BLOCK"   // S11: a pivot or retriable step inside parallel or foreach
	CodeFailAfterPivot = "FAIL_AFTER_PIVOT" // S11: fail after the point of no return
	CodePivotInDoubt   = "PIVOT_IN_DOUBT"   // a pivot that parks at its first doubt (S3)
	CodeCompleteInside = "COMPLETE_INSIDE"  // complete inside parallel or foreach
	CodeUnboundedWait  = "UNBOUNDED_WAIT"   // an await without an end
	CodeUnreachable    = "UNREACHABLE"      // a step or clause that never runs
	CodeCatch          = "CATCH"            // a catch that can never fire

	// Expressions.

	CodeExpression     = "EXPRESSION"      // an expression that does not parse, or uses what is not allowed
	CodeExprForm       = "EXPR_FORM"       // ${{ }} where the expression is bare, or the other way round
	CodeUnknownName    = "UNKNOWN_NAME"    // a name that does not exist here
	CodeUnknownStep    = "UNKNOWN_STEP"    // a step that does not exist
	CodeStepOrder      = "STEP_ORDER"      // a step that never runs before this one
	CodeMaybeAbsent    = "MAYBE_ABSENT"    // a value that may not be there, read without ?. and ??
	CodeVariable       = "VARIABLE"        // a variable that is not set, or shared by branches
	CodeUnknownField   = "UNKNOWN_FIELD"   // a field the schema does not have
	CodeType           = "TYPE"            // a value of the wrong type
	CodeIntDivision    = "INT_DIVISION"    // integers divided by /
	CodeFloatMoney     = "FLOAT_MONEY"     // arithmetic on numbers that are not integers
	CodeConstantKey    = "CONSTANT_KEY"    // a business key that is the same for every saga
	CodeUnusedVariable = "UNUSED_VARIABLE" // a variable that is set and never read
	CodeUnusedStep     = "UNUSED_STEP"     // a step without effect whose output nobody reads
	CodeUnusedSetting  = "UNUSED_SETTING"  // a setting without effect

	// Child sagas.

	CodeUnknownSaga = "UNKNOWN_SAGA" // a saga that has no definition
	CodeChildSaga   = "CHILD_SAGA"   // a saga whose definition cannot be used
	CodeRecursion   = "RECURSION"    // S9: a saga that would run itself

	// Activities.

	CodeUnknownActivity = "UNKNOWN_ACTIVITY" // an activity that no manifest names
	CodeManifest        = "MANIFEST"         // a manifest that cannot be used
	CodeResidency       = "RESIDENCY"        // sensitive data leaves the regions of a tenant
	CodeMissingInput    = "MISSING_INPUT"    // an input that the activity requires
)
