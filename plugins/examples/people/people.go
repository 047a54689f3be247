// Package people is an example plugin: the people office of a company, which
// knows who works there and what they earn. A payslip is a draft that can be
// withdrawn until it is published to its employee, which is retriable.
//
// The money is the business of other plugins; the office only says how much.
package people

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// Name is the plugin's name.
const Name = "people"

// Codes of the errors that activities answer with.
const (
	CodeDepartmentUnknown = "DEPARTMENT_UNKNOWN"
	CodeEmployeeUnknown   = "EMPLOYEE_UNKNOWN"
	CodeEmployeeLeft      = "EMPLOYEE_LEFT"
	CodePayslipExists     = "PAYSLIP_EXISTS"
	CodePayslipNotFound   = "PAYSLIP_NOT_FOUND"
	CodePayslipPublished  = "PAYSLIP_PUBLISHED"
	CodePayslipWithdrawn  = "PAYSLIP_WITHDRAWN"
)

//go:embed schema.sql
var schema string

type people struct{ service.Service }

// New makes the plugin. Options replace what test cards do to the process.
func New(opts ...testcards.Option) *plugins.Plugin { return new(people).plugin(opts) }

func (s *people) plugin(opts []testcards.Option) *plugins.Plugin {
	return s.Plugin(Name, opts, []store.Migration{store.SQL(schema), seed},
		plugins.Activity("staff", s.staff,
			plugins.Describe("Lists who works in a department; no effect."),
			plugins.Errors(CodeDepartmentUnknown)),
		plugins.Activity("draftPayslip", s.draftPayslip,
			plugins.Describe("Works out an employee's pay of a month and drafts the payslip."),
			service.Errors(testcards.PeopleDraftPayslip, CodeEmployeeUnknown, CodePayslipExists)),
		plugins.Activity("withdrawPayslip", s.withdrawPayslip,
			plugins.Describe("Compensates draftPayslip. The payslip is named by the key of its action."),
			service.Errors(testcards.PeopleWithdrawPayslip, CodePayslipNotFound)),
		plugins.Activity("publishPayslip", s.publishPayslip,
			plugins.Describe("Shows a payslip to its employee; from then on it is final."),
			service.Errors(testcards.PeoplePublishPayslip, CodePayslipWithdrawn, CodePayslipPublished)))
}

// The staff of the demo company. Account numbers are those of the demo bank
// and of the registry of ISO 13616.
var seedStaff = []struct {
	id, department, name, iban, country string
	gross                               int64
	left                                sql.NullString
}{
	{id: "e-101", department: "office", name: "Ada", iban: "DE89370400440532013000", country: "DE", gross: 5_200_00},
	{id: "e-102", department: "office", name: "Blaise", iban: "FR1420041010050500013M02606", country: "FR", gross: 4_800_00},
	{id: "e-103", department: "office", name: "Clara", iban: "NL91ABNA0417164300", country: "NL", gross: 6_100_00},
	{id: "e-201", department: "workshop", name: "Dirk", iban: "BE68539007547034", country: "BE", gross: 3_900_00},
	{id: "e-202", department: "workshop", name: "Edda", iban: "AT611904300234573201", country: "AT", gross: 4_150_00},
	{id: "e-301", department: "closed", name: "Finn", iban: "FI2112345600000785", country: "FI", gross: 3_000_00,
		left: sql.NullString{String: "2026-06-30", Valid: true}},
}

func seed(ctx context.Context, tx *sql.Tx) error {
	for _, e := range seedStaff {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO employees (id, department, name, iban, country, gross, currency, left_on) VALUES (?, ?, ?, ?, ?, ?, 'EUR', ?)`,
			e.id, e.department, e.name, e.iban, e.country, e.gross, e.left); err != nil {
			return fmt.Errorf("seed %s: %w", e.id, err)
		}
	}
	return nil
}
