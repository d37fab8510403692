-- Every statement of the store, in the SQL that both engines speak.
--
-- A statement begins at "-- name: word" and its next comment says what it does; "-- name: word [postgres]" is the same statement spelled
-- again for one engine. Parameters are :named. {rows} is the batch: one JSON array of objects, read as r.value->>'field'.
-- {skip_locked} passes over rows that another process holds, where the engine has row locks. Where there is a LIMIT beside it, the rows are
-- chosen in a WITH: PostgreSQL may run a sub-select again for each row that it compares, and each time chooses other rows.
--
-- Where the queue is asked, its statistics may be an hour old and say that nothing is due. So rows that are named are guarded by
-- COALESCE(condition, FALSE), which no index answers, and one endpoint's by comparing (endpoint, due_at), which only its own index does: or
-- PostgreSQL reads all that is due, for each claim. {named} are the keys of a slice that was chosen.
--
-- Opening a payment and recording a delivery are spelled for each engine by itself (docs/benchmarks.md has the measured reason): on
-- PostgreSQL :rows.field is an array of that field of all rows, on SQLite {values (…)} is one such list for each row.

-- name: insert_payments [postgres]
-- New payments in key order, with their first history rows; an existing transaction_id is left alone and not returned.
WITH inserted AS (
    INSERT INTO payment (slot, site_id, transaction_id, token, amount, currency, status, code, version, created_at, expires_at,
                         request, attempts, tries, idempotency_key, body_hash)
    SELECT r.slot, r.site_id, r.transaction_id, r.token, r.amount, r.currency, 'waiting', '662', 1, r.created_at, r.expires_at,
           r.request, 0, 0, r.idempotency_key, r.body_hash
    FROM unnest(CAST(:rows.slot AS integer[]), CAST(:rows.site_id AS text[]), CAST(:rows.transaction_id AS text[]),
                CAST(:rows.token AS text[]), CAST(:rows.amount AS bigint[]), CAST(:rows.currency AS text[]),
                CAST(:rows.created_at AS bigint[]), CAST(:rows.expires_at AS bigint[]), CAST(:rows.request AS text[]),
                CAST(:rows.idempotency_key AS text[]), CAST(:rows.body_hash AS text[]))
         AS r (slot, site_id, transaction_id, token, amount, currency, created_at, expires_at, request, idempotency_key, body_hash)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
    RETURNING slot, token, created_at),
opened AS (
    INSERT INTO payment_history (slot, token, version, at, event, from_code, to_code, attempt, actor, note, move_id)
    SELECT slot, token, 1, created_at, 'opened', '', '662', NULL, '', '', token FROM inserted)
SELECT token FROM inserted

-- name: insert_payments [sqlite]
-- New payments; an existing transaction_id is left alone and not returned.
INSERT INTO payment (slot, site_id, transaction_id, token, amount, currency, status, code, version, created_at, expires_at,
                     request, attempts, tries, idempotency_key, body_hash)
{values (:slot, :site_id, :transaction_id, :token, :amount, :currency, 'waiting', '662', 1, :created_at, :expires_at,
         :request, 0, 0, :idempotency_key, :body_hash)}
ON CONFLICT DO NOTHING
RETURNING token

-- name: insert_opened [sqlite]
-- The first history row of these payments.
INSERT INTO payment_history (slot, token, version, at, event, from_code, to_code, attempt, actor, note, move_id)
{values (:slot, :token, 1, :created_at, 'opened', '', '662', NULL, '', '', :token)}

-- name: payments_by_transaction
-- Payments by site and transaction_id.
SELECT {payment}
FROM {rows} JOIN payment p ON p.slot = CAST(r.value->>'slot' AS INTEGER) AND p.site_id = r.value->>'site_id'
     AND p.transaction_id = r.value->>'transaction_id'

-- name: payments_by_token
-- Payments by token.
SELECT {payment}
FROM {rows} JOIN payment p ON p.slot = CAST(r.value->>'slot' AS INTEGER) AND p.token = r.value->>'token'

-- name: tokens_by_transaction
-- The tokens of these payments.
SELECT p.token
FROM {rows} JOIN payment p ON p.slot = CAST(r.value->>'slot' AS INTEGER) AND p.site_id = r.value->>'site_id'
     AND p.transaction_id = r.value->>'transaction_id'

-- name: versions
-- The newest version of each of these payments.
SELECT p.token, p.version
FROM {rows} JOIN payment p ON p.slot = CAST(r.value->>'slot' AS INTEGER) AND p.token = r.value->>'token'

-- name: lock_payments [postgres]
-- Locks in key order, so that two batches that cross wait for each other in turn.
SELECT 1 FROM payment p
WHERE (p.slot, p.token) IN (SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token' FROM {rows})
ORDER BY p.slot, p.token FOR UPDATE

-- name: move_payments
-- Takes the new state only where the payment still has the old version and status; no row back: somebody was faster.
UPDATE payment AS p SET
    status = r.value->>'status', code = r.value->>'code', version = p.version + 1,
    attempts = CAST(r.value->>'attempts' AS INTEGER), tries = CAST(r.value->>'tries' AS INTEGER),
    method = r.value->>'method', phone = r.value->>'phone', attempt_at = CAST(r.value->>'attempt_at' AS BIGINT),
    failed_code = r.value->>'failed_code', operator_id = r.value->>'operator_id', paid_at = CAST(r.value->>'paid_at' AS BIGINT),
    ended_at = CAST(r.value->>'ended_at' AS BIGINT), left_at = CAST(r.value->>'left_at' AS BIGINT)
FROM {rows}
WHERE p.slot = CAST(r.value->>'slot' AS INTEGER) AND p.token = r.value->>'token'
  AND p.version = CAST(r.value->>'from_version' AS INTEGER) AND p.status = r.value->>'from_status'
RETURNING token

-- name: move_attempts
-- Takes the new state only where the attempt still has the old status. A hint or a claim that came meanwhile is kept.
UPDATE attempt AS a SET
    status = r.value->>'status', code = r.value->>'code', sent_at = CAST(r.value->>'sent_at' AS BIGINT),
    ended_at = CAST(r.value->>'ended_at' AS BIGINT), operator_id = r.value->>'operator_id', page_url = r.value->>'page_url',
    handle = r.value->>'handle', word = r.value->>'word',
    next_ask_at = CASE WHEN a.status = 'sent' AND r.value->>'status' = 'sent' THEN a.next_ask_at
                       ELSE CAST(r.value->>'next_ask_at' AS BIGINT) END,
    claimed_until = CASE WHEN a.status = 'asked' THEN CAST(r.value->>'claimed_until' AS BIGINT) ELSE a.claimed_until END,
    claimed_by = CASE WHEN a.status = 'asked' THEN r.value->>'claimed_by' ELSE a.claimed_by END
FROM {rows}
WHERE a.slot = CAST(r.value->>'slot' AS INTEGER) AND a.token = r.value->>'token'
  AND a.number = CAST(r.value->>'number' AS INTEGER) AND a.status = r.value->>'from_status'
RETURNING reference

-- name: insert_attempts
-- New attempts, each under the reference that the operator will know it by.
INSERT INTO attempt (slot, token, number, reference, connector, method, phone, amount, currency, status, code, started_at, sent_at,
                     ended_at, operator_id, page_url, handle, word, next_ask_at, asks, hinted_at, claimed_until, claimed_by, site_id)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', CAST(r.value->>'number' AS INTEGER), r.value->>'reference',
       r.value->>'connector', r.value->>'method', r.value->>'phone', CAST(r.value->>'amount' AS BIGINT), r.value->>'currency',
       r.value->>'status', r.value->>'code', CAST(r.value->>'started_at' AS BIGINT), CAST(r.value->>'sent_at' AS BIGINT),
       CAST(r.value->>'ended_at' AS BIGINT), r.value->>'operator_id', r.value->>'page_url', r.value->>'handle', r.value->>'word',
       CAST(r.value->>'next_ask_at' AS BIGINT), 0, NULL, CAST(r.value->>'claimed_until' AS BIGINT), r.value->>'claimed_by',
       r.value->>'site_id'
FROM {rows} WHERE true

-- name: lock_payers
-- Holds these payers, in key order, until the transaction ends: nobody else counts what they do meanwhile.
INSERT INTO payer_lock (payer, at)
SELECT r.value->>'payer', CAST(r.value->>'at' AS BIGINT) FROM {rows} WHERE true ORDER BY 1
ON CONFLICT (payer) DO UPDATE SET at = excluded.at

-- name: payer_use
-- What each number has paid its site in the day, week and month, or is about to; other payments than the one that asks.
SELECT r.value->>'token',
       COUNT(CASE WHEN a.started_at >= CAST(r.value->>'day' AS BIGINT) THEN 1 END),
       CAST(COALESCE(SUM(CASE WHEN a.started_at >= CAST(r.value->>'day' AS BIGINT) AND a.currency = r.value->>'currency'
                              THEN a.amount END), 0) AS BIGINT),
       COUNT(CASE WHEN a.started_at >= CAST(r.value->>'week' AS BIGINT) THEN 1 END),
       CAST(COALESCE(SUM(CASE WHEN a.started_at >= CAST(r.value->>'week' AS BIGINT) AND a.currency = r.value->>'currency'
                              THEN a.amount END), 0) AS BIGINT),
       COUNT(CASE WHEN a.started_at >= CAST(r.value->>'month' AS BIGINT) THEN 1 END),
       CAST(COALESCE(SUM(CASE WHEN a.started_at >= CAST(r.value->>'month' AS BIGINT) AND a.currency = r.value->>'currency'
                              THEN a.amount END), 0) AS BIGINT)
FROM {rows} JOIN attempt a ON a.site_id = r.value->>'site_id' AND a.phone = r.value->>'phone'
     AND a.started_at >= CAST(r.value->>'first' AS BIGINT) AND a.status IN ('asked', 'sent', 'paid', 'surplus')
     AND a.token <> r.value->>'token'
GROUP BY r.value->>'token'

-- name: prompt_use
-- How often each number was prompted since a moment, altogether and for this address, and the oldest of each.
SELECT r.value->>'token', COUNT(p.at), COUNT(CASE WHEN p.address = r.value->>'address' THEN 1 END), MIN(p.at),
       MIN(CASE WHEN p.address = r.value->>'address' THEN p.at END)
FROM {rows} JOIN prompt p ON p.phone = r.value->>'phone' AND p.at > CAST(r.value->>'since' AS BIGINT)
GROUP BY r.value->>'token'

-- name: insert_prompts
-- Prompts that are about to leave.
INSERT INTO prompt (phone, at, token, number, address)
SELECT r.value->>'phone', CAST(r.value->>'at' AS BIGINT), r.value->>'token', CAST(r.value->>'number' AS INTEGER), r.value->>'address'
FROM {rows} WHERE true
ON CONFLICT DO NOTHING

-- name: forget_prompts
-- Prompts that never left.
DELETE FROM prompt WHERE (phone, at, token, number) IN (
    SELECT p.phone, p.at, p.token, p.number FROM {rows} JOIN prompt p ON p.phone = r.value->>'phone'
    WHERE p.token = r.value->>'token' AND p.number = CAST(r.value->>'number' AS INTEGER))

-- name: prune_prompts
-- Prompts that no limit looks back to.
DELETE FROM prompt WHERE at < :before

-- name: prune_payer_locks
-- Payers that nobody has counted for long.
DELETE FROM payer_lock WHERE at < :before

-- name: insert_history
-- One row for each move.
INSERT INTO payment_history (slot, token, version, at, event, from_code, to_code, attempt, actor, note, move_id)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', CAST(r.value->>'version' AS INTEGER), CAST(r.value->>'at' AS BIGINT),
       r.value->>'event', r.value->>'from_code', r.value->>'code', CAST(r.value->>'attempt' AS INTEGER), r.value->>'actor',
       r.value->>'note', r.value->>'move_id'
FROM {rows} WHERE true

-- name: mark_notifications
-- The site is to be told this version; the schedule starts afresh. A delivery that is under way keeps its claim.
INSERT INTO notification (slot, token, site_id, endpoint, due_version, told_version, tried_version, due_at, since, tries, claimed_until)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', r.value->>'site_id', r.value->>'endpoint',
       CAST(r.value->>'version' AS INTEGER), 0, 0, CAST(r.value->>'at' AS BIGINT), CAST(r.value->>'at' AS BIGINT), 0, 0
FROM {rows} WHERE true ORDER BY 1, 2
ON CONFLICT (slot, token) DO UPDATE SET due_version = excluded.due_version, due_at = excluded.due_at, since = excluded.since,
    endpoint = excluded.endpoint, tries = 0, parked_at = NULL

-- name: insert_surpluses
-- Money received for payments that were already final.
INSERT INTO surplus (slot, token, attempt, at, operator_id, amount, currency)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', CAST(r.value->>'attempt' AS INTEGER), CAST(r.value->>'at' AS BIGINT),
       r.value->>'operator_id', CAST(r.value->>'amount' AS BIGINT), r.value->>'currency'
FROM {rows} WHERE true

-- name: refund_surpluses
-- A person gave this money back; no row back where that was said before.
UPDATE surplus AS s SET refunded_at = CAST(r.value->>'at' AS BIGINT), refunded_by = r.value->>'actor', refund_why = r.value->>'note'
FROM {rows}
WHERE s.slot = CAST(r.value->>'slot' AS INTEGER) AND s.token = r.value->>'token'
  AND s.attempt = CAST(r.value->>'refunded' AS INTEGER) AND s.refunded_at IS NULL
RETURNING token

-- name: moves_by_version
-- Which move made these versions: tells a move that was lost during COMMIT from one that somebody else made.
SELECT h.token, h.move_id
FROM {rows} JOIN payment_history h ON h.slot = CAST(r.value->>'slot' AS INTEGER) AND h.token = r.value->>'token'
     AND h.version = CAST(r.value->>'version' AS INTEGER)

-- name: attempts_of
-- The attempts of a payment, oldest first.
SELECT {attempt} FROM attempt a WHERE a.slot = :slot AND a.token = :token ORDER BY a.number

-- name: attempt_by_reference
-- The attempt that an operator knows by this reference.
SELECT {attempt} FROM attempt a WHERE a.slot = :slot AND a.reference = :reference

-- name: connectors_due
-- Which of these connectors have a question that is due: one step in the index for each. An EXISTS would be made a join, for which
-- PostgreSQL reads every attempt in flight.
SELECT r.value->>'connector' FROM {rows}
WHERE (SELECT 1 FROM attempt a WHERE a.connector = r.value->>'connector' AND a.next_ask_at <= :now AND a.claimed_until < :now LIMIT 1) = 1

-- name: connectors_in_flight
-- The connectors that have attempts in flight.
SELECT DISTINCT a.connector FROM attempt a WHERE a.status = 'sent'

-- name: claim_asks
-- A connector's attempts whose question is due, leased to one asker; the guard stands outside too, or PostgreSQL would hand rows out twice.
WITH chosen (slot, token, number) AS MATERIALIZED (
    SELECT b.slot, b.token, b.number FROM attempt b
    WHERE b.connector = :connector AND b.next_ask_at <= :now AND b.claimed_until < :now
    ORDER BY b.next_ask_at LIMIT :limit {skip_locked})
UPDATE attempt AS a SET claimed_until = :until, claimed_by = :claim
WHERE (a.slot, a.token, a.number) IN (SELECT c.slot, c.token, c.number FROM chosen c)
  AND COALESCE(a.next_ask_at <= :now, FALSE) AND a.claimed_until < :now
RETURNING {attempt_returned}

-- name: release_asks
-- When each attempt is to be asked next, if the claim is still ours. A hint that came while we asked brings the question forward;
-- one that was put off (hinted_at lies ahead) is waited for.
UPDATE attempt AS a SET
    next_ask_at = CASE
        WHEN a.hinted_at > CAST(r.value->>'hinted_ask_at' AS BIGINT)
         AND (a.status <> 'sent' OR a.hinted_at < CAST(r.value->>'next_ask_at' AS BIGINT)) THEN a.hinted_at
        WHEN a.hinted_at <= CAST(r.value->>'hinted_ask_at' AS BIGINT)
         AND a.hinted_at + CASE a.status WHEN 'sent' THEN 1 ELSE 0 END > CAST(r.value->>'asked_at' AS BIGINT)
            THEN CAST(r.value->>'hinted_ask_at' AS BIGINT)
        WHEN a.status = 'sent' THEN CAST(r.value->>'next_ask_at' AS BIGINT) END,
    word = COALESCE(r.value->>'word', a.word), asks = a.asks + 1, claimed_until = 0, claimed_by = NULL
FROM {rows}
WHERE a.slot = CAST(r.value->>'slot' AS INTEGER) AND a.token = r.value->>'token'
  AND a.number = CAST(r.value->>'number' AS INTEGER) AND a.claimed_by = r.value->>'claim'
RETURNING reference

-- name: hint
-- Brings the next question forward, at most once in five seconds for each attempt.
UPDATE attempt SET
    next_ask_at = CASE WHEN hinted_at > :now - 5000
                       THEN CASE WHEN next_ask_at < hinted_at + 5000 THEN next_ask_at ELSE hinted_at + 5000 END
                       ELSE CASE WHEN next_ask_at < :now THEN next_ask_at ELSE :now END END,
    hinted_at = CASE WHEN hinted_at > :now - 5000 THEN hinted_at + 5000 ELSE :now END
WHERE slot = :slot AND reference = :reference AND status IN ('sent', 'failed', 'paid', 'surplus')
  AND (hinted_at IS NULL OR hinted_at <= :now)
RETURNING reference

-- name: unended_attempts
-- Attempts that were sent before a moment and have no end: for a person to look at. They are chosen first, or PostgreSQL reads all
-- payments beside them.
SELECT {attempt}, p.site_id, p.transaction_id
FROM (SELECT b.* FROM attempt b WHERE b.status = 'sent' AND b.sent_at < :before ORDER BY b.sent_at LIMIT :limit) a
     JOIN payment p ON p.slot = a.slot AND p.token = a.token
ORDER BY a.sent_at

-- name: due_notifications
-- What may be sent now, the longest due first.
SELECT n.slot, n.token, n.site_id, n.endpoint, n.since, n.tries FROM notification n
WHERE n.due_at <= :now AND n.claimed_until < :now ORDER BY n.due_at LIMIT {first :limit}

-- name: due_by_endpoint
-- The next endpoints in the order of their names, each with the first of what it has due: one step in the index for each endpoint,
-- however much one of them has waiting.
WITH RECURSIVE lane (endpoint, step) AS (
    SELECT (SELECT min(m.endpoint) FROM notification m WHERE m.due_at IS NOT NULL AND m.endpoint > :after), 1
    UNION ALL
    SELECT (SELECT min(m.endpoint) FROM notification m WHERE m.due_at IS NOT NULL AND m.endpoint > lane.endpoint), lane.step + 1
    FROM lane WHERE lane.endpoint IS NOT NULL AND lane.step < :lanes)
SELECT lane.endpoint, (
    SELECT {json_rows}({json_row}(f.slot, f.token, f.site_id, f.endpoint, f.since, f.tries)) FROM (
        SELECT k.slot, k.token, k.site_id, k.endpoint, k.since, k.tries FROM notification k
        WHERE (k.endpoint, k.due_at) >= (lane.endpoint, 0) AND (k.endpoint, k.due_at) <= (lane.endpoint, :now) AND k.due_at IS NOT NULL
          AND k.claimed_until < :now
        ORDER BY k.endpoint, k.due_at LIMIT {first :most}) AS f)
FROM lane WHERE lane.endpoint IS NOT NULL

-- name: due_of_endpoints
-- These endpoints, each with the first of what it has due.
SELECT r.value->>'endpoint', (
    SELECT {json_rows}({json_row}(f.slot, f.token, f.site_id, f.endpoint, f.since, f.tries)) FROM (
        SELECT k.slot, k.token, k.site_id, k.endpoint, k.since, k.tries FROM notification k
        WHERE (k.endpoint, k.due_at) >= (r.value->>'endpoint', 0) AND (k.endpoint, k.due_at) <= (r.value->>'endpoint', :now) AND k.due_at IS NOT NULL
          AND k.claimed_until < :now
        ORDER BY k.endpoint, k.due_at LIMIT {first :most}) AS f)
FROM {rows}

-- name: claim_notifications
-- Leases those of these that are still due to one sender; one delivery per payment at a time. The guard stands outside too, or
-- PostgreSQL would hand rows out twice.
UPDATE notification AS n SET claimed_until = :until, claimed_by = :claim
WHERE (n.slot, n.token) IN (
        SELECT m.slot, m.token
        FROM {rows} JOIN notification m ON m.slot = CAST(r.value->>'slot' AS INTEGER) AND m.token = r.value->>'token'
        WHERE COALESCE(m.due_at <= :now, FALSE) AND m.claimed_until < :now ORDER BY m.slot, m.token {skip_locked})
  AND COALESCE(n.due_at <= :now, FALSE) AND n.claimed_until < :now
RETURNING slot, token, site_id, endpoint, since, tries

-- name: claim_held
-- The next of what an endpoint has waiting, due or not, leased as the one that tries whether it answers.
WITH chosen (slot, token) AS MATERIALIZED (
    SELECT m.slot, m.token FROM notification m
    WHERE (m.endpoint, m.due_at) >= (:endpoint, 0) AND (m.endpoint, m.due_at) <= (:endpoint, {for_ever}) AND m.due_at IS NOT NULL
      AND m.claimed_until < :now
    ORDER BY m.endpoint, m.due_at LIMIT {first 1} {skip_locked})
UPDATE notification AS n SET claimed_until = :until, claimed_by = :claim
WHERE (n.slot, n.token) IN ({named})
  AND COALESCE(n.due_at IS NOT NULL, FALSE) AND n.claimed_until < :now
RETURNING slot, token, site_id, endpoint, since, tries

-- name: claim_parked
-- Of the newest that an endpoint has parked the least tried, leased as the one that tries whether it answers: one whose own address is gone
-- must not be the only one that is ever tried.
WITH chosen (slot, token) AS MATERIALIZED (
    SELECT q.slot, q.token FROM (
        SELECT m.slot, m.token, m.tries, m.parked_at FROM notification m
        WHERE (m.endpoint, m.parked_at) > (:endpoint, :after) AND (m.endpoint, m.parked_at) <= (:endpoint, {for_ever})
          AND m.parked_at IS NOT NULL AND m.claimed_until < :now
        ORDER BY m.endpoint DESC, m.parked_at DESC LIMIT {first 50}) AS q
    ORDER BY q.tries, q.parked_at DESC LIMIT 1)
UPDATE notification AS n SET claimed_until = :until, claimed_by = :claim
WHERE (n.slot, n.token) IN ({named})
  AND COALESCE(n.parked_at IS NOT NULL, FALSE) AND n.claimed_until < :now
RETURNING slot, token, site_id, endpoint, since, tries

-- name: release_notifications
-- Gives back what was claimed and not sent.
UPDATE notification AS n SET claimed_until = 0, claimed_by = NULL
FROM {rows}
WHERE n.slot = CAST(r.value->>'slot' AS INTEGER) AND n.token = r.value->>'token' AND n.claimed_by = :claim
RETURNING token

-- name: hold_notifications
-- What an endpoint with an open breaker has due waits for the moment of its last try; what is past that is parked. The state is looked
-- at again: an endpoint that answered meanwhile would not bring these back.
UPDATE notification AS n SET
    due_at = CASE WHEN n.since + :last > :now THEN n.since + :last END,
    parked_at = CASE WHEN n.since + :last > :now THEN n.parked_at ELSE :now END
FROM {rows}
WHERE n.slot = CAST(r.value->>'slot' AS INTEGER) AND n.token = r.value->>'token' AND COALESCE(n.due_at <= :now, FALSE)
  AND n.claimed_until < :now
  AND EXISTS (SELECT 1 FROM endpoint e WHERE e.endpoint = n.endpoint AND e.state = 'open')
RETURNING due_at

-- name: bring_forward
-- A slice of what an endpoint that answers again has scheduled for later; each once for each time that it answers again.
WITH chosen (slot, token) AS MATERIALIZED (
    SELECT m.slot, m.token FROM notification m
    WHERE (m.endpoint, m.due_at) > (:endpoint, :now) AND (m.endpoint, m.due_at) <= (:endpoint, {for_ever}) AND m.due_at IS NOT NULL
      AND m.brought_at < :answered_at
    ORDER BY m.endpoint, m.due_at LIMIT {first :limit} {skip_locked})
UPDATE notification AS n SET due_at = :now, brought_at = :brought_at
WHERE (n.slot, n.token) IN ({named})
  AND COALESCE(n.due_at > :now, FALSE)
RETURNING token

-- name: bring_back
-- A slice of what an endpoint that answers again has parked, with a fresh schedule: one that stumbles over all that it missed is told
-- the rest a little later. Not what was parked after the answer, nor what came back before and was parked long before its schedule ended:
-- its address said again that it is gone, while the endpoint answers others.
WITH chosen (slot, token) AS MATERIALIZED (
    SELECT m.slot, m.token FROM notification m
    WHERE (m.endpoint, m.parked_at) >= (:endpoint, 0) AND (m.endpoint, m.parked_at) <= (:endpoint, {for_ever})
      AND {comes_back} AND m.brought_at < :answered_at AND m.parked_at <= :answered_at
    ORDER BY m.endpoint, m.parked_at LIMIT {first :limit} {skip_locked})
UPDATE notification AS n SET due_at = :now, since = :brought_at, tries = 0, parked_at = NULL, brought_at = :brought_at
WHERE (n.slot, n.token) IN ({named})
  AND COALESCE(n.parked_at IS NOT NULL, FALSE)
RETURNING token

-- name: due_at_endpoint
-- How much of an endpoint is due now, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM notification n WHERE n.endpoint = :endpoint AND n.due_at <= :now LIMIT :limit) AS f

-- name: without_endpoint
-- Notifications from before endpoints were written down that are still to be told, with what the payment asked.
SELECT n.slot, n.token, n.site_id, p.request
FROM notification n JOIN payment p ON p.slot = n.slot AND p.token = n.token
WHERE n.endpoint = '' AND n.due_at IS NOT NULL
UNION ALL
SELECT n.slot, n.token, n.site_id, p.request
FROM notification n JOIN payment p ON p.slot = n.slot AND p.token = n.token
WHERE n.endpoint = '' AND n.parked_at IS NOT NULL
LIMIT :limit

-- name: set_endpoints
-- Where these notifications go.
UPDATE notification AS n SET endpoint = r.value->>'endpoint'
FROM {rows}
WHERE n.slot = CAST(r.value->>'slot' AS INTEGER) AND n.token = r.value->>'token' AND n.endpoint = ''
RETURNING token

-- name: record_tries [postgres]
-- Every POST is a row, whoever holds the claim now; and what it did to its notification, if the claim is still ours. A newer state that
-- came meanwhile, or a wish to be told again, stays due as it was marked. In key order, as changes lock these rows, too; limited, so that
-- the planner looks them up.
WITH told (slot, token, claim, endpoint, delivered, delivery_id, at, site_id, transaction_id, number, version, code, url, status,
           duration_ms, answer, error, next_try_at) AS (
    SELECT * FROM unnest(
        CAST(:rows.slot AS integer[]), CAST(:rows.token AS text[]), CAST(:rows.claim AS text[]), CAST(:rows.endpoint AS text[]),
        CAST(:rows.delivered AS text[]), CAST(:rows.delivery_id AS text[]), CAST(:rows.at AS bigint[]),
        CAST(:rows.site_id AS text[]), CAST(:rows.transaction_id AS text[]), CAST(:rows.number AS integer[]),
        CAST(:rows.version AS integer[]), CAST(:rows.code AS text[]), CAST(:rows.url AS text[]), CAST(:rows.status AS integer[]),
        CAST(:rows.duration_ms AS integer[]), CAST(:rows.answer AS text[]), CAST(:rows.error AS text[]),
        CAST(:rows.next_try_at AS bigint[]))
    ORDER BY 1, 2 LIMIT {first 100000}),
logged AS (
    INSERT INTO delivery (slot, token, delivery_id, at, site_id, transaction_id, number, version, code, url, status, duration_ms,
                          answer, error, next_try_at)
    SELECT slot, token, delivery_id, at, site_id, transaction_id, number, version, code, url, status, duration_ms, answer, error,
           next_try_at
    FROM told
    ON CONFLICT DO NOTHING)
UPDATE notification AS n SET
    told_version = CASE WHEN r.delivered = '1' THEN r.version ELSE n.told_version END,
    tried_version = r.version,
    due_at = CASE WHEN {asked_meanwhile} THEN n.due_at WHEN r.delivered = '1' THEN NULL ELSE r.next_try_at END,
    tries = CASE WHEN {asked_meanwhile} THEN n.tries ELSE n.tries + 1 END,
    parked_at = CASE WHEN {asked_meanwhile} THEN n.parked_at
                     WHEN r.delivered = '0' AND r.next_try_at IS NULL THEN COALESCE(n.parked_at, r.at) END,
    endpoint = r.endpoint, claimed_until = 0, claimed_by = NULL
FROM told AS r
WHERE n.slot = r.slot AND n.token = r.token AND n.claimed_by = r.claim
RETURNING n.token

-- name: record_tries [sqlite]
-- What a delivery did to its notification, if the claim is still ours. A newer state that came meanwhile, or a wish to be told again,
-- stays due as it was marked.
UPDATE notification AS n SET
    told_version = CASE WHEN r.value->>'delivered' = '1' THEN CAST(r.value->>'version' AS INTEGER) ELSE n.told_version END,
    tried_version = CAST(r.value->>'version' AS INTEGER),
    due_at = CASE WHEN {asked_meanwhile} THEN n.due_at
                  WHEN r.value->>'delivered' = '1' THEN NULL
                  ELSE CAST(r.value->>'next_try_at' AS BIGINT) END,
    tries = CASE WHEN {asked_meanwhile} THEN n.tries ELSE n.tries + 1 END,
    parked_at = CASE WHEN {asked_meanwhile} THEN n.parked_at
                     WHEN r.value->>'delivered' = '0' AND r.value->>'next_try_at' IS NULL THEN COALESCE(n.parked_at, CAST(r.value->>'at' AS BIGINT)) END,
    endpoint = r.value->>'endpoint', claimed_until = 0, claimed_by = NULL
FROM {rows}
WHERE n.slot = CAST(r.value->>'slot' AS INTEGER) AND n.token = r.value->>'token' AND n.claimed_by = r.value->>'claim'
RETURNING token

-- name: insert_deliveries [sqlite]
-- Every POST is a row, whoever holds the claim now.
INSERT INTO delivery (slot, token, delivery_id, at, site_id, transaction_id, number, version, code, url, status, duration_ms, answer,
                      error, next_try_at)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', r.value->>'delivery_id', CAST(r.value->>'at' AS BIGINT),
       r.value->>'site_id', r.value->>'transaction_id', CAST(r.value->>'number' AS INTEGER),
       CAST(r.value->>'version' AS INTEGER), r.value->>'code', r.value->>'url', CAST(r.value->>'status' AS INTEGER),
       CAST(r.value->>'duration_ms' AS INTEGER), r.value->>'answer', r.value->>'error', CAST(r.value->>'next_try_at' AS BIGINT)
FROM {rows} WHERE true
ON CONFLICT DO NOTHING

-- name: notification_of
-- What is still to be told about a payment.
SELECT n.due_version, n.told_version, n.tried_version, n.due_at, n.since, n.tries, n.parked_at
FROM notification n WHERE n.slot = :slot AND n.token = :token

-- name: deliveries_of
-- The deliveries of a payment, oldest first.
SELECT d.at, d.number, d.version, d.code, d.url, d.status, d.duration_ms, d.answer, d.error, d.next_try_at
FROM delivery d WHERE d.slot = :slot AND d.token = :token ORDER BY d.at, d.delivery_id

-- name: open_endpoint
-- An endpoint does not answer: what it has due is held from now on. No row back: its breaker was open already.
INSERT INTO endpoint (endpoint, site_id, state, since, failures, probe_at, answered_at, claimed_until, changed_at, error)
VALUES (:endpoint, :site_id, 'open', :now, 0, :probe_at, 0, 0, :now, :error)
ON CONFLICT (endpoint) DO UPDATE SET
    since = CASE WHEN endpoint.state = 'closed' THEN excluded.since ELSE endpoint.since END,
    state = 'open', failures = 0, probe_at = excluded.probe_at, claimed_until = 0, changed_at = excluded.changed_at,
    error = excluded.error, gone = 0
WHERE endpoint.state <> 'open'
RETURNING endpoint

-- name: park_endpoint
-- An endpoint did not answer until a notification was parked, or said that it is gone: it is tried now and then. No row back: it was in
-- trouble already, as much or more.
INSERT INTO endpoint (endpoint, site_id, state, since, failures, probe_at, answered_at, claimed_until, changed_at, error, gone)
VALUES (:endpoint, :site_id, 'parked', :now, 0, :probe_at, 0, 0, :now, :error, :gone)
ON CONFLICT (endpoint) DO UPDATE SET state = 'parked', since = excluded.since, failures = 0, probe_at = excluded.probe_at,
    claimed_until = 0, changed_at = excluded.changed_at, error = excluded.error, gone = excluded.gone
WHERE endpoint.state = 'closed' OR (endpoint.state = 'parked' AND endpoint.gone > excluded.gone)
RETURNING endpoint

-- name: claim_probes
-- Endpoints that are to be tried now, each leased to one process.
WITH chosen (endpoint) AS MATERIALIZED (
    SELECT f.endpoint FROM endpoint f
    WHERE f.state IN ('open', 'parked') AND f.probe_at <= :now AND f.claimed_until < :now
    ORDER BY f.probe_at LIMIT :limit {skip_locked})
UPDATE endpoint AS e SET claimed_until = :until
WHERE e.endpoint IN (SELECT c.endpoint FROM chosen c)
  AND e.state IN ('open', 'parked') AND e.probe_at <= :now AND e.claimed_until < :now
RETURNING {endpoint_returned}

-- name: put_off_probe
-- An endpoint that was tried does not answer yet.
UPDATE endpoint SET state = :state, failures = failures + 1, probe_at = :probe_at, claimed_until = 0, changed_at = :now, error = :error
WHERE endpoint = :endpoint AND state IN ('open', 'parked')
RETURNING endpoint

-- name: probe_now
-- An endpoint in trouble is tried at once.
UPDATE endpoint SET probe_at = :now, changed_at = :now
WHERE endpoint = :endpoint AND state IN ('open', 'parked') AND claimed_until < :now
RETURNING endpoint

-- name: endpoint_answered
-- An endpoint in trouble answers again: what it missed is to be brought forward. No row back: somebody else has said so.
UPDATE endpoint SET state = 'catching_up', answered_at = :now, claimed_until = 0, changed_at = :now
WHERE endpoint = :endpoint AND state IN ('open', 'parked')
RETURNING since

-- name: close_endpoint
-- An endpoint in trouble has nothing left that is to be told, or nothing young enough. No row back: it has.
UPDATE endpoint SET state = 'closed', changed_at = :now
WHERE endpoint = :endpoint AND state IN ('open', 'parked')
  AND NOT EXISTS (SELECT 1 FROM notification n WHERE n.endpoint = :endpoint AND n.due_at IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM notification n WHERE n.endpoint = :endpoint AND n.parked_at > :after)
RETURNING endpoint

-- name: endpoint_caught_up
-- Nothing more is to be brought forward. What was parked since it answered is for its next answer. The row stays a while, so that every
-- process sees it.
UPDATE endpoint SET changed_at = :now, since = :now, failures = 0, probe_at = :probe_at, gone = 1, state = CASE WHEN EXISTS (
    SELECT q.slot FROM (
        SELECT m.slot FROM notification m
        WHERE (m.endpoint, m.parked_at) >= (:endpoint, 0) AND (m.endpoint, m.parked_at) <= (:endpoint, {for_ever})
          AND {comes_back}
        ORDER BY m.endpoint, m.parked_at LIMIT {first 1}) AS q) THEN 'parked' ELSE 'closed' END
WHERE endpoint = :endpoint AND state = 'catching_up' AND answered_at = :answered_at
RETURNING state

-- name: endpoints_changed
-- Endpoints whose trouble began, changed or ended lately.
SELECT {endpoint} FROM endpoint e WHERE e.changed_at >= :since

-- name: endpoints_named
-- These endpoints as they are now; none for one that has had no trouble for long.
SELECT {endpoint} FROM {rows} JOIN endpoint e ON e.endpoint = r.value->>'endpoint'

-- name: forget_endpoints
-- Endpoints that have had no trouble for long.
DELETE FROM endpoint WHERE state = 'closed' AND changed_at < :before

-- name: endpoints_in_trouble
-- Endpoints in trouble, the longest first, each with how much waits and how much is parked. site_id '' is every site.
SELECT {endpoint},
       (SELECT count(*) FROM notification n WHERE n.endpoint = e.endpoint AND n.due_at IS NOT NULL),
       (SELECT count(*) FROM notification n WHERE n.endpoint = e.endpoint AND n.parked_at IS NOT NULL)
FROM endpoint e
WHERE e.state <> 'closed' AND (CAST(:site_id AS TEXT) = '' OR e.site_id = :site_id) ORDER BY e.since LIMIT :limit

-- name: endpoint_states
-- How many endpoints are in which trouble.
SELECT e.state, count(*) FROM endpoint e WHERE e.state <> 'closed' GROUP BY e.state

-- name: undelivered
-- How much is undelivered (parked not counted), how much of it is due now, and since when the oldest waits.
SELECT count(*), COALESCE(sum(CASE WHEN n.due_at <= :now THEN 1 ELSE 0 END), 0), min(n.since)
FROM notification n WHERE n.due_at IS NOT NULL

-- name: parked
-- How many notifications are parked.
SELECT count(*) FROM notification n WHERE n.parked_at IS NOT NULL

-- name: replay_payment
-- Tells a payment's newest state again, now, with a fresh schedule.
UPDATE notification SET due_at = :now, since = :now, tries = 0, parked_at = NULL
WHERE slot = :slot AND token = :token RETURNING token

-- name: replay_since
-- Tells again what a site was to be told since a moment, in a slice; what changed since the replay began, or was taken, is not taken.
WITH chosen (slot, token) AS MATERIALIZED (
    SELECT m.slot, m.token FROM notification m
    WHERE m.site_id = :site_id AND m.since >= :since AND m.since < :begun ORDER BY m.since LIMIT {first :limit} {skip_locked})
UPDATE notification AS n SET due_at = :now, since = :now, tries = 0, parked_at = NULL
WHERE (n.slot, n.token) IN ({named})
  AND n.since < :begun
RETURNING token

-- name: replay_parked
-- Tells again what was parked, in a slice, the longest parked first; what is parked again meanwhile is not taken again. site_id '' is
-- every site.
WITH chosen (slot, token) AS MATERIALIZED (
    SELECT m.slot, m.token FROM notification m
    WHERE m.parked_at <= :begun AND (CAST(:site_id AS TEXT) = '' OR m.site_id = :site_id)
    ORDER BY m.parked_at LIMIT {first :limit} {skip_locked})
UPDATE notification AS n SET due_at = :now, since = :now, tries = 0, parked_at = NULL
WHERE (n.slot, n.token) IN ({named})
  AND COALESCE(n.parked_at <= :begun, FALSE)
RETURNING token

-- name: left_to_replay_since
-- Whether any of these is left.
SELECT 1 FROM notification m WHERE m.site_id = :site_id AND m.since >= :since AND m.since < :begun LIMIT 1

-- name: left_to_replay_parked
-- Whether any of these was parked before the replay began.
SELECT 1 FROM notification m
WHERE m.parked_at <= :begun AND (CAST(:site_id AS TEXT) = '' OR m.site_id = :site_id) LIMIT 1

-- name: old_deliveries
-- Deliveries made between two moments, the oldest first, each with whether its notification is still undelivered.
SELECT d.slot, d.token, d.at, d.delivery_id,
       EXISTS (SELECT 1 FROM notification n WHERE n.slot = d.slot AND n.token = d.token
               AND (n.due_at IS NOT NULL OR n.parked_at IS NOT NULL))
FROM delivery d WHERE d.at >= :after AND d.at < :before ORDER BY d.at, d.delivery_id LIMIT {first :limit}

-- name: delete_deliveries
-- These are no longer kept.
DELETE FROM delivery WHERE (slot, token, at, delivery_id) IN (
    SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', CAST(r.value->>'at' AS BIGINT), r.value->>'delivery_id' FROM {rows})
RETURNING token

-- name: history_of
-- The history of a payment, oldest first.
SELECT h.version, h.at, h.event, h.from_code, h.to_code, h.attempt, h.actor, h.note
FROM payment_history h WHERE h.slot = :slot AND h.token = :token ORDER BY h.version

-- name: surpluses_of
-- Money received for a payment after its end.
SELECT s.attempt, s.operator_id, s.amount, s.currency, s.refunded_at, s.refunded_by, s.refund_why
FROM surplus s WHERE s.slot = :slot AND s.token = :token ORDER BY s.attempt

-- name: surpluses
-- Surpluses of all sites, newest first; with :everything 1 those given back, too. Page by page: those after a moment and a reference.
SELECT a.reference, p.site_id, p.transaction_id, s.at, a.connector, a.method, s.operator_id, s.amount, s.currency, s.refunded_at,
       s.refunded_by, s.refund_why
FROM surplus s JOIN payment p ON p.slot = s.slot AND p.token = s.token
     JOIN attempt a ON a.slot = s.slot AND a.token = s.token AND a.number = s.attempt
WHERE (s.at < :before OR (s.at = :before AND a.reference > :after)) AND (s.refunded_at IS NULL OR :everything = 1)
  AND (p.site_id = :site_id OR :site_id = '')
ORDER BY s.at DESC, a.reference LIMIT :limit

-- name: attempts_by_reference
-- Attempts by the references that operators know them by.
SELECT {attempt} FROM {rows} JOIN attempt a ON a.slot = CAST(r.value->>'slot' AS INTEGER) AND a.reference = r.value->>'reference'

-- name: attempts_by_operator_id
-- A connector's attempts by the operator's own numbers.
SELECT {attempt} FROM {rows} JOIN attempt a ON a.connector = r.value->>'connector' AND a.operator_id = r.value->>'operator_id'

-- name: taken_between
-- A connector's attempts whose money came between two moments, oldest first, page by page.
SELECT {attempt} FROM attempt a
WHERE a.connector = :connector AND a.status IN ('paid', 'surplus') AND a.ended_at <= :until
  AND (a.ended_at > :since OR (a.ended_at = :since AND a.reference > :after))
ORDER BY a.ended_at, a.reference LIMIT :limit

-- name: rates
-- How a connector's attempts by method have ended that left since a moment.
SELECT a.connector, a.method, COUNT(*), COUNT(CASE WHEN a.status IN ('paid', 'surplus') THEN 1 END),
       COUNT(CASE WHEN a.status = 'failed' THEN 1 END),
       COUNT(CASE WHEN a.status = 'failed' AND a.code IN ('603', '804') THEN 1 END)
FROM attempt a WHERE a.started_at >= :since AND a.sent_at IS NOT NULL
GROUP BY a.connector, a.method ORDER BY 1, 2

-- name: in_flight
-- By connector and method: attempts in flight, those whose question is due, those sent before a moment.
SELECT a.connector, a.method, COUNT(*), COUNT(CASE WHEN a.next_ask_at <= :now THEN 1 END), COUNT(CASE WHEN a.sent_at < :before THEN 1 END)
FROM attempt a WHERE a.status = 'sent' GROUP BY a.connector, a.method ORDER BY 1, 2

-- name: open_counts
-- Surpluses not given back, attempts sent before a moment without an end, and since when the oldest question waits that nobody has taken.
SELECT (SELECT COUNT(*) FROM surplus s WHERE s.refunded_at IS NULL),
       (SELECT COUNT(*) FROM attempt a WHERE a.status = 'sent' AND a.sent_at < :before),
       (SELECT MIN(CASE WHEN b.claimed_until > b.next_ask_at THEN b.claimed_until ELSE b.next_ask_at END)
        FROM attempt b WHERE b.next_ask_at <= :now AND b.claimed_until < :now)

-- name: save_standings
-- What this process says of its connectors now.
INSERT INTO standing (process, connector, at, state)
SELECT r.value->>'process', r.value->>'connector', CAST(r.value->>'at' AS BIGINT), r.value->>'state' FROM {rows} WHERE true
ON CONFLICT (process, connector) DO UPDATE SET at = excluded.at, state = excluded.state

-- name: standings
-- What the processes said of their connectors since a moment.
SELECT s.process, s.connector, s.at, s.state FROM standing s WHERE s.at >= :since ORDER BY s.connector, s.process

-- name: standing_processes
-- How many processes said something of each connector since a moment.
SELECT s.connector, COUNT(*) FROM standing s WHERE s.at >= :since GROUP BY s.connector

-- name: delete_standings
-- A process that ends says nothing more.
DELETE FROM standing WHERE process = :process

-- name: prune_standings
-- Processes that have said nothing for long.
DELETE FROM standing WHERE at < :before

-- name: expired_payments
-- Payments whose session is over and that have nothing in flight.
SELECT {payment} FROM payment p
WHERE p.status = 'waiting' AND p.expires_at <= :now
  AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.slot = p.slot AND a.token = p.token AND a.status = 'sent')
ORDER BY p.expires_at LIMIT :limit

-- name: upsert_site
-- A site as it is now.
INSERT INTO site (site_id, name, status, sealed_secret_key, currencies, countries, settings, created_at,
                  sealed_old_secret_key, old_secret_until)
VALUES (:site_id, :name, :status, :sealed_secret_key, :currencies, :countries, :settings, :created_at,
        :sealed_old_secret_key, :old_secret_until)
ON CONFLICT (site_id) DO UPDATE SET name = excluded.name, status = excluded.status, sealed_secret_key = excluded.sealed_secret_key,
    currencies = excluded.currencies, countries = excluded.countries, settings = excluded.settings,
    sealed_old_secret_key = excluded.sealed_old_secret_key, old_secret_until = excluded.old_secret_until

-- name: insert_site
-- A new site; no row back where the site_id is taken.
INSERT INTO site (site_id, name, status, sealed_secret_key, currencies, countries, settings, created_at,
                  sealed_old_secret_key, old_secret_until)
VALUES (:site_id, :name, :status, :sealed_secret_key, :currencies, :countries, :settings, :created_at,
        :sealed_old_secret_key, :old_secret_until)
ON CONFLICT (site_id) DO NOTHING RETURNING site_id

-- name: last_notify_url
-- Where the site's newest delivery went.
SELECT d.url FROM delivery d WHERE d.site_id = :site_id ORDER BY d.at DESC LIMIT 1

-- name: change_site
-- A site's name, status and settings; its secret keys are left alone, whoever may be rotating them.
UPDATE site SET name = :name, status = :status, currencies = :currencies, countries = :countries, settings = :settings
WHERE site_id = :site_id RETURNING site_id

-- name: rotate_secret
-- The new secret key beside the old one until then; no row back where a rotation is still under way.
UPDATE site SET sealed_old_secret_key = sealed_secret_key, sealed_secret_key = :sealed,
    old_secret_until = CASE WHEN sealed_secret_key IS NULL THEN NULL ELSE CAST(:until AS BIGINT) END
WHERE site_id = :site_id AND (old_secret_until IS NULL OR old_secret_until <= :now) RETURNING site_id

-- name: finish_rotation
-- The old secret key is no longer used; no row back where no rotation is under way.
UPDATE site SET sealed_old_secret_key = NULL, old_secret_until = NULL
WHERE site_id = :site_id AND old_secret_until > :now RETURNING site_id

-- name: drop_old_secrets
-- Old secret keys whose grace is over.
UPDATE site SET sealed_old_secret_key = NULL, old_secret_until = NULL WHERE old_secret_until <= :now RETURNING site_id

-- name: sites
-- All sites.
SELECT {site} FROM site s ORDER BY s.site_id

-- name: site_by_id
-- One site.
SELECT {site} FROM site s WHERE s.site_id = :site_id

-- name: sites_of_key
-- The sites that a key opens now.
SELECT {site} FROM apikey_site ks JOIN site s ON s.site_id = ks.site_id
WHERE ks.key_hash = :key_hash AND (ks.revoked_at IS NULL OR ks.revoked_at > :now)

-- name: insert_key
-- A key, by its hash.
INSERT INTO apikey (key_hash, label, created_at) VALUES (:key_hash, :label, :created_at) ON CONFLICT (key_hash) DO NOTHING

-- name: give_key
-- The key opens this site from now on, also where it had been refused.
INSERT INTO apikey_site (key_hash, site_id) VALUES (:key_hash, :site_id)
ON CONFLICT (key_hash, site_id) DO UPDATE SET revoked_at = NULL

-- name: revoke_other_keys
-- From that moment on the site refuses its other keys; a key that opens other sites still opens those.
UPDATE apikey_site SET revoked_at = :at WHERE site_id = :site_id AND key_hash <> :keep AND revoked_at IS NULL

-- name: keys_of_site
-- The keys of a site, newest first; never the keys themselves.
SELECT k.label, k.created_at, ks.revoked_at FROM apikey k JOIN apikey_site ks ON ks.key_hash = k.key_hash
WHERE ks.site_id = :site_id ORDER BY k.created_at DESC

-- name: ready
-- Can the database answer?
SELECT 1

-- name: schema_version
-- The newest migration that was applied.
SELECT COALESCE(MAX(version), 0) FROM schema_version

-- name: insert_admin_token
-- A new admin token; no row back where a live one has its label.
INSERT INTO admin_token (token_hash, label, scopes, sites, created_at, expires_at)
VALUES (:token_hash, :label, :scopes, :sites, :created_at, :expires_at)
ON CONFLICT DO NOTHING RETURNING label

-- name: ensure_admin_token
-- A token that is public knowledge is there, and may do all, whatever was done with it before.
INSERT INTO admin_token (token_hash, label, scopes, sites, created_at, expires_at)
VALUES (:token_hash, :label, :scopes, NULL, :created_at, NULL)
ON CONFLICT (token_hash) DO UPDATE SET revoked_at = NULL, expires_at = NULL, scopes = excluded.scopes, sites = NULL

-- name: admin_token
-- One admin token, by its hash.
SELECT {admin_token} FROM admin_token t WHERE t.token_hash = :token_hash

-- name: admin_tokens
-- All admin tokens, newest first.
SELECT {admin_token} FROM admin_token t ORDER BY t.created_at DESC, t.label

-- name: revoke_admin_token
-- The live token of this label is refused from now on.
UPDATE admin_token SET revoked_at = :now WHERE label = :label AND revoked_at IS NULL RETURNING label

-- name: admin_token_used
-- When a token was last used, kept to the minute or so.
UPDATE admin_token SET last_used_at = :now
WHERE token_hash = :token_hash AND (last_used_at IS NULL OR last_used_at < :before)

-- name: insert_audit
-- A write that was asked for at the admin doors.
INSERT INTO admin_audit (at, audit_id, label, address, what, target, result)
VALUES (:at, :audit_id, :label, :address, :what, :target, :result)

-- name: finish_audit
-- What became of it.
UPDATE admin_audit SET result = :result WHERE at = :at AND audit_id = :audit_id

-- name: audit
-- What was asked for at the admin doors, newest first, from a moment backwards.
SELECT u.audit_id, u.at, u.label, u.address, u.what, u.target, u.result FROM admin_audit u
WHERE u.at >= :since AND (u.at, u.audit_id) < (:at, :audit_id) ORDER BY u.at DESC, u.audit_id DESC LIMIT :limit

-- name: logged_deliveries_of_site
-- A site's deliveries, newest first, from a moment backwards; with :result 'delivered' only those that were answered 2xx.
SELECT {delivery} FROM delivery d
WHERE d.site_id = :site_id AND d.at >= :since AND (d.at, d.delivery_id) < (:at, :delivery_id)
  AND (:result = 'any' OR (d.status >= 200 AND d.status < 300))
ORDER BY d.at DESC, d.delivery_id DESC LIMIT :limit

-- name: logged_deliveries
-- All sites' deliveries, newest first, from a moment backwards; with :result 'delivered' only those that were answered 2xx.
SELECT {delivery} FROM delivery d
WHERE d.at >= :since AND (d.at, d.delivery_id) < (:at, :delivery_id)
  AND (:result = 'any' OR (d.status >= 200 AND d.status < 300))
ORDER BY d.at DESC, d.delivery_id DESC LIMIT :limit

-- name: failed_deliveries_of_site
-- A site's deliveries that were not answered 2xx, newest first, from a moment backwards.
SELECT {delivery} FROM delivery d
WHERE d.site_id = :site_id AND d.at >= :since AND (d.at, d.delivery_id) < (:at, :delivery_id)
  AND (d.status IS NULL OR d.status >= 300)
ORDER BY d.at DESC, d.delivery_id DESC LIMIT :limit

-- name: failed_deliveries
-- All sites' deliveries that were not answered 2xx, newest first, from a moment backwards.
SELECT {delivery} FROM delivery d
WHERE d.at >= :since AND (d.at, d.delivery_id) < (:at, :delivery_id)
  AND (d.status IS NULL OR d.status >= 300)
ORDER BY d.at DESC, d.delivery_id DESC LIMIT :limit

-- name: logged_deliveries_of_payment
-- A payment's deliveries, newest first, from a moment backwards; with :result 'delivered' only those that were answered 2xx, with
-- 'failed' only the others.
SELECT {delivery} FROM delivery d
WHERE d.slot = :slot AND d.token = :token AND d.at >= :since AND (d.at, d.delivery_id) < (:at, :delivery_id)
  AND :result IN ('any', CASE WHEN d.status >= 200 AND d.status < 300 THEN 'delivered' ELSE 'failed' END)
ORDER BY d.at DESC, d.delivery_id DESC LIMIT :limit

-- name: logged_delivery
-- One delivery, by its moment and its id.
SELECT {delivery} FROM delivery d WHERE d.at = :at AND d.delivery_id = :delivery_id

-- name: heard_of_site
-- A site's notifications in the order of their changes, after a place in it.
SELECT n.token, n.since, n.due_version FROM notification n
WHERE n.site_id = :site_id AND (n.since, n.token) > (:since, :token) ORDER BY n.since, n.token LIMIT :limit

-- name: heard_last
-- The newest of a site's notifications, newest first.
SELECT n.token, n.since, n.due_version FROM notification n
WHERE n.site_id = :site_id ORDER BY n.since DESC, n.token DESC LIMIT :limit

-- name: owed_due
-- What is still to be told, the next due first, after a place in that order; '' as :site_id for all sites.
SELECT p.site_id, p.transaction_id, p.code, n.due_version, n.told_version, n.since, n.tries, n.due_at, n.parked_at
FROM notification n JOIN payment p ON p.slot = n.slot AND p.token = n.token
WHERE n.due_at IS NOT NULL AND (:site_id = '' OR n.site_id = :site_id)
  AND n.due_at >= :at AND (n.due_at, p.site_id, p.transaction_id) > (:at, :after_site, :after_transaction)
ORDER BY n.due_at, p.site_id, p.transaction_id LIMIT :limit

-- name: owed_parked
-- What was given up for now, the longest parked first, after a place in that order; '' as :site_id for all sites.
SELECT p.site_id, p.transaction_id, p.code, n.due_version, n.told_version, n.since, n.tries, n.due_at, n.parked_at
FROM notification n JOIN payment p ON p.slot = n.slot AND p.token = n.token
WHERE n.parked_at IS NOT NULL AND (:site_id = '' OR n.site_id = :site_id)
  AND n.parked_at >= :at AND (n.parked_at, p.site_id, p.transaction_id) > (:at, :after_site, :after_transaction)
ORDER BY n.parked_at, p.site_id, p.transaction_id LIMIT :limit

-- name: raise_alert
-- An alert begins; no row back where it is raised already.
INSERT INTO alert (name, since, told_at, detail) VALUES (:name, :now, :now, :detail) ON CONFLICT (name) DO NOTHING RETURNING name

-- name: repeat_alert
-- A raised alert is told again, by one process, when it was last told before a moment.
UPDATE alert SET told_at = :now, detail = :detail WHERE name = :name AND told_at <= :before RETURNING since

-- name: end_alert
-- An alert is over; a row back for the one who ended it.
DELETE FROM alert WHERE name = :name RETURNING since

-- name: alerts
-- The alerts that are raised, oldest first.
SELECT a.name, a.since, a.told_at, a.detail FROM alert a ORDER BY a.since, a.name

-- name: waiting_counts
-- Payments that wait, and attempts that are in flight.
SELECT (SELECT COUNT(*) FROM payment p WHERE p.status = 'waiting'), (SELECT COUNT(*) FROM attempt b WHERE b.status = 'sent')
