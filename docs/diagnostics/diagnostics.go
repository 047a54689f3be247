// Package diagnostics holds a page for each diagnostic that sagad reports: what
// is wrong, why it is refused, and an example with its mend. The pages are the
// Markdown files of this folder.
package diagnostics

import (
	"embed"
	"slices"
	"strings"
)

//go:embed *.md
var files embed.FS

// Page is what there is to say about one diagnostic.
type Page struct {
	Code     string `json:"code"`
	Severity string `json:"severity"` // Error, Warning, or when it is which
	Summary  string `json:"summary"`  // one line
	Text     string `json:"text"`     // the whole page, as Markdown
}

// Pages gives all pages, in the order of their codes.
func Pages() []Page {
	entries, _ := files.ReadDir(".") // it is embedded
	pages := make([]Page, 0, len(entries))
	for _, entry := range entries {
		page, _ := Find(strings.TrimSuffix(entry.Name(), ".md"))
		pages = append(pages, page)
	}
	slices.SortFunc(pages, func(a, b Page) int { return strings.Compare(a.Code, b.Code) })
	return pages
}

// Find gives the page of a code, and whether there is one.
func Find(code string) (Page, bool) {
	text, err := files.ReadFile(code + ".md")
	if err != nil {
		return Page{}, false
	}
	page := Page{Code: code, Text: string(text)}
	_, body, _ := strings.Cut(page.Text, "\n\n") // behind the heading
	first, _, _ := strings.Cut(body, "\n\n")
	severity, summary, _ := strings.Cut(strings.ReplaceAll(first, "\n", " "), ".* ")
	page.Severity, page.Summary = strings.TrimPrefix(severity, "*"), summary
	return page, true
}
