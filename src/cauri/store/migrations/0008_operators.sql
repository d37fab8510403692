-- Limits of a payer, prompts to a number, figures by operator, statements, surpluses that were given back.

ALTER TABLE attempt ADD COLUMN site_id {text} NOT NULL DEFAULT '';
UPDATE attempt SET site_id = COALESCE(
    (SELECT p.site_id FROM payment p WHERE p.slot = attempt.slot AND p.token = attempt.token), '');
CREATE INDEX attempt_of_payer ON attempt (site_id, phone, started_at) WHERE status IN ('asked', 'sent', 'paid', 'surplus');
CREATE INDEX attempt_started ON attempt (started_at);
CREATE INDEX attempt_taken ON attempt (connector, ended_at) WHERE status IN ('paid', 'surplus');
CREATE INDEX attempt_operator_id ON attempt (connector, operator_id) WHERE operator_id IS NOT NULL;

-- Each operator is asked in its own order.
DROP INDEX attempt_to_ask;
CREATE INDEX attempt_to_ask ON attempt (connector, next_ask_at) WHERE next_ask_at IS NOT NULL;

-- Whoever counts what a payer has done holds the payer's row until the attempt is written.
CREATE TABLE payer_lock (
    payer {text} PRIMARY KEY,
    at BIGINT NOT NULL
);

-- One row for each request to confirm that a handset was sent; kept as long as a limit looks back.
CREATE TABLE prompt (
    phone {text} NOT NULL,
    at BIGINT NOT NULL,
    token {text} NOT NULL,
    number INTEGER NOT NULL,
    address {text} NOT NULL,
    PRIMARY KEY (phone, at, token, number)
){without_rowid};
CREATE INDEX prompt_at ON prompt (at);

-- What each serving process last said of each of its connectors, as JSON.
CREATE TABLE standing (
    process {text} NOT NULL,
    connector {text} NOT NULL,
    at BIGINT NOT NULL,
    state {text} NOT NULL,
    PRIMARY KEY (process, connector)
);

ALTER TABLE surplus ADD COLUMN refunded_at BIGINT;
ALTER TABLE surplus ADD COLUMN refunded_by {text} NOT NULL DEFAULT '';
ALTER TABLE surplus ADD COLUMN refund_why {text} NOT NULL DEFAULT '';
CREATE INDEX surplus_held ON surplus (at) WHERE refunded_at IS NULL;
