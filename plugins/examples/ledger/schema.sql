-- Accounts hold balances that Verify proves equal to the sum of their
-- postings. A customer's account never goes below zero, held money included.
CREATE TABLE accounts (
	number   TEXT    NOT NULL PRIMARY KEY,
	label    TEXT    NOT NULL UNIQUE,
	kind     TEXT    NOT NULL CHECK (kind IN ('customer', 'merchant', 'clearing', 'opening')),
	country  TEXT    NOT NULL,
	currency TEXT    NOT NULL CHECK (length(currency) = 3),
	balance  INTEGER NOT NULL DEFAULT 0,
	held     INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
	CHECK (kind <> 'customer' OR balance - held >= 0),
	CHECK (kind = 'customer' OR held = 0)
) STRICT, WITHOUT ROWID;

-- An entry is one movement of money: at least two postings that sum to zero.
CREATE TABLE entries (
	id         TEXT NOT NULL PRIMARY KEY,
	kind       TEXT NOT NULL CHECK (kind IN ('opening', 'settle', 'charge', 'refund')),
	action_key TEXT NOT NULL,
	booked_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE postings (
	entry    TEXT    NOT NULL REFERENCES entries (id),
	account  TEXT    NOT NULL REFERENCES accounts (number),
	minor    INTEGER NOT NULL CHECK (minor <> 0),
	PRIMARY KEY (entry, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX postings_by_account ON postings (account);

-- Postings and entries are never changed or taken away: a mistake is mended
-- by another entry.
CREATE TRIGGER postings_are_final BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, 'postings are final'); END;
CREATE TRIGGER postings_stay BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, 'postings are final'); END;
CREATE TRIGGER entries_are_final BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are final'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are final'); END;

CREATE TABLE holds (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	account    TEXT    NOT NULL REFERENCES accounts (number),
	minor      INTEGER NOT NULL CHECK (minor > 0),
	currency   TEXT    NOT NULL,
	state      TEXT    NOT NULL CHECK (state IN ('held', 'released', 'settled')),
	entry      TEXT    REFERENCES entries (id),
	placed_at  TEXT    NOT NULL,
	closed_at  TEXT,
	CHECK ((state = 'settled') = (entry IS NOT NULL)),
	CHECK ((state = 'held') = (closed_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_by_account ON holds (account, state);

CREATE TABLE charges (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	account    TEXT    NOT NULL REFERENCES accounts (number),
	minor      INTEGER NOT NULL CHECK (minor > 0),
	currency   TEXT    NOT NULL,
	reference  TEXT    NOT NULL,
	entry      TEXT    NOT NULL REFERENCES entries (id),
	refund     TEXT    REFERENCES entries (id)
) STRICT, WITHOUT ROWID;
