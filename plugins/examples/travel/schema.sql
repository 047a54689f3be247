-- What can be booked: seats, rooms and cars, each offer for its own day.
CREATE TABLE offers (
	id       TEXT    NOT NULL PRIMARY KEY,
	kind     TEXT    NOT NULL CHECK (kind IN ('flight', 'hotel', 'car')),
	name     TEXT    NOT NULL,
	capacity INTEGER NOT NULL CHECK (capacity >= 0),
	free     INTEGER NOT NULL CHECK (free BETWEEN 0 AND capacity)
) STRICT, WITHOUT ROWID;

-- A booking can be cancelled until the tickets of its trip are issued.
CREATE TABLE bookings (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	trip       TEXT    NOT NULL,
	offer      TEXT    NOT NULL REFERENCES offers (id),
	count      INTEGER NOT NULL CHECK (count > 0),
	minor      INTEGER NOT NULL CHECK (minor > 0),
	currency   TEXT    NOT NULL,
	state      TEXT    NOT NULL CHECK (state IN ('booked', 'cancelled', 'ticketed'))
) STRICT, WITHOUT ROWID;
CREATE INDEX bookings_by_trip ON bookings (trip, state);

CREATE TABLE itineraries (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	trip       TEXT    NOT NULL UNIQUE,
	tickets    INTEGER NOT NULL CHECK (tickets > 0),
	minor      INTEGER NOT NULL CHECK (minor > 0),
	currency   TEXT    NOT NULL,
	issued_at  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mails (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	itinerary  TEXT NOT NULL REFERENCES itineraries (id),
	email      TEXT NOT NULL,
	sent_at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
