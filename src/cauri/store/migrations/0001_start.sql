-- The first house. {text} is TEXT, compared byte by byte on both engines; times are milliseconds UTC; amounts whole currency units.

CREATE TABLE site (
    site_id {text} PRIMARY KEY,
    name {text} NOT NULL,
    status {text} NOT NULL CHECK (status IN ('open', 'closed', 'suspended')),
    sealed_secret_key {text},
    currencies {text} NOT NULL,
    countries {text} NOT NULL,
    settings {text} NOT NULL,
    created_at BIGINT NOT NULL
);

-- The key itself is never kept: key_hash is its SHA-256 in hex.
CREATE TABLE apikey (
    key_hash {text} PRIMARY KEY,
    label {text} NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE apikey_site (
    key_hash {text} NOT NULL REFERENCES apikey (key_hash),
    site_id {text} NOT NULL REFERENCES site (site_id),
    revoked_at BIGINT,
    PRIMARY KEY (key_hash, site_id)
);

CREATE TABLE payment (
    slot INTEGER NOT NULL,
    site_id {text} NOT NULL,
    transaction_id {text} NOT NULL,
    token {text} NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency {text} NOT NULL,
    status {text} NOT NULL CHECK (status IN ('waiting', 'paid', 'refused')),
    code {text} NOT NULL,
    version INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    request {text} NOT NULL,
    attempts INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    method {text},
    phone {text},
    attempt_at BIGINT,
    failed_code {text},
    operator_id {text},
    paid_at BIGINT,
    ended_at BIGINT,
    left_at BIGINT,
    idempotency_key {text},
    body_hash {text},
    PRIMARY KEY (slot, site_id, transaction_id)
);
CREATE UNIQUE INDEX payment_token ON payment (slot, token);
CREATE INDEX payment_open ON payment (expires_at) WHERE status = 'waiting';

CREATE TABLE payment_history (
    slot INTEGER NOT NULL,
    token {text} NOT NULL,
    version INTEGER NOT NULL,
    at BIGINT NOT NULL,
    event {text} NOT NULL,
    from_code {text} NOT NULL,
    to_code {text} NOT NULL,
    attempt INTEGER,
    actor {text} NOT NULL,
    note {text} NOT NULL,
    move_id {text} NOT NULL,
    PRIMARY KEY (slot, token, version)
){without_rowid};

CREATE TABLE attempt (
    slot INTEGER NOT NULL,
    token {text} NOT NULL,
    number INTEGER NOT NULL,
    reference {text} NOT NULL,
    connector {text} NOT NULL,
    method {text} NOT NULL,
    phone {text} NOT NULL,
    amount BIGINT NOT NULL,
    currency {text} NOT NULL,
    status {text} NOT NULL CHECK (status IN ('asked', 'sent', 'paid', 'failed', 'dropped', 'surplus')),
    code {text} NOT NULL,
    started_at BIGINT NOT NULL,
    sent_at BIGINT,
    ended_at BIGINT,
    operator_id {text},
    page_url {text},
    word {text} NOT NULL,
    next_ask_at BIGINT,
    asks INTEGER NOT NULL,
    hinted_at BIGINT,
    claimed_until BIGINT NOT NULL,
    claimed_by {text},
    PRIMARY KEY (slot, token, number)
);
CREATE UNIQUE INDEX attempt_reference ON attempt (slot, reference);
-- A payment has at most one attempt in flight, and at most one paid attempt.
CREATE UNIQUE INDEX attempt_in_flight ON attempt (slot, token) WHERE status = 'sent';
CREATE UNIQUE INDEX attempt_paid ON attempt (slot, token) WHERE status = 'paid';
CREATE INDEX attempt_to_ask ON attempt (next_ask_at) WHERE next_ask_at IS NOT NULL;
CREATE INDEX attempt_unended ON attempt (sent_at) WHERE status = 'sent';

CREATE TABLE notification (
    slot INTEGER NOT NULL,
    token {text} NOT NULL,
    site_id {text} NOT NULL,
    due_version INTEGER NOT NULL,
    told_version INTEGER NOT NULL,
    tried_version INTEGER NOT NULL,
    due_at BIGINT,
    since BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    parked_at BIGINT,
    claimed_until BIGINT NOT NULL,
    claimed_by {text},
    PRIMARY KEY (slot, token)
);
CREATE INDEX notification_due ON notification (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE delivery (
    slot INTEGER NOT NULL,
    token {text} NOT NULL,
    delivery_id {text} NOT NULL,
    at BIGINT NOT NULL,
    version INTEGER NOT NULL,
    code {text} NOT NULL,
    url {text} NOT NULL,
    status INTEGER,
    duration_ms INTEGER NOT NULL,
    answer {text} NOT NULL,
    error {text},
    next_try_at BIGINT,
    PRIMARY KEY (slot, token, at, delivery_id)
){without_rowid};

CREATE TABLE surplus (
    slot INTEGER NOT NULL,
    token {text} NOT NULL,
    attempt INTEGER NOT NULL,
    at BIGINT NOT NULL,
    operator_id {text} NOT NULL,
    amount BIGINT NOT NULL,
    currency {text} NOT NULL,
    PRIMARY KEY (slot, token, attempt)
);
