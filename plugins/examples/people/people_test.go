package people_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sagad/sagad/plugins/examples/exampletest"
	"github.com/sagad/sagad/plugins/examples/people"
	"github.com/sagad/sagad/plugins/examples/testcards"
)

func draft(employee, month string, variable int64) people.DraftPayslipInput {
	return people.DraftPayslipInput{Employee: employee, Month: month, Variable: variable}
}

func request(step exampletest.Step, _ []byte) any {
	return people.WithdrawPayslipInput{Request: step.Key()}
}

// drafted drafts the payslip of e-101 on another path of the step's saga.
func drafted(t testing.TB, p *exampletest.Process, step exampletest.Step, variable int64) people.DraftPayslipOutput {
	t.Helper()
	before := exampletest.Step{Saga: step.Saga, Path: "before"}
	return exampletest.Must[people.DraftPayslipOutput](t, p, "people.draftPayslip", before, draft("e-101", "2026-11", variable))
}

func TestDraftPayslip(t *testing.T) {
	exampletest.Effect{
		Plugin: people.New, Name: people.Name, Action: testcards.PeopleDraftPayslip,
		Prepare: func(_ testing.TB, _ *exampletest.Process, _ exampletest.Step, minor int64) any {
			return draft("e-101", "2026-11", minor)
		},
		Count:        `SELECT count(*) FROM payslips WHERE state = 'draft'`,
		Compensation: testcards.PeopleWithdrawPayslip, Compensate: request,
	}.Run(t)
}

func TestPublishPayslip(t *testing.T) {
	exampletest.Effect{
		Plugin: people.New, Name: people.Name, Action: testcards.PeoplePublishPayslip,
		Prepare: func(t testing.TB, p *exampletest.Process, step exampletest.Step, minor int64) any {
			return people.PublishPayslipInput{Payslip: drafted(t, p, step, minor).PayslipID}
		},
		Count: `SELECT count(*) FROM payslips WHERE state = 'published'`,
	}.Run(t)
}

// Whatever comes on top, nothing is lost between gross and net, and the tax
// keeps to its shares.
func TestPay(t *testing.T) {
	p := exampletest.Start(t, people.New, t.TempDir())
	month := 0
	rapid.Check(t, func(rt *rapid.T) {
		variable := rapid.Int64Range(0, 10_000_000).Filter(func(n int64) bool { return testcards.FromMinor(n) == nil }).Draw(rt, "variable")
		month++
		when := fmt.Sprintf("%04d-%02d", 2000+month/12, month%12+1)
		step := exampletest.Step{Saga: "s", Path: when}
		out := exampletest.Must[people.DraftPayslipOutput](t, p, "people.draftPayslip", step, draft("e-201", when, variable))
		whole := 3_900_00 + variable
		if out.Net.Minor+out.Tax.Minor != whole {
			rt.Fatalf("%d becomes %d and %d", whole, out.Net.Minor, out.Tax.Minor)
		}
		if out.Tax.Minor < whole*15/100 || out.Tax.Minor > whole*40/100 {
			rt.Fatalf("the tax of %d is %d", whole, out.Tax.Minor)
		}
	})
}

func TestStaff(t *testing.T) {
	p := exampletest.Start(t, people.New, t.TempDir())
	list := func(department string) []string {
		out := exampletest.Must[people.StaffOutput](t, p, "people.staff", exampletest.Step{Saga: department, Path: "s"}, people.StaffInput{Department: department})
		ids := []string{}
		for _, e := range out.Employees {
			ids = append(ids, e.Employee)
		}
		return ids
	}
	for department, want := range map[string][]string{"office": {"e-101", "e-102", "e-103"}, "closed": {}} {
		if diff := cmp.Diff(want, list(department)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", department, diff)
		}
	}
}

func TestRejections(t *testing.T) {
	p := exampletest.Start(t, people.New, t.TempDir())
	published, withdrawn := exampletest.Step{Saga: "published"}, exampletest.Step{Saga: "withdrawn", Path: "before"}
	out := drafted(t, p, published, 0)
	exampletest.Must[people.PublishPayslipOutput](t, p, "people.publishPayslip", exampletest.Step{Saga: "published", Path: "publish"}, people.PublishPayslipInput{Payslip: out.PayslipID})
	gone := exampletest.Must[people.DraftPayslipOutput](t, p, "people.draftPayslip", withdrawn, draft("e-102", "2026-11", 0))
	if _, err := p.Invoke("people.withdrawPayslip", withdrawn.Compensation(1), request(withdrawn, nil)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, activity string
		input          any
		want           string
	}{
		{"no such department", "people.staff", people.StaffInput{Department: "moon"}, "reject DEPARTMENT_UNKNOWN"},
		{"no such employee", "people.draftPayslip", draft("e-999", "2026-11", 0), "reject EMPLOYEE_UNKNOWN"},
		{"not a month", "people.draftPayslip", draft("e-101", "2026-13", 0), "reject INVALID_INPUT"},
		{"less than nothing on top", "people.draftPayslip", draft("e-101", "2026-12", -1), "reject INVALID_INPUT"},
		{"after the last day", "people.draftPayslip", draft("e-301", "2026-07", 0), "reject EMPLOYEE_LEFT"},
		{"the last month", "people.draftPayslip", draft("e-301", "2026-06", 0), "ok"},
		{"a second payslip", "people.draftPayslip", draft("e-101", "2026-11", 0), "reject PAYSLIP_EXISTS"},
		{"again after it was withdrawn", "people.draftPayslip", draft("e-102", "2026-11", 0), "ok"},
		{"publish nothing", "people.publishPayslip", people.PublishPayslipInput{Payslip: "none"}, "reject PAYSLIP_NOT_FOUND"},
		{"publish what is withdrawn", "people.publishPayslip", people.PublishPayslipInput{Payslip: gone.PayslipID}, "reject PAYSLIP_WITHDRAWN"},
		{"publish twice, in two operations", "people.publishPayslip", people.PublishPayslipInput{Payslip: out.PayslipID}, "reject PAYSLIP_PUBLISHED"},
	} {
		_, err := p.Invoke(tt.activity, exampletest.Step{Saga: tt.name, Path: "step"}.Action(1), tt.input)
		if got := exampletest.Answer(err); got != tt.want {
			t.Errorf("%s: answer %q, want %q", tt.name, got, tt.want)
		}
	}
	before := exampletest.Step{Saga: "published", Path: "before"}
	_, err := p.Invoke("people.withdrawPayslip", before.Compensation(1), request(before, nil))
	if got, want := exampletest.Answer(err), "reject PAYSLIP_PUBLISHED"; got != want {
		t.Errorf("withdrawn after it was published: answer %q, want %q", got, want)
	}
}

// Verify tells of a draft, and of nothing else.
func TestVerify(t *testing.T) {
	p := exampletest.Start(t, people.New, t.TempDir())
	db, err := people.OpenReadOnly(t.Context(), p.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it only read
	out := drafted(t, p, exampletest.Step{Saga: "s"}, 0)
	if err := people.Verify(t.Context(), db); !errors.Is(err, people.ErrDangling) {
		t.Errorf("a draft: %v", err)
	}
	exampletest.Must[people.PublishPayslipOutput](t, p, "people.publishPayslip", exampletest.Step{Saga: "s", Path: "publish"}, people.PublishPayslipInput{Payslip: out.PayslipID})
	if err := people.Verify(t.Context(), db); err != nil {
		t.Errorf("a published payslip: %v", err)
	}
}

func TestManifest(t *testing.T) {
	for _, a := range people.New().Manifest().Activities {
		var want []string
		if a.Name == "people.staff" {
			want = []string{"employees[].iban"}
		}
		if diff := cmp.Diff(want, a.SensitiveOutput); diff != "" {
			t.Errorf("%s: sensitive (-want +got):\n%s", a.Name, diff)
		}
	}
}
