package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sagad/sagad/cmd/sagad/progress"
	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/host"
)

const (
	ledgerPlugin   = "ledger"
	ledgerBalances = "ledger.balances"
	ledgerTime     = 10 * time.Second
)

// books reads the demo's ledger through its plugin, as a saga would.
type books struct{ host *host.Host }

// balance is what an account holds, in minor units of its currency.
type balance struct {
	Account  string `json:"-"` // sensitive: never shown
	Label    string `json:"label"`
	Currency string `json:"currency"`
	Balance  int    `json:"balance"`
	Held     int    `json:"held"`
}

func (b *books) balances(ctx context.Context) ([]balance, error) {
	out := b.host.Invoke(ctx, host.Request{
		Activity: ledgerBalances, Key: "balances", ActionKey: "balances", Saga: "demo", Path: "balances",
		Operation: plugins.OperationAction, Attempt: 1, StartedAt: time.Now().UTC(), Input: []byte("{}"), Timeout: ledgerTime,
	})
	if out.Class != host.Applied || out.Code != "" {
		return nil, fmt.Errorf("%s: %s", ledgerBalances, progress.Reason(out.Code, out.Message))
	}
	var answer struct {
		Accounts []struct {
			Account string `json:"account"`
			balance
		} `json:"accounts"`
	}
	if err := json.Unmarshal(out.Output, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", ledgerBalances, err)
	}
	all := make([]balance, len(answer.Accounts))
	for i, a := range answer.Accounts {
		all[i] = a.balance
		all[i].Account = a.Account
	}
	return all, nil
}

func find(all []balance, label string) balance {
	for _, b := range all {
		if b.Label == label {
			return b
		}
	}
	return balance{Label: label}
}

// account gives the label of the account that pays.
func (payment) account(input map[string]any, all []balance) string {
	debtor, _ := input["debtor"].(map[string]any)
	for _, b := range all {
		if b.Account == debtor["iban"] {
			return b.Label
		}
	}
	return ""
}

// checkMoney says what of the books is not as expected: either exactly the
// amount has moved to clearing, or nothing at all; and nothing stays held.
func (p payment) checkMoney(input map[string]any, before, after []balance) (problems []string) {
	amount, _ := input["amount"].(map[string]any)
	minor, _ := amount["minor"].(int)
	payer, clearing := p.account(input, before), fmt.Sprintf("clearing:%v", amount["currency"])
	for _, was := range before {
		is, want := find(after, was.Label), was.Balance
		switch {
		case p.moves && was.Label == payer:
			want -= minor
		case p.moves && was.Label == clearing:
			want += minor
		}
		if is.Balance != want {
			problems = append(problems, fmt.Sprintf("expected %s to have %s, it has %s", was.Label, decimals(want), decimals(is.Balance)))
		}
		if is.Held != was.Held {
			problems = append(problems, fmt.Sprintf("expected %s to have %s held, it has %s", was.Label, decimals(was.Held), decimals(is.Held)))
		}
	}
	return problems
}

// table shows the payer's account, the clearing account and whatever else has
// changed.
func (*books) table(w io.Writer, style progress.Style, payer string, before, after []balance) {
	currency := find(before, payer).Currency
	line := func(label, a, b, change, held string) {
		_, _ = fmt.Fprintf(w, "  %-16s %18s %18s %16s %14s\n", label, a, b, change, held) // as for every terminal
	}
	line("ledger, "+currency, "before", "after", "change", "held")
	for _, was := range before {
		is := find(after, was.Label)
		if was.Label != payer && was.Label != "clearing:"+currency && was == is {
			continue
		}
		change := fmt.Sprintf("%16s", "")
		switch diff := is.Balance - was.Balance; {
		case diff > 0:
			change = style.Green(fmt.Sprintf("%16s", "+"+decimals(diff)))
		case diff < 0:
			change = style.Red(fmt.Sprintf("%16s", decimals(diff)))
		}
		line(was.Label, decimals(was.Balance), decimals(is.Balance), change, decimals(is.Held))
	}
}

// decimals writes minor units of a currency with two decimals as people read
// them: 1,234,567.89.
func decimals(minor int) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	whole := fmt.Sprint(minor / 100)
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return fmt.Sprintf("%s%s.%02d", sign, b.String(), minor%100)
}
