CREATE TABLE submissions (
	uetr         TEXT    NOT NULL PRIMARY KEY,
	action_key   TEXT    NOT NULL UNIQUE,
	quote        TEXT    NOT NULL,
	minor        INTEGER NOT NULL CHECK (minor > 0),
	currency     TEXT    NOT NULL,
	status       TEXT    NOT NULL CHECK (status IN ('accepted')),
	submitted_at TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
