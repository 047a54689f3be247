CREATE TABLE cards (
	token TEXT NOT NULL PRIMARY KEY,
	state TEXT NOT NULL CHECK (state IN ('active', 'closed'))
) STRICT, WITHOUT ROWID;

-- A dispute is withdrawn or decided for the holder. There is one for each
-- transaction that is not withdrawn.
CREATE TABLE disputes (
	id          TEXT    NOT NULL PRIMARY KEY,
	action_key  TEXT    NOT NULL UNIQUE,
	card        TEXT    NOT NULL REFERENCES cards (token),
	transaction_id TEXT NOT NULL,
	minor       INTEGER NOT NULL CHECK (minor > 0),
	currency    TEXT    NOT NULL,
	reason      TEXT    NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('open', 'withdrawn', 'won'))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_dispute_a_transaction ON disputes (transaction_id) WHERE state <> 'withdrawn';

-- What the holder has been credited: for the time being, taken back, or for good.
CREATE TABLE credits (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	dispute    TEXT NOT NULL REFERENCES disputes (id),
	state      TEXT NOT NULL CHECK (state IN ('provisional', 'taken-back', 'final'))
) STRICT, WITHOUT ROWID;
CREATE INDEX credits_by_dispute ON credits (dispute, state);

-- What has been claimed from the merchant's bank.
CREATE TABLE chargebacks (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	dispute    TEXT NOT NULL REFERENCES disputes (id),
	state      TEXT NOT NULL CHECK (state IN ('filed', 'withdrawn', 'won'))
) STRICT, WITHOUT ROWID;
CREATE INDEX chargebacks_by_dispute ON chargebacks (dispute, state);

CREATE TABLE refunds (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	card       TEXT    NOT NULL REFERENCES cards (token),
	minor      INTEGER NOT NULL CHECK (minor > 0),
	currency   TEXT    NOT NULL,
	at         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
