-- What came in and has not been shipped; reserved pieces are part of on_hand.
CREATE TABLE stock (
	sku      TEXT    NOT NULL PRIMARY KEY,
	name     TEXT    NOT NULL,
	received INTEGER NOT NULL CHECK (received >= 0),
	on_hand  INTEGER NOT NULL CHECK (on_hand >= 0),
	reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved BETWEEN 0 AND on_hand)
) STRICT, WITHOUT ROWID;

CREATE TABLE carriers (
	country TEXT NOT NULL PRIMARY KEY,
	carrier TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
	id         TEXT    NOT NULL PRIMARY KEY,
	action_key TEXT    NOT NULL UNIQUE,
	email      TEXT    NOT NULL,
	country    TEXT    NOT NULL,
	minor      INTEGER NOT NULL CHECK (minor > 0),
	currency   TEXT    NOT NULL,
	state      TEXT    NOT NULL CHECK (state IN ('open', 'cancelled', 'shipped')),
	created_at TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE order_lines (
	order_id TEXT    NOT NULL REFERENCES orders (id),
	sku      TEXT    NOT NULL REFERENCES stock (sku),
	quantity INTEGER NOT NULL CHECK (quantity > 0),
	PRIMARY KEY (order_id, sku)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	order_id   TEXT NOT NULL REFERENCES orders (id),
	state      TEXT NOT NULL CHECK (state IN ('reserved', 'unreserved', 'shipped'))
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_by_order ON reservations (order_id);

CREATE TABLE reservation_lines (
	reservation TEXT    NOT NULL REFERENCES reservations (id),
	sku         TEXT    NOT NULL REFERENCES stock (sku),
	quantity    INTEGER NOT NULL CHECK (quantity > 0),
	PRIMARY KEY (reservation, sku)
) STRICT, WITHOUT ROWID;

CREATE TABLE pickups (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	order_id   TEXT NOT NULL REFERENCES orders (id),
	carrier    TEXT NOT NULL,
	day        TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'shipped'))
) STRICT, WITHOUT ROWID;
CREATE INDEX pickups_by_order ON pickups (order_id);

CREATE TABLE shipments (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	order_id   TEXT NOT NULL UNIQUE REFERENCES orders (id),
	pickup     TEXT NOT NULL REFERENCES pickups (id),
	shipped_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notices (
	id         TEXT NOT NULL PRIMARY KEY,
	action_key TEXT NOT NULL UNIQUE,
	order_id   TEXT NOT NULL REFERENCES orders (id),
	template   TEXT NOT NULL,
	sent_at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
