CREATE TABLE employees (
	id         TEXT    NOT NULL PRIMARY KEY,
	department TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	iban       TEXT    NOT NULL,
	country    TEXT    NOT NULL,
	gross      INTEGER NOT NULL CHECK (gross > 0), -- a month's, in minor units of currency
	currency   TEXT    NOT NULL,
	left_on    TEXT                                -- the last day, as 2006-01-02
) STRICT, WITHOUT ROWID;
CREATE INDEX employees_by_department ON employees (department);

-- A payslip can be withdrawn until it is published. There is one for each
-- employee and month that is not withdrawn.
CREATE TABLE payslips (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	employee   TEXT    NOT NULL REFERENCES employees (id),
	month      TEXT    NOT NULL,
	gross      INTEGER NOT NULL CHECK (gross > 0),
	variable   INTEGER NOT NULL CHECK (variable >= 0),
	tax        INTEGER NOT NULL CHECK (tax >= 0),
	net        INTEGER NOT NULL CHECK (net > 0),
	state      TEXT    NOT NULL CHECK (state IN ('draft', 'withdrawn', 'published')),
	CHECK (gross + variable = tax + net)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_payslip_a_month ON payslips (employee, month) WHERE state <> 'withdrawn';
