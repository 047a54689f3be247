package progress

import (
	"strings"
	"unicode"
)

// Style is how words look. The zero Style is plain text.
type Style struct {
	Color bool // ANSI colours
	Icons bool // symbols in front of lines instead of words
}

func (s Style) sgr(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bold gives a text in bold.
func (s Style) Bold(text string) string { return s.sgr("1", text) }

// Dim gives a text that stands back.
func (s Style) Dim(text string) string { return s.sgr("2", text) }

// Red gives a text in red, for what failed.
func (s Style) Red(text string) string { return s.sgr("31", text) }

// Green gives a text in green, for what went well.
func (s Style) Green(text string) string { return s.sgr("32", text) }

// Yellow gives a text in yellow, for what is in doubt or compensated.
func (s Style) Yellow(text string) string { return s.sgr("33", text) }

// Blue gives a text in blue, for what goes on.
func (s Style) Blue(text string) string { return s.sgr("36", text) }

// sign is what stands in front of a line.
type sign struct {
	icon, word string
	paint      func(Style, string) string
}

var (
	signStarted     = sign{"▶", "started", Style.Bold}
	signOK          = sign{"✓", "succeeded", Style.Green}
	signFailed      = sign{"✗", "failed", Style.Red}
	signUnknown     = sign{"?", "in doubt", Style.Yellow}
	signRetry       = sign{"↻", "retrying", Style.Yellow}
	signProbe       = sign{"¿", "probing", Style.Yellow}
	signWait        = sign{"◷", "waiting", Style.Blue}
	signSkipped     = sign{"·", "skipped", Style.Dim}
	signBackward    = sign{"↩", "compensating", Style.Yellow}
	signCompensated = sign{"↩", "compensated", Style.Yellow}
	signParked      = sign{"‖", "parked", Style.Red}
	signRefused     = sign{"!", "refused", Style.Yellow}
	signOperator    = sign{"*", "operator", Style.Yellow}
)

const wordWidth = 12 // of the longest word of a sign

func (s Style) sign(g sign) string {
	if s.Icons {
		return g.paint(s, g.icon)
	}
	return g.paint(s, g.word+strings.Repeat(" ", wordWidth-len(g.word)))
}

// Clean takes out of a text what could move the cursor or colour the screen:
// messages come from participants.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
}
