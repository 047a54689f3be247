package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Rule is something that always holds in a database. Make one with Holds.
type Rule struct {
	name, query string
	broken      error
}

// Holds makes a rule: query answers one line of text for everything that
// breaks it, and the error that reports it wraps broken. The lines must not
// show what is sensitive.
func Holds(name, query string, broken error) Rule {
	return Rule{name: name, query: query, broken: broken}
}

// maxFindings bounds what Verify reports for each rule.
const maxFindings = 20

// Verify proves the rules on one state of the database, also while its plugin
// works. The error joins everything that breaks a rule; one that wraps no
// rule's broken error means that the database could not be read.
func Verify(ctx context.Context, db *sql.DB, rules []Rule) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	var wrong []error
	for _, r := range rules {
		findings, err := findings(ctx, tx, r.query)
		if err != nil {
			return fmt.Errorf("verify that %s: %w", r.name, err)
		}
		for _, f := range findings {
			wrong = append(wrong, fmt.Errorf("%w: it does not hold that %s: %s", r.broken, r.name, f))
		}
	}
	return errors.Join(wrong...)
}

func findings(ctx context.Context, tx *sql.Tx, query string) (lines []string, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() && len(lines) < maxFindings {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}
