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

func (s Style) bold(t string) string   { return s.sgr("1", t) }
func (s Style) dim(t string) string    { return s.sgr("2", t) }
func (s Style) red(t string) string    { return s.sgr("31", t) }
func (s Style) green(t string) string  { return s.sgr("32", t) }
func (s Style) yellow(t string) string { return s.sgr("33", t) }
func (s Style) blue(t string) string   { return s.sgr("36", t) }

// Bold, Dim, Red, Green, Yellow and Blue give a text in that look.
func (s Style) Bold(t string) string   { return s.bold(t) }
func (s Style) Dim(t string) string    { return s.dim(t) }
func (s Style) Red(t string) string    { return s.red(t) }
func (s Style) Green(t string) string  { return s.green(t) }
func (s Style) Yellow(t string) string { return s.yellow(t) }
func (s Style) Blue(t string) string   { return s.blue(t) }

// sign is what stands in front of a line.
type sign struct {
	icon, word string
	paint      func(Style, string) string
}

var (
	signStarted     = sign{"▶", "started", Style.bold}
	signOK          = sign{"✓", "succeeded", Style.green}
	signFailed      = sign{"✗", "failed", Style.red}
	signUnknown     = sign{"?", "in doubt", Style.yellow}
	signRetry       = sign{"↻", "retrying", Style.yellow}
	signProbe       = sign{"¿", "probing", Style.yellow}
	signWait        = sign{"◷", "waiting", Style.blue}
	signSkipped     = sign{"·", "skipped", Style.dim}
	signBackward    = sign{"↩", "compensating", Style.yellow}
	signCompensated = sign{"↩", "compensated", Style.yellow}
	signParked      = sign{"‖", "parked", Style.red}
	signRefused     = sign{"!", "refused", Style.yellow}
)

const wordWidth = 12 // of the longest word of a sign

func (s Style) sign(g sign) string {
	if s.Icons {
		return g.paint(s, g.icon)
	}
	return g.paint(s, g.word+strings.Repeat(" ", wordWidth-len(g.word)))
}

// clean takes out of a text what could move the cursor or colour the screen:
// messages come from participants.
func clean(s string) string {
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
