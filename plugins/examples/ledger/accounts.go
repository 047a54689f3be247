package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sagad/sagad/plugins"
	"github.com/sagad/sagad/plugins/examples/iban"
	"github.com/sagad/sagad/plugins/examples/money"
	"github.com/sagad/sagad/plugins/examples/store"
)

// maxAccounts bounds the list that balances answers: the demo bank has about
// thirty, and an answer stays far below the size of a message.
const maxAccounts = 1000

// BalancesInput asks for all accounts.
type BalancesInput struct{}

// BalancesOutput lists the accounts, customers first, by label.
type BalancesOutput struct {
	Accounts []Balance `json:"accounts" description:"the accounts, customers first"`
}

// Balance is what one account holds, in minor units of its currency. What a
// customer may still spend is available, balance less held.
type Balance struct {
	Account   string `json:"account" description:"the IBAN, or the name of an account of the bank itself" sensitive:"true"`
	Label     string `json:"label" description:"a name that may be shown"`
	Kind      string `json:"kind" description:"whose account it is" enum:"customer,merchant,clearing,opening"`
	Country   string `json:"country" description:"ISO 3166-1 alpha-2 code"`
	Currency  string `json:"currency" description:"ISO 4217 code"`
	Balance   int64  `json:"balance" description:"in minor units"`
	Held      int64  `json:"held" description:"reserved, in minor units"`
	Available int64  `json:"available" description:"balance less held, in minor units"`
}

func (s *ledger) balances(ctx context.Context, _ plugins.Call, _ BalancesInput) (BalancesOutput, error) {
	accounts, err := Balances(ctx, s.DB)
	return BalancesOutput{Accounts: accounts}, err
}

// Balances reads the accounts of a ledger's database, customers first, by
// label.
func Balances(ctx context.Context, db *sql.DB) (accounts []Balance, err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT number, label, kind, country, currency, balance, held, balance - held FROM accounts
		ORDER BY kind <> 'customer', kind, label LIMIT ?`, maxAccounts)
	if err != nil {
		return nil, fmt.Errorf("ledger: read the accounts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var b Balance
		if err := rows.Scan(&b.Account, &b.Label, &b.Kind, &b.Country, &b.Currency, &b.Balance, &b.Held, &b.Available); err != nil {
			return nil, fmt.Errorf("ledger: read an account: %w", err)
		}
		accounts = append(accounts, b)
	}
	return accounts, rows.Err()
}

// customer is a customer's account as a business rule sees it.
type customer struct {
	number    string
	currency  string
	available int64
}

// spend finds the customer's account and refuses what it cannot pay.
func spend(ctx context.Context, tx *sql.Tx, number string, amount money.Amount) (customer, error) {
	c := customer{number: iban.Normal(number)}
	err := tx.QueryRowContext(ctx,
		`SELECT currency, balance - held FROM accounts WHERE number = ? AND kind = 'customer'`, c.number).
		Scan(&c.currency, &c.available)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c, plugins.Reject(CodeAccountNotFound, "this bank has no customer's account %s", iban.Mask(number))
	case err != nil:
		return c, fmt.Errorf("look up account %s: %w", iban.Mask(number), err)
	case c.currency != amount.Currency:
		return c, plugins.Reject(CodeCurrencyMismatch, "account %s is kept in %s, the amount is in %s", iban.Mask(number), c.currency, amount.Currency)
	case c.available < amount.Minor:
		return c, plugins.Reject(CodeInsufficientFunds, "account %s cannot pay %s", iban.Mask(number), amount)
	}
	return c, nil
}

// posting adds minor units to an account; what it takes away is negative.
type posting struct {
	account string
	minor   int64
}

// book writes one entry and moves the balances with it. The postings must sum
// to zero and be in one currency; a mistake of the caller here is a bug and
// fails the whole transaction.
func (s *ledger) book(ctx context.Context, tx *sql.Tx, id, kind, actionKey string, postings ...posting) error {
	var sum int64
	for _, p := range postings {
		sum += p.minor
	}
	if sum != 0 || len(postings) < 2 {
		return fmt.Errorf("entry %s: %d postings sum to %d instead of 0", id, len(postings), sum)
	}
	_, err := tx.ExecContext(ctx,
		`INSERT INTO entries (id, kind, action_key, booked_at) VALUES (?, ?, ?, ?)`, id, kind, actionKey, s.Instant())
	if err != nil {
		return fmt.Errorf("book entry %s: %w", id, err)
	}
	for _, p := range postings {
		if _, err := tx.ExecContext(ctx,
			`INSERT INTO postings (entry, account, minor) VALUES (?, ?, ?)`, id, p.account, p.minor); err != nil {
			return fmt.Errorf("book entry %s: post: %w", id, err)
		}
		if err := store.Change(ctx, tx, `UPDATE accounts SET balance = balance + ? WHERE number = ?`, p.minor, p.account); err != nil {
			return fmt.Errorf("book entry %s: %w", id, err)
		}
	}
	return nil
}

func clearing(currency string) string { return "clearing:" + currency }
func merchant(currency string) string { return "merchant:" + currency }
func opening(currency string) string  { return "opening:" + currency }
