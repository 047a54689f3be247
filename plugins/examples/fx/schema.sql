-- A currency is worth per_euro hundred-millionths of it to the euro; its minor
-- unit is ten to the power of minus exponent.
CREATE TABLE currencies (
	code     TEXT    NOT NULL PRIMARY KEY,
	exponent INTEGER NOT NULL CHECK (exponent BETWEEN 0 AND 4),
	per_euro INTEGER NOT NULL CHECK (per_euro > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE quotes (
	id            TEXT    NOT NULL PRIMARY KEY,
	action_key    TEXT    NOT NULL UNIQUE,
	from_minor    INTEGER NOT NULL CHECK (from_minor > 0),
	from_currency TEXT    NOT NULL REFERENCES currencies (code),
	to_minor      INTEGER NOT NULL CHECK (to_minor > 0),
	to_currency   TEXT    NOT NULL REFERENCES currencies (code),
	rate          INTEGER NOT NULL CHECK (rate > 0),
	state         TEXT    NOT NULL CHECK (state IN ('open', 'cancelled')),
	quoted_at     TEXT    NOT NULL,
	expires_at    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
