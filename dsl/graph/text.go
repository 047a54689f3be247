package graph

import (
	"strings"
	"unicode"
)

// font is a face at a size.
type font struct {
	face face
	size int // in pixels
}

type face uint8

const (
	plain face = iota
	bold
	mono
)

// The advance widths of the printable ASCII characters in thousandths of the
// size, from the space on. They are those of the wider of DejaVu Sans and
// Liberation Sans: the fonts that stand for sans-serif elsewhere are narrower,
// so that text stays in its box whatever font the reader has.
var (
	plainWidths = [...]int{
		318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
		636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 556,
		1015, 684, 686, 722, 770, 667, 611, 778, 752, 295, 500, 667, 557, 863, 748, 787,
		667, 787, 722, 667, 611, 732, 684, 989, 685, 667, 685, 390, 337, 390, 838, 556,
		500, 613, 635, 556, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
		635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
	}
	boldWidths = [...]int{
		348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365,
		696, 696, 696, 696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 611,
		1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 556, 775, 637, 995, 837, 850,
		733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 556,
		500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687,
		716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
	}
)

const (
	monoWidth    = 610  // every fixed-width font in use is this wide, or narrower
	foreignWidth = 1000 // of a character of another script; wide ones follow
	wideWidth    = 1300 // East Asian characters and emoji
	wideFrom     = 0x1100
)

// width gives how wide a text is in pixels, at most.
func (f font) width(text string) int {
	sum := 0
	for _, r := range text {
		sum += f.advance(r)
	}
	return (sum*f.size + 999) / 1000
}

func (f font) advance(r rune) int {
	switch {
	case r >= wideFrom && r != '…' && r != '�' && !(r >= 0x2010 && r <= 0x21ff):
		return wideWidth
	case r < ' ' || r > '~':
		if f.face == mono && r < 0x250 {
			return monoWidth
		}
		return foreignWidth
	case f.face == mono:
		return monoWidth
	case f.face == bold:
		return boldWidths[r-' ']
	}
	return plainWidths[r-' ']
}

// foreign reports whether a text has characters whose width is a guess.
func foreign(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > '~' && r != '…' && r != '·' }) >= 0
}

// clean makes a text one line of characters that can be shown: what XML does not
// take, what is invisible and what turns the direction of writing around is
// replaced.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), r >= 0xfff0 && r <= 0xffff, !unicode.IsGraphic(r):
			return '�'
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	return strings.TrimSpace(text)
}

// wrap breaks a text into at most some lines of a width, at spaces or else
// behind punctuation. What does not fit ends in an ellipsis.
func (f font) wrap(text string, width, lines int) []string {
	rest := []rune(clean(text))
	var out []string
	for len(rest) > 0 {
		if len(out) == lines-1 {
			return append(out, f.cut(string(rest), width))
		}
		end := f.fits(rest, width)
		if end < len(rest) {
			end = breakAt(rest, end)
		}
		out = append(out, strings.TrimSpace(string(rest[:end])))
		rest = []rune(strings.TrimLeft(string(rest[end:]), " "))
	}
	return out
}

// fits gives how many characters stand in a width, at least one.
func (f font) fits(text []rune, width int) int {
	sum := 0
	for i, r := range text {
		sum += f.advance(r)
		if i > 0 && (sum*f.size+999)/1000 > width {
			return i
		}
	}
	return len(text)
}

// breakAt gives where a line of at most end characters breaks best: at a space,
// behind punctuation or before a capital in its second half, or where the rest
// fits into the next line.
func breakAt(text []rune, end int) int {
	punctuation := func(i int) bool { return strings.ContainsRune("._-/,&|=(", text[i-1]) }
	for _, rule := range []struct {
		from  int
		holds func(i int) bool
	}{
		{end / 2, func(i int) bool { return text[i] == ' ' || text[i-1] == ' ' }},
		{end / 2, punctuation},
		{max(2, len(text)-end-1), punctuation},
		{end / 2, func(i int) bool { return unicode.IsUpper(text[i]) && unicode.IsLower(text[i-1]) }},
		{0, func(i int) bool { return text[i] == ' ' }},
	} {
		for i := end; i > rule.from; i-- {
			if rule.holds(i) {
				return i
			}
		}
	}
	return end
}

// cut shortens a text to a width.
func (f font) cut(text string, width int) string {
	text = clean(text)
	if f.width(text) <= width {
		return text
	}
	r := []rune(text)
	for n := f.fits(r, width); n > 0; n-- {
		if short := strings.TrimRight(string(r[:n]), " ") + "…"; f.width(short) <= width {
			return short
		}
	}
	return "…"
}
