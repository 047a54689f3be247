package graph

import "github.com/sagad/sagad/dsl"

// color is how a state looks in Mermaid and DOT.
type color struct{ fill, stroke, text string }

var colors = map[State]color{
	StatePending:      {"#ffffff", "#8c959f", "#57606a"},
	StateUnreached:    {"#f6f8fa", "#d0d7de", "#8c959f"},
	StateRunning:      {"#ddf4ff", "#0969da", "#0a3069"},
	StateSucceeded:    {"#dafbe1", "#1a7f37", "#0f4a21"},
	StateFailed:       {"#ffebe9", "#cf222e", "#82071e"},
	StateRejected:     {"#ffebe9", "#cf222e", "#82071e"},
	StateUnknown:      {"#fff8c5", "#9a6700", "#633c01"},
	StateParked:       {"#fbefff", "#bf3989", "#772057"},
	StateSkipped:      {"#f6f8fa", "#8c959f", "#57606a"},
	StateArmed:        {"#ffffff", "#bc4c00", "#762c00"},
	StateCompensating: {"#ddf4ff", "#bc4c00", "#762c00"},
	StateCompensated:  {"#fff1e5", "#bc4c00", "#762c00"},
}

// css is the style of an SVG. It names colours where they are used, not as
// variables, which some programs that show SVGs do not know.
const css = `
.sagad{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.sagad text{fill:#1f2328;white-space:pre}
.b11,.b12,.b13,.b20{font-weight:600}.t10{font-size:10px}.t11,.b11,.m11{font-size:11px}.t12,.b12,.m12{font-size:12px}.t13,.b13{font-size:13px}.b20{font-size:20px}
.m11,.m12{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.page{fill:#fff}.lane{fill:#f3f5f8}.frame{fill:#fff;stroke:#d1d9e0}
.sagad .dim,.sagad .what,.sagad .note,.sagad .when{fill:#59636e}.sagad .on,.sagad .pivot text{fill:#fff}
.box{fill:#fff;stroke:#c4ccd5;stroke-width:1.3}.inner{fill:none;stroke:#c4ccd5}
.head .box{fill:#f6f8fa}.gate .box{fill:#f6f8fa}
.icon{fill:none;stroke:#818b98;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}
.way{fill:none;stroke-width:1.6}.go{stroke:#818b98}.tip.go{fill:#818b98;stroke:none}
.err{stroke:#d1444f}.tip.err{fill:#d1444f;stroke:none}.sagad .error{fill:#cf222e}
.back{stroke:#d4742c;stroke-dasharray:6 4}.tip.back{fill:#d4742c;stroke:none}.sagad text.back{fill:#bc4c00;stroke:none}
.tie{stroke:#d4742c;stroke-dasharray:.1 4.5;stroke-linecap:round}
.undo .box{fill:#fff8f2;stroke:#d4742c;stroke-dasharray:5 3.5}.undo .icon{stroke:#d4742c}.sagad .undo .title{fill:#953d00}
.pivot .box{fill:#8250df;stroke:#8250df}.pivot .inner{stroke:#c9adf7}.pivot .icon{stroke:#fff}
.turn{stroke:#8250df;stroke-width:2;stroke-dasharray:.1 6;stroke-linecap:round;fill:none}.turned{fill:#8250df}.sagad .turning{fill:#8250df}
.stop .box{fill:#fff5f5;stroke:#d1444f}.stop .icon{stroke:#d1444f}
.end .box{fill:#e6f7ea;stroke:#2da44e}.end .icon{stroke:#2da44e}.sagad .end .title{fill:#116329}
.backend .box{fill:#fff1e5;stroke:#d4742c}.sagad .backend .title{fill:#953d00}
.start .box{fill:#1f2328;stroke:#1f2328}.sagad .start .title{fill:#fff}
.faint{opacity:.35}.dot{stroke:#fff;stroke-width:1.5}.mark{fill:none;stroke:#fff;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.card[class*="is-"] .box{stroke-width:1.8}
.is-succeeded .box{fill:#eefbf1;stroke:#2da44e}.is-succeeded .dot{fill:#1f883d}.sagad .is-succeeded .state{fill:#116329}
.is-running .box{fill:#eef8ff;stroke:#0969da}.is-running .dot{fill:#0969da}.sagad .is-running .state{fill:#0550ae}
.is-failed .box{fill:#fff2f0;stroke:#cf222e}.is-failed .dot{fill:#cf222e}.sagad .is-failed .state{fill:#a40e26}
.is-unknown .box{fill:#fffbe0;stroke:#bf8700}.is-unknown .dot{fill:#9a6700}.sagad .is-unknown .state{fill:#7d4e00}
.is-parked .box{fill:#fff0f7;stroke:#bf3989;stroke-width:2.4}.is-parked .dot{fill:#bf3989}.sagad .is-parked .state{fill:#99286e}
.is-compensated .box{fill:#fff1e5;stroke:#d4742c}.is-compensated .dot{fill:#bc4c00}.sagad .is-compensated .state{fill:#953d00}
.is-compensating .box{fill:#fff8f2;stroke:#d4742c}.is-compensating .dot{fill:#d4742c}.sagad .is-compensating .state{fill:#953d00}
.is-armed .dot{fill:#818b98}.is-skipped .dot,.is-pending .dot{fill:#818b98}
.pivot.is-succeeded .box{fill:#8250df;stroke:#2da44e;stroke-width:2.4}.pivot.is-failed .box,.pivot.is-unknown .box,.pivot.is-parked .box,.pivot.is-running .box{fill:#8250df;stroke-width:2.6}.sagad .pivot .state{fill:#fff}
.is-unreached{opacity:.42}.is-pending,.is-skipped{opacity:.72}.is-pending .box,.is-skipped .box{stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){
.sagad text{fill:#f0f6fc}.page{fill:#0d1117}.lane{fill:#151b23}.frame{fill:#0d1117;stroke:#3d444d}
.sagad .dim,.sagad .what,.sagad .note,.sagad .when{fill:#9198a1}
.box{fill:#1a2029;stroke:#485059}.inner{stroke:#485059}.head .box,.gate .box{fill:#161b22}.icon{stroke:#8b949e}
.go{stroke:#7d8590}.tip.go{fill:#7d8590}.err{stroke:#f4716a}.tip.err{fill:#f4716a}.sagad .error{fill:#ff8a80}
.back,.tie{stroke:#e8894a}.tip.back{fill:#e8894a}.sagad text.back{fill:#f0a06a}
.undo .box{fill:#241a12;stroke:#e8894a}.undo .icon{stroke:#e8894a}.sagad .undo .title,.sagad .backend .title{fill:#ffb27d}.backend .box{fill:#3a2313;stroke:#e8894a}
.pivot .box,.turned{fill:#8957e5;stroke:#8957e5}.turned{stroke:none}.turn{stroke:#a986f0}.sagad .turning{fill:#b99cf5}.sagad .on,.sagad .pivot text{fill:#fff}
.stop .box{fill:#2b1517;stroke:#f4716a}.stop .icon{stroke:#f4716a}.end .box{fill:#11281a;stroke:#3fb950}.sagad .end .title{fill:#7ee2a0}.end .icon{stroke:#3fb950}
.start .box{fill:#f0f6fc;stroke:#f0f6fc}.sagad .start .title{fill:#1f2328}.dot{stroke:#0d1117}
.is-succeeded .box{fill:#11281a;stroke:#3fb950}.sagad .is-succeeded .state{fill:#7ee2a0}.is-running .box{fill:#0f2238;stroke:#4493f8}.sagad .is-running .state{fill:#79b8ff}
.is-failed .box{fill:#2b1517;stroke:#f4716a}.sagad .is-failed .state{fill:#ff9a92}.is-unknown .box{fill:#2a2210;stroke:#d29922}.sagad .is-unknown .state{fill:#e3b341}
.is-parked .box{fill:#2d1626;stroke:#db61a2}.sagad .is-parked .state{fill:#f49fcb}.is-compensated .box,.is-compensating .box{fill:#2c1b10;stroke:#e8894a}.sagad .is-compensated .state,.sagad .is-compensating .state{fill:#ffb27d}
.pivot.is-succeeded .box,.pivot.is-failed .box,.pivot.is-unknown .box,.pivot.is-parked .box,.pivot.is-running .box{fill:#8957e5}.sagad .pivot .state{fill:#fff}
}
`

// marks are the signs of states, around the middle of a circle, so that states
// can be told apart without colours.
var marks = map[State]string{
	StateSucceeded:    "M-4 0L-1 3.2L4.2-3",
	StateFailed:       "M-3-3L3 3M3-3L-3 3",
	StateRejected:     "M-3-3L3 3M3-3L-3 3",
	StateUnknown:      "M-2.4-1.8C-2.4-5.2 2.6-5 2.6-1.8C2.6 .2 0 0 0 1.6M0 4.4V4.5",
	StateParked:       "M-2.2-3.5V3.5M2.2-3.5V3.5",
	StateRunning:      "M0-4V0L3 2",
	StateCompensating: "M3.5 2.5C3.5-2.5-1.5-2.5-3.5-.5M-3.5-4V-.5H0",
	StateCompensated:  "M3.5 2.5C3.5-2.5-1.5-2.5-3.5-.5M-3.5-4V-.5H0",
	StateArmed:        "M-3 0H-3M0 0H0M3 0H3",
	StateSkipped:      "M-3.5 0H3.5",
	StatePending:      "M-3 0A3 3 0 1 1 3 0A3 3 0 1 1-3 0",
	StateUnreached:    "M-1 0H1",
}

// iconOf gives the sign of a card in a square of 16 pixels; empty: none.
func iconOf(c card) string {
	n := c.node
	switch {
	case n.Shape == ShapeGate || n.Shape == ShapeTerminal:
		return ""
	case n.Shape == ShapeBack:
		return "M13 12C13 6 8 5.500 3.500 8.500M3.500 4V8.500H8" // an arrow that turns back
	}
	switch n.Kind {
	case dsl.KindAwait: // a letter
		return "M2 4H14V12.500H2ZM2 4.500L8 9L14 4.500"
	case dsl.KindSleep: // a clock
		return "M2 8A6 6 0 1 1 14 8A6 6 0 1 1 2 8M8 4.500V8L10.500 9.500"
	case dsl.KindSet: // assigned
		return "M3.500 6H12.500M3.500 10H12.500"
	case dsl.KindFail:
		return "M4 4L12 12M12 4L4 12"
	case dsl.KindComplete:
		return "M3 8.500L6.500 12L13 4.500"
	case dsl.KindSaga: // a box in a box
		return "M2 3H14V13H2ZM5 6H11V10H5Z"
	case dsl.KindParallel: // ways that part
		return "M8 2V5M3 13V9C3 6.500 4 5 8 5C12 5 13 6.500 13 9V13M8 5V13"
	case dsl.KindForeach: // a pile
		return "M2 6L8 3L14 6L8 9ZM2 9L8 12L14 9M2 12L8 15L14 12"
	case dsl.KindSwitch: // a choice
		return "M8 2.500L13.500 8L8 13.500L2.500 8Z"
	case dsl.KindScope: // brackets
		return "M6 3H3V13H6M10 3H13V13H10"
	}
	switch n.Effect {
	case dsl.EffectPivot: // a flag
		return "M4 14.500V2.500L12.500 5.500L4 8.500"
	case dsl.EffectRetriable: // again
		return "M13 8A5 5 0 1 1 11.300 4.200M13.500 2V5H10.500"
	case dsl.EffectCompensatable: // there is a way back
		return "M3 10.500H13M3 5.500H13M10.500 3L13 5.500M5.500 8L3 10.500L5.500 13"
	}
	return "M2 8C4.500 3 11.500 3 14 8C11.500 13 4.500 13 2 8M8 6.200A1.800 1.800 0 1 0 8 9.800A1.800 1.800 0 1 0 8 6.200" // an eye: nothing changes
}
