package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sagad/sagad/docs/diagnostics"
	"github.com/sagad/sagad/dsl"
)

func explainCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Say what a problem that lint reports means, and how to mend it",
		Long: `Say what a problem means: what is wrong, why it is refused, an example with what
is printed, and its mend. Without a code all codes are listed.`,
		Example: `  sagad explain MAYBE_ABSENT
  sagad explain`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("%q is too much; see `%s --help`", args[1], cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return codesOf(diagnostics.Pages()), cobra.ShellCompDirectiveNoFileComp
		},
	}
	out := formatFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return listCodes(c, out)
		}
		page, err := pageOf(args[0])
		if err != nil {
			return err
		}
		if out.json() {
			return printJSON(c.out, page)
		}
		c.say("%s", c.page(page.Text))
		return nil
	}
	return cmd
}

func codesOf(pages []diagnostics.Page) []string {
	codes := make([]string, len(pages))
	for i, p := range pages {
		codes[i] = p.Code
	}
	return codes
}

// pageOf finds the page of a code as somebody types it: in any case, or with the
// severity around it, as messages have it.
func pageOf(typed string) (diagnostics.Page, error) {
	code := strings.ToUpper(strings.TrimSpace(typed))
	if _, inside, ok := strings.Cut(code, "["); ok {
		code, _, _ = strings.Cut(inside, "]")
	}
	if page, ok := diagnostics.Find(code); ok {
		return page, nil
	}
	if near := dsl.Suggest(code, codesOf(diagnostics.Pages())); near != "" {
		return diagnostics.Page{}, fmt.Errorf("there is no code %q; did you mean `sagad explain %s`?", typed, near)
	}
	return diagnostics.Page{}, fmt.Errorf("there is no code %q; `sagad explain` lists all", typed)
}

func listCodes(c *console, out *format) error {
	pages := diagnostics.Pages()
	if out.json() {
		return printJSON(c.out, pages)
	}
	width := 0
	for _, p := range pages {
		width = max(width, len(p.Code))
	}
	for _, p := range pages {
		c.say("%s%s  %s", c.style().Bold(p.Code), strings.Repeat(" ", width-len(p.Code)), plainText(p.Summary))
	}
	return nil
}

var (
	pageLink     = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
	pageSeverity = regexp.MustCompile(`^\*([^*]+)\*`)
	pageCode     = regexp.MustCompile("`([^`]+)`")
	pageMark     = regexp.MustCompile(`\^+`)
)

// plainText takes the marks of Markdown out of a line.
func plainText(line string) string {
	return pageCode.ReplaceAllString(pageLink.ReplaceAllString(line, "$1"), "$1")
}

// page gives a page as it is read on a terminal: without the marks of Markdown,
// and with its examples set in.
func (c *console) page(text string) string {
	style := c.style()
	var lines []string
	code := false
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			lines = append(lines, strings.TrimRight("    "+pageMark.ReplaceAllStringFunc(line, style.Red), " "))
		case strings.HasPrefix(line, "# "):
			lines = append(lines, style.Bold(strings.TrimPrefix(line, "# ")))
		default:
			line = pageLink.ReplaceAllString(line, "$1")
			line = pageSeverity.ReplaceAllStringFunc(line, func(s string) string { return style.Bold(strings.Trim(s, "*")) })
			lines = append(lines, pageCode.ReplaceAllStringFunc(line, func(s string) string {
				if s = strings.Trim(s, "`"); style.Color {
					return style.Blue(s)
				}
				return s
			}))
		}
	}
	return strings.Join(lines, "\n")
}
