-- Every statement of the store, in the SQL that both engines speak.
--
-- A statement begins at "-- name: word" and its next comment says what it does; "-- name: word [postgres]" is the same statement spelled
-- again for one engine. Parameters are :named. {rows} is the batch: one JSON array of objects, read as r.value->>'field'.
-- {skip_locked} passes over rows that another process holds, where the engine has row locks.
--
-- Opening a payment is the one operation that is spelled for each engine by itself (docs/benchmarks.md has the measured reason): on
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
    handle = r.value->>'handle',    word = r.value->>'word',
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
                     ended_at, operator_id, page_url, handle, word, next_ask_at, asks, hinted_at, claimed_until, claimed_by)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', CAST(r.value->>'number' AS INTEGER), r.value->>'reference',
       r.value->>'connector', r.value->>'method', r.value->>'phone', CAST(r.value->>'amount' AS BIGINT), r.value->>'currency',
       r.value->>'status', r.value->>'code', CAST(r.value->>'started_at' AS BIGINT), CAST(r.value->>'sent_at' AS BIGINT),
       CAST(r.value->>'ended_at' AS BIGINT), r.value->>'operator_id', r.value->>'page_url', r.value->>'handle', r.value->>'word',
       CAST(r.value->>'next_ask_at' AS BIGINT), 0, NULL, CAST(r.value->>'claimed_until' AS BIGINT), r.value->>'claimed_by'
FROM {rows} WHERE true

-- name: insert_history
-- One row for each move.
INSERT INTO payment_history (slot, token, version, at, event, from_code, to_code, attempt, actor, note, move_id)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', CAST(r.value->>'version' AS INTEGER), CAST(r.value->>'at' AS BIGINT),
       r.value->>'event', r.value->>'from_code', r.value->>'code', CAST(r.value->>'attempt' AS INTEGER), r.value->>'actor',
       r.value->>'note', r.value->>'move_id'
FROM {rows} WHERE true

-- name: mark_notifications
-- The site is to be told this version; the schedule starts afresh. A delivery that is under way keeps its claim.
INSERT INTO notification (slot, token, site_id, due_version, told_version, tried_version, due_at, since, tries, claimed_until)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', r.value->>'site_id', CAST(r.value->>'version' AS INTEGER), 0, 0,
       CAST(r.value->>'at' AS BIGINT), CAST(r.value->>'at' AS BIGINT), 0, 0
FROM {rows} WHERE true
ON CONFLICT (slot, token) DO UPDATE SET due_version = excluded.due_version, due_at = excluded.due_at, since = excluded.since,
    tries = 0, parked_at = NULL

-- name: insert_surpluses
-- Money received for payments that were already final.
INSERT INTO surplus (slot, token, attempt, at, operator_id, amount, currency)
SELECT CAST(r.value->>'slot' AS INTEGER), r.value->>'token', CAST(r.value->>'attempt' AS INTEGER), CAST(r.value->>'at' AS BIGINT),
       r.value->>'operator_id', CAST(r.value->>'amount' AS BIGINT), r.value->>'currency'
FROM {rows} WHERE true

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

-- name: claim_asks
-- Attempts whose question is due, leased to one asker; the guard stands outside too, or PostgreSQL would hand rows out twice.
UPDATE attempt AS a SET claimed_until = :until, claimed_by = :claim
WHERE (a.slot, a.token, a.number) IN (
        SELECT b.slot, b.token, b.number FROM attempt b
        WHERE b.next_ask_at <= :now AND b.claimed_until < :now ORDER BY b.next_ask_at LIMIT :limit {skip_locked})
  AND a.next_ask_at <= :now AND a.claimed_until < :now
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
-- Attempts that were sent before a moment and have no end: for a person to look at.
SELECT {attempt}, p.site_id, p.transaction_id FROM attempt a JOIN payment p ON p.slot = a.slot AND p.token = a.token
WHERE a.status = 'sent' AND a.sent_at < :before ORDER BY a.sent_at LIMIT :limit

-- name: claim_notifications
-- Notifications that are due, leased to one sender; one delivery per payment at a time.
UPDATE notification AS n SET claimed_until = :until, claimed_by = :claim
WHERE (n.slot, n.token) IN (
        SELECT m.slot, m.token FROM notification m
        WHERE m.due_at <= :now AND m.claimed_until < :now ORDER BY m.due_at LIMIT :limit {skip_locked})
  AND n.due_at <= :now AND n.claimed_until < :now
RETURNING slot, token, site_id, since, tries

-- name: record_tries
-- What a delivery did to its notification, if the claim is still ours. A newer state that came meanwhile stays due as it was marked.
UPDATE notification AS n SET
    told_version = CASE WHEN r.value->>'delivered' = '1' THEN CAST(r.value->>'version' AS INTEGER) ELSE n.told_version END,
    tried_version = CAST(r.value->>'version' AS INTEGER),
    due_at = CASE WHEN n.due_version > CAST(r.value->>'version' AS INTEGER) THEN n.due_at
                  WHEN r.value->>'delivered' = '1' THEN NULL
                  ELSE CAST(r.value->>'next_try_at' AS BIGINT) END,
    tries = CASE WHEN n.due_version > CAST(r.value->>'version' AS INTEGER) THEN n.tries ELSE n.tries + 1 END,
    parked_at = CASE WHEN n.due_version <= CAST(r.value->>'version' AS INTEGER) AND r.value->>'delivered' = '0'
                          AND r.value->>'next_try_at' IS NULL THEN CAST(r.value->>'at' AS BIGINT) END,
    claimed_until = 0, claimed_by = NULL
FROM {rows}
WHERE n.slot = CAST(r.value->>'slot' AS INTEGER) AND n.token = r.value->>'token' AND n.claimed_by = r.value->>'claim'
RETURNING token

-- name: insert_deliveries
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

-- name: history_of
-- The history of a payment, oldest first.
SELECT h.version, h.at, h.event, h.from_code, h.to_code, h.attempt, h.actor, h.note
FROM payment_history h WHERE h.slot = :slot AND h.token = :token ORDER BY h.version

-- name: surpluses_of
-- Money received for a payment after its end.
SELECT s.attempt, s.operator_id, s.amount, s.currency FROM surplus s WHERE s.slot = :slot AND s.token = :token ORDER BY s.attempt

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
