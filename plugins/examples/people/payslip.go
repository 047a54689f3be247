package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/service"
	"github.com/sagad/sagad/plugins/examples/store"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

// What is kept back of the pay for the tax office, in hundredths: a share of
// everything up to the allowance, and a larger one of what lies above.
const (
	allowance  = 2_000_00 // a month, in minor units
	lowerShare = 15
	upperShare = 40
)

// maxStaff bounds the list that staff answers.
const maxStaff = 1000

// StaffInput names the department.
type StaffInput struct {
	Department string `json:"department" description:"whose people are listed" minLength:"1"`
}

// StaffOutput lists the people.
type StaffOutput struct {
	Employees []Employee `json:"employees" description:"who works there, by number"`
}

// Employee is one of the staff.
type Employee struct {
	Employee string `json:"employee" description:"the employee's number"`
	Country  string `json:"country" description:"ISO 3166-1 alpha-2 code of where the employee is paid"`
	IBAN     string `json:"iban" description:"the account that the pay goes to" sensitive:"true"`
}

func (s *people) staff(ctx context.Context, _ plugins.Call, in StaffInput) (StaffOutput, error) {
	var known bool
	if err := s.DB.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM employees WHERE department = ?)`, in.Department).Scan(&known); err != nil {
		return StaffOutput{}, fmt.Errorf("look up department %s: %w", in.Department, err)
	}
	if !known {
		return StaffOutput{}, plugins.Reject(CodeDepartmentUnknown, "there is no department %q", in.Department)
	}
	employees, err := working(ctx, s.DB, in.Department)
	return StaffOutput{Employees: employees}, err
}

// working lists who has not left a department.
func working(ctx context.Context, db *sql.DB, department string) (employees []Employee, err error) {
	employees = []Employee{}
	rows, err := db.QueryContext(ctx, `SELECT id, country, iban FROM employees WHERE department = ? AND left_on IS NULL ORDER BY id LIMIT ?`, department, maxStaff)
	if err != nil {
		return nil, fmt.Errorf("read the staff: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e Employee
		if err := rows.Scan(&e.Employee, &e.Country, &e.IBAN); err != nil {
			return nil, fmt.Errorf("read an employee: %w", err)
		}
		employees = append(employees, e)
	}
	return employees, rows.Err()
}

// DraftPayslipInput says whose pay of which month is worked out.
type DraftPayslipInput struct {
	Employee string `json:"employee" description:"the employee's number" minLength:"1"`
	Month    string `json:"month" description:"which month, as 2006-01" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$"`
	Variable int64  `json:"variable,omitempty" description:"what comes on top of the monthly pay this once, in minor units" minimum:"0" maximum:"100000000000000"`
}

// DraftPayslipOutput is the pay of the month.
type DraftPayslipOutput struct {
	PayslipID string       `json:"payslipId" description:"names the payslip"`
	Employee  string       `json:"employee" description:"whose it is"`
	Net       money.Amount `json:"net" description:"what the employee gets"`
	Tax       money.Amount `json:"tax" description:"what the tax office gets"`
}

func (s *people) draftPayslip(ctx context.Context, call plugins.Call, in DraftPayslipInput) (DraftPayslipOutput, error) {
	hand := testcards.FromMinor(in.Variable)
	return testcards.Do(ctx, s.Deck, call, testcards.PeopleDraftPayslip, hand, func(ctx context.Context, tx *sql.Tx) (DraftPayslipOutput, error) {
		out := DraftPayslipOutput{PayslipID: service.Identity("payslip", call), Employee: in.Employee}
		gross, err := pay(ctx, tx, in, &out)
		if err != nil {
			return out, err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO payslips (id, action_key, employee, month, gross, variable, tax, net, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'draft')`,
			out.PayslipID, call.ActionKey, in.Employee, in.Month, gross, in.Variable, out.Tax.Minor, out.Net.Minor)
		if err != nil {
			return out, fmt.Errorf("draft the payslip of %s: %w", in.Employee, err)
		}
		call.Logger.Info("payslip drafted", "employee", in.Employee, "month", in.Month, "payslip", out.PayslipID)
		return out, nil
	})
}

// pay works out the net pay and the tax, and gives the monthly pay. It refuses
// who has left, and a second payslip for a month.
func pay(ctx context.Context, tx *sql.Tx, in DraftPayslipInput, out *DraftPayslipOutput) (gross int64, err error) {
	var currency string
	var left, there bool
	err = tx.QueryRowContext(ctx, `
		SELECT e.gross, e.currency, coalesce(e.left_on < ?2 || '-01', false),
			EXISTS (SELECT 1 FROM payslips p WHERE p.employee = e.id AND p.month = ?2 AND p.state <> 'withdrawn')
		FROM employees e WHERE e.id = ?1`, in.Employee, in.Month).Scan(&gross, &currency, &left, &there)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, plugins.Reject(CodeEmployeeUnknown, "there is no employee %q", in.Employee)
	case err != nil:
		return 0, fmt.Errorf("look up employee %s: %w", in.Employee, err)
	case left:
		return 0, plugins.Reject(CodeEmployeeLeft, "%s has left before %s", in.Employee, in.Month)
	case there:
		return 0, plugins.Reject(CodePayslipExists, "%s has a payslip for %s", in.Employee, in.Month)
	}
	whole := gross + in.Variable
	tax := (min(whole, allowance)*lowerShare + max(whole-allowance, 0)*upperShare) / 100
	out.Tax = money.Amount{Minor: tax, Currency: currency}
	out.Net = money.Amount{Minor: whole - tax, Currency: currency}
	return gross, nil
}

// WithdrawPayslipInput names a payslip by the key of its action, because
// whether it was drafted may be unknown.
type WithdrawPayslipInput struct {
	Request string `json:"request" description:"key of the action that drafted the payslip"`
}

// WithdrawPayslipOutput tells what was withdrawn.
type WithdrawPayslipOutput struct {
	Withdrawn bool `json:"withdrawn" description:"false when there was nothing to withdraw"`
}

func (s *people) withdrawPayslip(ctx context.Context, call plugins.Call, in WithdrawPayslipInput) (WithdrawPayslipOutput, error) {
	return testcards.Do(ctx, s.Deck, call, testcards.PeopleWithdrawPayslip, nil, func(ctx context.Context, tx *sql.Tx) (WithdrawPayslipOutput, error) {
		var id, state string
		err := tx.QueryRowContext(ctx, `SELECT id, state FROM payslips WHERE action_key = ?`, in.Request).Scan(&id, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return WithdrawPayslipOutput{}, plugins.Reject(CodePayslipNotFound, "no payslip was drafted with the key %s", in.Request)
		case err != nil:
			return WithdrawPayslipOutput{}, fmt.Errorf("look up the payslip of %s: %w", in.Request, err)
		case state == "published":
			return WithdrawPayslipOutput{}, plugins.Reject(CodePayslipPublished, "%s is published", id)
		case state == "withdrawn":
			return WithdrawPayslipOutput{Withdrawn: false}, nil
		}
		if err := store.Change(ctx, tx, `UPDATE payslips SET state = 'withdrawn' WHERE id = ?`, id); err != nil {
			return WithdrawPayslipOutput{}, fmt.Errorf("withdraw %s: %w", id, err)
		}
		call.Logger.Info("payslip withdrawn", "payslip", id)
		return WithdrawPayslipOutput{Withdrawn: true}, nil
	})
}

// PublishPayslipInput names the payslip.
type PublishPayslipInput struct {
	Payslip string `json:"payslip" description:"the payslipId"`
}

// PublishPayslipOutput tells whose payslip it is.
type PublishPayslipOutput struct {
	Employee string `json:"employee" description:"who can read it now"`
}

func (s *people) publishPayslip(ctx context.Context, call plugins.Call, in PublishPayslipInput) (PublishPayslipOutput, error) {
	hand, err := testcards.FromRow(s.DB.QueryRowContext(ctx, `SELECT variable FROM payslips WHERE id = ?`, in.Payslip))
	if err != nil {
		return PublishPayslipOutput{}, fmt.Errorf("look up %s: %w", in.Payslip, err)
	}
	return testcards.Do(ctx, s.Deck, call, testcards.PeoplePublishPayslip, hand, func(ctx context.Context, tx *sql.Tx) (PublishPayslipOutput, error) {
		var out PublishPayslipOutput
		var state string
		err := tx.QueryRowContext(ctx, `SELECT employee, state FROM payslips WHERE id = ?`, in.Payslip).Scan(&out.Employee, &state)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return out, plugins.Reject(CodePayslipNotFound, "there is no payslip %s", in.Payslip)
		case err != nil:
			return out, fmt.Errorf("look up %s: %w", in.Payslip, err)
		case state == "withdrawn":
			return out, plugins.Reject(CodePayslipWithdrawn, "%s is withdrawn", in.Payslip)
		case state == "published":
			return out, plugins.Reject(CodePayslipPublished, "%s is published", in.Payslip)
		}
		if err := store.Change(ctx, tx, `UPDATE payslips SET state = 'published' WHERE id = ?`, in.Payslip); err != nil {
			return out, fmt.Errorf("publish %s: %w", in.Payslip, err)
		}
		call.Logger.Info("payslip published", "employee", out.Employee, "payslip", in.Payslip)
		return out, nil
	})
}
