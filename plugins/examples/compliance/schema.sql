-- Account numbers that nobody may be paid on.
CREATE TABLE sanctions (
	iban   TEXT NOT NULL PRIMARY KEY,
	reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Creditors whom the bank's customers have put on their lists of trusted
-- beneficiaries.
CREATE TABLE trusted_beneficiaries (
	iban TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
